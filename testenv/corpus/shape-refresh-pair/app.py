"""A short-lived bearer token, and one that buys the next. Using it twice ends the whole family."""

import secrets
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


families: dict[str, tuple[str, str | None]] = {}  # by refresh token: user, access token
spent: dict[str, str] = {}  # refresh token: the one that it bought


class Refresh(BaseModel):
    refresh_token: str


@api.get("/")
def index():
    return {"ok": True}


def pair(user: str):
    access, refresh = memory.begin(user), secrets.token_urlsafe(32)
    families[refresh] = user, access
    return {"access_token": access, "refresh_token": refresh}


@api.post("/login")
def login(body: Credentials):
    user = memory.authenticate(body.username, body.password)
    if user is None:
        raise HTTPException(401, "Wrong username or password")
    return pair(user)


@api.post("/refresh")
def refresh(body: Refresh):
    old = body.refresh_token
    if old not in families:
        while old := spent.get(old):
            revoke(old)
        raise HTTPException(401, "Sign in again")
    new = pair(families[old][0])
    revoke(old)
    spent[old] = new["refresh_token"]
    return new


def revoke(refresh_token: str):
    _user, access = families.pop(refresh_token, (None, None))
    memory.end(access)


@api.get("/me")
def me(token: Token):
    user = memory.user_of(token and token.credentials)
    if user is None:
        raise HTTPException(401, "Sign in first")
    return {"username": user}


@api.post("/logout")
def logout(body: Refresh, token: Token):
    memory.end(token and token.credentials)
    revoke(body.refresh_token)
    return {"ok": True}


app = Guard(api)
