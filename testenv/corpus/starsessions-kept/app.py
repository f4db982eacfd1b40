"""starsessions with its in-memory store, as its README shows it first: login only writes into the session."""

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.responses import JSONResponse
from starlette.routing import Route
from starsessions import InMemoryStore, SessionAutoloadMiddleware, SessionMiddleware

import memory
from guard import Guard


async def index(request):
    request.session["visited"] = True
    return JSONResponse({"ok": True})


async def login(request):
    body = await request.json()
    user = memory.authenticate(body["username"], body["password"])
    if user is None:
        return JSONResponse({"error": "wrong username or password"}, 401)
    request.session["user"] = user
    return JSONResponse({"ok": True})


async def me(request):
    user = request.session.get("user")
    return JSONResponse({"username": user} if user else {"error": "sign in first"}, 200 if user else 401)


async def logout(request):
    request.session.clear()
    return JSONResponse({"ok": True})


routes = [
    Route("/", index),
    Route("/login", login, methods=["POST"]),
    Route("/me", me),
    Route("/logout", logout, methods=["POST"]),
]
sessions = Middleware(SessionMiddleware, store=InMemoryStore(), cookie_name="__Host-session", lifetime=3600)
app = Guard(Starlette(routes=routes, middleware=[sessions, Middleware(SessionAutoloadMiddleware)]))
