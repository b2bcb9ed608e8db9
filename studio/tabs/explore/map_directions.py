"""Directions as arrows on a map: from the average face, where a direction has a place in the map's space."""

from collections.abc import Sequence
from typing import Any, cast

import torch

from engines import Direction, Inversion, Latent, Result
from engines.explore.basis import Space, flat, off_w
from engines.generators.base import Generator
from engines.spaces.directions import apply_directions
from engines.spaces.statistics import statistics
from studio.services.direction_library import Library
from studio.state.visitor import Visitor

REACH = 3.0
"""Sigma that an arrow stands for."""

_CHANGES = {"difference in W": "w", "difference in S": "s"}
_PLACES = {"w": ("w", "w_plus"), "w_plus": ("w", "w_plus"), "s": ("w", "w_plus", "s")}
"""Which directions have a place in a space: one of S moves styles that no w has, one of Z moves each face another way."""


def arrows(
    library: Library, keys: Sequence[str], space: str, visitor: Visitor, result: Result, generator: Generator
) -> tuple[list[dict[str, Any]], list[str]]:
    """Arrows for the page, and the names of directions that have no place on this map.

    Args:
        library: Where directions come from.
        keys: Of the directions.
        space: Of the map; changes told in W or S count by that space.
        visitor: The visitor's.
        result: The map's, whose directions are its axes.
        generator: Whose styles S are.
    """
    seen = _CHANGES.get(space, space)
    found = {key: library.get(key, visitor) for key in keys}
    placed = {key: direction for key, direction in found.items() if result.directions and direction.space in _PLACES.get(seen, ())}
    shown = [_arrow(library.title(key, visitor), direction, cast(Space, seen), result, generator) for key, direction in placed.items()]
    return shown, [library.title(key, visitor) for key in keys if key not in placed]


@torch.no_grad()
def _arrow(name: str, direction: Direction, space: Space, result: Result, generator: Generator) -> dict[str, Any]:
    """From the origin to the tip; "length" is that in all dimensions of the space, of which a view shows a part."""
    mean = Inversion(Latent("w_plus", generator.slots.spread(statistics(generator).mean)))
    tip = apply_directions(mean, [(direction, REACH)], generator)
    moved = (flat(generator, tip, space) - flat(generator, mean, space))[0].double()
    axes = [axis.vector for axis in result.directions[:10]]
    rows = torch.stack([axis[list(generator.slots.active)].flatten() if space == "w_plus" else axis for axis in axes])
    at = (rows.double() @ moved).tolist()
    if space == "w_plus":
        at.append(float(off_w(generator, tip)[0]))
    return {"name": name, "from": [0.0] * len(at), "at": at, "length": float(moved.norm())}
