"""Run and Stop, one mechanism for all cells: a run is claimed, waits for its turn, goes, and ends by itself, also when it was stopped.

Stop only marks a run. The run sees the mark at its next step and says itself what is left, so there is one stream of updates, and
nothing that comes late can overwrite its last words.
"""

import functools
import time
from collections.abc import AsyncGenerator, Callable, Generator, Iterator
from contextlib import aclosing
from typing import Any, TypeAlias

import gradio as gr

from engines.core.errors import StudioError
from studio.serving.lines import RUN, Lines, asking, told
from studio.serving.tickets import Standing
from studio.state.moments import STOPPED
from studio.state.visitor import JobSlot
from studio.state.visitors import Visitors
from studio.ui.cell import Runner
from studio.ui.run_events import QUICK, spoken

NOTHING = "Nothing is running."
Updates: TypeAlias = dict[Any, Any]
"""What the page is to show, by component."""
Going: TypeAlias = Generator[Updates, None, Updates]
"""A run on the page: yields updates while it goes, returns the last one, which has words for the status."""

_HIDDEN: dict[str, Any] = {"show_progress": "hidden", "api_visibility": "private"}
_AT_ONCE: dict[str, Any] = {"queue": False} | _HIDDEN
_STOPPING = "() => 'Stopping …'"


def own_slots(visitors: Visitors) -> Callable[[gr.Request], JobSlot]:
    """Where a cell finds each visitor's slot when its runs are independent of other cells' runs."""
    cell = object()
    return lambda request: visitors.visitor(request).own(cell, JobSlot)


class Stopper:
    """The runs of one cell, and its Stop.

    Args:
        buttons: The cell's Run, Stop and status.
        slot: Where the run of a visitor sits; cells that share it make one run at a time.
        lines: Where runs wait for their turn.
    """

    def __init__(self, buttons: Runner, slot: Callable[[gr.Request], JobSlot], lines: Lines) -> None:
        self.buttons, self.slot, self.lines = buttons, slot, lines

    def claim(self, slot: JobSlot) -> str:
        """Take the slot for a run; returns what to say until its turn comes.

        Raises:
            StudioError: A run is going there.
        """
        if slot.running and not slot.abandoned:
            raise StudioError("Your last run is still going. Wait for it, or press Stop first.")
        slot.take(self)
        slot.last_words.pop(self, None)
        return "Waiting for its turn …"

    def going(self, request: gr.Request, run: Going) -> Iterator[Updates]:
        """A run from its turn to its end; one that was stopped while it waited computes nothing.

        The slot is free before the last words: whoever presses Stop after that finds nothing to wait for.
        """
        slot = self.slot(request)
        if slot.taken_by is not self:
            self.claim(slot)
        slot.begun = True
        try:
            last = {self.buttons.status: STOPPED} if slot.stopping else (yield from run)
        finally:
            self.leave(slot)
        slot.last_words[self] = (time.monotonic(), str(last[self.buttons.status]))
        yield last

    def leave(self, slot: JobSlot) -> None:
        """Free the slot, unless another cell's run has it."""
        if slot.taken_by is self:
            slot.taken_by = None

    def stop(self, request: gr.Request) -> bool:
        """Mark the visitor's run; says whether there is one."""
        slot = self.slot(request)
        slot.stopping = slot.stopping or slot.taken_by is self
        return slot.taken_by is self

    def last_words(self, request: gr.Request) -> tuple[float, str]:
        """When the visitor's last run ended, by `time.monotonic`, and what it said then; 0 and `NOTHING` before one ended."""
        return self.slot(request).last_words.get(self, (0.0, NOTHING))

    def waiting(self, run: Any, choose: Callable[..., tuple[str, str]]) -> Any:
        """A run of `going` that waits for its turn in a line, and says where it stands in it; Stop ends the waiting too."""

        def tell(standing: Standing) -> Updates:
            return {self.buttons.status: str(standing)}

        in_turn = told(run, self.lines, choose, tell, lambda request: self.slot(request).stopping)

        @functools.wraps(run)
        async def seated(*args: Any) -> AsyncGenerator[Updates, None]:
            slot = self.slot(asking())
            slot.under_way, slot.begun = True, False
            try:
                async with aclosing(in_turn(*args)) as updates:
                    async for update in updates:
                        yield update
            finally:
                slot.under_way = False
                if not slot.begun:  # the visitor left, or was refused, before the turn came
                    self.leave(slot)

        return seated

    def connect(
        self,
        run: Any,
        inputs: Any,
        outputs: Any,
        claim: Any = None,
        claims: Any = None,
        triggers: Any = None,
        choose: Callable[..., tuple[str, str]] | None = None,
    ) -> Any:
        """Let Run, or other triggers, start a run; returns the event that makes it.

        Args:
            run: A generator over `going`.
            inputs: What it takes.
            outputs: What it fills, the status among them.
            claim: Takes the slot after checks of the cell's own.
            claims: Components whose values it takes.
            triggers: Events instead of a click on Run.
            choose: Says from what `run` is called with in which line of `studio.serving.lines` it waits, and what kind of run it is; with
                the other runs of minutes, as this cell's, if not given.
        """
        choose = choose or (lambda *_: (RUN, run.__qualname__))

        @spoken
        def take(request: gr.Request) -> str:
            return self.claim(self.slot(request))

        def failed(request: gr.Request) -> str:
            """A run that could not start, or went wrong, which was said."""
            self.leave(self.slot(request))
            return ""

        status = self.buttons.status
        claimed = gr.on(triggers or [self.buttons.run.click], claim or take, claims, status, **QUICK | _HIDDEN)
        running = claimed.success(self.waiting(run, choose), inputs, outputs, concurrency_limit=None, **_HIDDEN)
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
