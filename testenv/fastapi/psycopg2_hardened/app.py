"""The hardened app on psycopg2, which puts the parameters into the statement itself, quoted: none travels beside it."""

import secrets
from contextlib import closing, contextmanager

import psycopg2
from fastapi import HTTPException, Response

import store
import variant
from hardened.app import Credentials, RequiredID, SessionID, digest, logged_in, logged_out, shown


@contextmanager
def transaction():
    # A connection for each request: psycopg2's own pools raise when they are empty instead of waiting.
    with closing(psycopg2.connect(store.DATABASE_URL)) as conn, conn, conn.cursor() as cursor:
        yield cursor


def login(body: Credentials, response: Response, old_id: SessionID):
    with transaction() as cursor:
        cursor.execute("SELECT user_id, password_hash FROM users WHERE username = %s", (body.username,))
        row = cursor.fetchone()
    user_id = store.owner(row, body.password)
    if user_id is None:
        raise HTTPException(401, "Wrong username or password")
    session_id = secrets.token_urlsafe(32)
    with transaction() as cursor:
        if old_id:
            cursor.execute("DELETE FROM sessions WHERE session_id = %s", (digest(old_id),))
        cursor.execute(
            "INSERT INTO sessions (session_id, user_id, expires_at) VALUES (%s, %s, now() + INTERVAL '12 hours')",
            (digest(session_id), user_id),
        )
    return logged_in(response, session_id)


def profile(response: Response, session_id: RequiredID):
    with transaction() as cursor:
        cursor.execute(
            "SELECT u.username, u.email FROM sessions s JOIN users u ON u.user_id = s.user_id"
            " WHERE s.session_id = %s AND s.expires_at > now()",
            (digest(session_id),),
        )
        user = cursor.fetchone()
    return shown(response, user)


def logout(response: Response, session_id: SessionID):
    if session_id:
        with transaction() as cursor:
            cursor.execute("DELETE FROM sessions WHERE session_id = %s", (digest(session_id),))
    return logged_out(response)


app = variant.of_hardened("psycopg2_hardened", login=login, profile=profile, logout=logout)
