"""The cookie is scoped to the part of the site that needs it."""

from fastapi import FastAPI, HTTPException, Request, Response
from pydantic import BaseModel, ConfigDict

import memory
from guard import Guard

# __Host- demands Path=/, so this is as far as a prefix goes.
COOKIE = "__Secure-session"
ATTRIBUTES = memory.ATTRIBUTES | {"path": "/account"}


class Credentials(BaseModel):
    model_config = ConfigDict(extra="forbid")
    username: str
    password: str


api = FastAPI()


@api.get("/")
def index():
    return {"ok": True}


@api.post("/account/login")
def login(body: Credentials, request: Request, response: Response):
    user = memory.authenticate(body.username, body.password)
    if user is None:
        raise HTTPException(401, "Wrong username or password")
    response.set_cookie(COOKIE, memory.begin(user, request.cookies.get(COOKIE)), **ATTRIBUTES)
    return {"ok": True}


@api.get("/account/me")
def me(request: Request):
    user = memory.user_of(request.cookies.get(COOKIE))
    if user is None:
        raise HTTPException(401, "Sign in first")
    return {"username": user}


@api.post("/account/logout")
def logout(request: Request, response: Response):
    memory.end(request.cookies.get(COOKIE))
    response.delete_cookie(COOKIE, **ATTRIBUTES)
    return {"ok": True}


app = Guard(api)
