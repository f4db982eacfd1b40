from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError

from hardened.app import profile, refuse

account = FastAPI(title="account")
account.add_exception_handler(RequestValidationError, refuse)
account.get("/profile")(profile)
