"""A script copies the token from a readable cookie into a header, as Angular does."""

import hmac
import secrets

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


@api.get("/csrf")
def token(request: Request, response: Response):
    value = request.cookies.get("__Host-csrf") or secrets.token_urlsafe(32)
    # Readable by script: it is not a secret from the page, only from other sites.
    response.set_cookie("__Host-csrf", value, path="/", secure=True, samesite="strict")
    return {"ok": True}


def check(request: Request):
    given, own = request.headers.get("X-CSRF-Token", ""), request.cookies.get("__Host-csrf", "none")
    if not hmac.compare_digest(given.encode(), own.encode()):
        raise HTTPException(403, "CSRF token missing")


@api.post("/login")
def login(body: Credentials, request: Request, response: Response):
    check(request)
    user = memory.authenticate(body.username, body.password)
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
    check(request)
    memory.end(request.cookies.get(COOKIE))
    response.delete_cookie(COOKIE, **memory.ATTRIBUTES)
    return {"ok": True}


app = Guard(api)
