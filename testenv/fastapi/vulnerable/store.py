"""Users and the way to the database, the same for every app on psycopg 3. What an app does with sessions stands in its
app.py."""

import hashlib
import hmac
import os
from collections.abc import Sequence
from contextlib import asynccontextmanager
from uuid import UUID

from psycopg_pool import ConnectionPool

DATABASE_URL = os.environ.get("DATABASE_URL")
if not DATABASE_URL:
    raise SystemExit("DATABASE_URL is not set; give the app the DSN of a PostgreSQL or CockroachDB database")

# min_size=0: the app starts without the database, and the first request that needs it connects.
pool = ConnectionPool(DATABASE_URL, min_size=0, max_size=8, timeout=10, open=False)

# Compared against when the user name is unknown, so that the answer takes as long as for a known one.
NOBODY = f"{'00' * 16}${'00' * 64}"


@asynccontextmanager
async def lifespan(_app):
    pool.open()
    yield
    pool.close()


def authenticate(username: str, password: str) -> UUID | None:
    with pool.connection() as conn:
        row = conn.execute("SELECT user_id, password_hash FROM users WHERE username = %s", (username,)).fetchone()
    return owner(row, password)


def owner(row: Sequence | None, password: str) -> UUID | None:
    """The user of a row (user_id, password_hash), if the password is right."""
    user_id, stored = row or (None, NOBODY)
    return user_id if password_matches(password, stored) else None


def password_matches(password: str, stored: str) -> bool:
    salt, expected = (bytes.fromhex(part) for part in stored.split("$"))
    # A cost far below what production needs: a scan logs in many times.
    actual = hashlib.scrypt(password.encode(), salt=salt, n=2**12, r=8, p=1)
    return hmac.compare_digest(actual, expected)
