"""fastapi-sso beside a password login. The provider lives in the same process, and its code is the user's name."""

import os
import secrets
from typing import Annotated

from fastapi import FastAPI, Form, Header, HTTPException, Request, Response
from fastapi_sso.sso.base import OpenID
from fastapi_sso.sso.generic import create_provider
from pydantic import BaseModel, ConfigDict

import memory
from guard import Guard

COOKIE = "__Host-session"
OWN = f"http://127.0.0.1:{os.environ['PORT']}"


class Credentials(BaseModel):
    model_config = ConfigDict(extra="forbid")
    username: str
    password: str


api = FastAPI()

discovery = {
    "authorization_endpoint": f"{OWN}/provider/authorize",
    "token_endpoint": f"{OWN}/provider/token",
    "userinfo_endpoint": f"{OWN}/provider/me",
}


class Provider(
    create_provider(
        name="provider",
        discovery_document=discovery,
        response_convertor=lambda found, _session: OpenID(id=found["name"], provider="provider"),
    )
):
    requires_state = True


def sso():
    return Provider("app", "app-secret", redirect_uri=f"{OWN}/login/provider/callback", allow_insecure_http=True)


@api.get("/login/provider")
async def start():
    async with sso() as client:
        return await client.get_login_redirect(state=secrets.token_urlsafe(32))


@api.get("/login/provider/callback")
async def callback(request: Request, response: Response):
    async with sso() as client:
        user = await client.verify_and_process(request)
    return begin(user.id, request, response)


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
