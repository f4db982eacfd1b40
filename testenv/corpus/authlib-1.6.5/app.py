"""Authlib's Flask client with a cache, beside a password login. The provider lives in the same process, and its code is
the user's name."""

import os
import secrets

from authlib.integrations.base_client.errors import OAuthError
from authlib.integrations.flask_client import OAuth
from flask import Flask, jsonify, request

import memory
import wsgi_guard

COOKIE = "__Host-session"
OWN = f"http://127.0.0.1:{os.environ['PORT']}"
app = Flask(__name__)
app.config.update(SECRET_KEY=secrets.token_bytes(32), SESSION_COOKIE_NAME="__Host-oauth", SESSION_COOKIE_SECURE=True)


class Cache:
    """What a Redis would keep."""

    def __init__(self):
        self.kept = {}

    def get(self, key):
        return self.kept.get(key)

    def set(self, key, value, timeout=None):
        self.kept[key] = value

    def delete(self, key):
        self.kept.pop(key, None)


oauth = OAuth(app, cache=Cache())
oauth.register(
    "provider",
    client_id="app",
    client_secret="app-secret",
    authorize_url=f"{OWN}/provider/authorize",
    access_token_url=f"{OWN}/provider/token",
    api_base_url=f"{OWN}/provider/",
)


@app.post("/provider/token")
def provider_token():
    return jsonify(access_token=request.form["code"], token_type="bearer", expires_in=3600)


@app.get("/provider/me")
def provider_me():
    return jsonify(name=request.headers["Authorization"].removeprefix("Bearer "))


def begin(user):
    answer = jsonify(ok=True)
    answer.set_cookie(COOKIE, memory.begin(user, request.cookies.get(COOKIE)), **memory.ATTRIBUTES)
    return answer


@app.get("/")
def index():
    return jsonify(ok=True)


@app.get("/login/provider")
def start():
    return oauth.provider.authorize_redirect(f"{OWN}/login/provider/callback")


@app.get("/login/provider/callback")
def callback():
    try:
        token = oauth.provider.authorize_access_token()
    except OAuthError:
        return jsonify(error="this login was not begun here"), 400
    return begin(oauth.provider.get("me", token=token).json()["name"])


@app.post("/login")
def login():
    body = request.get_json()
    user = memory.authenticate(body["username"], body["password"])
    return begin(user) if user else (jsonify(error="wrong username or password"), 401)


@app.get("/me")
def me():
    user = memory.user_of(request.cookies.get(COOKIE))
    return (jsonify(username=user), 200) if user else (jsonify(error="sign in first"), 401)


@app.post("/logout")
def logout():
    memory.end(request.cookies.get(COOKIE))
    answer = jsonify(ok=True)
    answer.delete_cookie(COOKIE, **memory.ATTRIBUTES)
    return answer


if __name__ == "__main__":
    wsgi_guard.serve(wsgi_guard.guarded(app))
