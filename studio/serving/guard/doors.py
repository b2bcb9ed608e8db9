"""Which addresses exist at all: what the page and its programs use; all else Gradio offers is closed."""

import re
from dataclasses import dataclass

from starlette.requests import HTTPConnection
from starlette.types import ASGIApp, Receive, Scope, Send

from studio.serving.cookie import visitor_of
from studio.serving.guard.answers import API, RefusalError, app_of, is_inside, refuse
from studio.serving.guard.sessions import Sessions

_READ = ("GET", "HEAD")
_NAME = r"[A-Za-z0-9_.-]{1,128}"
_OPEN = {
    r"/": _READ,
    r"/login/?": ("POST",),
    r"/logout": ("GET", "POST"),
    rf"(?:{API})?/theme\.css": _READ,
    r"/favicon\.ico|/manifest\.json|/robots\.txt": _READ,
    r"/(?:assets|static)/[A-Za-z0-9_./ -]{1,200}": _READ,
}
_INSIDE = {
    rf"/config/?|{API}/(?:info|app_id)/?|{API}/openapi\.json": _READ,
    rf"{API}/(?:queue/data|upload_progress|heartbeat/[^/]+)": ("GET",),
    rf"{API}/file=/[^\0]{{1,1024}}": _READ,
    rf"{API}/(?:upload|queue/join|cancel|reset/?|component_server/?)": ("POST",),
    rf"{API}/run/{_NAME}/?": ("POST",),
    rf"{API}/call/(?:v2/)?{_NAME}/?": ("POST",),
    rf"{API}/call/(?:v2/)?{_NAME}/{_NAME}": ("GET",),
}
_STARTED = f"{API}/startup-events"
_UPLOAD_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")


@dataclass(frozen=True)
class _Door:
    pattern: re.Pattern[str]
    methods: tuple[str, ...]
    is_open: bool


_DOORS = [_Door(re.compile(pattern), methods, doors is _OPEN) for doors in (_OPEN, _INSIDE) for pattern, methods in doors.items()]


class Doors:
    """Lets requests to known addresses through, most of them only after the login.

    Args:
        app: What comes next.
        sessions: Whose session is whose.
    """

    def __init__(self, app: ASGIApp, sessions: Sessions) -> None:
        self.app, self.sessions = app, sessions

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] == "websocket":
            return
        if scope["type"] == "http":
            try:
                scope = self._pass(scope)
            except RefusalError as refusal:
                await refuse(send, refusal)
                return
        await self.app(scope, receive, send)

    def _pass(self, scope: Scope) -> Scope:
        path, app = scope["path"], app_of(scope)
        if path == _STARTED and not app.startup_events_triggered:
            return scope
        door = next((door for door in _DOORS if door.pattern.fullmatch(path)), None)
        if door is None or (door.methods == ("POST",) and scope["method"] in _READ):
            raise RefusalError(404, "There is nothing at this address.")
        if scope["method"] not in door.methods:
            raise RefusalError(405, f"This address takes {' or '.join(door.methods)}.", {"allow": ", ".join(door.methods)})
        if not door.is_open and not is_inside(scope):
            raise RefusalError(401, "Not authenticated. Log in first.")
        if path in ("/", "/config"):
            return {**scope, "query_string": b""} if path == "/" else _without(scope, "deep_link")
        self._check_names(scope)
        return scope

    def _check_names(self, scope: Scope) -> None:
        """Names that visitors choose for their sessions and uploads are short and plain, and a session belongs to one browser."""
        request = HTTPConnection(scope)
        query, path = request.query_params, scope["path"]
        session = path.rpartition("/")[2] if path.startswith(f"{API}/heartbeat/") else query.get("session_hash")
        if session is not None or path == f"{API}/queue/data":
            self.sessions.check(session, visitor_of(request.cookies, None))
        upload = query.get("upload_id")
        if upload is not None and not _UPLOAD_ID.fullmatch(upload):
            raise RefusalError(400, "An upload's name has up to 64 letters and digits.")
        if path == f"{API}/upload_progress" and upload is None:
            raise RefusalError(400, "Say which upload: upload_id is missing.")


def _without(scope: Scope, name: str) -> Scope:
    kept = [part for part in scope["query_string"].split(b"&") if part.partition(b"=")[0] != name.encode()]
    return {**scope, "query_string": b"&".join(kept)}
