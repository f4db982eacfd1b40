"""Flask's permanent session, which holds an id of the server's; the start page is for everybody, and may be cached."""

import secrets

from flask import Flask, jsonify, make_response, request, session

import memory
import wsgi_guard

app = Flask(__name__)
app.config.update(
    SECRET_KEY=secrets.token_bytes(32),
    PERMANENT_SESSION_LIFETIME=memory.LIFETIME,
    SESSION_COOKIE_NAME="__Host-session",
    SESSION_COOKIE_SECURE=True,
    SESSION_COOKIE_SAMESITE="Lax",
)


@app.get("/")
def index():
    page = make_response(jsonify(ok=True))
    page.cache_control.public = True
    page.cache_control.max_age = 60
    return page


@app.post("/login")
def login():
    body = request.get_json()
    user = memory.authenticate(body["username"], body["password"])
    if user is None:
        return jsonify(error="wrong username or password"), 401
    session.permanent = True
    session["id"] = memory.begin(user, session.get("id"))
    return jsonify(ok=True)


@app.get("/me")
def me():
    user = memory.user_of(session.get("id"))
    return (jsonify(username=user), 200) if user else (jsonify(error="sign in first"), 401)


@app.post("/logout")
def logout():
    memory.end(session.get("id"))
    session.clear()
    return jsonify(ok=True)


if __name__ == "__main__":
    wsgi_guard.serve(wsgi_guard.guarded(app))
