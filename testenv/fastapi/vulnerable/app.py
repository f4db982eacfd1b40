"""Session fixation by every channel: the client chooses its session id, and login binds that id to the user."""

from typing import Annotated
from uuid import uuid4

from fastapi import Cookie, FastAPI, Header, HTTPException, Query, Response
from pydantic import BaseModel

import store

app = FastAPI(title="vulnerable", lifespan=store.lifespan)

FromQuery = Annotated[str | None, Query(alias="session_id")]
FromHeader = Annotated[str | None, Header(alias="X-Session-ID")]
FromCookie = Annotated[str | None, Cookie(alias="session_id")]


class Credentials(BaseModel):
    username: str
    password: str
    session_id: str | None = None


@app.get("/health")
def health():
    return {"status": "ok"}


@app.get("/")
def index(response: Response, query: FromQuery = None, header: FromHeader = None, cookie: FromCookie = None):
    if not (query or header or cookie):
        session_id = str(uuid4())
        with store.pool.connection() as conn:
            conn.execute("INSERT INTO sessions (session_id, user_id) VALUES (%s, NULL)", (session_id,))
        response.set_cookie("session_id", session_id)
    return {"message": "Welcome"}


@app.post("/login")
def login(
    body: Credentials,
    response: Response,
    query: FromQuery = None,
    header: FromHeader = None,
    cookie: FromCookie = None,
):
    user_id = store.authenticate(body.username, body.password)
    if user_id is None:
        raise HTTPException(401, "Wrong username or password")
    session_id = body.session_id or query or header or cookie or str(uuid4())
    with store.pool.connection() as conn:
        conn.execute(
            "INSERT INTO sessions (session_id, user_id) VALUES (%s, %s)"
            " ON CONFLICT (session_id) DO UPDATE SET user_id = excluded.user_id",
            (session_id, user_id),
        )
    response.set_cookie("session_id", session_id)
    return {"message": "Logged in"}


@app.get("/profile")
def profile(query: FromQuery = None, header: FromHeader = None, cookie: FromCookie = None):
    session_id = cookie or header or query
    if not session_id:
        raise HTTPException(401, "Missing session")
    with store.pool.connection() as conn:
        row = conn.execute(
            "SELECT u.username, u.email FROM sessions s JOIN users u ON u.user_id = s.user_id WHERE s.session_id = %s",
            (session_id,),
        ).fetchone()
    if row is None:
        raise HTTPException(401, "Invalid session")
    return {"username": row[0], "email": row[1]}


@app.post("/logout")
def logout(response: Response):
    response.delete_cookie("session_id")
    return {"message": "Logged out"}
