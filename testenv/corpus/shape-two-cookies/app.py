"""The session needs two cookies together: an id, and a secret that belongs to it."""

from fastapi import FastAPI, HTTPException, Request, Response
from pydantic import BaseModel, ConfigDict

import memory
from guard import Guard


class Credentials(BaseModel):
    model_config = ConfigDict(extra="forbid")
    username: str
    password: str


api = FastAPI()


PAIR = "__Host-session", "__Host-proof"


def joined(request: Request) -> str:
    return "".join(request.cookies.get(name, "") for name in PAIR)


@api.get("/")
def index():
    return {"ok": True}


@api.post("/login")
def login(body: Credentials, request: Request, response: Response):
    user = memory.authenticate(body.username, body.password)
    if user is None:
        raise HTTPException(401, "Wrong username or password")
    whole = memory.begin(user, joined(request))
    for name, part in zip(PAIR, (whole[:21], whole[21:]), strict=True):
        response.set_cookie(name, part, **memory.ATTRIBUTES)
    return {"ok": True}


@api.get("/me")
def me(request: Request):
    user = memory.user_of(joined(request))
    if user is None:
        raise HTTPException(401, "Sign in first")
    return {"username": user}


@api.post("/logout")
def logout(request: Request, response: Response):
    memory.end(joined(request))
    for name in PAIR:
        response.delete_cookie(name, **memory.ATTRIBUTES)
    return {"ok": True}


app = Guard(api)
