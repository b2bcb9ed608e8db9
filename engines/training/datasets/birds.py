"""Paper birds: fine-grained synthetic data whose factors are known, drawn anew from a seed, with exact masks, boxes and labels.

A bird's *shape* (its parent) is one of ten silhouettes; its *texture* (its child) one of five textures of palette and pattern, the same
five for every shape, so that both are independent factors; its *background* one of six places, which goes with the texture in seven of ten
pictures, as in nature. What is left is pose: place, size, turn, side, and how the head is held.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from engines.core.seeds import rng
from engines.core.shapes import Image, Mask
from engines.training.datasets.backgrounds import BACKGROUNDS, background_image
from engines.training.datasets.strokes import Plane, cone, ellipse, plane
from engines.training.datasets.textures import TEXTURES, texture_colours

SHAPES = ("songbird", "heron", "duck", "owl", "hummingbird", "parrot", "penguin", "swallow", "woodpecker", "flamingo")
FACTORS = {"shape": len(SHAPES), "texture": len(TEXTURES), "background": len(BACKGROUNDS)}
"""How many values each factor has."""

CORRELATED = 0.7
"""Share of pictures whose background is the one that goes with the texture."""

_AT_ONCE = 16

_BODY = {  # x, y, half width, half height, angle
    "songbird": (0.0, 0.05, 0.34, 0.25, 0.25),
    "heron": (-0.08, 0.08, 0.30, 0.19, 0.35),
    "duck": (-0.05, 0.12, 0.44, 0.24, 0.0),
    "owl": (0.0, 0.08, 0.30, 0.42, 0.0),
    "hummingbird": (-0.05, 0.02, 0.24, 0.13, 0.7),
    "parrot": (0.0, 0.0, 0.22, 0.36, 0.25),
    "penguin": (0.0, 0.10, 0.26, 0.44, 0.0),
    "swallow": (0.0, 0.0, 0.34, 0.13, 0.15),
    "woodpecker": (0.0, 0.05, 0.18, 0.36, 0.45),
    "flamingo": (-0.02, -0.02, 0.30, 0.20, 0.1),
}
_HEAD = {  # x, y, half width, half height
    "songbird": (0.28, -0.22, 0.17, 0.16),
    "heron": (0.30, -0.55, 0.11, 0.08),
    "duck": (0.36, -0.24, 0.16, 0.15),
    "owl": (0.02, -0.38, 0.27, 0.22),
    "hummingbird": (0.20, -0.24, 0.11, 0.10),
    "parrot": (0.14, -0.40, 0.18, 0.17),
    "penguin": (0.06, -0.42, 0.18, 0.16),
    "swallow": (0.34, -0.08, 0.13, 0.12),
    "woodpecker": (0.20, -0.38, 0.14, 0.13),
    "flamingo": (0.34, -0.52, 0.10, 0.09),
}
_BEAK = {  # length to the right, downwards, half width at its root
    "songbird": (0.15, 0.03, 0.05),
    "heron": (0.38, 0.06, 0.04),
    "duck": (0.22, 0.08, 0.08),
    "owl": (0.06, 0.12, 0.06),
    "hummingbird": (0.42, -0.04, 0.025),
    "parrot": (0.12, 0.16, 0.10),
    "penguin": (0.20, 0.05, 0.05),
    "swallow": (0.09, 0.02, 0.035),
    "woodpecker": (0.30, 0.02, 0.045),
    "flamingo": (0.10, 0.20, 0.06),
}
_TAIL = {  # end of the upper and of the lower feather, half width at the root and at the end
    "songbird": (-0.62, 0.12, -0.58, 0.22, 0.09, 0.06),
    "heron": (-0.48, 0.26, -0.46, 0.30, 0.07, 0.05),
    "duck": (-0.58, -0.06, -0.56, 0.04, 0.10, 0.03),
    "owl": (-0.16, 0.58, 0.02, 0.60, 0.10, 0.07),
    "hummingbird": (-0.42, 0.42, -0.28, 0.46, 0.05, 0.03),
    "parrot": (-0.32, 0.80, -0.20, 0.84, 0.09, 0.03),
    "penguin": (-0.22, 0.56, -0.14, 0.58, 0.07, 0.03),
    "swallow": (-0.74, -0.16, -0.74, 0.20, 0.07, 0.01),
    "woodpecker": (-0.36, 0.58, -0.28, 0.62, 0.06, 0.02),
    "flamingo": (-0.40, 0.06, -0.38, 0.12, 0.09, 0.04),
}
_WING = {  # x, y, half width, half height, angle
    "songbird": (-0.08, 0.06, 0.24, 0.14, 0.35),
    "heron": (-0.16, 0.10, 0.24, 0.12, 0.45),
    "duck": (-0.10, 0.08, 0.28, 0.13, 0.1),
    "owl": (-0.16, 0.12, 0.13, 0.32, 0.15),
    "hummingbird": (-0.14, -0.30, 0.09, 0.34, -0.5),
    "parrot": (-0.08, 0.08, 0.12, 0.32, 0.3),
    "penguin": (-0.16, 0.12, 0.08, 0.34, 0.2),
    "swallow": (-0.14, -0.30, 0.10, 0.42, -0.7),
    "woodpecker": (-0.06, 0.10, 0.11, 0.30, 0.5),
    "flamingo": (-0.08, -0.02, 0.24, 0.14, 0.2),
}
_LEGS = {  # length, half width, distance between the two; a bird on the wing hides them
    "songbird": (0.22, 0.018, 0.12),
    "heron": (0.56, 0.018, 0.12),
    "duck": (0.12, 0.030, 0.16),
    "owl": (0.12, 0.035, 0.16),
    "hummingbird": (0.0, 0.0, 0.0),
    "parrot": (0.12, 0.030, 0.10),
    "penguin": (0.10, 0.050, 0.20),
    "swallow": (0.0, 0.0, 0.0),
    "woodpecker": (0.10, 0.025, 0.10),
    "flamingo": (0.64, 0.018, 0.10),
}
_CREST = {"owl": (0.13, 0.05), "parrot": (0.16, 0.05), "woodpecker": (0.20, 0.06), "heron": (0.16, 0.02)}


@dataclass(frozen=True, eq=False)
class Factors:
    """What a picture shows; every attribute is (N,).

    Attributes:
        shape: Place in `SHAPES`.
        texture: Place in `TEXTURES`.
        background: Place in `BACKGROUNDS`.
        pose: (N,7): to the right, down, size, turn, side (-1 or 1), turn of the head, and the place's own chance.
    """

    shape: Tensor
    texture: Tensor
    background: Tensor
    pose: Tensor


@dataclass(frozen=True, eq=False)
class Birds:
    """Drawn birds.

    Attributes:
        images: (N,3,S,S) in [-1, 1].
        masks: (N,1,S,S), how much of each pixel is bird.
        boxes: (N,4): left, top, right, bottom in pixels around what is at least half bird.
        factors: What they show.
    """

    images: Image
    masks: Mask
    boxes: Tensor
    factors: Factors


def random_factors(count: int, seed: int) -> Factors:
    """Factors as nature has them: the background follows the texture in `CORRELATED` of all pictures."""
    chance = rng(seed)
    shape, texture = (torch.randint(high, (count,), generator=chance) for high in (len(SHAPES), len(TEXTURES)))
    free = torch.randint(len(BACKGROUNDS), (count,), generator=chance)
    background = torch.where(torch.rand(count, generator=chance) < CORRELATED, texture, free)
    return Factors(shape, texture, background, random_pose(count, chance))


def random_pose(count: int, chance: torch.Generator) -> Tensor:
    """Poses (count,7) as `Factors` has them."""
    u = 2 * torch.rand((7, count), generator=chance) - 1
    return torch.stack([0.16 * u[0], 0.12 * u[1], 1.28 + 0.2 * u[2], 0.35 * u[3], u[4].sign(), 0.45 * u[5], u[6]], dim=1)


@torch.no_grad()
def draw_birds(factors: Factors, size: int = 64) -> Birds:
    """Draw birds; equal factors give equal pictures, whatever is drawn beside them."""
    drawn = [_drawn(part, size) for part in _split(factors)]
    images, masks = (torch.cat([pair[place] for pair in drawn]) for place in range(2))
    return Birds(images, masks, boxes(masks), factors)


def _split(factors: Factors) -> list[Factors]:
    """Few at a time: what stays in a core's cache is drawn several times as fast."""
    parts = (values.split(_AT_ONCE) for values in (factors.shape, factors.texture, factors.background, factors.pose))
    return [Factors(*part) for part in zip(*parts, strict=True)]


def _drawn(factors: Factors, size: int) -> tuple[Image, Mask]:
    pose, count = factors.pose, len(factors.shape)
    frame = plane(count, size)
    seen = frame.turned(pose[:, 0], pose[:, 1], pose[:, 3]).scaled(pose[:, 2], pose[:, 4])
    layers = bird(seen, factors.shape, pose[:, 5])
    image = background_image(frame, factors.background, pose[:, 6])
    mask = torch.zeros(count, 1, size, size)
    colours = texture_colours(seen, layers, factors.texture)
    for name, covered in layers.items():
        image = torch.lerp(image, colours[name], covered[:, None])
        mask = torch.maximum(mask, covered[:, None])
    return 2 * image - 1, mask


def bird(on: Plane, shape: Tensor, nod: Tensor) -> dict[str, Tensor]:
    """How much of each pixel (N,S,S) each part covers, by name, from the back to the front.

    Args:
        on: Pixels in the bird's own units.
        shape: Places in `SHAPES`, (N,).
        nod: Turn of the head around the shoulders, (N,) in radians.
    """
    body, wing, tail, beak = _of(_BODY, shape), _of(_WING, shape), _of(_TAIL, shape), _of(_BEAK, shape)
    head, legs = _of(_HEAD, shape), _of(_LEGS, shape)
    crest = _of({name: _CREST.get(name, (0.0, 0.0)) for name in SHAPES}, shape)
    shoulder_x, shoulder_y = body[0] + 0.55 * (head[0] - body[0]) * 0.6, body[1] + 0.6 * (head[1] - body[1]) * 0.6
    head_x, head_y = _around(head[0], head[1], shoulder_x, shoulder_y, 0.5 * nod)
    tip_x, tip_y = _around(head_x + head[2] + beak[0], head_y + beak[1], head_x, head_y, nod)
    nothing = torch.zeros_like(nod)
    none = torch.full_like(on.x, 1.0)
    standing = (legs[0] > 0)[:, None, None]
    foot = body[1] + 0.6 * torch.minimum(body[3], body[2] + body[3]) + legs[0]
    parts = {
        "tail": torch.minimum(
            cone(on, body[0] - 0.3 * body[2], body[1] + 0.2 * body[3], tail[4], tail[0], tail[1], tail[5]),
            cone(on, body[0] - 0.3 * body[2], body[1] + 0.2 * body[3], tail[4], tail[2], tail[3], tail[5]),
        ),
        "legs": torch.where(
            standing,
            torch.minimum(
                cone(on, body[0] - legs[2] / 2, body[1], legs[1], body[0] - legs[2] / 2, foot, legs[1]),
                cone(on, body[0] + legs[2] / 2, body[1], legs[1], body[0] + legs[2] / 2 + 0.02, foot, legs[1]),
            ),
            none,
        ),
        "beak": cone(on, head_x + 0.4 * head[2], head_y + 0.1 * head[3], beak[2], tip_x, tip_y, 0.15 * beak[2]),
        "crest": torch.where(
            (crest[0] > 0)[:, None, None],
            cone(on, head_x, head_y - 0.6 * head[3], crest[1], head_x - 0.9 * crest[0], head_y - head[3] - 0.7 * crest[0], 0.3 * crest[1]),
            none,
        ),
        "body": torch.minimum(
            ellipse(on, *body),
            cone(on, shoulder_x, shoulder_y, 0.75 * torch.minimum(head[2], head[3]), head_x, head_y, 0.7 * torch.minimum(head[2], head[3])),
        ),
        "head": ellipse(on, head_x, head_y, head[2], head[3], nothing),
        "wing": ellipse(on, *wing),
    }
    eye_x, eye_y = _around(head_x + 0.35 * head[2], head_y - 0.15 * head[3], head_x, head_y, nod)
    size = 0.045 + 0 * nod
    parts |= {"white": ellipse(on, eye_x, eye_y, size, size, nothing), "eye": ellipse(on, eye_x, eye_y, 0.6 * size, 0.6 * size, nothing)}
    return {name: on.covered(distance) for name, distance in parts.items()}


def boxes(masks: Mask) -> Tensor:
    """Left, top, right and bottom (N,4) in pixels around what is at least half covered; the whole picture where nothing is."""
    inside, size = masks[:, 0] >= 0.5, masks.shape[-1]
    found = []
    for axis in (1, 2):
        lines = inside.any(dim=axis).int()
        any_there = lines.any(dim=1)
        first = torch.where(any_there, lines.argmax(dim=1), 0)
        last = torch.where(any_there, size - lines.flip(1).argmax(dim=1), size)
        found.append((first, last))
    (left, right), (top, bottom) = found
    return torch.stack([left, top, right, bottom], dim=1)


def _of(table: Mapping[str, tuple[float, ...]], shape: Tensor) -> tuple[Tensor, ...]:
    """A table's row of every bird, column by column."""
    return torch.tensor([table[name] for name in SHAPES])[shape].unbind(dim=1)


def _around(x: Tensor, y: Tensor, centre_x: Tensor, centre_y: Tensor, angle: Tensor) -> tuple[Tensor, Tensor]:
    """A point turned around another."""
    dx, dy = x - centre_x, y - centre_y
    return centre_x + dx * angle.cos() - dy * angle.sin(), centre_y + dx * angle.sin() + dy * angle.cos()
