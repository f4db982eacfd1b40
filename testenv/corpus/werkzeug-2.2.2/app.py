"""Flask with sessions on the server; Werkzeug reads the cookies."""

from flask import Flask, jsonify, request

import memory
import wsgi_guard

COOKIE = "__Host-session"
app = Flask(__name__)


@app.get("/")
def index():
    return jsonify(ok=True)


@app.post("/login")
def login():
    body = request.get_json()
    user = memory.authenticate(body["username"], body["password"])
    if user is None:
        return jsonify(error="wrong username or password"), 401
    answer = jsonify(ok=True)
    answer.set_cookie(COOKIE, memory.begin(user, request.cookies.get(COOKIE)), **memory.ATTRIBUTES)
    return answer


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
