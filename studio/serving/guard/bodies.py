"""What comes as JSON: bounded in bytes and depth, its numbers finite, its fields of the right type, before Gradio sees it."""

from collections.abc import Callable
from typing import Any

import orjson
from gradio.blocks import BlockFunction, Blocks
from starlette.requests import HTTPConnection
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from studio.serving.cookie import visitor_of
from studio.serving.guard.answers import API, RefusalError, app_of, header, refuse
from studio.serving.guard.sessions import Sessions

FORM_BYTES = 4_096
_DEPTH, _VALUES = 32, 100_000
_DRAINED = 64 * 2**20
_FIELDS: dict[str, tuple[type, ...]] = {
    "data": (list,),
    "session_hash": (str,),
    "fn_index": (int,),
    "trigger_id": (int,),
    "event_data": (object,),
    "event_id": (str,),
    "simple_format": (bool,),
    "batched": (bool,),
    "oauth_token": (str,),
}
_CANCEL: dict[str, tuple[type, ...]] = {"session_hash": (str,), "fn_index": (int,), "event_id": (str,)}
_SERVER: dict[str, tuple[type, ...]] = {"session_hash": (str,), "component_id": (int,), "fn_name": (str,), "data": (object,)}
_KINDS = {
    "list": "a list",
    "str": "text",
    "int": "a whole number",
    "bool": "true or false",
}


class Bodies:
    """Reads a request's body once, checks it, and hands it on.

    Args:
        app: What comes next.
        sessions: Whose session is whose.
        limit: Most bytes of JSON.
    """

    def __init__(self, app: ASGIApp, sessions: Sessions, limit: int) -> None:
        self.app, self.sessions, self.limit = app, sessions, limit

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http" or scope["method"] != "POST" or scope["path"] in (f"{API}/upload", "/logout"):
            await self.app(scope, receive, send)
            return
        is_login = scope["path"].rstrip("/") == "/login"
        try:
            if not is_login and not (header(scope, "content-type") or "").startswith("application/json"):
                raise RefusalError(415, "The request's body is JSON: send it with Content-Type: application/json.")
            body = await read(receive, FORM_BYTES if is_login else self.limit)
            if not is_login:
                self._check(scope, body)
        except RefusalError as refusal:
            await refuse(send, refusal)
            return
        await self.app(scope, _again(body, receive), _Answered(send) if scope["path"].startswith(f"{API}/run/") else send)

    def _check(self, scope: Scope, body: bytes) -> None:
        blocks: Blocks = app_of(scope).get_blocks()
        fields = parsed(body)
        path = scope["path"].removeprefix(API).rstrip("/")
        if path == "/queue/join":
            _check_fields(fields, _FIELDS, ("data", "session_hash", "fn_index"))
            _check_call(fields, _function(blocks, fields["fn_index"]))
        elif path.startswith("/run/"):
            _check_fields(fields, _FIELDS, ("data",))
            index = fields.get("fn_index")
            function = _named(blocks, path.rpartition("/")[2]) if index is None else _function(blocks, index)
            _check_call(fields, function)
        elif path.startswith("/call/"):
            function = _named(blocks, path.rpartition("/")[2])
            if function.api_visibility == "private":
                raise RefusalError(404, "There is no endpoint of that name; /gradio_api/info lists them.")
            if not path.startswith("/call/v2/"):
                _check_fields(fields, _FIELDS, ("data",))
                _check_call(fields, function, may_skip=True)
        elif path == "/cancel":
            _check_fields(fields, _CANCEL, tuple(_CANCEL))
        elif path == "/component_server":
            _check_fields(fields, _SERVER, tuple(_SERVER))
            _check_served(blocks, fields)
        session = fields.get("session_hash")
        if session is not None and not path.startswith("/call/v2/"):
            self.sessions.check(session, visitor_of(HTTPConnection(scope).cookies, None))


async def read(receive: Receive, limit: int) -> bytes:
    """A request's whole body.

    Raises:
        RefusalError: It is larger than `limit` bytes, or the caller is gone.
    """
    parts, size, more = list[bytes](), 0, True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise RefusalError(400, "The request ended before it was complete.")
        part, more = message.get("body", b""), message.get("more_body", False)
        size += len(part)
        if size <= limit:
            parts.append(part)
        elif size > limit + _DRAINED:
            break
    if size > limit:
        raise RefusalError(413, f"The request is larger than {limit / 2**20:.3g} MB, the most that is taken.", {"connection": "close"})
    return b"".join(parts)


def parsed(body: bytes) -> dict[str, Any]:
    """The fields of a JSON object whose numbers are finite and which is nested no deeper than a page's data.

    Raises:
        RefusalError: It is none.
    """
    try:
        fields = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise RefusalError(
            400, "The request's body is no JSON: it may hold NaN, a number beyond 1e308, or text that is no Unicode."
        ) from error
    if not isinstance(fields, dict):
        raise RefusalError(400, "The request's body is a JSON object: {...}.")
    level, count = [fields], 0
    for _ in range(_DEPTH):
        level = [value for holder in level for value in (holder.values() if isinstance(holder, dict) else holder)]
        count += len(level)
        if count > _VALUES:
            raise RefusalError(413, f"The request holds more than {_VALUES} values.")
        level = [value for value in level if isinstance(value, (dict, list))]
        if not level:
            return fields
    raise RefusalError(400, f"The request's JSON is nested more than {_DEPTH} deep.")


def _check_fields(fields: dict[str, Any], known: dict[str, tuple[type, ...]], needed: tuple[str, ...]) -> None:
    """Every field is one that is known and of its type; only those that may be left out may be null."""
    for name, value in fields.items():
        if name not in known:
            raise RefusalError(400, f"There is no field {name[:40]!r} here. Known are: {', '.join(known)}.")
        wanted = known[name]
        missing = value is None and name not in needed
        if object in wanted or missing:
            continue
        if not isinstance(value, wanted) or (isinstance(value, bool) and bool not in wanted):
            raise RefusalError(400, f"{name}: {_shown(value)} came; {_KINDS[wanted[0].__name__]} is wanted.")
    for name in needed:
        if name not in fields:
            raise RefusalError(400, f"The field {name!r} is missing.")


def _check_call(fields: dict[str, Any], function: BlockFunction, may_skip: bool = False) -> None:
    """As many values as the function takes, and what the page says of the event in the form it has there."""
    given, wanted = len(fields["data"]), {len(function.inputs)}
    if may_skip:
        wanted.add(sum(not block.skip_api for block in function.inputs))
    if given not in wanted and not function.cancels:
        raise RefusalError(400, f"data: {given} values came; {' or '.join(str(n) for n in sorted(wanted))} are wanted.")
    if function.collects_event_data and not isinstance(fields.get("event_data"), dict):
        raise RefusalError(400, f"event_data: {_shown(fields.get('event_data'))} came; an object is wanted.")
    if fields.get("batched"):
        raise RefusalError(400, "batched: true came; no function here takes batches.")


def _function(blocks: Blocks, index: int) -> BlockFunction:
    function = blocks.fns.get(index)
    if function is None or function.fn is None:
        raise RefusalError(404, f"There is no function {str(index)[:20]} (fn_index) on this page. Reload the page.")
    return function


def _named(blocks: Blocks, name: str) -> BlockFunction:
    function = next((function for function in blocks.fns.values() if function.api_name == name), None)
    if function is None:
        raise RefusalError(404, "There is no endpoint of that name; /gradio_api/info lists them.")
    return function


def _check_served(blocks: Blocks, fields: dict[str, Any]) -> None:
    served = getattr(blocks.blocks.get(fields["component_id"]), fields["fn_name"], None)
    if not getattr(served, "_is_server_fn", False):
        raise RefusalError(404, "No part of the page has that function. Reload the page.")


def _shown(value: Any) -> str:
    """A value as a sentence may repeat it."""
    names = {dict: "an object", list: "a list", type(None): "nothing"}
    return names.get(type(value)) or repr(value)[:40]


class _Answered:
    """An event outside the queue that failed is answered with a sentence, not as a fault of the server."""

    def __init__(self, send: Send) -> None:
        self.send, self.failed = send, False

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.failed = message["status"] == 500
            if self.failed:
                return
        if not self.failed:
            await self.send(message)
        elif message["type"] == "http.response.body":
            sentence = (orjson.loads(message["body"]) or {}).get("error")
            await refuse(self.send, RefusalError(400, sentence or "This could not be done with what came. Reload the page and try again."))


def _again(body: bytes, receive: Receive) -> Callable[[], Any]:
    """A body that was read, to be read again; then whatever comes, such as the end of the connection."""
    waiting = [body]

    async def replay() -> Message:
        if waiting:
            return {"type": "http.request", "body": waiting.pop(), "more_body": False}
        return await receive()

    return replay
