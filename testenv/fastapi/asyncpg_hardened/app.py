"""The hardened app on asyncpg: prepared statements with binary parameters, on an event loop."""

import secrets
from contextlib import asynccontextmanager
from typing import Annotated

import asyncpg
from fastapi import Depends, HTTPException, Request, Response
from fastapi.concurrency import run_in_threadpool

import store
import variant
from hardened.app import Credentials, RequiredID, SessionID, digest, logged_in, logged_out, shown


@asynccontextmanager
async def lifespan(app):
    # asyncpg itself reads sslmode from a DSN; it is SQLAlchemy in front of it that does not.
    async with asyncpg.create_pool(store.DATABASE_URL, min_size=0, max_size=8) as app.state.pool:
        yield


def opened(request: Request) -> asyncpg.Pool:
    return request.app.state.pool


Pool = Annotated[asyncpg.Pool, Depends(opened)]


async def login(body: Credentials, response: Response, old_id: SessionID, pool: Pool):
    row = await pool.fetchrow("SELECT user_id, password_hash FROM users WHERE username = $1", body.username)
    user_id = await run_in_threadpool(store.owner, row, body.password)  # the hash would hold up the event loop
    if user_id is None:
        raise HTTPException(401, "Wrong username or password")
    session_id = secrets.token_urlsafe(32)
    async with pool.acquire() as conn, conn.transaction():
        if old_id:
            await conn.execute("DELETE FROM sessions WHERE session_id = $1", digest(old_id))
        await conn.execute(
            "INSERT INTO sessions (session_id, user_id, expires_at) VALUES ($1, $2, now() + INTERVAL '12 hours')",
            digest(session_id),
            user_id,
        )
    return logged_in(response, session_id)


async def profile(response: Response, session_id: RequiredID, pool: Pool):
    user = await pool.fetchrow(
        "SELECT u.username, u.email FROM sessions s JOIN users u ON u.user_id = s.user_id"
        " WHERE s.session_id = $1 AND s.expires_at > now()",
        digest(session_id),
    )
    return shown(response, user)


async def logout(response: Response, session_id: SessionID, pool: Pool):
    if session_id:
        await pool.execute("DELETE FROM sessions WHERE session_id = $1", digest(session_id))
    return logged_out(response)


app = variant.of_hardened("asyncpg_hardened", lifespan=lifespan, login=login, profile=profile, logout=logout)
