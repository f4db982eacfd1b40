"""A login form sent as multipart."""

from typing import Annotated

from fastapi import FastAPI, Form, HTTPException, Request, Response

import memory
from guard import Guard

COOKIE = "__Host-session"


api = FastAPI()


@api.get("/")
def index():
    return {"ok": True}


@api.post("/login")
def login(request: Request, response: Response, username: Annotated[str, Form()], password: Annotated[str, Form()]):
    user = memory.authenticate(username, password)
    if user is None:
        raise HTTPException(401, "Wrong username or password")
    response.set_cookie(COOKIE, memory.begin(user, request.cookies.get(COOKIE)), **memory.ATTRIBUTES)
    return {"ok": True}


@api.get("/me")
def me(request: Request):
    user = memory.user_of(request.cookies.get(COOKIE))
    if user is None:
        raise HTTPException(401, "Sign in first")
    return {"username": user}


@api.post("/logout")
def logout(request: Request, response: Response):
    memory.end(request.cookies.get(COOKIE))
    response.delete_cookie(COOKIE, **memory.ATTRIBUTES)
    return {"ok": True}


app = Guard(api)
