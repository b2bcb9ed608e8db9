"""The page as a browser drives it, without a browser: its events, their chains, and what its components hold.

Everything is read from the page's own `/config`: which event a component starts, what follows it, what becomes of an event that comes
while the same one is under way. Answers come over one stream a visitor, which ends when nothing is owed and is opened again.
"""

import asyncio
import json
import random
import string
import time
from collections import defaultdict
from collections.abc import Callable
from typing import Any

import httpx

from benchmarks.load_chain import Chain, Record, Start, first_tabs, patched, tabs_of, urls, words
from benchmarks.load_stream import ERRORS, Stream

PREFIX, CONNECTIONS = "gradio_api", 6
"""Where the page's calls live, and how many connections a browser opens to one server."""
_SHOWN = ("image", "gallery", "imageslider")


class Page:
    """One open page.

    Args:
        http: A connection that has logged in where that is asked for.
        config: The page's `/config`.
    """

    def __init__(self, http: httpx.AsyncClient, config: dict[str, Any]) -> None:
        self.http, self.config = http, config
        self.session = "".join(random.choices(string.ascii_lowercase + string.digits, k=11))
        self.events: dict[int, dict[str, Any]] = {event["id"]: event for event in config["dependencies"]}
        self.parts: dict[int, dict[str, Any]] = {part["id"]: {**part["props"], "type": part["type"]} for part in config["components"]}
        self.ids = {part["elem_id"]: number for number, part in self.parts.items() if part.get("elem_id")}
        self.records: list[Record] = []
        self.toasts: list[tuple[str, str]] = []
        self.on_value: Callable[[str, Any], None] = lambda name, value: None
        self.on_picture: Callable[[str, bytes, Record], None] = lambda name, data, record: None
        self._listeners: dict[tuple[int | None, str], list[int]] = defaultdict(list)
        self._followers: dict[int, dict[str, list[int]]] = defaultdict(lambda: defaultdict(list))
        self._running: dict[int, object] = {}
        self._later: dict[int, Start] = {}
        self._stream = Stream(http, f"{PREFIX}/queue/data", self.session)
        self._tasks: set[asyncio.Task[Any]] = set()
        self._fetched: set[str] = set()
        self._tabs = tabs_of(config["layout"], self.parts)
        self._opened = {tabs[0] for tabs in first_tabs(config["layout"], self.parts)}
        self._index()

    def _index(self) -> None:
        for number, event in self.events.items():
            for target, name in event["targets"]:
                self._listeners[(target, name)].append(number)
            if event.get("trigger_after") is not None:
                when = "failure" if event["trigger_only_on_failure"] else "success" if event["trigger_only_on_success"] else "all"
                self._followers[event["trigger_after"]][when].append(number)

    async def open(self) -> Chain:
        """Fetch the page, keep its heartbeat, and start what it starts when it opens."""
        (await self.http.get("")).raise_for_status()
        await self.http.get(f"{PREFIX}/info")
        self._spawn(self._beat())
        chain = Chain("load")
        for (target, name), numbers in list(self._listeners.items()):
            for number in numbers if name == "load" else ():
                self._begin(Start(number, target, None, chain, 0, chain.begun))
        return chain

    async def leave(self) -> None:
        """Close all connections, as a browser does with its tab."""
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def value(self, name: str) -> Any:
        """What the component of an elem_id holds."""
        return self.property(name, "value")

    def property(self, name: str, what: str) -> Any:
        """A property of the component of an elem_id."""
        return self.parts[self._id(name)].get(what)

    def put(self, name: str, value: Any) -> None:
        """Let a component hold a value, without the events that a person's hand gives rise to."""
        self.parts[self._id(name)]["value"] = value

    def act(self, name: str, *events: str, data: Any = None) -> Chain:
        """What a person does to a component: its events, one after the other.

        Args:
            name: The component's elem_id.
            events: Such as "input" and "release".
            data: What the event tells beside the components' values, such as the index of a selected picture.
        """
        number, chain = self._id(name), Chain(f"{name}.{events[-1]}")
        if "select" in events and self.parts[number]["type"] == "tabitem":
            self._opened.add(number)
        for event in events:
            self._fire(number, event, data, chain, 0)
        return chain

    def _id(self, name: str) -> int:
        if name not in self.ids:
            raise LookupError(f"The page has no component {name!r} any more: the benchmark's visitors look for it.")
        return self.ids[name]

    async def upload(self, name: str, data: bytes, kind: str = "image/png") -> dict[str, Any]:
        """Send a file and return what an upload component holds then.

        Raises:
            httpx.HTTPError: The server did not take it.
        """
        answer = await self.http.post(f"{PREFIX}/upload", files={"files": (name, data, kind)})
        answer.raise_for_status()
        path = answer.json()[0]
        url = f"{self.http.base_url}{PREFIX}/file={path}"
        return {"path": path, "url": url, "orig_name": name, "size": len(data), "mime_type": kind, "meta": {"_type": "gradio.FileData"}}

    async def call(self, name: str, data: list[Any]) -> Record:
        """One call of a named endpoint, as a program makes it."""
        event = next(event for event in self.events.values() if event["api_name"] == name)
        record = Record(f"api.{name}", name, 0, False, time.monotonic())
        self.records.append(record)
        chain = Chain(record.trigger)
        await self._answered(event, {"data": data, "trigger_id": None, "event_data": None}, record, chain)
        return record

    def _spawn(self, work: Any) -> asyncio.Task[Any]:
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    def _fire(self, component: int, event: str, data: Any, chain: Chain, depth: int) -> None:
        for number in self._listeners.get((component, event), ()):
            self._begin(Start(number, component, data, chain, depth, time.monotonic()))

    def _begin(self, start: Start) -> None:
        """Start an event, or do with it what its trigger mode says while the same one is under way."""
        mode = self.events[start.number]["trigger_mode"]
        if start.number in self._running and mode != "multiple":
            if mode == "always_last":
                start.chain.enter()
                replaced = self._later.get(start.number)
                self._later[start.number] = start
                if replaced:
                    replaced.chain.leave()
            return
        self._running[start.number] = start
        start.chain.enter()
        self._spawn(self._run(start))

    async def _run(self, start: Start) -> None:
        event = self.events[start.number]
        record = Record(start.chain.trigger, str(event["api_name"]), start.depth, event["types"]["generator"], start.asked)
        try:
            fine = True
            if event["backend_fn"]:
                self.records.append(record)
                values = [None if self.parts[part]["type"] == "state" else self.parts[part].get("value") for part in event["inputs"]]
                body = {"data": values, "event_data": start.data, "trigger_id": start.target}
                fine = await self._answered(event, body, record, start.chain)
            followers = self._followers[start.number]
            for number in [*followers["success"], *followers["all"]] if fine else followers["failure"]:
                self._begin(Start(number, start.target, None, start.chain, start.depth + 1, time.monotonic()))
            if self._running.get(start.number) is start:
                del self._running[start.number]
            if start.depth == 0:
                start.chain.first.set()
            self._catch_up(start.number, fine)
        finally:
            start.chain.leave()

    def _catch_up(self, number: int, fine: bool) -> None:
        """Start what waited for an event to end; a page leaves it where that event failed."""
        later = self._later.pop(number, None)
        if later is None:
            return
        if fine:
            self._begin(later)
        else:
            record = Record(later.chain.trigger, str(self.events[number]["api_name"]), later.depth, False, later.asked)
            record.outcome, record.words = "dropped", "the same event before it failed"
            self.records.append(record)
            later.chain.first.set()
        later.chain.leave()

    async def _answered(self, event: dict[str, Any], body: dict[str, Any], record: Record, chain: Chain) -> bool:
        """Send an event and take its answers; says whether it succeeded."""
        body |= {"fn_index": event["id"], "session_hash": self.session}
        try:
            return await (self._queued if event["queue"] is not False else self._at_once)(event, body, record, chain)
        except ERRORS as error:
            record.outcome, record.words = "failed", f"connection: {type(error).__name__}"
            return False
        finally:
            if record.outcome != "unfinished":
                record.ended = time.monotonic()

    async def _at_once(self, event: dict[str, Any], body: dict[str, Any], record: Record, chain: Chain) -> bool:
        answer = await self.http.post(f"{PREFIX}/run/predict", json=body)
        if answer.status_code != 200:
            record.outcome, record.words = "failed", words(answer)
            return False
        record.outcome = "answered"
        self._take(event["outputs"], answer.json()["data"], record, chain)
        return True

    async def _queued(self, event: dict[str, Any], body: dict[str, Any], record: Record, chain: Chain) -> bool:
        answer = await self.http.post(f"{PREFIX}/queue/join", json=body)
        if answer.status_code != 200:
            record.outcome = "refused" if answer.status_code in (429, 503) else "failed"
            record.words = words(answer)
            return False
        name = answer.json()["event_id"]
        with self._stream.owing(name) as inbox:
            if not self._stream.open:
                self._stream.open = True
                self._spawn(self._stream.listen())
            return await self._messages(event, inbox, record, chain)

    async def _messages(self, event: dict[str, Any], inbox: asyncio.Queue[dict[str, Any]], record: Record, chain: Chain) -> bool:
        """Take what the stream says about one event, until its answer is complete."""
        so_far: list[Any] = []
        while True:
            message = await inbox.get()
            kind, output = message["msg"], message.get("output") or {}
            if kind == "process_starts":
                record.started = time.monotonic()
            elif kind == "log":
                self.toasts.append((message["level"], message["log"]))
            elif kind == "process_generating" and message["success"]:
                so_far = [patched(old, new) for old, new in zip(so_far, output["data"], strict=True)] if so_far else output["data"]
                self._take(event["outputs"], json.loads(json.dumps(so_far)), record, chain)
                self._changed(output, chain, record.depth)
            elif kind in ("process_completed", "unexpected_error", "broken"):
                fine = kind == "process_completed" and message["success"] and "error" not in output
                record.outcome = "answered" if fine else "failed"
                if fine:
                    self._take(event["outputs"], output.get("data", []), record, chain)
                    self._changed(output, chain, record.depth)
                else:
                    record.words = str(output.get("error") or message.get("message") or "Error")
                    self.toasts.append(("error", record.words))
                return fine

    def _changed(self, output: dict[str, Any], chain: Chain, depth: int) -> None:
        """Events of states that an answer changed: the server says which, since a page does not hold them."""
        for state in output.get("changed_state_ids") or ():
            self._fire(state, "change", None, chain, depth + 1)

    def _take(self, outputs: list[int], data: list[Any], record: Record, chain: Chain) -> None:
        """Let components hold an answer, fetch its pictures, and start what their changes start."""
        fetches = []
        for number, new in zip(outputs, data, strict=False):
            part = self.parts[number]
            update = new if isinstance(new, dict) and new.get("__type__") == "update" else {"value": new}
            before = part.get("value")
            part.update({key: value for key, value in update.items() if key != "__type__"})
            if "value" not in update or part["value"] == before:
                continue
            name = part.get("elem_id") or str(number)
            self.on_value(name, part["value"])
            if self._tabs.get(number, set()) <= self._opened:
                if part["type"] in _SHOWN:
                    fetches += [self._spawn(self._fetch(name, url, record)) for url in urls(part["value"])]
                self._fire(number, "change", None, chain, record.depth + 1)
        self._spawn(_note_shown(record, fetches))

    async def _fetch(self, name: str, url: str, record: Record) -> None:
        if url in self._fetched:
            return
        self._fetched.add(url)
        answer = await self.http.get(url)
        if answer.status_code == 200:
            self.on_picture(name, answer.content, record)
        else:
            self.toasts.append(("picture", f"{answer.status_code} for a picture of {name}"))

    async def _beat(self) -> None:
        async with self.http.stream("GET", f"{PREFIX}/heartbeat/{self.session}") as beats:
            async for _ in beats.aiter_lines():
                pass


async def _note_shown(record: Record, fetches: list["asyncio.Task[Any]"]) -> None:
    await asyncio.gather(*fetches, return_exceptions=True)
    record.shown = time.monotonic()
