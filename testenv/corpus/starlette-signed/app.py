"""Starlette's SessionMiddleware: the whole session is signed and kept in the cookie, so logout has nothing to end."""

import secrets

from fastapi import FastAPI, HTTPException, Request
from pydantic import BaseModel, ConfigDict
from starlette.middleware.sessions import SessionMiddleware

import memory
from guard import Guard

api = FastAPI()
api.add_middleware(
    SessionMiddleware,
    secret_key=secrets.token_urlsafe(32),
    session_cookie="__Host-session",
    max_age=3600,
    same_site="lax",
    https_only=True,
)


class Credentials(BaseModel):
    model_config = ConfigDict(extra="forbid")
    username: str
    password: str


@api.get("/")
def index(request: Request):
    request.session["visited"] = True
    return {"ok": True}


@api.post("/login")
def login(body: Credentials, request: Request):
    user = memory.authenticate(body.username, body.password)
    if user is None:
        raise HTTPException(401, "Wrong username or password")
    request.session["user"] = user
    return {"ok": True}


@api.get("/me")
def me(request: Request):
    if "user" not in request.session:
        raise HTTPException(401, "Sign in first")
    return {"username": request.session["user"]}


@api.post("/logout")
def logout(request: Request):
    request.session.clear()
    return {"ok": True}


app = Guard(api)
