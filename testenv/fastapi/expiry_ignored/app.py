"""The table says when a session was last used and when it ends. The lookup asks for neither: only logout ends one."""

from fastapi import Response

import store
import variant
from expiry_honoured.app import login, used
from hardened.app import RequiredID, digest, shown


def profile(response: Response, session_id: RequiredID):
    with store.pool.connection() as conn:
        user = conn.execute(
            "SELECT u.username, u.email FROM sessions s JOIN users u ON u.user_id = s.user_id WHERE s.session_id = %s",
            (digest(session_id),),
        ).fetchone()
    if user:
        used(session_id)
    return shown(response, user)


app = variant.of_hardened("expiry_ignored", login=login, profile=profile)
