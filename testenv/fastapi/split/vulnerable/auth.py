from typing import Annotated
from uuid import uuid4

from fastapi import APIRouter, Depends, HTTPException, Response
from pydantic import BaseModel

import store

from . import sessions

router = APIRouter()


class Credentials(BaseModel):
    username: str
    password: str
    session_id: str | None = None


@router.post("/login")
def login(body: Credentials, response: Response, given: Annotated[str | None, Depends(sessions.given)]):
    user_id = store.authenticate(body.username, body.password)
    if user_id is None:
        raise HTTPException(401, "Wrong username or password")
    sessions.begin(response, body.session_id or given or str(uuid4()), user_id)
    return {"message": "Logged in"}


@router.post("/logout")
def logout(response: Response):
    response.delete_cookie("session_id")
    return {"message": "Logged out"}
