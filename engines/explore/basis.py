"""Axes of a space: where codes of W, W+ and S lie along the directions in which faces differ most.

All three are linear in the w of a random face: W is w itself, W+ repeats it for each slot, S is A w + b. The covariance of any of them
is M C M^T with C that of w, so its principal components follow from a matrix no larger than C, however many numbers the space has.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

from engines.core.shapes import Codes
from engines.generators.base import Generator
from engines.spaces.latent import Inversion, Latent

Space = Literal["w", "w_plus", "s"]
_CHUNK = 500


@dataclass(frozen=True, eq=False)
class Basis:
    """Principal components of a space.

    Attributes:
        space: "w", "w_plus" or "s".
        mean: Where all coordinates are 0, (values,).
        components: Unit rows, the one of most variance first, (components,values).
        variances: Variance along each, (components,).
        total: Variance of all values together.
    """

    space: Space
    mean: Tensor
    components: Tensor
    variances: Tensor
    total: float

    def place(self, codes: Tensor) -> Tensor:
        """Coordinates (faces,components) of flat codes of the space (faces,values)."""
        return (codes.to(self.mean) - self.mean) @ self.components.T

    @property
    def shares(self) -> Tensor:
        """What part of the variance each component explains, (components,)."""
        return self.variances / self.total


@torch.no_grad()
def fit(generator: Generator, w: Codes, space: Space, components: int) -> Basis:
    """Principal components of the faces whose untruncated w (faces,width) are given, seen in a space.

    Args:
        generator: Whose styles S are.
        w: Codes of the faces.
        space: Where to look at them.
        components: How many to keep.
    """
    samples = w.double()
    mean = samples.mean(dim=0)
    values, vectors = torch.linalg.eigh((samples - mean).T @ (samples - mean) / (len(w) - 1))
    stretched = _linear(generator, space).double() @ (vectors * values.clamp_min(0).sqrt())
    variances, mixing = torch.linalg.eigh(stretched.T @ stretched)
    kept = variances.flip(0)[:components].clamp_min(0)
    rows = (stretched @ mixing.flip(1)[:, :components] / kept.clamp_min(1e-12).sqrt()).T
    centre = flat(generator, Latent("w", mean.to(w)[None]), space)[0]
    return Basis(space, centre.double(), oriented(rows), kept, float(variances.clamp_min(0).sum()))


def principal(vectors: Tensor, components: int) -> tuple[Tensor, Tensor, float]:
    """Components (k,values), their variances (k,) and the total variance of any rows; the smaller of the two Gram matrices is solved."""
    rows = vectors.double() - vectors.double().mean(dim=0)
    few = len(rows) < rows.shape[1]
    variances, found = torch.linalg.eigh((rows @ rows.T if few else rows.T @ rows) / max(len(rows) - 1, 1))
    variances, found = variances.flip(0).clamp_min(0), found.flip(1)[:, :components].T
    axes = found @ rows if few else found
    axes = axes / axes.norm(dim=1, keepdim=True).clamp_min(1e-12)
    return oriented(axes), variances[:components], float(variances.sum())


def oriented(rows: Tensor) -> Tensor:
    """Rows turned so that the largest value of each is positive: a component has no sign of its own."""
    largest = rows.gather(1, rows.abs().argmax(dim=1, keepdim=True))
    return rows * torch.where(largest < 0, -1.0, 1.0)


@torch.no_grad()
def flat(generator: Generator, code: Inversion | Latent, space: Space) -> Tensor:
    """A code's numbers (faces,values) in a space; in W, a W+ code counts by the mean of its active slots."""
    inversion = code if isinstance(code, Inversion) else Inversion(code)
    if space == "s":
        return _styles(generator, inversion)
    codes = generator.slots.spread(inversion.latent.codes)[:, list(generator.slots.active)]
    return codes.mean(dim=1) if space == "w" else codes.flatten(1)


def chunks(generator: Generator, w: Codes, space: Space) -> Iterator[Tensor]:
    """The same of many w, some at a time: S of 5 000 faces would take 135 MB."""
    for part in w.split(_CHUNK):
        yield flat(generator, Latent("w", part), space)


def off_w(generator: Generator, inversion: Inversion) -> Tensor:
    """How far each W+ code lies from the nearest point of W, (faces,), in the unit of W+ coordinates: 0 where all slots agree."""
    codes = generator.slots.spread(inversion.latent.codes)[:, list(generator.slots.active)]
    return (codes - codes.mean(dim=1, keepdim=True)).flatten(1).norm(dim=1)


def _styles(generator: Generator, inversion: Inversion) -> Tensor:
    styles = generator.styles(inversion.latent).codes.clone()
    for layer, part in generator.layout("s").items():
        if f"shift/{layer}" in inversion.features:
            styles[:, part] += inversion.features[f"shift/{layer}"]
    return styles


def _linear(generator: Generator, space: Space) -> Tensor:
    """The matrix (values,width) that takes w to the space."""
    if space == "s":
        return generator.affine(tuple(generator.layout("s")))
    identity = torch.eye(generator.width, device=generator.device)
    return identity if space == "w" else identity.repeat(len(generator.slots.active), 1)
