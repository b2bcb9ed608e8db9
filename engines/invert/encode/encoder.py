"""What the encoders share: the body that was trained once, heads over it, and where their weights come from."""

from collections.abc import Callable, Mapping
from typing import TypeVar

import torch
from torch import Tensor, nn

from engines.core.errors import CatalogueError, WeightsError
from engines.core.images import area
from engines.core.shapes import Codes, Image
from engines.core.weights import load_weights
from engines.generators.base import Generator
from engines.nets.initial import seeded
from engines.nets.irse import Body, Levels
from engines.spaces.statistics import statistics

BODY = "face_body"
SIZE = 128
"""Side of the pictures that networks see when they are made for two CPU cores; a weight file may say another."""

Heads = TypeVar("Heads", bound=nn.Module)


class FrozenBody(nn.Module):
    """The shared body, only read: no gradient, and statistics that stay as they are whatever its surroundings do."""

    def __init__(self, body: Body) -> None:
        super().__init__()
        self.body = body.eval().requires_grad_(False)

    def train(self, mode: bool = True) -> "FrozenBody":
        """Stay as it is."""
        return self

    @torch.no_grad()
    def forward(self, picture: Tensor) -> Levels:
        """Features of pictures (B,3,S,S) in [-1, 1]."""
        return self.body(picture.contiguous(memory_format=torch.channels_last))


class Scale:
    """From a network's numbers to codes: standard deviations of W, away from its mean.

    Args:
        generator: Whose W it is.
    """

    def __init__(self, generator: Generator) -> None:
        known = statistics(generator)
        self.mean, self.deviation = known.mean, known.deviation

    def offsets(self, numbers: Codes) -> Codes:
        """Differences of codes (B,slots,width)."""
        return self.deviation * numbers

    def codes(self, numbers: Codes) -> Codes:
        """Codes (B,slots,width)."""
        return self.mean + self.offsets(numbers)


def stored(name: str, generator: Generator) -> Mapping[str, Tensor] | None:
    """The weights that were trained for a generator; None beside an untrained one, whose encoders are random as it is itself.

    Raises:
        CatalogueError: A generator that no network was trained for.
        WeightsError: The bundled file is missing or altered.
    """
    if "encoders" not in generator.capabilities:
        raise CatalogueError(
            f"The encoders were trained for the bundled face generator; they do not know {generator.name}. Take a projector instead."
        )
    return None if "untrained" in generator.capabilities else load_weights(name)


def load_body(generator: Generator) -> FrozenBody:
    """The body that all encoders start from."""
    body = seeded(Body, 0)
    weights = stored(BODY, generator)
    if weights is not None:
        fill(body, weights, BODY)
    return FrozenBody(body).to(generator.device)


def load_heads(name: str, generator: Generator, build: Callable[[], Heads]) -> tuple[Heads, int]:
    """A method's heads, and the side of the pictures that they were made for.

    Args:
        name: Entry of assets/weights.toml.
        generator: Whose codes they say.
        build: Makes them, untrained.
    """
    weights = stored(name, generator)
    size = SIZE if weights is None or "size" not in weights else int(weights["size"])
    heads = seeded(build, 1)
    if weights is not None:
        fill(heads, {key: value for key, value in weights.items() if key != "size"}, name)
    return heads.to(generator.device).eval().requires_grad_(False), size


def fill(network: nn.Module, weights: Mapping[str, Tensor], name: str) -> None:
    """Put weights into a network; counters of its normalisations, which nothing reads, may be missing.

    Raises:
        WeightsError: Names or shapes that do not fit.
    """
    try:
        missing, unexpected = network.load_state_dict(dict(weights), strict=False)
    except RuntimeError as error:
        raise WeightsError(f"The weights {name!r} have other shapes than this version's network: reinstall the package.") from error
    missing = [key for key in missing if not key.endswith("num_batches_tracked")]
    if missing or unexpected:
        raise WeightsError(f"The weights {name!r} do not fit this version's network ({(missing + unexpected)[0]}): reinstall the package.")


def seen(image: Image, size: int) -> Image:
    """A photo as a network sees it."""
    return area(image, size).clamp(-1, 1)
