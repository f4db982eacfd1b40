"""The hardened app with the id itself in the table: whoever reads the table is everybody in it."""

import re
import secrets

from fastapi import HTTPException, Response

import store
import variant
from hardened.app import Credentials, RequiredID, SessionID, logged_in, logged_out, shown


# psycopg raises on a NUL; an id of another shape was never issued.
ISSUED = re.compile(r"[A-Za-z0-9_-]{43}")


def login(body: Credentials, response: Response, old_id: SessionID):
    user_id = store.authenticate(body.username, body.password)
    if user_id is None:
        raise HTTPException(401, "Wrong username or password")
    session_id = secrets.token_urlsafe(32)
    with store.pool.connection() as conn:
        if old_id and ISSUED.fullmatch(old_id):
            conn.execute("DELETE FROM sessions WHERE session_id = %s", (old_id,))
        conn.execute(
            "INSERT INTO sessions (session_id, user_id, expires_at) VALUES (%s, %s, now() + INTERVAL '12 hours')",
            (session_id, user_id),
        )
    return logged_in(response, session_id)


def profile(response: Response, session_id: RequiredID):
    if not ISSUED.fullmatch(session_id):
        return shown(response, None)
    with store.pool.connection() as conn:
        user = conn.execute(
            "SELECT u.username, u.email FROM sessions s JOIN users u ON u.user_id = s.user_id"
            " WHERE s.session_id = %s AND s.expires_at > now()",
            (session_id,),
        ).fetchone()
    return shown(response, user)


def logout(response: Response, session_id: SessionID):
    if session_id and ISSUED.fullmatch(session_id):
        with store.pool.connection() as conn:
            conn.execute("DELETE FROM sessions WHERE session_id = %s", (session_id,))
    return logged_out(response)


app = variant.of_hardened("clear_store", login=login, profile=profile, logout=logout)
