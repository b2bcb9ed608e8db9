"""What a request says of itself and of its sender is believed only where it can be checked.

The address that the page is reached at goes into the page, so no header may make it up: of X-Forwarded-* nothing is kept, and behind
Gradio's relay the link that the relay gave us stands in. A request that another site made the browser send is turned away; so is, on a
page that only this machine can reach, one under a foreign host name, which a site may have pointed at this machine.
"""

from urllib.parse import urlsplit

from gradio.routes import App
from starlette.types import ASGIApp, Receive, Scope, Send

from studio.serving.guard.answers import RefusalError, app_of, header, refuse
from studio.settings import Settings

_LOCAL_NAMES = ("localhost", "127.0.0.1", "::1")
_ADDRESS_HEADERS = (b"x-forwarded-host", b"x-forwarded-proto", b"x-forwarded-port", b"x-forwarded-prefix", b"x-gradio-server", b"forwarded")


class Trust:
    """Turns away what came from another site, and drops what cannot be checked.

    Args:
        app: What comes next.
        settings: How the page is served.
    """

    def __init__(self, app: ASGIApp, settings: Settings) -> None:
        self.app, self.settings = app, settings

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] == "http":
            try:
                scope = self._checked(scope)
            except RefusalError as refusal:
                await refuse(send, refusal)
                return
        await self.app(scope, receive, send)

    def _checked(self, scope: Scope) -> Scope:
        link = _link(app_of(scope))
        host = header(scope, "host") or ""
        if not self.settings.public and _name(host) not in _LOCAL_NAMES:
            raise RefusalError(403, "This page is for this machine only: open it as http://127.0.0.1 with its port.")
        if _is_foreign(scope, host, link):
            raise RefusalError(403, "Another site sent this request. Open the page itself.")
        headers = [(name, value) for name, value in scope["headers"] if name not in _ADDRESS_HEADERS]
        relayed = link and (urlsplit(link).netloc in (host, header(scope, "x-forwarded-host")) or header(scope, "x-forwarded-for"))
        if relayed:
            scope = {**scope, "scheme": urlsplit(link).scheme}
            headers += [
                (b"x-forwarded-host", urlsplit(link).netloc.encode()),
                (b"x-forwarded-proto", urlsplit(link).scheme.encode()),
            ]
        return {**scope, "headers": headers}


def _link(app: App) -> str:
    """The link that Gradio's relay gave this page, if there is one."""
    return getattr(app.get_blocks(), "share_url", None) or ""


def _is_foreign(scope: Scope, host: str, link: str) -> bool:
    """Whether another site made the browser send this; following a link to the page is no such thing."""
    site = header(scope, "sec-fetch-site")
    if scope["path"] == "/" and scope["method"] in ("GET", "HEAD"):
        return False
    if site is not None:
        return site not in ("same-origin", "none")
    origin = header(scope, "origin") or (header(scope, "referer") if scope["path"] == "/logout" else None)
    return origin is not None and urlsplit(origin).netloc not in (host, urlsplit(link).netloc or host)


def _name(host: str) -> str:
    """A host's name without its port."""
    try:
        return urlsplit(f"//{host}").hostname or ""
    except ValueError:
        return ""
