"""Login redirects, twice, to the account; a failed one redirects back to the form."""

from typing import Annotated

from fastapi import FastAPI, Form, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse

import memory
from guard import Guard

COOKIE = "__Host-session"


api = FastAPI()


@api.get("/")
def index():
    return {"ok": True}


@api.get("/login")
def form():
    return HTMLResponse('<!doctype html><form method="post"><input name="username"><input name="password"></form>')


@api.post("/login")
def login(request: Request, username: Annotated[str, Form()], password: Annotated[str, Form()]):
    user = memory.authenticate(username, password)
    if user is None:
        return RedirectResponse("/login?failed=1", 303)
    onwards = RedirectResponse("/welcome", 303)
    onwards.set_cookie(COOKIE, memory.begin(user, request.cookies.get(COOKIE)), **memory.ATTRIBUTES)
    return onwards


@api.get("/welcome")
def welcome():
    return RedirectResponse("/me", 303)


@api.get("/me")
def me(request: Request):
    user = memory.user_of(request.cookies.get(COOKIE))
    if user is None:
        return RedirectResponse("/login", 303)
    return HTMLResponse(f"<!doctype html><h1>Account</h1><p>Signed in as <b>{user}</b>")


@api.post("/logout")
def logout(request: Request, response: Response):
    memory.end(request.cookies.get(COOKIE))
    response.delete_cookie(COOKIE, **memory.ATTRIBUTES)
    return {"ok": True}


app = Guard(api)
