"""A mixture with its masks, as a saved session keeps it: what is written, and what is checked of a stranger's before it is taken up."""

import math
from collections.abc import Callable, Mapping
from dataclasses import asdict, fields
from typing import Any

import numpy as np

from engines.core.errors import StudioError
from engines.core.images import png_bytes
from engines.faces.parts import PARTS
from engines.mix.spatial import CARRIED, RANGES
from studio.services.masks import as_layer, opened_mask
from studio.state.edits import Face, History
from studio.state.mix import EDIT, MOST_BELOW, REFERENCE, Mix, Mixed

_LONGEST = 200
_FARTHEST = 1e3
DAMAGED = "The mix in this session is damaged."


def write_mix(mixed: Mixed) -> tuple[dict[str, Any], dict[str, bytes]]:
    """A mixture as values for JSON, and its masks as PNG by key; nothing of either where none was made."""
    if mixed.mix is None or not all(key in mixed.masks for key in mixed.needed):
        return {}, {}
    return asdict(mixed.mix), {key: png_bytes(as_layer(mixed.masks[key])) for key in mixed.needed}


def read_mix(told: object, mask: Callable[[str], bytes]) -> Mixed | None:
    """The mixture that `write_mix` wrote, or nothing where it wrote nothing.

    Args:
        told: The values, from a stranger.
        mask: The bytes of a mask by its key.

    Raises:
        StudioError: It is no mixture, or a mask of it is none.
        KeyError: A mask is not there.
    """
    if not told:
        return None
    mix = _mix(told, below=True)
    mixed = Mixed(mix, History((mix,)))
    for key in mixed.needed:
        mixed.masks[key] = np.array(opened_mask(mask(key)))
    return mixed


def _mix(told: Any, *, below: bool) -> Mix:
    if not isinstance(told, dict) or told.keys() != {field.name for field in fields(Mix)}:
        raise StudioError(DAMAGED)
    source, reference = _face(told["source"]), _face(told["reference"])
    masks, ready, shift, parts = (told[name] for name in ("masks", "ready", "shift", "below"))
    fine = (
        _are(masks, str, 2)
        and all(key.isalnum() or not key for key in masks)
        and _are(ready, str)
        and set(ready) <= set(PARTS)
        and _are(shift, (int, float), 2)
        and all(_within(each, -1, 1) for each in shift)
        and told["content"] in (REFERENCE, EDIT)
        and isinstance(told["edit"], str)
        and len(told["edit"]) <= _LONGEST
        and _within(told["amount"], -_FARTHEST, _FARTHEST)
        and _within(told["strength"], 0, 1)
        and told["layers"] in RANGES
        and _within(told["edge"], 0, 0.15)
        and told["carry"] in CARRIED
        and _are(parts, dict, None if below else 0)
        and len(parts) <= MOST_BELOW
    )
    if not fine:
        raise StudioError(DAMAGED)
    values = {name: told[name] for name in ("content", "edit", "amount", "strength", "layers", "edge", "carry")}
    lower = tuple(_mix(part, below=False) for part in parts)
    return Mix(source, reference, (masks[0], masks[1]), tuple(ready), shift=(shift[0], shift[1]), below=lower, **values)


def _face(told: Any) -> Face:
    if not isinstance(told, Mapping) or told.keys() != {field.name for field in fields(Face)}:
        raise StudioError(DAMAGED)
    seed, chosen = told["seed"], told["chosen"]
    fine = (
        told["kind"] in ("Seed", "Shelf")
        and (seed is None or (_within(seed, 0, 2**31 - 1) and seed == int(seed)))
        and _within(told["truncation"], 0, 1)
        and (chosen is None or (isinstance(chosen, str) and len(chosen) <= _LONGEST))
    )
    if not fine:
        raise StudioError(DAMAGED)
    return Face(told["kind"], seed, told["truncation"], chosen)


def _are(values: Any, kind: type | tuple[type, ...], count: int | None = None) -> bool:
    """Whether these are so many values of a kind, in a list."""
    return isinstance(values, list | tuple) and count in (None, len(values)) and all(isinstance(value, kind) for value in values)


def _within(value: Any, low: float, high: float) -> bool:
    """Whether this is a number between two others."""
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value) and low <= value <= high
