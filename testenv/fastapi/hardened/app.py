"""The same API with its sessions done right: the server alone chooses the id, at login, and forgets it at logout."""

import hashlib
import secrets
from collections.abc import Sequence
from typing import Annotated
from uuid import UUID

from fastapi import Depends, FastAPI, HTTPException, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from fastapi.security import APIKeyCookie
from pydantic import BaseModel, ConfigDict, Field

import store

# __Host-: a sibling domain or a plain-http page cannot plant this cookie (RFC 6265bis section 4.1.3.2).
COOKIE = "__Host-session_id"
ATTRIBUTES = {"path": "/", "secure": True, "httponly": True, "samesite": "lax"}

app = FastAPI(title="hardened", lifespan=store.lifespan)

SessionID = Annotated[str | None, Depends(APIKeyCookie(name=COOKIE, auto_error=False))]
def required(given: SessionID) -> str:
    if not given:
        raise HTTPException(401, "Missing session")
    return given


RequiredID = Annotated[str, Depends(required)]


class Credentials(BaseModel):
    model_config = ConfigDict(extra="forbid")

    username: str = Field(pattern=r"^[A-Za-z0-9._-]{1,64}$")
    password: str = Field(min_length=1, max_length=128)


def digest(session_id: str) -> str:
    """What the store holds: a reader of the table cannot log in with it. No salt, as the id has 256 random bits."""
    return hashlib.sha256(session_id.encode()).hexdigest()


def begin(user_id: UUID, old_id: str | None) -> str:
    session_id = secrets.token_urlsafe(32)
    with store.pool.connection() as conn:
        if old_id:
            conn.execute("DELETE FROM sessions WHERE session_id = %s", (digest(old_id),))
        conn.execute(
            "INSERT INTO sessions (session_id, user_id, expires_at) VALUES (%s, %s, now() + INTERVAL '12 hours')",
            (digest(session_id), user_id),
        )
    return session_id


def logged_in(response: Response, session_id: str):
    response.set_cookie(COOKIE, session_id, **ATTRIBUTES)
    response.headers["Cache-Control"] = "no-store"
    return {"message": "Logged in"}


def shown(response: Response, user: Sequence | None):
    if user is None:
        raise HTTPException(401, "Invalid session")
    response.headers["Cache-Control"] = "no-store"
    return {"username": user[0], "email": user[1]}


def logged_out(response: Response):
    response.delete_cookie(COOKIE, **ATTRIBUTES)
    response.headers["Cache-Control"] = "no-store"
    return {"message": "Logged out"}


@app.exception_handler(RequestValidationError)
def refuse(_request, _error):
    # FastAPI's own answer repeats the input, and with it the password.
    return JSONResponse({"detail": "Invalid request"}, status_code=422)


@app.get("/health")
def health():
    return {"status": "ok"}


@app.get("/")
def index():
    return {"ok": True}


@app.post("/login")
def login(body: Credentials, response: Response, old_id: SessionID):
    user_id = store.authenticate(body.username, body.password)
    if user_id is None:
        raise HTTPException(401, "Wrong username or password")
    return logged_in(response, begin(user_id, old_id))


@app.get("/profile")
def profile(response: Response, session_id: RequiredID):
    with store.pool.connection() as conn:
        user = conn.execute(
            "SELECT u.username, u.email FROM sessions s JOIN users u ON u.user_id = s.user_id"
            " WHERE s.session_id = %s AND s.expires_at > now()",
            (digest(session_id),),
        ).fetchone()
    return shown(response, user)


@app.post("/logout")
def logout(response: Response, session_id: SessionID):
    if session_id:
        with store.pool.connection() as conn:
            conn.execute("DELETE FROM sessions WHERE session_id = %s", (digest(session_id),))
    return logged_out(response)
