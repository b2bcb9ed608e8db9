"""Single channels of S that change one region of the face and nearly nothing else.

Paper: Wu et al., "StyleSpace Analysis: Disentangled Controls for StyleGAN Image Generation", arXiv:2011.12799. Section 4.1 finds
channels that act in a region by gradients, which say where a channel acts most for a small step. How much of a large step falls
elsewhere is another question, so here channels are turned by ten sigma both ways and the squared difference is summed inside and
outside the region, grown by a sixteenth of the picture for the shade and the skin that must move with it.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from engines.core.errors import SpaceError
from engines.core.images import area
from engines.core.masks import dilated
from engines.core.weights import load_weights, manifest
from engines.faces.regions import REGIONS, Regions, regions
from engines.generators.base import Generator
from engines.generators.incremental import IncrementalRenderer
from engines.spaces.directions import Direction, apply_directions
from engines.spaces.latent import Latent
from engines.spaces.statistics import random_w, statistics

Squares = Float[Tensor, "1 _rows _columns"]
STRENGTH = 10.0
"""Sigma at which locality is measured, both ways: half of the paper's range."""

LOCAL = 0.1
"""Share of the squared difference outside its region, below which a channel counts as local."""

GRID, GROWN = 64, 4
"""Cells a side in which differences are summed, and cells by which a region is grown."""


@dataclass(frozen=True)
class Spill:
    """How one channel's change is spread.

    Attributes:
        outside: Share of the squared difference outside each region, by name; medians over faces and both ways.
        change: Root mean square difference of the whole picture, in [-1, 1].
    """

    outside: dict[str, float]
    change: float


class Locality:
    """Turns channels on a few faces and sees where the picture changes.

    Args:
        generator: Who draws.
        seeds: Of the faces.
        size: Side of the pictures, the full one if not given; a smaller one cannot show channels behind its auxiliary toRGB head.
    """

    def __init__(self, generator: Generator, seeds: Sequence[int], size: int | None = None) -> None:
        self.generator, self.size = generator, size
        self._faces = [Latent("w", random_w(generator, seed)) for seed in seeds]
        self._renderers = [IncrementalRenderer(generator) for _ in self._faces]
        self._before = [self._picture(index, None, 0.0) for index in range(len(self._faces))]
        self._masks = [grown(regions(picture, GRID)) for picture in self._before]

    def __call__(self, channel: int) -> Spill:
        """Measure one channel of S."""
        direction, shares, changes = single(self.generator, channel), [], []
        for index, (before, masks) in enumerate(zip(self._before, self._masks, strict=True)):
            for strength in (-STRENGTH, STRENGTH):
                squares = area((self._picture(index, direction, strength) - before).square(), GRID).mean(dim=1)
                shares.append(outside(squares, masks))
                changes.append(float(squares.mean().sqrt()))
        middle = torch.stack(shares).median(dim=0).values.tolist()
        return Spill(dict(zip(REGIONS, middle, strict=True)), float(torch.tensor(changes).median()))

    def _picture(self, index: int, direction: Direction | None, strength: float) -> Tensor:
        edits = [] if direction is None else [(direction, strength)]
        return self._renderers[index].draw(apply_directions(self._faces[index], edits, self.generator), self.size).clamp(-1, 1)


def outside(squares: Squares, masks: Regions) -> Tensor:
    """Share of a squared difference outside each of the masks, (regions,); 1 where there is no difference."""
    total = squares.sum()
    return 1 - (masks[:, 0] * squares).sum(dim=(1, 2)) / total.clamp_min(1e-12)


def grown(masks: Regions) -> Regions:
    """Masks with `GROWN` cells around them."""
    return dilated(masks, GROWN)


def single(generator: Generator, channel: int, name: str = "") -> Direction:
    """One channel of S as a direction.

    Raises:
        SpaceError: There is no such channel.
    """
    layout = generator.layout("s")
    for layer, part in layout.items():
        if part.start <= channel < part.stop:
            vector = torch.zeros(max(each.stop for each in layout.values()), device=generator.device)
            vector[channel] = 1.0
            index = channel - part.start
            sigma = float((statistics(generator).bank @ generator.affine((layer,))[index]).std())
            title = f"{layer}:{index}"
            slot = generator.slots.of_layer(layer)
            return Direction(name or title, "s", vector, (slot,), sigma, f"StyleSpace, channel {title}")
    raise SpaceError(f"There is no channel {channel} in S.")


def shipped_local(generator: Generator) -> dict[str, list[tuple[int, float]]]:
    """Most local channels of each region with the share of their change outside it, as the recipe `style_local` measured them."""
    entry = f"style_local_{generator.name}"
    if entry not in manifest():
        return {}
    stored = load_weights(entry)
    return {
        region: list(zip(stored[f"{region}.channels"].tolist(), stored[f"{region}.outside"].tolist(), strict=True)) for region in REGIONS
    }


def local_directions(generator: Generator, region: str) -> tuple[Direction, ...]:
    """The most local channels of a region as directions, best first; nothing where none were measured for the generator.

    Raises:
        SpaceError: There is no such region.
    """
    if region not in REGIONS:
        raise SpaceError(f"There is no region {region!r}; there are: {', '.join(REGIONS)}.")
    found = shipped_local(generator).get(region, [])
    return tuple(single(generator, channel, f"{region}: {share:.0%} outside") for channel, share in found)
