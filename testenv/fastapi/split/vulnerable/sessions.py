from typing import Annotated
from uuid import UUID

from fastapi import Cookie, Header, Query, Response

import store


def given(
    query: Annotated[str | None, Query(alias="session_id")] = None,
    header: Annotated[str | None, Header(alias="X-Session-ID")] = None,
    cookie: Annotated[str | None, Cookie(alias="session_id")] = None,
) -> str | None:
    return query or header or cookie


def begin(response: Response, session_id: str, user_id: UUID | None) -> None:
    with store.pool.connection() as conn:
        conn.execute(
            "INSERT INTO sessions (session_id, user_id) VALUES (%s, %s)"
            " ON CONFLICT (session_id) DO UPDATE SET user_id = excluded.user_id",
            (session_id, user_id),
        )
    response.set_cookie("session_id", session_id)
