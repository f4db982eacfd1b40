"""Django's sessions in a memory cache. The login is hand-made: it writes the user into the session and does not cycle its key."""

import json
import secrets

import django
from django.conf import settings

settings.configure(
    SECRET_KEY=secrets.token_urlsafe(50),
    ALLOWED_HOSTS=["127.0.0.1"],
    ROOT_URLCONF=__name__,
    INSTALLED_APPS=["django.contrib.auth", "django.contrib.contenttypes", "django.contrib.sessions"],
    MIDDLEWARE=[
        "django.contrib.sessions.middleware.SessionMiddleware",
        "django.contrib.auth.middleware.AuthenticationMiddleware",
    ],
    # The users live in memory, which one thread may write at a time.
    DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": "file:users?mode=memory&cache=shared"}},
    PASSWORD_HASHERS=["django.contrib.auth.hashers.MD5PasswordHasher"],
    SESSION_ENGINE="django.contrib.sessions.backends.cache",
    SESSION_COOKIE_NAME="__Host-sessionid",
    SESSION_COOKIE_SECURE=True,
    SESSION_COOKIE_SAMESITE="Lax",
    SESSION_COOKIE_AGE=3600,
)
django.setup()

from django.contrib import auth  # noqa: E402
from django.contrib.auth.models import User  # noqa: E402
from django.core.management import call_command  # noqa: E402
from django.core.wsgi import get_wsgi_application  # noqa: E402
from django.http import JsonResponse  # noqa: E402
from django.urls import path  # noqa: E402
from django.views.decorators.http import require_POST  # noqa: E402

import memory  # noqa: E402
import wsgi_guard  # noqa: E402


def index(request):
    request.session["visited"] = True
    return JsonResponse({"ok": True})


@require_POST
def login(request):
    body = json.loads(request.body)
    user = auth.authenticate(request, username=body["username"], password=body["password"])
    if user is None:
        return JsonResponse({"error": "wrong username or password"}, status=401)
    request.session["user"] = user.username
    return JsonResponse({"ok": True})


def me(request):
    if "user" not in request.session:
        return JsonResponse({"error": "sign in first"}, status=401)
    return JsonResponse({"username": request.session["user"]})


@require_POST
def logout(request):
    request.session.flush()
    return JsonResponse({"ok": True})


urlpatterns = [path("", index), path("login", login), path("me", me), path("logout", logout)]

if __name__ == "__main__":
    call_command("migrate", verbosity=0)
    for name, password in memory.ACCOUNTS.items():
        User.objects.create_user(name, password=password)
    wsgi_guard.serve(wsgi_guard.guarded(get_wsgi_application()), threads=1)
