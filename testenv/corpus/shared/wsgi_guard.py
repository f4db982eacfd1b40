"""The same as guard.py, for WSGI apps; and the server they run on. What says how to cache it is left alone."""

import os

import waitress

SAFE = {"GET", "HEAD", "OPTIONS"}


def guarded(app):
    def guard(environ, start_response):
        def uncached(status, headers, exc_info=None):
            if not any(name.lower() == "cache-control" for name, _ in headers):
                headers = [*headers, ("Cache-Control", "no-store")]
            return start_response(status, headers, exc_info)

        if cross_site(environ):
            uncached("403 Forbidden", [("Content-Type", "text/plain")])
            return [b"cross-site request"]
        return app(environ, uncached)

    return guard


def cross_site(environ) -> bool:
    site, origin = environ.get("HTTP_SEC_FETCH_SITE", "none"), environ.get("HTTP_ORIGIN")
    own = origin is None or origin.partition("://")[2] == environ.get("HTTP_HOST")
    return environ["REQUEST_METHOD"] not in SAFE and (site not in ("none", "same-origin") or not own)


def serve(app, threads=8):
    waitress.serve(app, listen=f"127.0.0.1:{os.environ['PORT']}", threads=threads)
