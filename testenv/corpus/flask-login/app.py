"""Flask-Login on Flask's own session, which is signed and kept in the cookie."""

import secrets

from flask import Flask, jsonify, request, session
from flask_login import LoginManager, UserMixin, current_user, login_required, login_user, logout_user

import memory
import wsgi_guard

app = Flask(__name__)
app.config.update(
    SECRET_KEY=secrets.token_bytes(32),
    SESSION_COOKIE_NAME="__Host-session",
    SESSION_COOKIE_SECURE=True,
    SESSION_COOKIE_SAMESITE="Lax",
)
login_manager = LoginManager(app)


class User(UserMixin):
    def __init__(self, name):
        self.id = name


@login_manager.user_loader
def load_user(name):
    return User(name) if name in memory.ACCOUNTS else None


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
    login_user(User(user))
    return jsonify(ok=True)


@app.get("/me")
@login_required
def me():
    return jsonify(username=current_user.id)


@app.post("/logout")
@login_required
def logout():
    logout_user()
    return jsonify(ok=True)


if __name__ == "__main__":
    wsgi_guard.serve(wsgi_guard.guarded(app))
