"""The hardened app over several files: routers with prefixes inside each other, and a mounted app."""

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError

import store
from hardened.app import health, index, refuse

from .account import account
from .api import api

app = FastAPI(title="split, hardened", lifespan=store.lifespan)
app.add_exception_handler(RequestValidationError, refuse)
app.get("/health")(health)
app.get("/")(index)
app.include_router(api, prefix="/api")
app.mount("/account", account)
