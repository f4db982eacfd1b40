"""Login gives out a new id, and lets the old one go on: both are the user's now."""

import secrets

from fastapi import Response

import store
import variant
from chosen import bind, index_with, owner
from hardened.app import Credentials, SessionID, digest, logged_in


def new_id(_username: str) -> str:
    return secrets.token_urlsafe(32)


def login(body: Credentials, response: Response, old_id: SessionID):
    user_id = owner(body)
    with store.pool.connection() as conn:
        # So that requests under way with the old id do not fail.
        query = "UPDATE sessions SET user_id = %s WHERE session_id = %s AND user_id IS NULL"
        conn.execute(query, (user_id, digest(old_id or "")))
    session_id = new_id(body.username)
    bind(session_id, user_id)
    return logged_in(response, session_id)


app = variant.of_hardened("old id alive", index=index_with(new_id), login=login)
