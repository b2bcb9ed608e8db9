"""What the tab Edit directions computes: directions by layer group, and pictures of edited codes."""

from collections.abc import Sequence

import torch
from PIL import Image as Pil

from engines import Direction, Inversion, Latent, Request
from engines.core.errors import StudioError
from engines.core.images import to_picture
from engines.spaces.directions import apply
from engines.spaces.statistics import random_w
from studio.session import Session
from studio.shelf import Desk

LAYERS = ("coarse", "middle", "fine", "all")
COUNT = 6
Strengths = dict[str, float]
"""Strength in sigma by direction, such as {"coarse 1": 2.0}: all that undo needs to remember."""


class Editor:
    """Draws codes with directions applied.

    Args:
        session: Whose generator draws.
    """

    def __init__(self, session: Session) -> None:
        self.session = session
        self._directions: dict[str, tuple[Direction, ...]] = {}

    def directions(self, layers: str) -> tuple[Direction, ...]:
        """SeFa's first directions for a layer group, found at the first look.

        Raises:
            StudioError: No such group.
        """
        if layers not in LAYERS:
            raise StudioError(f"There is no layer group {layers!r}. Choose one of {', '.join(LAYERS)}.")
        if layers not in self._directions:
            self._directions[layers] = self.session.engine("sefa")(Request(), layers=layers, count=COUNT).directions
        return self._directions[layers]

    def code(self, desk: Desk, kind: str, seed: float | None, truncation: float, chosen: str | None) -> Inversion:
        """The code to edit.

        Raises:
            StudioError: The shelf was asked for and nothing on it is chosen.
        """
        if kind == "Seed":
            if seed is None or not 0 <= seed < 2**31:
                raise StudioError("The seed is a whole number from 0 to 2147483647.")
            return Inversion(Latent("w", random_w(self.session.generator, int(seed), truncation)))
        item = desk.shelf.get(chosen or "")
        if item is None:
            raise StudioError("Nothing on the shelf is chosen. Click one of its pictures above, or edit a random face by seed.")
        return item.inversion.to(self.session.generator.device)

    def edits(self, strengths: Strengths) -> list[tuple[Direction, float]]:
        """Directions with their strengths, out of their names."""
        found = []
        for name, strength in strengths.items():
            layers, number = name.rsplit(" ", 1)
            found.append((self.directions(layers)[int(number) - 1], strength))
        return found

    def edited(self, inversion: Inversion, strengths: Strengths) -> Inversion:
        """The same with its code moved."""
        latent = apply(inversion.latent, self.edits(strengths), self.session.generator.slots)
        return Inversion(latent.detached(), inversion.tuning, inversion.features)

    @torch.no_grad()
    def draw(self, inversion: Inversion, strengths: Strengths, size: int | None = None) -> Pil.Image:
        """The edited picture, at an exit or in full."""
        moved = self.edited(inversion, strengths)
        return to_picture(self.session.generator.synthesize(moved.latent, tuning=moved.tuning, features=moved.features, size=size))


def names(group: str) -> list[str]:
    """Names of a layer group's directions, as the sliders wear them."""
    return [f"{group} {index + 1}" for index in range(COUNT)]


def merged(strengths: Strengths, group: str, values: Sequence[float]) -> Strengths:
    """Strengths with those of one group as its sliders stand; what is zero is no edit."""
    own = {name: round(float(value), 2) for name, value in zip(names(group), values, strict=True)}
    return {name: value for name, value in (strengths | own).items() if value}


def words(strengths: Strengths) -> str:
    """The edits in a line."""
    return "Edits: " + ", ".join(f"{name} {strength:+.1f}" for name, strength in strengths.items()) if strengths else "No edit yet."


def snippet(strengths: Strengths) -> str:
    """The lines of Python that make the same edits."""
    groups = sorted({name.rsplit(" ", 1)[0] for name in strengths}) or ["coarse"]
    found = "\n".join(f'{group} = create("sefa", generator)(Request(), layers="{group}").directions' for group in groups)
    edits = ", ".join(f"({name.rsplit(' ', 1)[0]}[{int(name.rsplit(' ', 1)[1]) - 1}], {strength})" for name, strength in strengths.items())
    edits = edits or f"({groups[0]}[0], 2.0)"
    return f"""from engines import Latent, Request, create, load_generator
from engines.core.images import to_picture
from engines.spaces.directions import apply
from engines.spaces.statistics import random_w

generator = load_generator("ffhq")
{found}
latent = apply(Latent("w", random_w(generator, seed=7)), [{edits}], generator.slots)
to_picture(generator.synthesize(latent)).save("edited.png")
"""
