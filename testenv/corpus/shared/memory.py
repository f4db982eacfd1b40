"""Accounts, and sessions in memory, for the apps whose point is another. Sessions are kept right here: the server alone
chooses the id, forgets the old one at login and any at logout, and ends each after eight hours."""

import hashlib
import hmac
import secrets
import time

ACCOUNTS = {"alice": "alice-correct-horse", "bob": "bob-battery-staple"}
LIFETIME = 8 * 3600
ATTRIBUTES = {"path": "/", "secure": True, "httponly": True, "samesite": "lax"}

_sessions: dict[str, tuple[str, float]] = {}


def authenticate(username: str, password: str) -> str | None:
    known = ACCOUNTS.get(username, "")
    return username if hmac.compare_digest(known.encode(), password.encode()) and known else None


def begin(user: str, old_id: str | None = None) -> str:
    end(old_id)
    session_id = secrets.token_urlsafe(32)
    _sessions[_digest(session_id)] = user, time.time() + LIFETIME
    return session_id


def user_of(session_id: str | None) -> str | None:
    user, until = _sessions.get(_digest(session_id or ""), (None, 0))
    return user if until > time.time() else None


def end(session_id: str | None) -> None:
    _sessions.pop(_digest(session_id or ""), None)


def end_all(user: str) -> None:
    for digest in [digest for digest, (owner, _) in _sessions.items() if owner == user]:
        del _sessions[digest]


def _digest(session_id: str) -> str:
    return hashlib.sha256(session_id.encode("utf-8", "surrogateescape")).hexdigest()
