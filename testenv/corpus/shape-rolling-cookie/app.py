"""Every answer sets the cookie again, so that it lives an hour from the last request."""

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
    response.set_cookie(COOKIE, memory.begin(user, request.cookies.get(COOKIE)), max_age=3600, **memory.ATTRIBUTES)
    return {"ok": True}


@api.get("/me")
def me(request: Request, response: Response):
    user = memory.user_of(request.cookies.get(COOKIE))
    if user is None:
        raise HTTPException(401, "Sign in first")
    response.set_cookie(COOKIE, request.cookies[COOKIE], max_age=3600, **memory.ATTRIBUTES)
    return {"username": user}


@api.post("/logout")
def logout(request: Request, response: Response):
    memory.end(request.cookies.get(COOKIE))
    response.delete_cookie(COOKIE, **memory.ATTRIBUTES)
    return {"ok": True}


app = Guard(api)
