from fastapi import APIRouter, HTTPException, Response

import store
from hardened.app import Credentials, SessionID, begin, digest, logged_in, logged_out

router = APIRouter()


@router.post("/login")
def login(body: Credentials, response: Response, old_id: SessionID):
    user_id = store.authenticate(body.username, body.password)
    if user_id is None:
        raise HTTPException(401, "Wrong username or password")
    return logged_in(response, begin(user_id, old_id))


@router.post("/logout")
def logout(response: Response, session_id: SessionID):
    if session_id:
        with store.pool.connection() as conn:
            conn.execute("DELETE FROM sessions WHERE session_id = %s", (digest(session_id),))
    return logged_out(response)
