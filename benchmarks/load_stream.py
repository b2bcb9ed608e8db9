"""Connections as a browser keeps them, and the one stream over which all answers to a page's events come."""

import asyncio
import json
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx

ERRORS = (httpx.HTTPError, OSError)
"""What a broken connection raises."""
Inbox = asyncio.Queue[dict[str, Any]]


class Connections(httpx.AsyncHTTPTransport):
    """A browser's connections to one server: a request that meets one that the server has just given up is sent once more."""

    renewed = 0

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request."""
        try:
            return await super().handle_async_request(request)
        except (httpx.RemoteProtocolError, httpx.ReadError, httpx.WriteError):
            self.renewed += 1
            return await super().handle_async_request(request)


class Stream:
    """Messages to a page, sorted by the event that they answer. The server ends a connection once nothing is owed on it.

    Args:
        http: The visitor's connections.
        path: Where the stream is.
        session: The page's session hash.
    """

    def __init__(self, http: httpx.AsyncClient, path: str, session: str) -> None:
        self.http, self.path, self.session = http, path, session
        self.open = False
        self._inbox: dict[str, Inbox] = defaultdict(asyncio.Queue)
        self._owed: set[str] = set()

    @contextmanager
    def owing(self, name: str) -> Iterator[Inbox]:
        """Where the messages about an event come, while it lacks its answer; some may have come before it is known here."""
        self._owed.add(name)
        try:
            yield self._inbox[name]
        finally:
            self._owed.discard(name)
            self._inbox.pop(name, None)

    async def listen(self) -> None:
        """Read, over one connection after another, while an answer is owed; `open` is set before this starts, so that it starts once."""
        try:
            while self._owed:
                await self._read()
        finally:
            self.open = False

    async def _read(self) -> None:
        try:
            async with self.http.stream("GET", self.path, params={"session_hash": self.session}) as answer:
                answer.raise_for_status()
                async for line in answer.aiter_lines():
                    if line.startswith("data:"):
                        self._deliver(json.loads(line.removeprefix("data:")))
        except ERRORS as error:
            self._deliver({"msg": "broken", "message": f"connection: {type(error).__name__}"})

    def _deliver(self, message: dict[str, Any]) -> None:
        """Hand a message to the event that it names; one that names none is for all."""
        if message["msg"] in ("close_stream", "heartbeat"):
            return
        for name in [message["event_id"]] if message.get("event_id") else list(self._owed):
            self._inbox[name].put_nowait(message)
