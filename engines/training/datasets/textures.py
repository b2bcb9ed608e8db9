"""The birds' five textures: a palette with its pattern, laid over whatever shape the bird has."""

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from engines.training.datasets.strokes import Plane

Colour = tuple[float, float, float]


@dataclass(frozen=True)
class Texture:
    """One texture.

    Attributes:
        name: What a page calls it.
        main: Colour of the body.
        second: Colour of the pattern and of the wing.
        accent: Colour of beak and legs.
        pattern: "plain", "bars", "spots", "cap" or "gradient".
    """

    name: str
    main: Colour
    second: Colour
    accent: Colour
    pattern: str


TEXTURES = (
    Texture("plain red", (0.82, 0.16, 0.17), (0.55, 0.07, 0.12), (0.98, 0.73, 0.16), "plain"),
    Texture("barred white", (0.95, 0.93, 0.90), (0.18, 0.17, 0.22), (0.93, 0.47, 0.13), "bars"),
    Texture("spotted violet", (0.47, 0.22, 0.58), (0.97, 0.78, 0.93), (0.96, 0.83, 0.35), "spots"),
    Texture("capped black", (0.13, 0.12, 0.16), (0.98, 0.62, 0.10), (0.85, 0.83, 0.80), "cap"),
    Texture("pink to orange", (0.97, 0.33, 0.55), (1.00, 0.62, 0.05), (0.33, 0.10, 0.22), "gradient"),
)
"""No background has these colours, or a mask could not be told from the picture."""

_DARK, _LIGHT = (0.05, 0.05, 0.07), (1.0, 1.0, 1.0)
_BARS, _SPOTS = 26.0, 7.5


def texture_colours(on: Plane, layers: Mapping[str, Tensor], texture: Tensor) -> dict[str, Tensor]:
    """The colours (N,3,S,S) or (N,3,1,1) of every part.

    Args:
        on: Pixels in the bird's own units, so that a pattern turns with it.
        layers: Parts by name.
        texture: Places in `TEXTURES`, (N,).
    """
    main, second, accent = (_colours([getattr(one, name) for one in TEXTURES], texture) for name in ("main", "second", "accent"))
    share = _pattern(on, texture)[:, None]
    covered = torch.lerp(main, second, share)
    capped = torch.tensor([one.pattern == "cap" for one in TEXTURES])[texture][:, None, None, None]
    fixed = {"white": torch.tensor(_LIGHT).view(1, 3, 1, 1), "eye": torch.tensor(_DARK).view(1, 3, 1, 1)}
    own = {
        "body": covered,
        "head": torch.where(capped, second, covered),
        "crest": torch.where(capped, second, main),
        "wing": torch.lerp(torch.lerp(main, second, 0.75), covered, 0.35),
        "tail": torch.lerp(main, second, 0.6),
        "beak": accent,
        "legs": accent,
    }
    return {name: (own | fixed)[name] for name in layers}


def _pattern(on: Plane, texture: Tensor) -> Tensor:
    """How much of the second colour each pixel (N,S,S) has, 0 to 1."""
    soft = 1.5 * on.pixel
    bars = ((on.x * 0.5 + on.y) * _BARS).sin() / (_BARS * soft) + 0.5
    across = ((on.x * _SPOTS) % 1 - 0.5, ((on.y + 0.07) * _SPOTS) % 1 - 0.5)
    spots = (0.3 - (across[0].square() + across[1].square()).sqrt()) / (_SPOTS * soft) + 0.5
    gradient = 0.5 + 1.1 * on.y
    ways = {"plain": torch.zeros_like(on.x), "cap": torch.zeros_like(on.x), "bars": bars, "spots": spots, "gradient": gradient}
    every = torch.stack([ways[one.pattern] for one in TEXTURES], dim=1).clamp(0, 1)
    return every[torch.arange(len(texture)), texture]


def _colours(table: list[Colour], which: Tensor) -> Tensor:
    return torch.tensor(table)[which][:, :, None, None]
