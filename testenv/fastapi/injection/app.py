"""The cookie becomes part of the SQL text that looks it up: an id cut in two, L'||'R, is put together by the database.
Login and logout bind it."""

from fastapi import Response

import store
import variant
from clear_store.app import login, logout
from hardened.app import RequiredID, shown


def profile(response: Response, session_id: RequiredID):
    # A cookie that breaks the statement is a 500; the pool rolls the connection back and keeps it.
    with store.pool.connection() as conn:
        user = conn.execute(
            "SELECT u.username, u.email FROM sessions s JOIN users u ON u.user_id = s.user_id"
            f" WHERE s.session_id = '{session_id}' AND s.expires_at > now()"
        ).fetchone()
    return shown(response, user)


app = variant.of_hardened("injection", login=login, profile=profile, logout=logout)
