"""A run becomes page updates: throttled moments while it goes, one at its end, and a sentence when something is wrong."""

import functools
import inspect
import logging
import re
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from threading import Lock
from typing import Any, ParamSpec, TypeVar, cast

import gradio as gr

from engines.contract import Progress, Result, Run
from engines.core.errors import StudioError
from engines.core.memory import give_back

RUN_LANE, PREVIEW_LANE = "run", "preview"
QUICK: dict[str, Any] = {"concurrency_limit": None, "api_visibility": "private"}
"""Settings of events that touch no model but may have something to say: an error outside the queue would reach nobody."""
_SECONDS_BETWEEN_UPDATES = 0.35
STOPPED = "Stopped."
"""What a run says that was stopped before there was anything to keep."""
log = logging.getLogger(__name__)
P = ParamSpec("P")
R = TypeVar("R")


@dataclass(frozen=True, eq=False)
class Moment:
    """A run as it is now.

    Attributes:
        progress: The newest heartbeat.
        history: Losses of all steps so far, by name.
        seconds: Time since the start.
        result: The result, at the last moment only; none where the run was stopped before its first.
        cut_short: Whether the time limit ended the run.
        stopped: Whether the visitor did.
    """

    progress: Progress
    history: dict[str, list[float]]
    seconds: float
    result: Result | None = None
    cut_short: bool = False
    stopped: bool = False


@dataclass(eq=False)
class _Watch:
    history: dict[str, list[float]] = field(default_factory=dict)
    start: float = field(default_factory=time.perf_counter)
    progress: Progress = field(default_factory=lambda: Progress(0, 1))
    best: Result | None = None

    def moment(self, result: Result | None = None, cut_short: bool = False, stopped: bool = False) -> Moment:
        return Moment(self.progress, self.history, time.perf_counter() - self.start, result, cut_short, stopped)


def moments(run: Run, keep: Callable[[Result], None], limit: float, stopped: Callable[[], bool] = lambda: False) -> Iterator[Moment]:
    """Drive a run; yields a few times a second and once at its end, when `result` is set.

    Args:
        run: What an engine's `run` returned.
        keep: Called with each best result so far.
        limit: Seconds after which the run ends with its best result.
        stopped: Asked before each step: whether to end with the best result instead, or with none if there is none yet.
    """
    watch, shown = _Watch(), 0.0
    try:
        while True:
            if stopped():
                yield watch.moment(watch.best, stopped=True)
                return
            try:
                progress = next(run)
            except StopIteration as stop:
                keep(stop.value)
                yield watch.moment(stop.value)
                return
            for name, value in progress.losses.items():
                watch.history.setdefault(name, []).append(value)
            watch.progress = progress
            if progress.best is not None:
                watch.best = progress.best
                keep(progress.best)
            if watch.best is not None and time.perf_counter() - watch.start > limit:
                yield watch.moment(watch.best, cut_short=True)
                return
            if time.perf_counter() - shown > _SECONDS_BETWEEN_UPDATES:
                shown = time.perf_counter()
                yield watch.moment()
    finally:
        run.close()
        give_back()


def spoken(function: Callable[P, R]) -> Callable[P, R]:
    """Let the page say our own errors as they are, and nothing about any other.

    Gradio fills in the request by its place among the arguments, so a function with `*values` takes it first.
    """

    @functools.wraps(function)
    def wrapper(*args: P.args, **kwargs: P.kwargs) -> R:
        with _speaking():
            return function(*args, **kwargs)

    @functools.wraps(function)
    def generator(*args: P.args, **kwargs: P.kwargs) -> Iterator[Any]:
        with _speaking():
            yield from cast(Iterator[Any], function(*args, **kwargs))

    return cast(Callable[P, R], generator) if inspect.isgeneratorfunction(function) else wrapper


@contextmanager
def _speaking() -> Iterator[None]:
    try:
        yield
    except StudioError as error:
        raise gr.Error(str(error), duration=12, print_exception=False) from error


def say(moment: Moment) -> str:
    """How far a run is, in a line."""
    if moment.stopped:
        return STOPPED if moment.result is None else f"Stopped after {moment.seconds:.1f} s with the best so far."
    if moment.cut_short:
        return f"Ended at its time limit with the best so far, after {moment.seconds:.0f} s."
    if moment.result is not None:
        return f"Done in {moment.seconds:.1f} s."
    return f"Step {moment.progress.step} of {moment.progress.total} · {moment.seconds:.1f} s"


class Offers:
    """Downloads on their way to a browser, in a folder that goes with the process; the page copies each at once.

    Args:
        files: The most that are kept; older ones are deleted.
        size: The most bytes that are kept, the newest file excepted.
    """

    def __init__(self, files: int = 100, size: int = 256 * 2**20) -> None:
        self._files, self._size = files, size
        self._folder = tempfile.TemporaryDirectory(prefix="latent-studio-")
        self._kept: dict[Path, int] = {}
        self._lock = Lock()

    def __call__(self, name: str, data: bytes) -> str:
        """Write a download under a name of our own and return its path; nothing of a user's text reaches the disk."""
        path = Path(tempfile.mkdtemp(dir=self._folder.name)) / re.sub(r"[^a-z0-9._-]", "-", name.lower())
        path.write_bytes(data)
        with self._lock:
            self._kept[path] = len(data)
            while len(self._kept) > self._files or (len(self._kept) > 1 and sum(self._kept.values()) > self._size):
                oldest = next(iter(self._kept))
                del self._kept[oldest]
                shutil.rmtree(oldest.parent, ignore_errors=True)
        return str(path)


offer = Offers()
