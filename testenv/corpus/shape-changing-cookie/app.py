"""The id is wrapped anew in every answer: the cookie never has the same value twice, the session stays."""

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


def unwrapped(request: Request) -> str | None:
    try:
        return KEY.decrypt(request.cookies.get(COOKIE, "").encode(), ttl=memory.LIFETIME).decode()
    except (InvalidToken, ValueError):
        return None


def hand_out(response: Response, session_id: str):
    response.set_cookie(COOKIE, KEY.encrypt(session_id.encode()).decode(), **memory.ATTRIBUTES)


@api.get("/")
def index(request: Request, response: Response):
    if memory.user_of(unwrapped(request)):
        hand_out(response, unwrapped(request))
    return {"ok": True}


@api.post("/login")
def login(body: Credentials, request: Request, response: Response):
    user = memory.authenticate(body.username, body.password)
    if user is None:
        raise HTTPException(401, "Wrong username or password")
    hand_out(response, memory.begin(user, unwrapped(request)))
    return {"ok": True}


@api.get("/me")
def me(request: Request, response: Response):
    user = memory.user_of(unwrapped(request))
    if user is None:
        raise HTTPException(401, "Sign in first")
    hand_out(response, unwrapped(request))
    return {"username": user}


@api.post("/logout")
def logout(request: Request, response: Response):
    memory.end(unwrapped(request))
    response.delete_cookie(COOKIE, **memory.ATTRIBUTES)
    return {"ok": True}


app = Guard(api)
