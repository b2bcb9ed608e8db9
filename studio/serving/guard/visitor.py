"""A cookie that tells one browser from another: what a visitor keeps is found again by it after a reload."""

import secrets

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from studio.serving.cookie import FORM, VISITOR_COOKIE

_BYTES = 24
_SECONDS = 7 * 24 * 3600


class VisitorCookie:
    """Gives a browser its cookie with the page, and lets no other value of it through than such as were made here.

    The page's first request has the new cookie too. A program without cookies is served without one.

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
        name, others = _read(scope)
        opens_page = scope["path"] == "/" and scope["method"] in ("GET", "HEAD")
        if name is None and opens_page:
            name = secrets.token_urlsafe(_BYTES)
        kept = others if name is None else [*others, f"{VISITOR_COOKIE}={name}"]
        headers = [(key, value) for key, value in scope["headers"] if key != b"cookie"]
        if kept:
            headers.append((b"cookie", "; ".join(kept).encode("latin-1")))
        secure = scope.get("scheme") == "https"

        async def with_cookie(message: Message) -> None:
            if message["type"] == "http.response.start" and name is not None:
                MutableHeaders(scope=message).append("set-cookie", _written(name, secure))
            await send(message)

        await self.app({**scope, "headers": headers}, receive, with_cookie if opens_page else send)


def _read(scope: Scope) -> tuple[str | None, list[str]]:
    """The visitor's name, if one of our form came, and all other cookies as they are."""
    name, others = None, list[str]()
    for header in (value.decode("latin-1") for key, value in scope["headers"] if key == b"cookie"):
        for crumb in (part.strip() for part in header.split(";")):
            key, _, value = crumb.partition("=")
            if key.strip() != VISITOR_COOKIE:
                others += [crumb] if crumb else []
            elif name is None and FORM.fullmatch(value.strip()):
                name = value.strip()
    return name, others


def _written(name: str, secure: bool) -> str:
    cookie = f"{VISITOR_COOKIE}={name}; Path=/; Max-Age={_SECONDS}; HttpOnly; SameSite=Lax"
    return f"{cookie}; Secure" if secure else cookie
