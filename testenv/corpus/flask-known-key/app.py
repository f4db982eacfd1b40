"""Flask's signed cookie, with the key of the tutorial when nobody sets another."""

import os

from flask import Flask, jsonify, request, session

import memory
import wsgi_guard

app = Flask(__name__)
app.config.update(
    SECRET_KEY=os.environ.get("SECRET_KEY", "dev"),
    SESSION_COOKIE_NAME="__Host-session",
    SESSION_COOKIE_SECURE=True,
    SESSION_COOKIE_SAMESITE="Lax",
)


@app.get("/")
def index():
    session["visited"] = True
    return jsonify(ok=True)


@app.post("/login")
def login():
    body = request.get_json()
    user = memory.authenticate(body["username"], body["password"])
    if user is None:
        return jsonify(error="wrong username or password"), 401
    session["user"] = user
    return jsonify(ok=True)


@app.get("/me")
def me():
    if "user" not in session:
        return jsonify(error="sign in first"), 401
    return jsonify(username=session["user"])


@app.post("/logout")
def logout():
    session.clear()
    return jsonify(ok=True)


if __name__ == "__main__":
    wsgi_guard.serve(wsgi_guard.guarded(app))
