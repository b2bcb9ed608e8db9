"""Who computes when: lines in which one thing at a time is done, visitor by visitor, and what is told to those who wait.

Gradio's own queue serves events in the order of their coming and refuses whatever is beyond a number of all kinds together. Here it only
passes events on. A line serves the visitor first who was served longest ago, so that one who asks for fifty things waits for the fifty
alone; it refuses further runs of a visitor who has enough waiting, in a sentence; and lines that nobody watches give way to those under a
hand. All of it happens on the server's one event loop; the work itself on threads.
"""

import asyncio
import functools
import inspect
import time
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterator
from contextlib import aclosing, asynccontextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any

import anyio
import gradio as gr
from gradio.block_function import BlockFunction
from gradio.context import LocalContext

from engines.core.errors import StudioError
from studio.serving.cookie import asker_of
from studio.serving.threads import on_thread
from studio.serving.tickets import Standing, Ticket

RUN, ONE_PASS, PREVIEW, POINT, PHOTO, FILES = "run", "one-pass", "preview", "point", "photo", "files"
SETTLE, MAP, PROGRAM, ASIDE, BACKGROUND = "settle", "map", "program", "aside", "background"
"""Names of lines: runs of minutes, and of a second or two; pictures under a hand; faces of a map; photos; other files; the full picture
once the hand rests; maps of thousands of faces; what a program asks for; what follows a picture; what nobody waits for."""

_REMEMBERED = 2000
"""Visitors whose last turn is remembered."""

_NEWEST = 0.4
"""Share of the newest duration in the expected one."""

_TELL_SECONDS = 1.0
_STEP_PATIENCE = 0.3
_BESIDE_HANDS = 2
"""Lines that compute at once beside previews and photos: more of them only get into each other's way on two cores. A run of minutes is not
among them, since those of a second would wait for it; it gives way between its steps."""

_MANY_HANDS = 4

_lent: "ContextVar[Ticket | None]" = ContextVar("_lent", default=None)


@dataclass(eq=False)
class Crowd:
    """Lines that share a machine: so many of them may go at once, and each has its share of the time.

    Attributes:
        most: How many.
        hands: Lines that go beside them; while one of these is busy, one fewer may go.
        going: How many do.
        lines: All of them.
        spent: Time over share of the line that started last, as `Line.spent`.
    """

    most: int
    hands: "tuple[Line, ...]" = ()
    going: int = 0
    lines: "list[Line]" = field(default_factory=list)
    spent: float = 0.0

    @property
    def is_full(self) -> bool:
        """Whether none of them may start now."""
        busy = any(not line.idle for line in self.hands)
        return self.going >= max(1, self.most - busy)


class Line:
    """One thing at a time, fair between visitors.

    Args:
        each: The most that one visitor may have waiting or going.
        most: The most that may wait in all.
        patience: Seconds that a ticket gives way to the lines before it before it starts all the same.
        before: Lines that it gives way to.
        crowd: Lines, this one among them, of which only some may go at once.
        share: Of the crowd's time, while others of it wait, too: start-time fair queueing (Goyal et al. 1996).
        beside: Lines in which the same visitor's things must not go at the same time: they write the same values.
        newest_only: Whether a thing that a page asks for anew takes the place of the one that still waits, which nobody would look at.
    """

    def __init__(
        self,
        *,
        each: int = 100,
        most: int = 2000,
        patience: float = 0.0,
        before: "tuple[Line, ...]" = (),
        beside: "tuple[Line, ...]" = (),
        crowd: Crowd | None = None,
        share: float = 1.0,
        newest_only: bool = False,
    ) -> None:
        self.each, self.most, self.patience, self.before = each, most, patience, before
        self.share, self.spent, self.newest_only = share, 0.0, newest_only
        self.beside, self.behind = list(beside), list[Line]()
        self.crowd = crowd or Crowd(1)
        self.crowd.lines.append(self)
        for line in before:
            line.behind.append(self)
        for line in beside:
            line.beside.append(self)
        self._waiting: list[Ticket] = []
        self._going: Ticket | None = None
        self._served: dict[str, float] = {}
        self._expected: dict[str, float] = {}

    @property
    def idle(self) -> bool:
        """Whether nothing is going or waiting."""
        return self._going is None and not self._waiting

    @property
    def count(self) -> int:
        """How many are waiting or going."""
        return len(self._waiting) + (self._going is not None)

    def join(self, visitor: str, kind: str, session: str = "") -> Ticket:
        """Take the last place of a visitor's own.

        Raises:
            StudioError: The visitor has enough here already, or the line is full.
        """
        mine = sum(ticket.visitor == visitor for ticket in [*self._waiting, *([self._going] if self._going else [])])
        if mine >= self.each:
            raise StudioError(
                f"You have {mine} runs waiting or going, which is the most for one visitor. Wait for one to end, or stop one."
            )
        if len(self._waiting) >= self.most:
            raise StudioError(f"{len(self._waiting)} runs are waiting, the most that this machine takes. Try again in a few minutes.")
        ticket = Ticket(visitor, kind, time.monotonic(), session=session)
        if self.newest_only:
            self._overtake(ticket)
        if self.idle:
            self.spent = max(self.spent, self.crowd.spent)
        self._waiting.append(ticket)
        self.advance()
        return ticket

    def leave(self, ticket: Ticket) -> None:
        """Give up a place, or end what was going."""
        if ticket in self._waiting:
            self._waiting.remove(ticket)
        elif ticket is self._going and ticket.started is not None:
            self._going = None
            self.crowd.going -= 1
            took = time.monotonic() - ticket.started
            known = self._expected.get(ticket.kind, took)
            self._expected[ticket.kind] = known + _NEWEST * (took - known)
            self.spent += took / self.share
        for line in (*sorted(self.crowd.lines, key=lambda line: line.spent), *self.beside, *self.behind):
            line.advance()

    def _overtake(self, newer: Ticket) -> None:
        """End the wait of what the same page asked for in the same event, and let the newer one have waited as long."""
        asked = (newer.visitor, newer.session, newer.kind)
        for ticket in [each for each in self._waiting if newer.session and (each.visitor, each.session, each.kind) == asked]:
            self._waiting.remove(ticket)
            newer.joined = min(newer.joined, ticket.joined)
            ticket.is_overtaken = True
            ticket.turn.set()

    def drop(self, session: str) -> None:
        """Let nothing be computed any more for a page that was closed."""
        for ticket in [ticket for ticket in self._waiting if ticket.session == session]:
            self._waiting.remove(ticket)
            ticket.is_dropped = True
            ticket.turn.set()

    def advance(self) -> None:
        """Let the next one start, if it may."""
        busy = {line._going.visitor for line in self.beside if line._going is not None}
        first = next((ticket for ticket in self.order() if ticket.visitor not in busy), None)
        if self._going is not None or first is None or self.crowd.is_full:
            return
        still = self.patience - (time.monotonic() - first.joined)
        if still > 0 and not all(line.idle for line in self.before):
            asyncio.get_running_loop().call_later(still, self.advance)
            return
        self._waiting.remove(first)
        self._going, first.started = first, time.monotonic()
        self.crowd.going, self.crowd.spent = self.crowd.going + 1, self.spent
        self._served.pop(first.visitor, None)
        self._served[first.visitor] = first.started
        while len(self._served) > _REMEMBERED:
            del self._served[next(iter(self._served))]
        first.turn.set()

    def order(self) -> list[Ticket]:
        """Those who wait, next first: everyone's first, then everyone's second, and so on; who was served longest ago before others."""
        rounds: dict[str, int] = {}
        ranked = []
        for ticket in self._waiting:
            turn = rounds[ticket.visitor] = rounds.get(ticket.visitor, -1) + 1
            ranked.append((turn, self._served.get(ticket.visitor, 0.0), ticket.joined, ticket))
        return [each[-1] for each in sorted(ranked, key=lambda each: each[:-1])]

    def standing(self, ticket: Ticket) -> Standing:
        """Where a waiting ticket stands."""
        order = self.order()
        place = order.index(ticket)
        spans = [self._rest(), *(self._expected.get(other.kind) for other in order[:place])]
        known = [span for span in spans if span is not None]
        return Standing(place + 1, len(order), sum(known) if len(known) == len(spans) else None)

    def _rest(self) -> float | None:
        """How much longer the one that is going takes, as far as its kind is known."""
        if self._going is None or self._going.started is None:
            return 0.0
        expected = self._expected.get(self._going.kind)
        return None if expected is None else max(0.0, expected - (time.monotonic() - self._going.started))

    async def tell(self, ticket: Ticket, stopped: Callable[[], bool] = lambda: False) -> AsyncGenerator[Standing, None]:
        """How a ticket stands, about once a second, until its turn comes or its owner wants it no more."""
        while not ticket.turn.is_set() and not stopped():
            yield self.standing(ticket)
            with anyio.move_on_after(_TELL_SECONDS):
                await ticket.turn.wait()

    @asynccontextmanager
    async def turn(self, visitor: str, kind: str, session: str = "") -> AsyncIterator[None]:
        """A ticket's turn, waited for in silence."""
        ticket = self.join(visitor, kind, session)
        try:
            await ticket.wait()
            yield
        finally:
            self.leave(ticket)

    @asynccontextmanager
    async def lent(self, visitor: str, kind: str, session: str = "") -> AsyncIterator[None]:
        """A ticket's turn, waited for in silence, for a run of several steps that begins inside and may go on after."""
        ticket = self.join(visitor, kind, session)
        try:
            await ticket.wait()
            token = _lent.set(ticket)
            try:
                yield
            finally:
                _lent.reset(token)
        finally:
            if not ticket.is_taken:
                self.leave(ticket)

    async def give_way(self) -> None:
        """Between two steps, let the lines before this one finish what they have, for a moment."""
        end = time.monotonic() + _STEP_PATIENCE
        while not all(line.idle for line in self.before) and time.monotonic() < end:
            await asyncio.sleep(0.01)


class Lines:
    """The lines of one studio.

    Args:
        each: Runs that one visitor may have waiting or going.
        most: Runs that may wait in all.
    """

    def __init__(self, each: int, most: int) -> None:
        hands = preview, point, photo = Line(), Line(), Line()
        crowd = Crowd(_BESIDE_HANDS, hands)
        settle = Line(patience=2.0, before=hands, beside=(preview,), crowd=crowd, share=6, newest_only=True)
        one_pass = Line(each=each, most=most, before=hands, crowd=crowd, share=12)
        watched = (*hands, settle, one_pass)
        self.by_name = {
            PREVIEW: preview,
            POINT: point,
            PHOTO: photo,
            FILES: Line(),
            SETTLE: settle,
            ONE_PASS: one_pass,
            MAP: Line(before=hands, beside=(point,), crowd=crowd, share=6, newest_only=True),
            PROGRAM: Line(each=each, most=most, patience=1.0, before=hands, crowd=crowd, share=6),
            RUN: Line(each=each, most=most, before=hands),
            ASIDE: Line(patience=6.0, before=watched, crowd=crowd, newest_only=True),
            BACKGROUND: Line(patience=15.0, before=watched, crowd=crowd, newest_only=True),
        }

    @property
    def is_crowded(self) -> bool:
        """Whether several hands wait for their pictures at once: smaller ones serve all of them sooner."""
        return self[PREVIEW].count >= _MANY_HANDS

    def drop(self, session: str) -> None:
        """Let pictures that nobody sees any more, since their page was closed, give up their places; runs keep theirs."""
        for name in (PREVIEW, POINT, SETTLE, MAP, ASIDE, BACKGROUND):
            self[name].drop(session)

    def __getitem__(self, name: str) -> Line:
        return self.by_name[name]

    def of(self, event: BlockFunction) -> Line | None:
        """The line that an event of a page names by its `concurrency_id`, if it does."""
        return self.by_name.get(event.concurrency_id)

    def serve(self, page: gr.Blocks) -> None:
        """Let the events of a page that name a line pass Gradio's queue at once; they wait in `studio.ui.intake.Page`, before their
        values are read. A generator keeps its turn until it ends or is closed."""
        for event in page.fns.values():
            line = self.of(event)
            if line is not None:
                event.concurrency_limit = None
                if inspect.isgeneratorfunction(event.fn):
                    event.fn = in_line(event.fn, line)


def asking() -> Any:
    """The request that the present event came with."""
    return LocalContext.request.get(None)


def in_line(function: Callable[..., Iterator[Any]], line: Line) -> Callable[..., AsyncGenerator[Any, None]]:
    """A handler of several steps that has its turn when it begins (`Line.lent`), works on a thread, and gives the turn up at its end."""

    @functools.wraps(function)
    async def in_turn(*args: Any) -> AsyncGenerator[Any, None]:
        ticket = _lent.get()
        if ticket is not None:
            ticket.is_taken = True
        try:
            async with aclosing(on_thread(function(*args), line.give_way)) as steps:
                async for step in steps:
                    yield step
        finally:
            if ticket is not None:
                line.leave(ticket)

    return in_turn


def told(
    run: Callable[..., Iterator[Any]],
    lines: Lines,
    choose: Callable[..., tuple[str, str]],
    tell: Callable[[Standing], Any],
    stopped: Callable[[Any], bool] = lambda request: False,
) -> Callable[..., AsyncGenerator[Any, None]]:
    """A run that says where it stands in its line until its turn comes.

    Args:
        run: A handler that yields updates.
        lines: Where it waits.
        choose: Says from the handler's arguments in which line, and what kind of run it is.
        tell: Makes an update of a standing.
        stopped: Asked with the request while it waits: whether to go on at once, since nothing is to be computed any more.
    """

    @functools.wraps(run)
    async def in_turn(*args: Any) -> AsyncGenerator[Any, None]:
        request, (name, kind) = asking(), choose(*args)
        line = lines[name]
        ticket = line.join(asker_of(request), kind)
        try:
            async with aclosing(line.tell(ticket, lambda: stopped(request))) as standings:
                async for standing in standings:
                    yield tell(standing)
            async with aclosing(on_thread(run(*args), line.give_way)) as updates:
                async for update in updates:
                    yield update
        finally:
            line.leave(ticket)

    return in_turn
