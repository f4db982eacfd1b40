"""The vulnerable app over several files: routers with prefixes inside each other, and a mounted app."""

from fastapi import FastAPI

import store

from . import pages
from .account import account
from .api import api

app = FastAPI(title="split, vulnerable", lifespan=store.lifespan)
app.include_router(pages.router)
app.include_router(api, prefix="/api")
app.mount("/account", account)
