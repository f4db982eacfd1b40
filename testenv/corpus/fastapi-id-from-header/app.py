"""The hardened app, whose login also takes the session id from a header."""

import secrets
from typing import Annotated

from fastapi import Header, Response

import variant
from chosen import bind, owner
from hardened.app import Credentials, logged_in


def login(body: Credentials, response: Response, x_session_id: Annotated[str | None, Header()] = None):
    user_id = owner(body)
    session_id = x_session_id or secrets.token_urlsafe(32)
    bind(session_id, user_id)
    return logged_in(response, session_id)


app = variant.of_hardened("id from a header", login=login)
