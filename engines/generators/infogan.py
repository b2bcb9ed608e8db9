"""InfoGAN as a generator of the studio: codes by number, pictures, and codes read off pictures.

Paper: arXiv:1606.03657.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import torch
from torch import Tensor, nn

from engines.core.errors import SpaceError
from engines.core.seeds import rng
from engines.core.shapes import Image
from engines.core.weights import load_weights
from engines.nets.infogan import Discriminator, Form, Reading, from_weights, generator, inputs
from engines.nets.initial import small

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
        drawer: The generator, in evaluation mode.
        reader: The discriminator with its head Q, in evaluation mode.
        names: Which digit each category turned out to be; empty where nobody looked.
    """

    form: Form
    drawer: nn.Module
    reader: Discriminator
    names: tuple[int, ...] = ()

    @property
    def device(self) -> torch.device:
        """Where the weights are."""
        return next(self.drawer.parameters()).device

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
        return self.drawer(inputs(draw.z, draw.category, draw.continuous, self.form.categories))

    def draw(self, *codes: InfoCodes) -> Image:
        """Pictures (N,3,size,size) in [-1, 1], one of each.

        Raises:
            SpaceError: See `checked`.
        """
        return shown(self.synthesize(self.inputs(codes)))

    @torch.no_grad()
    def read(self, pictures: Tensor) -> Reading:
        """Codes of pictures (N,channels,size,size) in the network's own range, as Q reads them."""
        return self.reader(pictures.to(self.device))

    @torch.no_grad()
    def features(self, pictures: Tensor) -> Tensor:
        """What the trunk that discriminator and Q share sees in pictures, (N,features)."""
        return self.reader.trunk(pictures.to(self.device))


def shown(pictures: Tensor) -> Image:
    """Pictures of either kind in RGB and [-1, 1]; grey ones as ink on black."""
    return (2 * pictures - 1).expand(-1, 3, -1, -1) if pictures.shape[1] == 1 else pictures


@cache
def bundled_infogan(name: str = "infogan_digits", device: torch.device | str = "cpu") -> InfoGAN:
    """A network that was trained here, read once for all.

    Raises:
        WeightsError: There is none of this name.
    """
    weights = load_weights(name)
    form, drawer, reader = from_weights(weights)
    return InfoGAN(form, drawer.to(device), reader.to(device), tuple(weights["names"].tolist()) if "names" in weights else ())


def toy_infogan(seed: int = 1) -> InfoGAN:
    """Narrow networks of random weights, for tests and for a page without bundled weights."""
    form = Form(noise=6, widths=(4, 8), trunk=16, reader=8, hidden=16, drawn=(8, 4))
    drawer = small(lambda: generator(form), seed, 0.5).eval().requires_grad_(False)
    reader = small(lambda: Discriminator(form), seed + 1, 0.5).eval().requires_grad_(False)
    return InfoGAN(form, drawer, reader, tuple(range(form.categories)))
