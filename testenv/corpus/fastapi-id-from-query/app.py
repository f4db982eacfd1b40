"""The hardened app, whose login also takes the session id from the query string."""

import secrets
from typing import Annotated

from fastapi import Query, Response

import variant
from chosen import bind, owner
from hardened.app import Credentials, logged_in


def login(body: Credentials, response: Response, session_id: Annotated[str | None, Query()] = None):
    user_id = owner(body)
    session_id = session_id or secrets.token_urlsafe(32)
    bind(session_id, user_id)
    return logged_in(response, session_id)


app = variant.of_hardened("id from the query", login=login)
