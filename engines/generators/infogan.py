"""InfoGAN as a generator of the studio: codes by number, pictures, and codes that Q predicts.

Paper: arXiv:1606.03657.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import ClassVar

import torch
from torch import Tensor, nn

from engines.core.errors import SpaceError
from engines.core.seeds import rng
from engines.core.shapes import Image
from engines.core.weights import load_weights
from engines.nets.infogan import Discriminator, Form, Reading, build_generator, from_weights, inputs
from engines.nets.initial import small

WEIGHTS, PLAIN = "infogan_digits", "infogan_digits-without-information"
REACH = 2.0
"""Continuous codes are drawn from -1 to 1 in training; up to here the paper shows them."""


@dataclass(frozen=True)
class InfoCodes:
    """What one picture is made from.

    Attributes:
        category: Number of the categorical code.
        continuous: The continuous codes, each within `REACH`.
        seed: Decides z.
    """

    category: int
    continuous: tuple[float, ...] = (0.0, 0.0)
    seed: int = 0


@dataclass(frozen=True, eq=False)
class Draw:
    """Inputs of pictures: z (N,noise) in [-1, 1], numbers (N,) of categories, continuous codes (N,continuous)."""

    z: Tensor
    category: Tensor
    continuous: Tensor


def random_codes(form: Form, count: int, chance: torch.Generator, device: torch.device | str = "cpu") -> Draw:
    """Codes as training draws them."""
    z = 2 * torch.rand((count, form.noise), generator=chance) - 1
    category = torch.randint(form.categories, (count,), generator=chance)
    continuous = 2 * torch.rand((count, form.continuous), generator=chance) - 1
    return Draw(z.to(device), category.to(device), continuous.to(device))


@dataclass(frozen=True, eq=False)
class InfoGAN:
    """Both networks with their form; only ever read.

    Attributes:
        form: Their numbers.
        generator: The generator, in evaluation mode.
        discriminator: The discriminator with its head Q, in evaluation mode.
        names: Which digit each category turned out to be; empty where nobody looked.
        name: What the catalogue calls it.
    """

    form: Form
    generator: nn.Module
    discriminator: Discriminator
    names: tuple[int, ...] = ()
    name: str = "infogan"
    capabilities: ClassVar[frozenset[str]] = frozenset({"infogan"})

    @property
    def resolution(self) -> int:
        """Side of its pictures in pixels."""
        return self.form.size

    @property
    def device(self) -> torch.device:
        """Where the weights are."""
        return next(self.generator.parameters()).device

    def checked(self, codes: InfoCodes) -> InfoCodes:
        """The codes, if they are there.

        Raises:
            SpaceError: A category that there is not, the wrong number of continuous codes, or one out of reach.
        """
        if not 0 <= codes.category < self.form.categories:
            last = self.form.categories - 1
            raise SpaceError(f"The category {codes.category} came; there are {self.form.categories}, numbered from 0 to {last}.")
        if len(codes.continuous) != self.form.continuous:
            raise SpaceError(f"{len(codes.continuous)} continuous codes came; this network takes {self.form.continuous}.")
        for value in codes.continuous:
            if not abs(value) <= REACH:
                raise SpaceError(f"The continuous code {value:g} came; take one from {-REACH:g} to {REACH:g}.")
        return codes

    def inputs(self, codes: Sequence[InfoCodes]) -> Draw:
        """Codes as tensors, z from each one's seed.

        Raises:
            SpaceError: See `checked`.
        """
        known = [self.checked(one) for one in codes]
        z = torch.cat([2 * torch.rand((1, self.form.noise), generator=rng(one.seed)) - 1 for one in known])
        category = torch.tensor([one.category for one in known])
        continuous = torch.tensor([one.continuous for one in known], dtype=torch.float32)
        return Draw(z.to(self.device), category.to(self.device), continuous.to(self.device))

    @torch.no_grad()
    def synthesize(self, draw: Draw) -> Tensor:
        """Pictures (N,channels,size,size) in the network's own range."""
        return self.generator(inputs(draw.z, draw.category, draw.continuous, self.form.categories))

    def draw(self, *codes: InfoCodes) -> Image:
        """Pictures (N,3,size,size) in [-1, 1], one of each.

        Raises:
            SpaceError: See `checked`.
        """
        return shown(self.synthesize(self.inputs(codes)))

    @torch.no_grad()
    def read(self, pictures: Tensor) -> Reading:
        """Codes of pictures (N,channels,size,size) in the network's own range, as Q predicts them."""
        return self.discriminator(pictures.to(self.device))

    @torch.no_grad()
    def features(self, pictures: Tensor) -> Tensor:
        """What the trunk that discriminator and Q share sees in pictures, (N,features)."""
        return self.discriminator.trunk(pictures.to(self.device))


def shown(pictures: Tensor) -> Image:
    """Pictures of either kind in RGB and [-1, 1]; grey ones as ink on black."""
    return (2 * pictures - 1).expand(-1, 3, -1, -1) if pictures.shape[1] == 1 else pictures


@cache
def bundled_infogan(name: str = WEIGHTS, device: torch.device | str = "cpu") -> InfoGAN:
    """A network that was trained here, read once for all.

    Raises:
        WeightsError: There is none of this name.
    """
    weights = load_weights(name)
    form, generator, discriminator = from_weights(weights)
    names = tuple(weights["names"].tolist()) if "names" in weights else ()
    return InfoGAN(form, generator.to(device), discriminator.to(device), names, name)


def toy_infogan(device: torch.device | str = "cpu", seed: int = 1) -> InfoGAN:
    """Narrow networks of random weights, for tests and for a page without bundled weights."""
    form = Form(noise=6, widths=(4, 8), trunk=16, q_width=8, hidden=16, drawn=(8, 4))
    generator = small(lambda: build_generator(form), seed, 0.5).eval().requires_grad_(False)
    discriminator = small(lambda: Discriminator(form), seed + 1, 0.5).eval().requires_grad_(False)
    return InfoGAN(form, generator.to(device), discriminator.to(device), tuple(range(form.categories)), "infogan-toy")
