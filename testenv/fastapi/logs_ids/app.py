"""The hardened app with a log line too many: each login prints the new session id."""

import logging
import sys

from fastapi import HTTPException, Response

import store
import variant
from hardened.app import Credentials, SessionID, begin, logged_in

# uvicorn sets up its own loggers only; without a handler at the root this line would go nowhere.
logging.basicConfig(level=logging.INFO, stream=sys.stdout)
log = logging.getLogger("logs_ids")


def login(body: Credentials, response: Response, old_id: SessionID):
    user_id = store.authenticate(body.username, body.password)
    if user_id is None:
        raise HTTPException(401, "Wrong username or password")
    session_id = begin(user_id, old_id)
    log.info("%s logged in, session %s", body.username, session_id)
    return logged_in(response, session_id)


app = variant.of_hardened("logs_ids", login=login)
