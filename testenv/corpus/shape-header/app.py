"""A mobile API: the id comes and goes in a header of its own."""

from typing import Annotated

from fastapi import FastAPI, Header, HTTPException, Response
from pydantic import BaseModel, ConfigDict

import memory
from guard import Guard

Session = Annotated[str | None, Header()]


class Credentials(BaseModel):
    model_config = ConfigDict(extra="forbid")
    username: str
    password: str


api = FastAPI()


@api.get("/")
def index():
    return {"ok": True}


@api.post("/login")
def login(body: Credentials, response: Response, x_session: Session = None):
    user = memory.authenticate(body.username, body.password)
    if user is None:
        raise HTTPException(401, "Wrong username or password")
    response.headers["X-Session"] = memory.begin(user, x_session)
    return {"ok": True}


@api.get("/me")
def me(x_session: Session = None):
    user = memory.user_of(x_session)
    if user is None:
        raise HTTPException(401, "Sign in first")
    return {"username": user}


@api.post("/logout")
def logout(x_session: Session = None):
    memory.end(x_session)
    return {"ok": True}


app = Guard(api)
