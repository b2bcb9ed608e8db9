"""Composites of two faces, each in a part of the picture: training data of a stylemap encoder, since their stylemap is known.

Such a picture is drawn by the generator itself, with styles that differ from place to place, so the true stylemap is no estimate. A plain
generated face has one w everywhere, a constant stylemap.
"""

import math

import torch
from torch import Tensor

from engines.core.images import area
from engines.core.seeds import rng
from engines.core.shapes import Code, Codes, Image
from engines.generators.base import Generator
from engines.losses.latent import code_errors, latent_distance
from engines.training.samples import CHUNK, Samples, random_pairs
from engines.training.validation import Encode, HeldOut

FINEST = 16
"""Cells along each side of the true stylemap."""

PLAIN = 0.25
"""Share of pictures that are one face."""

_PAINTED = 64


def as_map(cells: Codes) -> Tensor:
    """Cells (B,n*n,width), row by row, as a map (B,width,n,n)."""
    side = math.isqrt(cells.shape[1])
    return cells.transpose(1, 2).unflatten(2, (side, side))


def coarse(cells: Codes, side: int) -> Codes:
    """Cells (B,n*n,width) averaged to `side` along each side."""
    return area(as_map(cells), side).flatten(2).transpose(1, 2)


def mean_and_offsets(cells: Codes) -> tuple[Code, Tensor]:
    """A stylemap as its mean w (B,width) and the offsets from it (B,width,n,n): a generator's feature "grid"."""
    every = as_map(cells)
    mean = every.mean(dim=(2, 3))
    return mean, every - mean[:, :, None, None]


def random_masks(count: int, stream: torch.Generator) -> Tensor:
    """Where the second face is seen, (count,FINEST*FINEST) from 0 to 1: nowhere, beyond a line, or within or around an ellipse."""
    kind, turn, inverse = torch.rand((3, count, 1, 1), generator=stream)
    across, down = (0.2 + 0.6 * torch.rand((2, count, 1, 1), generator=stream)).unbind()
    wide, high = (0.12 + 0.33 * torch.rand((2, count, 1, 1), generator=stream)).unbind()
    place = (torch.arange(_PAINTED) + 0.5) / _PAINTED
    x, y = place - across, place[:, None] - down
    angle = 2 * math.pi * turn
    line = x * angle.cos() + y * angle.sin() > 0
    ellipse = ((x / wide).square() + (y / high).square() < 1) ^ (inverse < 0.5)
    painted = torch.where(kind < (1 + PLAIN) / 2, line, ellipse) & (kind > PLAIN)
    return area(painted.float()[:, None], FINEST).flatten(1)


def blended(pair: Tensor, masks: Tensor) -> Codes:
    """Cells (N,FINEST*FINEST,width) of two w a sample (N,2,width) by masks (N,FINEST*FINEST)."""
    return torch.lerp(pair[:, :1], pair[:, 1:], masks.to(pair)[:, :, None])


class Composites(Samples):
    """Pictures of two faces, with the true stylemap of each."""

    kind = "_mixes"

    @staticmethod
    def fresh(generator: Generator, count: int, stream: torch.Generator) -> Codes:
        """Cells (count,FINEST*FINEST,width) that no file holds."""
        return blended(random_pairs(generator, count, stream)[0], random_masks(count, stream))

    @staticmethod
    def drawn(generator: Generator, codes: Codes, size: int) -> Image:
        """Pictures (B,3,size,size) of cells (B,n*n,width) at an exit or in full."""
        mean, grid = mean_and_offsets(codes)
        return generator.synthesize(mean, features={"grid": grid}, size=size)

    def codes(self, rows: Tensor) -> Codes:
        """Cells (N,FINEST*FINEST,width) of samples by number."""
        return blended(*self._of(rows))

    def _drawn(self, number: int) -> tuple[Tensor, Tensor]:
        stream = rng(self.seed + number)
        return random_pairs(self.generator, CHUNK, stream)[0], random_masks(CHUNK, stream)


class HeldOutComposites(HeldOut):
    """A held-out set of such pictures."""

    faces = Composites

    def average(self, picture: Image) -> Codes:
        """The average face everywhere."""
        return self.mean[:, None].expand(len(picture), 1, -1)

    def latent(self, encode: Encode) -> dict[str, float]:
        """Errors of the cells in standard deviations of W, against the true stylemap averaged to as many cells."""
        cells = self.predicted(encode)
        truth = coarse(self.codes, math.isqrt(cells.shape[1]))
        by_face = code_errors(cells, truth, self.deviation).mean(dim=1)
        return {
            "latent": float(latent_distance(cells, truth, self.deviation)),
            "distance": float(by_face.mean()),
            "distance_error": float(by_face.std() / len(by_face) ** 0.5),
        }

    def consistency(self, encode: Encode, count: int = 0) -> dict[str, float]:
        """Not measured: the measure is one of codes of W+."""
        return {}
