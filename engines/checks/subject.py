"""An engine on trial: its example request, its quick runs, and how they are compared."""

import hashlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, fields, is_dataclass
from functools import cached_property
from typing import Any

import torch
from torch import Tensor

from engines.contract import Engine, Progress, Request, Result, Run
from engines.core.knobs import Knobs, Value
from engines.generators.base import AnyGenerator

QUICK: Mapping[str, Value] = {
    "steps": 2,
    "coarse_steps": 2,
    "quick_steps": 1,
    "noise_steps": 2,
    "samples": 200,
    "shown": 50,
    "components": 3,
    "count": 2,
    "tried": 3,
    "faces": 1,
    "shifted": 5,
    "frames": 3,
    "pairs": 5,
    "poses": 2,
    "kept": 2,
    "preview_every": 1,
}
"""Settings that make a run short, for the knobs that have these names."""

_DEEPEST = 6
"""Objects within objects that are looked into for tensors."""


class Shortfall(AssertionError):
    """What falls short of the contract, in a sentence for the author."""


def require(holds: object, sentence: str) -> None:
    """Go on only if something holds.

    Raises:
        Shortfall: It does not.
    """
    if not holds:
        raise Shortfall(sentence)


@dataclass(frozen=True)
class Check:
    """One thing that the contract asks of an engine.

    Attributes:
        asks: The function; it raises `Shortfall` where the engine falls short.
        over: What a quick run must return for the check to say anything, a field of `Result`; without it, it always does.
    """

    asks: Callable[["Subject"], None]
    over: str = ""

    @property
    def title(self) -> str:
        """What is asked, in words."""
        return self.asks.__name__.replace("_", " ")

    def applies(self, subject: "Subject") -> bool:
        """Whether the engine returns what is looked at."""
        return not self.over or bool(getattr(subject.finished.result, self.over))


@dataclass(frozen=True, eq=False)
class Finished:
    """A run to its end."""

    steps: tuple[Progress, ...]
    result: Result


class Subject:
    """One engine with a generator that serves it.

    Args:
        kind: The engine's class.
        generator: With all that its card needs; small, since it draws often.
    """

    def __init__(self, kind: type[Engine[Any, Any, Any]], generator: AnyGenerator) -> None:
        self.kind = kind
        self.generator: Any = generator  # of the kind that the engine needs

    @property
    def name(self) -> str:
        """What the catalogue calls it."""
        return self.kind.card.name

    def request(self, seed: int = 0) -> Request:
        """The example of the request that the engine accepts."""
        return self.kind.accepts.example(self.generator, seed)

    def start(self) -> Run:
        """A quick run."""
        return self.kind(self.generator).run(self.request(), self.kind.knob_set.of(dict(quick(self.kind.knob_set))))

    @cached_property
    def finished(self) -> Finished:
        """One quick run to its end, for all that only look at it."""
        return driven(self.start())

    def weights(self) -> dict[str, str]:
        """A hash of each tensor that the generator holds, by where it lies."""
        return {place: _hashed(value) for place, value in _held(self.generator, "", _DEEPEST)}


def quick(knobs: type[Knobs]) -> dict[str, Value]:
    """The settings of `QUICK` that a set of knobs has."""
    return {one.name: QUICK[one.name] for one in knobs.declared() if one.name in QUICK}


def driven(run: Run) -> Finished:
    """Drive a run to its end."""
    steps = list[Progress]()
    while True:
        try:
            steps.append(next(run))
        except StopIteration as stop:
            return Finished(tuple(steps), stop.value)


def tensors(value: object) -> Iterator[Tensor]:
    """Every tensor in a result, in order."""
    if isinstance(value, Tensor):
        yield value
    elif isinstance(value, Mapping):
        for key in sorted(value):
            yield from tensors(value[key])
    elif isinstance(value, tuple | list):
        for item in value:
            yield from tensors(item)
    elif is_dataclass(value):
        for field in fields(value):
            yield from tensors(getattr(value, field.name))


def equal(ours: Result, theirs: Result) -> bool:
    """Whether two results are the same to the last bit."""
    left, right = list(tensors(ours)), list(tensors(theirs))
    same = len(left) == len(right) and all(map(torch.equal, left, right))
    return bool(left) and same and ours.tables == theirs.tables and ours.metrics == theirs.metrics


def _held(value: object, place: str, depth: int) -> Iterator[tuple[str, Tensor]]:
    """Every tensor that an object holds, with where it lies."""
    if isinstance(value, Tensor):
        yield place, value
    elif depth:
        for name, item in _inside(value).items():
            yield from _held(item, f"{place}/{name}", depth - 1)


def _inside(value: object) -> Mapping[Any, object]:
    if isinstance(value, torch.nn.Module):
        return value.state_dict()
    if isinstance(value, Mapping):
        return value
    return dict(enumerate(value)) if isinstance(value, tuple | list) else getattr(value, "__dict__", {})


def _hashed(value: Tensor) -> str:
    return hashlib.sha256(value.detach().cpu().contiguous().flatten().view(torch.uint8).numpy().tobytes()).hexdigest()
