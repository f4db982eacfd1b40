from typing import Annotated
from uuid import uuid4

from fastapi import APIRouter, Depends, Response

from . import sessions

router = APIRouter()


@router.get("/health")
def health():
    return {"status": "ok"}


@router.get("/")
def index(response: Response, given: Annotated[str | None, Depends(sessions.given)]):
    if not given:
        sessions.begin(response, str(uuid4()), None)
    return {"message": "Welcome"}
