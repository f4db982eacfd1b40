"""FastAPI Users with its database strategy and a cookie, and an OAuth provider that is made up: its code is the e-mail."""

import os
import secrets
import tempfile
import uuid
from contextlib import asynccontextmanager

from fastapi import Depends, FastAPI
from fastapi_users import BaseUserManager, FastAPIUsers, UUIDIDMixin, schemas
from fastapi_users.authentication import AuthenticationBackend, CookieTransport
from fastapi_users.authentication.strategy.db import DatabaseStrategy
from fastapi_users.db import SQLAlchemyBaseOAuthAccountTableUUID, SQLAlchemyBaseUserTableUUID, SQLAlchemyUserDatabase
from fastapi_users.password import PasswordHelper
from fastapi_users_db_sqlalchemy.access_token import SQLAlchemyAccessTokenDatabase, SQLAlchemyBaseAccessTokenTableUUID
from httpx_oauth.oauth2 import BaseOAuth2
from pwdlib import PasswordHash
from pwdlib.hashers.argon2 import Argon2Hasher
from sqlalchemy.ext.asyncio import async_sessionmaker, create_async_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, relationship

import memory
from guard import Guard


class Base(DeclarativeBase):
    pass


class OAuthAccount(SQLAlchemyBaseOAuthAccountTableUUID, Base):
    pass


class User(SQLAlchemyBaseUserTableUUID, Base):
    oauth_accounts: Mapped[list[OAuthAccount]] = relationship("OAuthAccount", lazy="joined")


class AccessToken(SQLAlchemyBaseAccessTokenTableUUID, Base):
    pass


folder = tempfile.TemporaryDirectory()
engine = create_async_engine("sqlite+aiosqlite:///" + os.path.join(folder.name, "users.sqlite"))
sessions = async_sessionmaker(engine, expire_on_commit=False)
# A cost far below what production needs: a scan logs in many times.
passwords = PasswordHelper(PasswordHash((Argon2Hasher(time_cost=1, memory_cost=64, parallelism=1),)))


class Provider(BaseOAuth2):
    async def get_access_token(self, code, redirect_uri, code_verifier=None):
        return {"access_token": code, "token_type": "bearer"}

    async def get_id_email(self, token):
        return token, token


class UserManager(UUIDIDMixin, BaseUserManager[User, uuid.UUID]):
    pass


async def database():
    async with sessions() as session:
        yield session


async def user_manager(session=Depends(database)):
    yield UserManager(SQLAlchemyUserDatabase(session, User, OAuthAccount), passwords)


def strategy(session=Depends(database)):
    return DatabaseStrategy(SQLAlchemyAccessTokenDatabase(session, AccessToken), lifetime_seconds=3600)


@asynccontextmanager
async def lifespan(_app):
    async with engine.begin() as connection:
        await connection.run_sync(Base.metadata.create_all)
    async with sessions() as session:
        for name, password in memory.ACCOUNTS.items():
            session.add(User(email=f"{name}@example.com", hashed_password=passwords.hash(password)))
        await session.commit()
    yield
    await engine.dispose()
    folder.cleanup()


transport = CookieTransport(cookie_name="__Host-session", cookie_max_age=3600, cookie_secure=True)
backend = AuthenticationBackend(name="cookie", transport=transport, get_strategy=strategy)
users = FastAPIUsers[User, uuid.UUID](user_manager, [backend])
provider = Provider("app", "app-secret", "https://provider.test/authorize", "https://provider.test/token", name="provider")

api = FastAPI(lifespan=lifespan)
api.include_router(users.get_auth_router(backend), prefix="/auth")
api.include_router(users.get_users_router(schemas.BaseUser[uuid.UUID], schemas.BaseUserUpdate), prefix="/users")
api.include_router(
    users.get_oauth_router(
        provider,
        backend,
        secrets.token_urlsafe(32),
        redirect_url="https://app.test/auth/provider/callback",
        associate_by_email=True,
        is_verified_by_default=True,
    ),
    prefix="/auth/provider",
)


@api.get("/")
def index():
    return {"ok": True}


app = Guard(api)
