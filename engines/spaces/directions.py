"""Directions: what every way of finding one returns and every slider uses, and the one function that applies them."""

from collections.abc import Sequence
from dataclasses import dataclass

from torch import Tensor

from engines.core.errors import SpaceError
from engines.spaces.latent import Latent
from engines.spaces.slots import Slots


@dataclass(frozen=True, eq=False)
class Direction:
    """A unit vector and where it applies.

    Attributes:
        name: What the slider says.
        space: "w" for a vector that is added to slots of W+.
        vector: (width,), unit length.
        slots: Slots of W+ that it moves.
        sigma: Spread of n.w over the sample bank: strengths are in this unit.
        source: The method and data it came from.
    """

    name: str
    space: str
    vector: Tensor
    slots: tuple[int, ...]
    sigma: float
    source: str


Edit = tuple[Direction, float]
"""A direction and its strength in sigma."""


def apply(latent: Latent, edits: Sequence[Edit], slots: Slots) -> Latent:
    """Move a code along directions; with nothing to move it comes back as the same object.

    Args:
        latent: A code in w or w_plus.
        edits: Directions with strengths in units of their sigma.
        slots: Slots of the generator.

    Returns:
        The moved code, in w_plus.

    Raises:
        SpaceError: A code in a space that directions of W do not reach.
    """
    if latent.space not in ("w", "w_plus"):
        raise SpaceError(f"Directions of W move codes in w or w_plus; this code is in {latent.space}.")
    moving = [(direction, strength) for direction, strength in edits if strength]
    if not moving:
        return latent
    codes = slots.spread(latent.codes).clone()
    for direction, strength in moving:
        codes[:, list(direction.slots)] += strength * direction.sigma * direction.vector.to(codes)
    return Latent("w_plus", codes)
