from typing import Annotated

from fastapi import Depends, FastAPI, HTTPException

import store

from . import sessions

account = FastAPI(title="account")


@account.get("/profile")
def profile(session_id: Annotated[str | None, Depends(sessions.given)]):
    if not session_id:
        raise HTTPException(401, "Missing session")
    with store.pool.connection() as conn:
        row = conn.execute(
            "SELECT u.username, u.email FROM sessions s JOIN users u ON u.user_id = s.user_id WHERE s.session_id = %s",
            (session_id,),
        ).fetchone()
    if row is None:
        raise HTTPException(401, "Invalid session")
    return {"username": row[0], "email": row[1]}
