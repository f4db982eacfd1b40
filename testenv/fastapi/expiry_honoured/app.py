"""Sessions end 30 minutes after their last use, and 12 hours after the login at the latest: the lookup sees to it."""

import secrets

from fastapi import HTTPException, Response

import store
import variant
from hardened.app import Credentials, RequiredID, SessionID, digest, logged_in, shown


def login(body: Credentials, response: Response, old_id: SessionID):
    user_id = store.authenticate(body.username, body.password)
    if user_id is None:
        raise HTTPException(401, "Wrong username or password")
    session_id = secrets.token_urlsafe(32)
    with store.pool.connection() as conn:
        if old_id:
            conn.execute("DELETE FROM sessions WHERE session_id = %s", (digest(old_id),))
        conn.execute(
            "INSERT INTO sessions (session_id, user_id, last_seen, expires_at)"
            " VALUES (%s, %s, now(), now() + INTERVAL '12 hours')",
            (digest(session_id), user_id),
        )
    return logged_in(response, session_id)


def used(session_id: str):
    # A transaction of its own: after a SELECT in the same one, CockroachDB would refuse one of two concurrent requests.
    with store.pool.connection() as conn:
        conn.execute("UPDATE sessions SET last_seen = now() WHERE session_id = %s", (digest(session_id),))


def profile(response: Response, session_id: RequiredID):
    with store.pool.connection() as conn:
        user = conn.execute(
            "SELECT u.username, u.email FROM sessions s JOIN users u ON u.user_id = s.user_id"
            " WHERE s.session_id = %s AND s.expires_at > now() AND s.last_seen > now() - INTERVAL '30 minutes'",
            (digest(session_id),),
        ).fetchone()
    if user:
        used(session_id)
    return shown(response, user)


app = variant.of_hardened("expiry_honoured", login=login, profile=profile)
