"""A change of the password ends every session of the user and begins a new one."""

from fastapi import FastAPI, HTTPException, Request, Response
from pydantic import BaseModel, ConfigDict

import memory
from guard import Guard

COOKIE = "__Host-session"
api = FastAPI()


class Credentials(BaseModel):
    model_config = ConfigDict(extra="forbid")
    username: str
    password: str


class Change(BaseModel):
    model_config = ConfigDict(extra="forbid")
    old: str
    new: str


def signed_in(request: Request) -> tuple[str, str]:
    session_id = request.cookies.get(COOKIE, "")
    user = memory.user_of(session_id)
    if user is None:
        raise HTTPException(401, "Sign in first")
    return session_id, user


@api.get("/")
def index():
    return {"ok": True}


@api.post("/login")
def login(body: Credentials, request: Request, response: Response):
    user = memory.authenticate(body.username, body.password)
    if user is None:
        raise HTTPException(401, "Wrong username or password")
    response.set_cookie(COOKIE, memory.begin(user, request.cookies.get(COOKIE)), **memory.ATTRIBUTES)
    return {"ok": True}


@api.get("/me")
def me(request: Request):
    return {"username": signed_in(request)[1]}


@api.post("/password")
def change(body: Change, request: Request, response: Response):
    session_id, user = signed_in(request)
    if memory.authenticate(user, body.old) is None:
        raise HTTPException(403, "Wrong password")
    memory.ACCOUNTS[user] = body.new
    memory.end_all(user)
    response.set_cookie(COOKIE, memory.begin(user, session_id), **memory.ATTRIBUTES)
    return {"ok": True}


@api.post("/logout")
def logout(request: Request, response: Response):
    memory.end(request.cookies.get(COOKIE))
    response.delete_cookie(COOKIE, **memory.ATTRIBUTES)
    return {"ok": True}


app = Guard(api)
