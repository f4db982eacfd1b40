"""A second password check opens the administration to the session as it is."""

from fastapi import FastAPI, HTTPException, Request, Response
from pydantic import BaseModel, ConfigDict

import memory
from guard import Guard

COOKIE = "__Host-session"
elevated: set[str] = set()
api = FastAPI()


class Credentials(BaseModel):
    model_config = ConfigDict(extra="forbid")
    username: str
    password: str


class Check(BaseModel):
    model_config = ConfigDict(extra="forbid")
    password: str


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


@api.post("/sudo")
def sudo(body: Check, request: Request, response: Response):
    session_id, user = signed_in(request)
    if memory.authenticate(user, body.password) is None:
        raise HTTPException(403, "Wrong password")
    elevated.add(session_id)
    return {"ok": True}


@api.get("/admin")
def admin(request: Request):
    session_id, user = signed_in(request)
    if session_id not in elevated:
        raise HTTPException(403, "Enter your password again")
    return {"administrator": user}


@api.post("/logout")
def logout(request: Request, response: Response):
    memory.end(request.cookies.get(COOKIE))
    response.delete_cookie(COOKIE, **memory.ATTRIBUTES)
    return {"ok": True}


app = Guard(api)
