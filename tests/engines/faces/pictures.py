"""The pictures that the face tests look at: NASA's portrait of an astronaut, and four generated people, already aligned."""

from functools import cache
from pathlib import Path

import numpy as np
import torch
from PIL import Image as Pictures

from engines.core.shapes import Image
from engines.faces import Face, find_faces, pick_face

ROOT = Path(__file__).resolve().parents[3]
GENERATED = (1, 2, 3, 4)


@cache
def astronaut() -> Pictures.Image:
    """512 px; the face is about 110 px high, in the upper half."""
    return Pictures.open(ROOT / "assets/examples/astronaut.jpg").convert("RGB")


@cache
def generated(number: int) -> Pictures.Image:
    """256 px, aligned as FFHQ is, of a person who does not exist."""
    return Pictures.open(ROOT / f"tests/golden/faces/generated_{number}.jpg").convert("RGB")


@cache
def astronaut_face() -> Face:
    """The one face of the portrait."""
    return pick_face(find_faces(astronaut()))


@cache
def generated_face(number: int) -> Face:
    """The face of one generated picture."""
    return find_faces(generated(number))[0]


def tensor(picture: Pictures.Image) -> Image:
    """The picture as (1, 3, h, w) in [-1, 1]."""
    return torch.from_numpy(np.array(picture)).permute(2, 0, 1)[None].float() / 127.5 - 1
