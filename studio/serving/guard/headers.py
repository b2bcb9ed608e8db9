"""What every answer tells the browser to refuse, and the last net under a request: no fault leaves the server as a traceback."""

import logging
import re

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from studio.serving.disk import DISK_IS_FULL, is_full
from studio.serving.guard.answers import API, RefusalError, refuse

POLICY = "; ".join(
    (
        "default-src 'self'",
        "script-src 'self' 'unsafe-inline' 'unsafe-eval'",
        "style-src 'self' 'unsafe-inline'",
        "img-src 'self' data: blob:",
        "media-src 'self' data: blob:",
        "font-src 'self' data:",
        "connect-src 'self' data: blob:",
        "worker-src 'self' blob:",
        "frame-src 'none'",
        "frame-ancestors 'none'",
        "object-src 'none'",
        "base-uri 'self'",
        "form-action 'self'",
    )
)
"""What the page may load. Gradio's page needs inline scripts, and its HTML components compile theirs."""
_FILE_POLICY = "default-src 'none'; img-src 'self' data:; media-src 'self'; style-src 'unsafe-inline'; frame-ancestors 'none'; sandbox"
_ALWAYS = {
    "x-frame-options": "DENY",
    "x-content-type-options": "nosniff",
    "referrer-policy": "same-origin",
    "permissions-policy": "camera=(self), microphone=(), geolocation=(), payment=(), usb=(), display-capture=()",
    "cross-origin-resource-policy": "same-origin",
    "x-robots-tag": "noindex, nofollow",
}
_HASHED = re.compile(r"/assets/[^/]*-[A-Za-z0-9_-]{8}\.[a-z0-9]+")
_YEAR, _DAY, _WHILE = "public, max-age=31536000, immutable", "public, max-age=86400", "private, max-age=600"
log = logging.getLogger(__name__)


class Headers:
    """Adds the headers that guard the page, and answers what went wrong further in with a sentence.

    Args:
        app: What comes next.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        begun = False

        async def guarded(message: Message) -> None:
            nonlocal begun
            if message["type"] == "http.response.start":
                begun = True
                _add(MutableHeaders(scope=message), scope)
            await send(message)

        try:
            await self.app(scope, receive, guarded)
        except Exception as error:  # whatever a route raised: the caller gets a sentence, the log the place
            if begun:
                raise
            await refuse(guarded, _sentence(error, scope), plain=scope["path"] == f"{API}/upload")


def _add(headers: MutableHeaders, scope: Scope) -> None:
    path, is_file = scope["path"], scope["path"].startswith(f"{API}/file=")
    headers.update(_ALWAYS)
    headers["content-security-policy"] = _FILE_POLICY if is_file else POLICY
    if scope.get("scheme") == "https":
        headers["cross-origin-opener-policy"] = "same-origin"
    if "cache-control" in headers:
        return
    if _HASHED.fullmatch(path):
        headers["cache-control"] = _YEAR
    elif path.startswith("/static/"):
        headers["cache-control"] = _DAY
    else:
        headers["cache-control"] = _WHILE if is_file else "no-store"


def _sentence(error: Exception, scope: Scope) -> RefusalError:
    """What the caller hears of a fault; the log gets its kind and place, nothing that a visitor sent."""
    if is_full(error):
        return RefusalError(507, DISK_IS_FULL)
    place = error.__traceback__
    while place is not None and place.tb_next is not None:
        place = place.tb_next
    where = f"{place.tb_frame.f_code.co_filename}:{place.tb_lineno}" if place else "?"
    log.error("%s in %s, at %s", type(error).__name__, scope["path"].partition("=")[0].rsplit("/", 1)[0] or "/", where)
    if scope["method"] == "POST":
        return RefusalError(400, "This request could not be used: it has not the form that the page sends. Reload the page.")
    return RefusalError(500, "The studio could not answer this. Reload the page; if it stays, tell who runs the studio.")
