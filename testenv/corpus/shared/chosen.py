"""The hardened FastAPI app, but for how it comes to a session's id."""

from collections.abc import Callable
from uuid import UUID

from fastapi import HTTPException, Response

import store
import variant
from hardened.app import ATTRIBUTES, COOKIE, Credentials, SessionID, digest, logged_in


def bind(session_id: str, user_id: UUID | None) -> None:
    with store.pool.connection() as conn:
        conn.execute(
            "INSERT INTO sessions (session_id, user_id, expires_at) VALUES (%s, %s, now() + INTERVAL '12 hours')"
            " ON CONFLICT (session_id) DO UPDATE SET user_id = excluded.user_id",
            (digest(session_id), user_id),
        )


def is_live(session_id: str | None) -> bool:
    with store.pool.connection() as conn:
        query = "SELECT 1 FROM sessions WHERE session_id = %s AND expires_at > now()"
        return conn.execute(query, (digest(session_id or ""),)).fetchone() is not None


def owner(body: Credentials) -> UUID:
    user_id = store.authenticate(body.username, body.password)
    if user_id is None:
        raise HTTPException(401, "Wrong username or password")
    return user_id


def index_with(new_id: Callable[[str], str]):
    """A page that gives every visitor a session."""

    def index(response: Response, session_id: SessionID):
        if not is_live(session_id):
            session_id = new_id("")
            bind(session_id, None)
            response.set_cookie(COOKIE, session_id, **ATTRIBUTES)
        response.headers["Cache-Control"] = "no-store"
        return {"message": "Welcome"}

    return index


def with_ids(title: str, new_id: Callable[[str], str]):
    """Every id comes from new_id, which is told whose session it is."""

    def login(body: Credentials, response: Response, old_id: SessionID):
        user_id = owner(body)
        session_id = new_id(body.username)
        with store.pool.connection() as conn:
            conn.execute("DELETE FROM sessions WHERE session_id = %s", (digest(old_id or ""),))
        bind(session_id, user_id)
        return logged_in(response, session_id)

    return variant.of_hardened(title, index=index_with(new_id), login=login)
