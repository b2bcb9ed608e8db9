"""A mixture with its masks, as a saved session and a recipe keep it: what is written, and what is checked of a stranger's."""

from collections.abc import Callable, Mapping
from dataclasses import asdict, fields
from typing import Any

import numpy as np

from engines.core.errors import StudioError
from engines.core.images import png_bytes
from engines.faces.parts import PARTS
from engines.mix.spatial import CARRIED, RANGES
from studio.services.masks import as_layer, opened_mask
from studio.services.recipe_text import brief, within
from studio.state.edits import STYLES, Face, History
from studio.state.mix import EDIT, MOST_BELOW, REFERENCE, Mix, Mixed

_LONGEST, _LONGEST_KEY = 200, 64


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
    mix = checked_mix(told)
    mixed = Mixed(mix, History((mix,)))
    for key in mixed.needed:
        mixed.masks[key] = np.array(opened_mask(mask(key)))
    return mixed


def checked_mix(told: Any, most_below: int = MOST_BELOW) -> Mix:
    """A mixture out of its values.

    Args:
        told: The values, from a stranger.
        most_below: How many parts may lie below its last one.

    Raises:
        StudioError: It is none; the sentence names the field.
    """
    names = [field.name for field in fields(Mix)]
    _check_names("The mixture", told, names)
    for name, (wanted, is_fine) in _WANTED.items():
        if not is_fine(told[name]):
            raise StudioError(f"The mixture's {name} is damaged: {brief(told[name])} came; {wanted} is wanted.")
    if not (_are(told["below"], dict) and len(told["below"]) <= most_below):
        raise StudioError(
            f"The mixture's below is damaged: it is a list of at most {most_below} parts, none of which has parts of its own."
        )
    masks, shift = told["masks"], told["shift"]
    values = {name: told[name] for name in ("content", "edit", "amount", "strength", "layers", "edge", "carry")}
    return Mix(
        _face("source", told["source"]),
        _face("reference", told["reference"]),
        (masks[0], masks[1]),
        tuple(told["ready"]),
        shift=(shift[0], shift[1]),
        below=tuple(checked_mix(part, most_below=0) for part in told["below"]),
        **values,
    )


def _check_names(what: str, told: Any, names: list[str]) -> None:
    if not isinstance(told, Mapping):
        raise StudioError(f"{what} is damaged: it is an object with {', '.join(names)}.")
    for name in names:
        if name not in told:
            raise StudioError(f"{what} is damaged: its {name} is missing.")
    for name in told:
        if name not in names:
            raise StudioError(f"{what} is damaged: there is no field {brief(name)}; there are {', '.join(names)}.")


def _face(role: str, told: Any) -> Face:
    _check_names(f"The mixture's {role}", told, [field.name for field in fields(Face)])
    kind, seed, truncation, chosen = told["kind"], told["seed"], told["truncation"], told["chosen"]
    checks = {
        "kind": (kind in ("Seed", "Shelf"), "Seed or Shelf"),
        "seed": (
            seed is None if kind == "Shelf" else within(seed, 0, 2**31 - 1) and seed == int(seed),
            "a whole number from 0 to 2147483647",
        ),
        "truncation": (within(truncation, 0, 1), "a number from 0 to 1"),
        "chosen": (chosen is None or (isinstance(chosen, str) and len(chosen) <= _LONGEST), "the key of a face on the shelf"),
    }
    for name, (fine, wanted) in checks.items():
        if not fine:
            raise StudioError(f"The mixture's {role} is damaged: {brief(told[name])} came as its {name}; {wanted} is wanted.")
    return Face(kind, seed, truncation, chosen)


def _are(values: Any, kind: type | tuple[type, ...], count: int | None = None) -> bool:
    """Whether these are so many values of a kind, in a list."""
    return isinstance(values, list | tuple) and count in (None, len(values)) and all(isinstance(value, kind) for value in values)


def _are_keys(values: Any) -> bool:
    return _are(values, str, 2) and all(len(key) <= _LONGEST_KEY and (key.isalnum() or not key) for key in values)


def _are_parts(values: Any) -> bool:
    return _are(values, str) and set(values) <= set(PARTS) and len(values) <= len(PARTS)


def _one_of(*choices: str) -> tuple[str, Callable[[Any], bool]]:
    return f"one of {', '.join(choices)}", lambda value: isinstance(value, str) and value in choices


def _number(low: float, high: float) -> tuple[str, Callable[[Any], bool]]:
    return f"a number from {low:g} to {high:g}", lambda value: within(value, low, high)


_WANTED: dict[str, tuple[str, Callable[[Any], bool]]] = {
    "masks": ("a pair of keys", _are_keys),
    "ready": (f"a list of {', '.join(PARTS)}", _are_parts),
    "content": _one_of(REFERENCE, EDIT),
    "edit": ("the key of a direction", lambda value: isinstance(value, str) and len(value) <= _LONGEST),
    "amount": _number(-STYLES.far, STYLES.far),
    "strength": _number(0, 1),
    "layers": _one_of(*RANGES),
    "edge": _number(0, 0.15),
    "shift": ("a pair of numbers from -1 to 1", lambda value: _are(value, (int, float), 2) and all(within(each, -1, 1) for each in value)),
    "carry": _one_of(*CARRIED),
}
"""What each field of a mixture takes, in words and as a check; its faces and the parts below are looked at by themselves."""
