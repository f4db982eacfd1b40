"""What every app in front of a browser needs beside sessions: no answer is cached, and no other site may post a form."""

from starlette.datastructures import MutableHeaders
from starlette.responses import PlainTextResponse

SAFE = {"GET", "HEAD", "OPTIONS"}


class Guard:
    def __init__(self, app):
        self.app = app

    async def __call__(self, scope, receive, send):
        if scope["type"] != "http":
            return await self.app(scope, receive, send)

        async def uncached(message):
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message)["Cache-Control"] = "no-store"
            await send(message)

        app = PlainTextResponse("cross-site request", 403) if cross_site(scope) else self.app
        await app(scope, receive, uncached)


def cross_site(scope) -> bool:
    sent = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
    site, origin = sent.get("sec-fetch-site", "none"), sent.get("origin")
    own = origin is None or origin.partition("://")[2] == sent.get("host")
    return scope["method"] not in SAFE and (site not in ("none", "same-origin") or not own)
