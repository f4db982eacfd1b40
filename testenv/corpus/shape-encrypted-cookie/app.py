"""The session is encrypted in the cookie; a list remembers which ones were ended."""

import json
import secrets

from cryptography.fernet import Fernet, InvalidToken
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


KEY = Fernet(Fernet.generate_key())
ended: set[str] = set()


def opened(request: Request) -> dict | None:
    try:
        found = json.loads(KEY.decrypt(request.cookies.get(COOKIE, "").encode(), ttl=memory.LIFETIME))
    except (InvalidToken, ValueError):
        return None
    return None if found["nonce"] in ended else found


@api.get("/")
def index():
    return {"ok": True}


@api.post("/login")
def login(body: Credentials, request: Request, response: Response):
    user = memory.authenticate(body.username, body.password)
    if user is None:
        raise HTTPException(401, "Wrong username or password")
    if old := opened(request):
        ended.add(old["nonce"])
    sealed = KEY.encrypt(json.dumps({"user": user, "nonce": secrets.token_urlsafe(32)}).encode())
    response.set_cookie(COOKIE, sealed.decode(), **memory.ATTRIBUTES)
    return {"ok": True}


@api.get("/me")
def me(request: Request):
    found = opened(request)
    if found is None:
        raise HTTPException(401, "Sign in first")
    return {"username": found["user"]}


@api.post("/logout")
def logout(request: Request, response: Response):
    if found := opened(request):
        ended.add(found["nonce"])
    response.delete_cookie(COOKIE, **memory.ATTRIBUTES)
    return {"ok": True}


app = Guard(api)
