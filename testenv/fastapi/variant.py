"""The hardened app with some handlers replaced, so that a variant's app.py shows only what is special about it."""

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError

import hardened.app as hardened
import store


def of_hardened(
    title,
    lifespan=store.lifespan,
    index=hardened.index,
    login=hardened.login,
    profile=hardened.profile,
    logout=hardened.logout,
) -> FastAPI:
    app = FastAPI(title=title, lifespan=lifespan)
    app.add_exception_handler(RequestValidationError, hardened.refuse)
    app.get("/health")(hardened.health)
    app.get("/")(index)
    app.post("/login")(login)
    app.get("/profile")(profile)
    app.post("/logout")(logout)
    return app
