"""Run and Stop, one mechanism for all cells: a run is claimed, waits for its turn, goes, and ends by itself, also when it was stopped.

Stop only marks a run. The run sees the mark at its next step and says itself what is left, so there is one stream of updates, and
nothing that comes late can overwrite its last words.
"""

import time
from collections.abc import Callable, Generator, Iterator
from typing import Any, TypeAlias
from weakref import WeakKeyDictionary

import gradio as gr

from engines.core.errors import StudioError
from studio.cell import Runner
from studio.events import QUICK, RUN_LANE, STOPPED, spoken
from studio.shelf import Desk, Seat, Visitors

NOTHING = "Nothing is running."
Updates: TypeAlias = dict[Any, Any]
"""What the page is to show, by component."""
Going: TypeAlias = Generator[Updates, None, Updates]
"""A run on the page: yields updates while it goes, returns the last one, which has words for the status."""

_HIDDEN: dict[str, Any] = {"show_progress": "hidden", "api_visibility": "private"}
_AT_ONCE: dict[str, Any] = {"queue": False} | _HIDDEN
_STOPPING = "() => 'Stopping …'"


def own_seats(visitors: Visitors) -> Callable[[gr.Request], Seat]:
    """Where a cell finds each visitor's seat when its runs are independent of other cells' runs."""
    seats: WeakKeyDictionary[Desk, Seat] = WeakKeyDictionary()
    return lambda request: seats.setdefault(visitors.desk(request.session_hash), Seat())


class Stopper:
    """The runs of one cell, and its Stop.

    Args:
        buttons: The cell's Run, Stop and status.
        seat: Where the run of a visitor sits; cells that share it make one run at a time.
    """

    def __init__(self, buttons: Runner, seat: Callable[[gr.Request], Seat]) -> None:
        self.buttons, self.seat = buttons, seat
        self._last_words: WeakKeyDictionary[Seat, tuple[float, str]] = WeakKeyDictionary()

    def claim(self, seat: Seat) -> str:
        """Take the seat for a run; returns what to say until its turn comes.

        Raises:
            StudioError: A run is going there.
        """
        if seat.running:
            raise StudioError("Your last run is still going. Wait for it, or press Stop first.")
        seat.taken_by, seat.stopping = self, False
        self._last_words.pop(seat, None)
        return "Waiting for its turn …"

    def going(self, request: gr.Request, run: Going) -> Iterator[Updates]:
        """A run from its turn to its end; one that was stopped while it waited computes nothing.

        The seat is free before the last words: whoever presses Stop after that finds nothing to wait for.
        """
        seat = self.seat(request)
        if seat.taken_by is not self:
            self.claim(seat)
        try:
            last = {self.buttons.status: STOPPED} if seat.stopping else (yield from run)
        finally:
            self.leave(seat)
        self._last_words[seat] = (time.monotonic(), str(last[self.buttons.status]))
        yield last

    def leave(self, seat: Seat) -> None:
        """Free the seat, unless another cell's run has it."""
        if seat.taken_by is self:
            seat.taken_by = None

    def stop(self, request: gr.Request) -> bool:
        """Mark the visitor's run; says whether there is one."""
        seat = self.seat(request)
        seat.stopping = seat.stopping or seat.taken_by is self
        return seat.taken_by is self

    def last_words(self, request: gr.Request) -> tuple[float, str]:
        """When the visitor's last run ended, by `time.monotonic`, and what it said then; 0 and `NOTHING` before one ended."""
        return self._last_words.get(self.seat(request), (0.0, NOTHING))

    def connect(self, run: Any, inputs: Any, outputs: Any, claim: Any = None, claims: Any = None, triggers: Any = None) -> Any:
        """Let Run, or other triggers, start a run; returns the event that makes it.

        Args:
            run: A generator over `going`.
            inputs: What it takes.
            outputs: What it fills, the status among them.
            claim: Takes the seat after checks of the cell's own.
            claims: Components whose values it takes.
            triggers: Events instead of a click on Run.
        """

        @spoken
        def take(request: gr.Request) -> str:
            return self.claim(self.seat(request))

        def failed(request: gr.Request) -> str:
            """A run that could not start, or went wrong, which was said."""
            self.leave(self.seat(request))
            return ""

        status = self.buttons.status
        claimed = gr.on(triggers or [self.buttons.run.click], claim or take, claims, status, **QUICK | _HIDDEN)
        running = claimed.success(run, inputs, outputs, concurrency_id=RUN_LANE, concurrency_limit=1, **_HIDDEN)
        running.failure(failed, None, status, **_AT_ONCE)
        return running


def connect_stop(*stoppers: Stopper) -> None:
    """Let the Stop of a cell mark its runs, of one kind or several."""
    buttons = stoppers[0].buttons

    def stop(request: gr.Request) -> Any:
        if any([stopper.stop(request) for stopper in stoppers]):
            return gr.skip()
        return max(stopper.last_words(request) for stopper in stoppers)[1]

    # "Stopping …" comes from the browser before the mark is sent: from the server, it could come after the run's last words.
    buttons.stop.click(None, None, buttons.status, js=_STOPPING, **_AT_ONCE).then(stop, None, buttons.status, **_AT_ONCE)
