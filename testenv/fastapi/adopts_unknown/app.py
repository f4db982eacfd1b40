"""Every visitor has a session, under the id in the cookie even if the server never issued it. Login makes a new one."""

import secrets

from fastapi import Response

import store
import variant
from hardened.app import ATTRIBUTES, COOKIE, SessionID, digest


def index(response: Response, session_id: SessionID):
    if not session_id:
        session_id = secrets.token_urlsafe(32)
        response.set_cookie(COOKIE, session_id, **ATTRIBUTES)
    with store.pool.connection() as conn:
        conn.execute(
            "INSERT INTO sessions (session_id, expires_at) VALUES (%s, now() + INTERVAL '12 hours')"
            " ON CONFLICT (session_id) DO NOTHING",
            (digest(session_id),),
        )
    response.headers["Cache-Control"] = "no-store"
    return {"message": "Welcome"}


app = variant.of_hardened("adopts_unknown", index=index)
