"""Session fixation by demand: login refuses a client that does not bring a session id of its own."""

from typing import Annotated

from fastapi import Cookie, FastAPI, HTTPException, Response
from pydantic import BaseModel

import store

app = FastAPI(title="vulnerable_required", lifespan=store.lifespan)


class Credentials(BaseModel):
    username: str
    password: str
    session_id: str


@app.get("/health")
def health():
    return {"status": "ok"}


@app.get("/")
def index():
    return {"message": "Welcome"}


@app.post("/login")
def login(body: Credentials, response: Response):
    user_id = store.authenticate(body.username, body.password)
    if user_id is None:
        raise HTTPException(401, "Wrong username or password")
    with store.pool.connection() as conn:
        # An id that is in use already violates the primary key, and nobody catches it: 500.
        conn.execute("INSERT INTO sessions (session_id, user_id) VALUES (%s, %s)", (body.session_id, user_id))
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
