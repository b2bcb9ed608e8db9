"""The encoder over frozen trunks: what is learnt, and how it is loaded."""

from collections.abc import Callable, Sequence
from typing import TypeVar

import torch
from torch import Tensor, nn

from engines.core.packed import load_packed
from engines.core.shapes import Codes, Image
from engines.generators.base import Generator
from engines.invert.encode.encoder import fill, stored
from engines.invert.encode.trunks import TAPS, Trunks
from engines.nets.initial import seeded
from engines.nets.pyramid import ALL_AS_ONE, READS, LevelMaps, Narrowed, PyramidHeads
from engines.spaces.statistics import statistics

TRUNKS = ("vgg16", "lpips_alex", "face_identity")
"""Weights that the trunks need."""

WIDTHS = (384, 192, 192)
"""Numbers that each level, coarse to fine, tells the heads."""

Network = TypeVar("Network", bound=nn.Module)


class PyramidEncoder(nn.Module):
    """From features of the trunks to codes.

    Args:
        generator: Whose codes.
        reads: As of `PyramidHeads`.
    """

    def __init__(self, generator: Generator, reads: Sequence[int] = READS) -> None:
        super().__init__()
        self.narrowed = Narrowed(TAPS)
        self.maps = LevelMaps(self.narrowed.lengths, WIDTHS)
        self.heads = PyramidHeads(WIDTHS, generator.slots, generator.width, reads=reads)
        self.basis = nn.Parameter(torch.eye(generator.width), False)

    def forward(self, features: Tensor) -> Codes:
        """Offsets (B,16,width) from W's mean, of flat features (B,LENGTH)."""
        return self.heads(self.levels(features)) @ self.basis

    def levels(self, features: Tensor) -> list[Tensor]:
        """What the heads are told, (B,WIDTHS[level]) a level."""
        return self.maps(self.narrowed(features))


class Pyramid(nn.Module):
    """An encoder behind its trunks.

    Args:
        network: What was learnt.
        generator: Whose codes it says.
    """

    def __init__(self, network: PyramidEncoder, generator: Generator) -> None:
        super().__init__()
        self.network, self.trunks, self.mean = network, Trunks(generator.device), statistics(generator).mean

    def forward(self, picture: Image) -> Codes:
        """Offsets (B,16,width) from W's mean, of aligned pictures (B,3,S,S), with gradients."""
        return self.network(self.trunks(picture))

    @torch.no_grad()
    def encode(self, picture: Image) -> Codes:
        """Codes of the active slots (B,16,width) of aligned pictures (B,3,S,S)."""
        return self.mean + self(picture)


def load_pyramid(name: str, generator: Generator) -> Pyramid:
    """A trained encoder.

    Args:
        name: Entry of assets/weights.toml.
        generator: Whose codes it says; beside an untrained one the encoder is untrained, too.

    Raises:
        CatalogueError: A generator that no network was trained for.
        WeightsError: The bundled file is missing or altered.
    """
    return Pyramid(load_over_trunks(name, generator, lambda: PyramidEncoder(generator, reads_of(name))), generator)


def load_over_trunks(name: str, generator: Generator, build: Callable[[], Network]) -> Network:
    """A network that reads the trunks, frozen, with its trained weights where the generator is trained.

    Args:
        name: Entry of assets/weights.toml.
        generator: Whose codes it says.
        build: Makes it, untrained.
    """
    network = seeded(build, 1)
    if stored(name, generator) is not None:
        fill(network, load_packed(name), name)
    return network.to(generator.device).eval().requires_grad_(False)


def reads_of(name: str) -> tuple[int, ...]:
    """How many levels each group of layers reads in an encoder's heads."""
    return ALL_AS_ONE if name == "e4e" else READS
