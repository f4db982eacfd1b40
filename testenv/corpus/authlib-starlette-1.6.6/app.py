"""Authlib's Starlette client with a cache, beside a password login. The provider lives in the same process, and its code
is the user's name."""

import os
import secrets
from typing import Annotated

from authlib.integrations.starlette_client import OAuth, OAuthError
from fastapi import FastAPI, Form, Header, HTTPException, Request, Response
from pydantic import BaseModel, ConfigDict
from starlette.middleware.sessions import SessionMiddleware

import memory
from guard import Guard

COOKIE = "__Host-session"
OWN = f"http://127.0.0.1:{os.environ['PORT']}"


class Credentials(BaseModel):
    model_config = ConfigDict(extra="forbid")
    username: str
    password: str


api = FastAPI()
api.add_middleware(
    SessionMiddleware, secret_key=secrets.token_urlsafe(32), session_cookie="__Host-oauth", max_age=None, https_only=True
)


class Cache:
    """What a Redis would keep."""

    def __init__(self):
        self.kept = {}

    async def get(self, key):
        return self.kept.get(key)

    async def set(self, key, value, expires=None):
        self.kept[key] = value

    async def delete(self, key):
        self.kept.pop(key, None)


oauth = OAuth(cache=Cache())
oauth.register(
    "provider",
    client_id="app",
    client_secret="app-secret",
    authorize_url=f"{OWN}/provider/authorize",
    access_token_url=f"{OWN}/provider/token",
    api_base_url=f"{OWN}/provider/",
)


@api.get("/login/provider")
async def start(request: Request):
    return await oauth.provider.authorize_redirect(request, f"{OWN}/login/provider/callback")


@api.get("/login/provider/callback")
async def callback(request: Request, response: Response):
    try:
        token = await oauth.provider.authorize_access_token(request)
    except OAuthError as error:
        raise HTTPException(400, "This login was not begun here") from error
    found = await oauth.provider.get("me", token=token)
    return begin(found.json()["name"], request, response)


@api.get("/")
def index():
    return {"ok": True}


@api.post("/provider/token")
def provider_token(code: Annotated[str, Form()]):
    return {"access_token": code, "token_type": "bearer", "expires_in": 3600}


@api.get("/provider/me")
def provider_me(authorization: Annotated[str, Header()]):
    return {"name": authorization.removeprefix("Bearer ")}


def begin(user: str, request: Request, response: Response):
    response.set_cookie(COOKIE, memory.begin(user, request.cookies.get(COOKIE)), **memory.ATTRIBUTES)
    return {"ok": True}


@api.post("/login")
def login(body: Credentials, request: Request, response: Response):
    user = memory.authenticate(body.username, body.password)
    if user is None:
        raise HTTPException(401, "Wrong username or password")
    return begin(user, request, response)


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
