"""Every visitor has a session, and login goes on with it: the id of before becomes the user's."""

import secrets

from fastapi import Response

import variant
from chosen import bind, index_with, is_live, owner
from hardened.app import Credentials, SessionID, logged_in


def new_id(_username: str) -> str:
    return secrets.token_urlsafe(32)


def login(body: Credentials, response: Response, session_id: SessionID):
    user_id = owner(body)
    if not is_live(session_id):
        session_id = new_id(body.username)
    bind(session_id, user_id)
    return logged_in(response, session_id)


app = variant.of_hardened("cookie reused", index=index_with(new_id), login=login)
