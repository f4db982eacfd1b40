"""Every visitor has a session. Login makes a new one under a new id, and forgets to end the visitor's."""

import secrets

from fastapi import HTTPException, Response

import store
import variant
from hardened.app import ATTRIBUTES, COOKIE, Credentials, SessionID, digest, logged_in


def index(response: Response, session_id: SessionID):
    with store.pool.connection() as conn:
        if not session_id or not is_live(conn, session_id):
            session_id = secrets.token_urlsafe(32)
            conn.execute(
                "INSERT INTO sessions (session_id, expires_at) VALUES (%s, now() + INTERVAL '12 hours')",
                (digest(session_id),),
            )
            response.set_cookie(COOKIE, session_id, **ATTRIBUTES)
    response.headers["Cache-Control"] = "no-store"
    return {"message": "Welcome"}


def is_live(conn, session_id: str) -> bool:
    query = "SELECT 1 FROM sessions WHERE session_id = %s AND expires_at > now()"
    return conn.execute(query, (digest(session_id),)).fetchone() is not None


def login(body: Credentials, response: Response, old_id: SessionID):
    user_id = store.authenticate(body.username, body.password)
    if user_id is None:
        raise HTTPException(401, "Wrong username or password")
    session_id = secrets.token_urlsafe(32)
    with store.pool.connection() as conn:
        if old_id:
            conn.execute("DELETE FROM sessions WHERE session_id = %s AND user_id IS NOT NULL", (digest(old_id),))
        conn.execute(
            "INSERT INTO sessions (session_id, user_id, expires_at) VALUES (%s, %s, now() + INTERVAL '12 hours')",
            (digest(session_id), user_id),
        )
    return logged_in(response, session_id)


app = variant.of_hardened("keeps_anonymous", index=index, login=login)
