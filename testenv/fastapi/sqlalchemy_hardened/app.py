"""The hardened app on SQLAlchemy 2, its object mapper and psycopg 3: no statement is written by hand."""

import secrets
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from uuid import UUID

from fastapi import HTTPException, Response
from sqlalchemy import DateTime, ForeignKey, create_engine, delete, func, make_url, select
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, sessionmaker

import store
import variant
from hardened.app import Credentials, RequiredID, SessionID, digest, logged_in, logged_out, shown

# The cockroachdb dialect runs on PostgreSQL too; the postgresql one gives up at CockroachDB's version().
engine = create_engine(make_url(store.DATABASE_URL).set(drivername="cockroachdb+psycopg"), hide_parameters=True)
work = sessionmaker(engine)


class Base(DeclarativeBase):
    pass


class User(Base):
    __tablename__ = "users"

    user_id: Mapped[UUID] = mapped_column(primary_key=True)
    username: Mapped[str]
    email: Mapped[str]
    password_hash: Mapped[str]


class Session(Base):
    __tablename__ = "sessions"

    session_id: Mapped[str] = mapped_column(primary_key=True)
    user_id: Mapped[UUID | None] = mapped_column(ForeignKey(User.user_id))
    expires_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))


@asynccontextmanager
async def lifespan(_app):
    yield
    engine.dispose()


def login(body: Credentials, response: Response, old_id: SessionID):
    with work() as db:
        row = db.execute(select(User.user_id, User.password_hash).where(User.username == body.username)).first()
    user_id = store.owner(row, body.password)
    if user_id is None:
        raise HTTPException(401, "Wrong username or password")
    session_id = secrets.token_urlsafe(32)
    with work.begin() as db:
        if old_id:
            db.execute(delete(Session).where(Session.session_id == digest(old_id)))
        expires_at = func.now() + timedelta(hours=12)
        db.add(Session(session_id=digest(session_id), user_id=user_id, expires_at=expires_at))
    return logged_in(response, session_id)


def profile(response: Response, session_id: RequiredID):
    with work() as db:
        user = db.execute(
            select(User.username, User.email)
            .join(Session, Session.user_id == User.user_id)
            .where(Session.session_id == digest(session_id), Session.expires_at > func.now())
        ).first()
    return shown(response, user)


def logout(response: Response, session_id: SessionID):
    if session_id:
        with work.begin() as db:
            db.execute(delete(Session).where(Session.session_id == digest(session_id)))
    return logged_out(response)


app = variant.of_hardened("sqlalchemy_hardened", lifespan=lifespan, login=login, profile=profile, logout=logout)
