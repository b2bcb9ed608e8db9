"""A run while it goes: a few moments a second, one at its end, and what each says in a line."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from engines.contract import Progress, Result, Run
from engines.core.memory import give_back

STOPPED = "Stopped."
"""What a run says that was stopped before there was anything to keep."""

_SECONDS_BETWEEN = 0.5


@dataclass(frozen=True, eq=False)
class Moment:
    """A run as it is now.

    Attributes:
        progress: The newest heartbeat.
        history: Losses of all steps so far, by name.
        seconds: Time since the start.
        best: The best result so far; none before the first.
        result: The same, at the last moment only: what the run returned, or what it had when it was ended.
        cut_short: Whether the time limit ended the run.
        stopped: Whether the visitor did.
    """

    progress: Progress
    history: dict[str, list[float]]
    seconds: float
    best: Result | None = None
    result: Result | None = None
    cut_short: bool = False
    stopped: bool = False

    @property
    def is_whole(self) -> bool:
        """Whether the run came to its own end."""
        return self.result is not None and not self.stopped and not self.cut_short


@dataclass(eq=False)
class _Watch:
    history: dict[str, list[float]] = field(default_factory=dict)
    start: float = field(default_factory=time.perf_counter)
    progress: Progress = field(default_factory=lambda: Progress(0, 1))
    best: Result | None = None

    def moment(self) -> Moment:
        return Moment(self.progress, self.history, time.perf_counter() - self.start, self.best)

    def last(self, cut_short: bool = False, stopped: bool = False) -> Moment:
        return Moment(self.progress, self.history, time.perf_counter() - self.start, self.best, self.best, cut_short, stopped)


def moments(run: Run, limit: float, stopped: Callable[[], bool] = lambda: False) -> Iterator[Moment]:
    """Drive a run; yields a few times a second and once at its end, when `result` is set.

    Args:
        run: What an engine's `run` returned.
        limit: Seconds after which the run ends with its best result.
        stopped: Asked before each step: whether to end with the best result instead, or with none if there is none yet.
    """
    watch, shown = _Watch(), 0.0
    try:
        while True:
            if stopped():
                yield watch.last(stopped=True)
                return
            try:
                progress = next(run)
            except StopIteration as stop:
                watch.best = stop.value
                yield watch.last()
                return
            for name, value in progress.losses.items():
                watch.history.setdefault(name, []).append(value)
            watch.progress = progress
            if progress.best is not None:
                watch.best = progress.best
            if watch.best is not None and time.perf_counter() - watch.start > limit:
                yield watch.last(cut_short=True)
                return
            if time.perf_counter() - shown > _SECONDS_BETWEEN:
                shown = time.perf_counter()
                yield watch.moment()
    finally:
        run.close()
        give_back()


def say(moment: Moment) -> str:
    """How far a run is, in a line."""
    if moment.stopped:
        return STOPPED if moment.result is None else f"Stopped after {moment.seconds:.1f} s with the best so far."
    if moment.cut_short:
        return f"Ended at its time limit with the best so far, after {moment.seconds:.0f} s."
    if moment.result is not None:
        return f"Done in {moment.seconds:.1f} s."
    return f"Step {moment.progress.step} of {moment.progress.total} · {moment.seconds:.1f} s"
