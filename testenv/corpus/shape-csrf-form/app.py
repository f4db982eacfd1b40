"""A login form with a token in a hidden field, which is bound to a cookie of its own."""

import hmac
import secrets
from typing import Annotated

from fastapi import FastAPI, Form, HTTPException, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse

import memory
from guard import Guard

COOKIE = "__Host-session"
CSRF = "__Host-csrf"


api = FastAPI()


@api.get("/")
def index():
    return {"ok": True}


@api.get("/login")
def form():
    token = secrets.token_urlsafe(32)
    page = HTMLResponse(
        '<!doctype html><form method="post"><input type="hidden" name="csrf_token" value="'
        + token
        + '"><input name="username"><input name="password" type="password"><button>Sign in</button></form>'
    )
    page.set_cookie(CSRF, token, **memory.ATTRIBUTES)
    return page


@api.post("/login")
def login(
    request: Request,
    username: Annotated[str, Form()],
    password: Annotated[str, Form()],
    csrf_token: Annotated[str, Form()],
):
    if not hmac.compare_digest(csrf_token.encode(), request.cookies.get(CSRF, "none").encode()):
        raise HTTPException(403, "The form is too old")
    user = memory.authenticate(username, password)
    if user is None:
        raise HTTPException(401, "Wrong username or password")
    onwards = RedirectResponse("/me", 303)
    onwards.set_cookie(COOKIE, memory.begin(user, request.cookies.get(COOKIE)), **memory.ATTRIBUTES)
    onwards.delete_cookie(CSRF, **memory.ATTRIBUTES)
    return onwards


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
