"""The id is bound, but as a pattern: a cookie with % or _ in it finds sessions whose id nobody knows."""

from fastapi import Response

import store
import variant
from clear_store.app import login, logout
from hardened.app import RequiredID, shown


def profile(response: Response, session_id: RequiredID):
    with store.pool.connection() as conn:
        user = conn.execute(
            "SELECT u.username, u.email FROM sessions s JOIN users u ON u.user_id = s.user_id"
            " WHERE s.session_id LIKE %s AND s.expires_at > now()",
            (session_id,),
        ).fetchone()
    return shown(response, user)


app = variant.of_hardened("wildcard", login=login, profile=profile, logout=logout)
