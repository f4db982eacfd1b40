"""Strangers get 200 and an error in the body."""

from fastapi import FastAPI, HTTPException, Request, Response
from pydantic import BaseModel, ConfigDict

import memory
from guard import Guard

COOKIE = "__Host-session"


class Credentials(BaseModel):
    model_config = ConfigDict(extra="forbid")
    username: str
    password: str


api = FastAPI()


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
    user = memory.user_of(request.cookies.get(COOKIE))
    if user is None:
        return {"error": {"code": "unauthenticated", "message": "Sign in first"}}
    return {"username": user}


@api.post("/logout")
def logout(request: Request, response: Response):
    memory.end(request.cookies.get(COOKIE))
    response.delete_cookie(COOKIE, **memory.ATTRIBUTES)
    return {"ok": True}


app = Guard(api)
