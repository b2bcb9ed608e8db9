"""What the parts of the guard share: who asks, and how a request is turned away."""

import json
from collections.abc import Mapping

from gradio.routes import App
from starlette.requests import HTTPConnection
from starlette.types import Scope, Send

API = "/gradio_api"


class RefusalError(Exception):
    """A request that is turned away.

    Args:
        status: Its HTTP status.
        sentence: What came, what was wanted, what to do.
        headers: Further headers of the answer.
    """

    def __init__(self, status: int, sentence: str, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(sentence)
        self.status, self.sentence, self.headers = status, sentence, headers or {}


async def refuse(send: Send, refusal: RefusalError, plain: bool = False) -> None:
    """Send a refusal: as JSON that the page and Gradio's client both show, or as plain text, which an upload shows."""
    sentence = refusal.sentence
    body = (sentence if plain else json.dumps({"detail": sentence, "error": sentence})).encode()
    headers = {
        "content-type": "text/plain; charset=utf-8" if plain else "application/json",
        "content-length": str(len(body)),
        "cache-control": "no-store",
        **refusal.headers,
    }
    raw = [(name.encode(), value.encode()) for name, value in headers.items()]
    await send({"type": "http.response.start", "status": refusal.status, "headers": raw})
    await send({"type": "http.response.body", "body": body})


def app_of(scope: Scope) -> App:
    """Gradio's application, which Starlette names in every request."""
    return scope["app"]


def token_of(scope: Scope) -> str | None:
    """The caller's login token, if it is one of this server's."""
    app, cookies = app_of(scope), HTTPConnection(scope).cookies
    tokens = (cookies.get(name) for name in token_cookies(app))
    return next((token for token in tokens if token in app.tokens), None)


def token_cookies(app: App) -> tuple[str, str]:
    """Names of the cookies that Gradio keeps a login in."""
    return f"access-token-{app.cookie_id}", f"access-token-unsecure-{app.cookie_id}"


def is_inside(scope: Scope) -> bool:
    """Whether the caller is logged in, or no login is asked for."""
    return app_of(scope).auth is None or token_of(scope) is not None


def header(scope: Scope, name: str) -> str | None:
    """A header of the request; the first if it came twice."""
    key = name.encode()
    return next((value.decode("latin-1") for given, value in scope["headers"] if given == key), None)
