"""What every generator offers to the methods: a protocol, so that a foreign checkpoint fits in by behaviour alone."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import torch
from torch import Tensor

from engines.core.shapes import Codes, Image
from engines.spaces.latent import Latent, Tuning
from engines.spaces.slots import Slots


@dataclass(frozen=True, eq=False)
class Prefix:
    """Features on their way into one block, so that an edit of later layers need not redo the earlier ones.

    Attributes:
        block: Working size in pixels of the block that would read them next.
        features: (B,C,block/2,block/2).
    """

    block: int
    features: Tensor


@runtime_checkable
class AnyGenerator(Protocol):
    """What every generator is to the catalogue, whatever its codes are, only ever read. Engines name its kind by a capability."""

    @property
    def name(self) -> str:
        """What the catalogue calls it."""
        ...

    @property
    def device(self) -> torch.device:
        """Where its weights live; methods follow it."""
        ...

    @property
    def resolution(self) -> int:
        """Side of the full picture in pixels."""
        ...

    @property
    def capabilities(self) -> frozenset[str]:
        """What it can do, as engines ask for it."""
        ...


@runtime_checkable
class Generator(AnyGenerator, Protocol):
    """A generator that draws from a W, as most methods need it.

    Attributes:
        name: What the catalogue calls it.
        device: Where its weights live; methods follow it.
        resolution: Side of the full picture in pixels.
        exits: Sizes that `synthesize` can stop at, smallest first, the full picture last.
        capabilities: What it can do, as engines ask for it ("w_plus", "tunable", "spatial_styles", ...), and what goes with it:
            "encoders" of its codes, the "face_bank" of its own faces. "untrained" says that its weights are random; so are such encoders.
        slots: Which slot of W+ drives which layer.
        width: Length of one w.
    """

    name: str
    device: torch.device
    resolution: int
    exits: tuple[int, ...]
    capabilities: frozenset[str]
    slots: Slots
    width: int

    def nearest_exit(self, pixels: int) -> int:
        """The exit whose side is nearest to a number of pixels."""
        ...

    def layout(self, space: str) -> Mapping[str, slice]:
        """Names and positions of the parts of a code: slots of W+, layers of S."""
        ...

    def tunable(self) -> Mapping[str, Tensor]:
        """Weights that a method may propose changes of, by name."""
        ...

    def noise(self) -> Mapping[str, Tensor]:
        """The noise map (1,1,s,s) of each layer that has one, its strength included."""
        ...

    def map(self, z: Codes) -> Codes:
        """z (B,width) to w (B,width), not truncated."""
        ...

    def affine(self, layers: tuple[str, ...]) -> Tensor:
        """Stacked matrices (values, width) of the affine maps from w to the styles of `layers`."""
        ...

    def styles(self, code: Latent | Codes) -> Latent:
        """Any code as S: the styles of all layers side by side."""
        ...

    def layer_styles(
        self,
        code: Latent | Codes,
        layers: tuple[str, ...],
        *,
        tuning: Tuning | None = None,
        features: Mapping[str, Tensor] | None = None,
    ) -> Mapping[str, Tensor]:
        """The style (B,C), or map of styles (B,C,h,w), that each of `layers` is drawn with, whatever features add to it."""
        ...

    def synthesize(
        self,
        code: Latent | Codes,
        *,
        tuning: Tuning | None = None,
        features: Mapping[str, Tensor] | None = None,
        size: int | None = None,
        resume: Prefix | None = None,
    ) -> Image:
        """Draw a picture, about in [-1, 1] and not clamped."""
        ...

    def prefix(
        self,
        code: Latent | Codes,
        block: int,
        resume: Prefix | None = None,
        *,
        tuning: Tuning | None = None,
        features: Mapping[str, Tensor] | None = None,
    ) -> Prefix:
        """Features entering the block of working size `block`, from an earlier prefix if there is one."""
        ...
