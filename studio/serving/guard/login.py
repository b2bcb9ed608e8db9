"""The login's brake, and a logout that ends the caller's visit only."""

import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from starlette.datastructures import MutableHeaders
from starlette.requests import HTTPConnection
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from studio.serving.cookie import visitor_of
from studio.serving.guard.answers import RefusalError, app_of, is_inside, refuse, token_cookies, token_of

FREE_TRIES = 5
"""Wrong passwords after which the next has to wait."""
LONGEST_WAIT = 60.0
"""Seconds that one may have to wait at most."""
FORGOTTEN_AFTER = 900.0
"""Seconds after the last wrong password when the count starts anew."""
PER_ADDRESS, PER_SERVER = (60, 1.0), (120, 3.0)
"""Tries in store, and how many come back each second: for all browsers behind one address, and for all there are."""
_MOST = 10_000
_SCRIPT = Path(__file__).parent / "login.js"
K = TypeVar("K")
V = TypeVar("V")


@dataclass
class _Tries:
    wrong: int = 0
    last: float = 0.0


@dataclass
class _Store:
    left: float
    at: float


class Brake:
    """How often a password may be tried.

    A wrong one costs the browser that sent it: after five, its next try waits 1, 2, 4 ... 60 s. Browsers are told apart by cookie and
    address, so no one else waits for it. Who asks for ever new cookies shares a store of tries with all behind the same address, and one
    with all the world. A right password is given back to both, and a browser that was let in before needs neither: a class that logs in
    is not held up, nor can anyone hold it up from another address.

    Args:
        clock: Seconds that only grow.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._tries: OrderedDict[tuple[str, str], _Tries] = OrderedDict()
        self._stores: OrderedDict[str, _Store] = OrderedDict()
        self._known: OrderedDict[str, None] = OrderedDict()

    def wait(self, address: str, visitor: str) -> float:
        """Seconds until this browser may try again; if none, the try counts as wrong until `passed` says otherwise."""
        now = self._clock()
        tries = self._tries.get((address, visitor), _Tries())
        if now - tries.last > FORGOTTEN_AFTER:
            tries = _Tries()
        pause = min(2.0 ** (tries.wrong - FREE_TRIES), LONGEST_WAIT) if tries.wrong >= FREE_TRIES else 0.0
        if visitor and tries.last + pause > now:  # programs without cookies cannot be told apart: they have the stores alone
            return tries.last + pause - now
        if visitor not in self._known:
            shared = max(self._missing(address, PER_ADDRESS, now), self._missing("", PER_SERVER, now))
            if shared > 0:
                return shared
            for name in (address, ""):
                self._stores[name].left -= 1
        _remember(self._tries, (address, visitor), _Tries(tries.wrong + 1, now))
        return 0.0

    def passed(self, address: str, visitor: str) -> None:
        """Note that the last try was right."""
        self._tries.pop((address, visitor), None)
        if visitor not in self._known:
            for name, (most, _) in ((address, PER_ADDRESS), ("", PER_SERVER)):
                if name in self._stores:
                    self._stores[name].left = min(most, self._stores[name].left + 1)
        if visitor:
            _remember(self._known, visitor, None)

    def _missing(self, name: str, size: tuple[int, float], now: float) -> float:
        """Seconds until a store holds a whole try."""
        most, per_second = size
        store = self._stores.get(name, _Store(most, now))
        store = _Store(min(most, store.left + (now - store.at) * per_second), now)
        _remember(self._stores, name, store)
        return max(0.0, (1 - store.left) / per_second)


def _remember(table: OrderedDict[K, V], key: K, value: V) -> None:
    table[key] = value
    table.move_to_end(key)
    if len(table) > _MOST:
        table.popitem(last=False)


class LoginGate:
    """Holds the login to its brake and answers /logout.

    Args:
        app: What comes next.
        brake: How often a password may be tried.
    """

    def __init__(self, app: ASGIApp, brake: Brake) -> None:
        self.app, self.brake = app, brake

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        path = scope["path"].rstrip("/") if scope["type"] == "http" else ""
        if path == "/logout":
            await _log_out(scope, send)
        elif path == "/login" and app_of(scope).auth is not None:
            await self._log_in(scope, receive, send)
        elif scope["type"] == "http" and scope["path"] == "/" and not is_inside(scope):
            await self.app(scope, receive, _Scripted(send))
        else:
            await self.app(scope, receive, send)

    async def _log_in(self, scope: Scope, receive: Receive, send: Send) -> None:
        address = scope["client"][0] if scope.get("client") else ""
        visitor = visitor_of(HTTPConnection(scope).cookies, None) or ""
        wait = self.brake.wait(address, visitor)
        if wait > 0:
            seconds = max(1, round(wait + 0.5))
            sentence = f"Too many wrong passwords came. Wait {seconds} s, then try again."
            await refuse(send, RefusalError(429, sentence, {"retry-after": str(seconds)}))
            return

        async def watched(message: Message) -> None:
            if message["type"] == "http.response.start":
                if message["status"] == 200:
                    self.brake.passed(address, visitor)
                message["headers"] = [(name, _lax(value) if name == b"set-cookie" else value) for name, value in message["headers"]]
            await send(message)

        await self.app(scope, receive, watched)


class _Scripted:
    """The login page, with a script of our own in its head."""

    def __init__(self, send: Send) -> None:
        self.send, self.start, self.body = send, dict[str, Any](), b""

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.start = dict(message)
            return
        self.body += message.get("body", b"")
        if not message.get("more_body", False):
            script = f"<script>{_SCRIPT.read_text(encoding='utf-8')}</script></head>".encode()
            body = self.body.replace(b"</head>", script, 1)
            MutableHeaders(scope=self.start)["content-length"] = str(len(body))
            await self.send(self.start)
            await self.send({"type": "http.response.body", "body": body})


def _lax(cookie: bytes) -> bytes:
    """A login's cookie as no other site can use it."""
    attributes = [part for part in cookie.split(b"; ") if not part.lower().startswith(b"samesite")]
    return b"; ".join([*attributes, b"SameSite=Lax"])


async def _log_out(scope: Scope, send: Send) -> None:
    """Forget the caller's own token, and lead back to the login."""
    app = app_of(scope)
    app.tokens.pop(token_of(scope), None)
    ended = "=; Path=/; Max-Age=0; HttpOnly; SameSite=Lax"
    headers = [(b"location", b"./"), (b"content-length", b"0"), (b"cache-control", b"no-store")]
    headers += [(b"set-cookie", (name + ended).encode()) for name in token_cookies(app)]
    await send({"type": "http.response.start", "status": 303, "headers": headers})
    await send({"type": "http.response.body", "body": b""})
