"""The hardened app with a form login that also takes the session id from a field."""

import secrets
from typing import Annotated

from fastapi import Form, Response

import variant
from chosen import bind, owner
from guard import Guard
from hardened.app import Credentials, logged_in


def login(
    response: Response,
    username: Annotated[str, Form()],
    password: Annotated[str, Form()],
    session_id: Annotated[str | None, Form()] = None,
):
    user_id = owner(Credentials(username=username, password=password))
    session_id = session_id or secrets.token_urlsafe(32)
    bind(session_id, user_id)
    return logged_in(response, session_id)


app = Guard(variant.of_hardened("id from a form", login=login))
