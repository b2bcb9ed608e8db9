"""The page and its description, compressed; Gradio does so itself for files, by the ending of their names."""

from brotli import MODE_TEXT
from gradio.brotli_middleware import BrotliResponder
from starlette.middleware.gzip import GZipResponder
from starlette.types import ASGIApp, Receive, Scope, Send

from studio.serving.guard.answers import API, header

_PATHS = ("/", "/config", f"{API}/info")
_QUALITY, _SMALLEST = 5, 400


class Compress:
    """Compresses what has no ending to its name and is no stream.

    Args:
        app: What comes next.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        known = (header(scope, "accept-encoding") or "") if scope["type"] == "http" and scope["path"] in _PATHS else ""
        app = self.app
        if "br" in known:
            app = BrotliResponder(app, _QUALITY, MODE_TEXT, 22, 0, _SMALLEST)
        elif "gzip" in known:
            app = GZipResponder(app, _SMALLEST, compresslevel=_QUALITY)
        await app(scope, receive, send)
