"""What a sequence is: nine frames of one generated face in which one factor changes, as codes, with what was measured in each frame."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from torch import Tensor

from engines.faces.attributes import ATTRIBUTES
from engines.faces.picture_factors import PICTURE_FACTORS

FOLDER = Path("build/delta_sequences")
"""Where sequences are kept."""

Kind = Literal["picture", "latent"]
Role = Literal["train", "validate", "test"]

READINGS = (*(attribute.name for attribute in ATTRIBUTES), *(factor.name for factor in PICTURE_FACTORS))
"""Columns of what is measured in each frame."""

_CYCLE = 20
_VALIDATE, _TEST = (6, 13, 19), (3, 10, 17)


@dataclass(frozen=True)
class Factor:
    """One factor.

    Attributes:
        name: Of its reading.
        kind: Whether the picture is changed and inverted, or the code is walked along a direction.
        step: From frame to frame: of the reading where the code is walked, of the amount where the picture is changed.
        groups: Groups of layers that are walked in.
        kept: Attributes that the direction is conditioned on.
    """

    name: str
    kind: Kind
    step: float
    groups: tuple[str, ...] = ()
    kept: tuple[str, ...] = ()


FACTORS = (
    Factor("yaw", "latent", 4.0, ("all",), ("pitch", "age", "gender", "smile")),
    Factor("smile", "latent", 2.5, ("coarse", "middle"), ("age", "gender", "yaw", "pitch", "eyeglasses", "hair_darkness")),
    Factor("age", "latent", 3.0, ("all",), ("gender", "smile", "eyeglasses", "yaw", "pitch")),
    Factor("hair_darkness", "latent", 4.0, ("middle", "fine"), ("age", "gender", "skin_lightness", "background_lightness", "smile", "yaw")),
    Factor("light", "picture", 0.12),
    Factor("light_above", "picture", 0.12),
    Factor("temperature", "picture", 0.1),
    Factor("exposure", "picture", 0.15),
)


def role(identity: int) -> Role:
    """To what an identity is put: 14 of 20 to training, 3 to validation, 3 to the test; all of its frames go with it."""
    place = identity % _CYCLE
    return "validate" if place in _VALIDATE else "test" if place in _TEST else "train"


def file_of(folder: Path, factor: str, identity: int) -> Path:
    """The file of one sequence."""
    return folder / f"{factor}_{identity:02d}.safetensors"


@dataclass(frozen=True, eq=False)
class Frames:
    """One sequence.

    Attributes:
        offsets: From the neutral frame's code, (9,active,components); not a number where a frame could not be made.
        readings: (9,16) in the order of `READINGS`.
        wanted: What the factor's reading should be, (9,).
        distance: Of each frame's identity from the neutral one's, (9,).
    """

    offsets: Tensor
    readings: Tensor
    wanted: Tensor
    distance: Tensor

    def tensors(self) -> dict[str, Tensor]:
        """As they are stored."""
        return {"offsets": self.offsets.half(), "readings": self.readings, "wanted": self.wanted.contiguous(), "distance": self.distance}

    @classmethod
    def of(cls, stored: dict[str, Tensor]) -> "Frames":
        """From what was stored."""
        return cls(*(stored[name].float() for name in ("offsets", "readings", "wanted", "distance")))

    @property
    def made(self) -> Tensor:
        """Which frames could be made, (9,)."""
        return self.offsets.flatten(1).isfinite().all(dim=1)
