"""Session fixation at its barest: login takes a session id and nothing else, and everybody is alice."""

from typing import Annotated

from fastapi import Cookie, FastAPI, HTTPException, Response
from pydantic import BaseModel

import store

app = FastAPI(title="vulnerable_bare", lifespan=store.lifespan)


class Login(BaseModel):
    session_id: str


@app.get("/health")
def health():
    return {"status": "ok"}


@app.get("/")
def index():
    return {"message": "Welcome"}


@app.post("/login")
def login(body: Login, response: Response):
    with store.pool.connection() as conn:
        conn.execute(
            "INSERT INTO sessions (session_id, user_id)"
            " VALUES (%s, (SELECT user_id FROM users WHERE username = 'alice'))",
            (body.session_id,),
        )
    response.set_cookie("session_id", body.session_id)
    return {"message": "Logged in"}


@app.get("/profile")
def profile(session_id: Annotated[str | None, Cookie()] = None):
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
