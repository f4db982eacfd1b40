"""A bearer token, handed out in the JSON answer of the login."""

from typing import Annotated

from fastapi import Depends, FastAPI, HTTPException
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from pydantic import BaseModel, ConfigDict

import memory
from guard import Guard

Token = Annotated[HTTPAuthorizationCredentials | None, Depends(HTTPBearer(auto_error=False))]


class Credentials(BaseModel):
    model_config = ConfigDict(extra="forbid")
    username: str
    password: str


api = FastAPI()


@api.get("/")
def index():
    return {"ok": True}


@api.post("/login")
def login(body: Credentials):
    user = memory.authenticate(body.username, body.password)
    if user is None:
        raise HTTPException(401, "Wrong username or password")
    return {"access_token": memory.begin(user), "token_type": "bearer"}


@api.get("/me")
def me(token: Token):
    user = memory.user_of(token and token.credentials)
    if user is None:
        raise HTTPException(401, "Sign in first")
    return {"username": user}


@api.post("/logout")
def logout(token: Token):
    memory.end(token and token.credentials)
    return {"ok": True}


app = Guard(api)
