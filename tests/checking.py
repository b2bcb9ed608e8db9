"""The type checker that runs behind every annotation of `engines` while tests run."""

from collections.abc import Callable
from typing import TypeVar

from beartype import BeartypeConf, beartype

CHECKED = (
    "engines.comparison",
    "engines.contract",
    "engines.spaces",
    "engines.generators",
    "engines.faces",
    "engines.data",
    "engines.losses",
    "engines.metrics",
    "engines.invert",
    "engines.edit",
    "engines.explore",
    "engines.mix",
    "engines.hierarchy",
)
"""Packages that hold tensors. `engines.core` stays out: its knobs must see wrong types themselves, to answer them."""

_Function = TypeVar("_Function", bound=Callable[..., object])
_STRICT = beartype(conf=BeartypeConf(is_pep484_tower=True))  # an int is a float, as for mypy


def check(function: _Function) -> _Function:
    """Check each call of a function; knob sets are left to check themselves, since `KnobError` is their answer."""
    if function.__qualname__.endswith("Knobs.__init__"):
        return function
    return _STRICT(function)
