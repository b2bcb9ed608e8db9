"""What happens on a page: chains of events, what is recorded of each, and how answers are read."""

import asyncio
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import httpx


@dataclass(eq=False)
class Chain:
    """What one act of a visitor led to.

    Attributes:
        trigger: Component and event, such as "invert-run.click"; "load" for the page's opening.
        begun: When, by `time.monotonic`.
        first: Set when an event that the act itself started has been answered, refused or failed.
    """

    trigger: str
    begun: float = field(default_factory=time.monotonic)
    first: asyncio.Event = field(default_factory=asyncio.Event)
    _open: int = 0
    _still: asyncio.Event = field(default_factory=asyncio.Event)

    def enter(self) -> None:
        """Note that an event of it is under way or waits for its turn."""
        self._open += 1
        self._still.clear()

    def leave(self) -> None:
        """Note that it is not any more."""
        self._open -= 1
        if not self._open:
            self._still.set()

    async def done(self, patience: float) -> bool:
        """Wait until nothing of it is under way; says whether that came within so many seconds."""
        return not self._open or await _within(self._still, patience)

    async def answered(self, patience: float) -> bool:
        """Wait for the first answer; says whether it came within so many seconds."""
        return await _within(self.first, patience)


async def _within(event: asyncio.Event, patience: float) -> bool:
    try:
        await asyncio.wait_for(event.wait(), patience)
    except TimeoutError:
        return False
    return True


@dataclass(eq=False)
class Record:
    """One event from the act to its answer; times by `time.monotonic`, none where it did not come to that.

    Attributes:
        trigger: The chain's.
        name: The event's own name.
        depth: Events before it in its chain.
        runs: Whether it answers several times, as a run does.
        asked: When the visitor acted, or the event before it was answered.
        started: When the server began with it.
        ended: When its answer was complete.
        shown: When the answer's pictures had come, too.
        outcome: "answered", "refused" by a full queue, "failed", "dropped" with the one before it, or "unfinished".
        words: What the page says where it was refused or failed.
    """

    trigger: str
    name: str
    depth: int
    runs: bool
    asked: float
    started: float | None = None
    ended: float | None = None
    shown: float | None = None
    outcome: str = "unfinished"
    words: str = ""


@dataclass(frozen=True, eq=False)
class Start:
    """An event that is to start: which, for which component, with which data of its own, and in which chain."""

    number: int
    target: int | None
    data: Any
    chain: Chain
    depth: int
    asked: float


def words(answer: httpx.Response) -> str:
    """What a refusal says."""
    try:
        said = answer.json()
    except ValueError:
        return f"{answer.status_code}"
    text = said.get("detail") or said.get("error") if isinstance(said, dict) else said
    return f"{answer.status_code} {text}"


def urls(value: Any) -> Iterator[str]:
    """Addresses of all files in a component's value."""
    if isinstance(value, dict):
        if isinstance(value.get("url"), str) and "path" in value:
            yield value["url"]
        else:
            for part in value.values():
                yield from urls(part)
    elif isinstance(value, list):
        for part in value:
            yield from urls(part)


def patched(old: Any, changes: list[Any]) -> Any:
    """A value after the changes that the stream sent instead of the whole."""
    for action, path, new in changes:
        if not path:
            old = old + new if action == "append" else new
            continue
        place = old
        for step in path[:-1]:
            place = place[step]
        last = path[-1]
        if action == "replace":
            place[last] = new
        elif action == "append":
            place[last] += new
        elif action == "add":
            place.insert(int(last), new) if isinstance(place, list) else place.__setitem__(last, new)
        elif action == "delete":
            del place[int(last) if isinstance(place, list) else last]
    return old


def tabs_of(layout: dict[str, Any], parts: dict[int, dict[str, Any]], inside: frozenset[int] = frozenset()) -> dict[int, set[int]]:
    """The tabs that each component lies in: a browser draws what lies in a tab when that is opened first."""
    found: dict[int, set[int]] = {}
    for child in layout.get("children") or ():
        number = child["id"]
        within = inside | {number} if parts[number]["type"] == "tabitem" else inside
        found[number] = set(within)
        found |= tabs_of(child, parts, within)
    return found


def first_tabs(layout: dict[str, Any], parts: dict[int, dict[str, Any]]) -> Iterator[list[int]]:
    """The tabs of each group of tabs, in their order."""
    children = layout.get("children") or ()
    tabs = [child["id"] for child in children if parts[child["id"]]["type"] == "tabitem"]
    if tabs:
        yield tabs
    for child in children:
        yield from first_tabs(child, parts)
