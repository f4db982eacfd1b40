from fastapi import APIRouter

from . import auth

api = APIRouter(prefix="/v1")
api.include_router(auth.router, prefix="/auth")
