"""The encoder over frozen trunks: what is learnt, and how it is loaded."""

import torch
from torch import Tensor, nn

from engines.core.packed import load_packed
from engines.core.shapes import Codes, Image
from engines.generators.base import Generator
from engines.invert.encode.encoder import fill, stored
from engines.invert.encode.trunks import TAPS, Trunks
from engines.nets.initial import seeded
from engines.nets.pyramid import LevelMaps, Narrowed, PyramidHeads
from engines.spaces.statistics import statistics

TRUNKS = ("vgg16", "lpips_alex", "face_identity")
"""Weights that the trunks need."""

WIDTHS = (384, 192, 192)
"""Numbers that each level, coarse to fine, tells the heads."""


class PyramidEncoder(nn.Module):
    """From features of the trunks to codes.

    Args:
        generator: Whose codes.
        split: Whether finer groups of layers read finer levels.
    """

    def __init__(self, generator: Generator, *, split: bool = True) -> None:
        super().__init__()
        self.narrowed = Narrowed(TAPS)
        self.maps = LevelMaps(self.narrowed.lengths, WIDTHS)
        self.heads = PyramidHeads(WIDTHS, generator.slots, generator.width, split=split)
        self.basis = nn.Parameter(torch.eye(generator.width), False)

    def forward(self, features: Tensor) -> Codes:
        """Offsets (B,16,width) from W's mean, of flat features (B,LENGTH)."""
        return self.heads(self.maps(self.narrowed(features))) @ self.basis


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
    network = seeded(lambda: PyramidEncoder(generator), 1)
    if stored(name, generator) is not None:
        fill(network, load_packed(name), name)
    return Pyramid(network.to(generator.device).eval().requires_grad_(False), generator)
