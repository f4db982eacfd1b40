"""The hardened app, whose login also takes the session id from the JSON body."""

import secrets

from fastapi import Response

import variant
from chosen import bind, owner
from hardened.app import Credentials, logged_in


class Chosen(Credentials):
    session_id: str | None = None


def login(body: Chosen, response: Response):
    user_id = owner(body)
    session_id = body.session_id or secrets.token_urlsafe(32)
    bind(session_id, user_id)
    return logged_in(response, session_id)


app = variant.of_hardened("id from JSON", login=login)
