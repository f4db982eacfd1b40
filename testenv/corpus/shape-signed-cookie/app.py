"""The session is a signed token in a cookie; a list remembers which ones were ended."""

import secrets
import time

import jwt
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


KEY = secrets.token_bytes(32)
ended: set[str] = set()
ids = {"alice": "u-4711", "bob": "u-0815"}


def claims(request: Request) -> dict | None:
    try:
        found = jwt.decode(request.cookies.get(COOKIE, ""), KEY, algorithms=["HS256"], options={"require": ["exp", "jti"]})
    except jwt.InvalidTokenError:
        return None
    return None if found["jti"] in ended else found


@api.get("/")
def index():
    return {"ok": True}


@api.post("/login")
def login(body: Credentials, request: Request, response: Response):
    user = memory.authenticate(body.username, body.password)
    if user is None:
        raise HTTPException(401, "Wrong username or password")
    if old := claims(request):
        ended.add(old["jti"])
    new = {"sub": ids[user], "jti": secrets.token_urlsafe(32), "exp": int(time.time()) + memory.LIFETIME}
    response.set_cookie(COOKIE, jwt.encode(new, KEY, "HS256"), **memory.ATTRIBUTES)
    return {"ok": True}


@api.get("/me")
def me(request: Request):
    found = claims(request)
    if found is None:
        raise HTTPException(401, "Sign in first")
    return {"username": next(name for name, uid in ids.items() if uid == found["sub"])}


@api.post("/logout")
def logout(request: Request, response: Response):
    if found := claims(request):
        ended.add(found["jti"])
    response.delete_cookie(COOKIE, **memory.ATTRIBUTES)
    return {"ok": True}


app = Guard(api)
