"""Other light, colours and backgrounds for a face, which an encoder should redraw as they are: few portraits then teach about many photos.

Unlike `degradations`, nothing here is to be undone: the changed picture is the one that is wanted back.
"""

import torch
import torch.nn.functional as F

from engines.core.images import area
from engines.core.shapes import Image, Mask
from engines.data.degradations import blurred

_DARKEST = 1e-4


def _between(chance: torch.Generator, low: float, high: float) -> float:
    return low + (high - low) * float(torch.rand((), generator=chance))


def varied(picture: Image, chance: torch.Generator, person: Mask | None = None, other: Image | None = None) -> Image:
    """One picture (1,3,S,S) in [-1, 1] mirrored, lit, coloured and set anew, each by chance.

    Args:
        picture: An aligned face.
        chance: Decides all of it.
        person: Where the person is (1,1,S,S), 0 to 1; without it the background stays.
        other: A picture (1,3,S,S) whose upper part may become the background.
    """
    toss = [float(value) for value in torch.rand(6, generator=chance)]
    if person is not None and other is not None and toss[0] < 0.4:
        picture = torch.lerp(background(other, chance), picture, blurred(person.expand(1, 3, -1, -1), 1.5 * picture.shape[-1] / 256))
    if toss[1] < 0.5:
        picture = picture.flip(3)
    if toss[2] < 0.4:
        picture = lit_from_aside(picture, chance)
    if toss[3] < 0.6:
        light = ((picture.clamp(-1, 1) + 1) / 2).clamp_min(_DARKEST) ** _between(chance, 0.7, 1.4)
        picture = (2 * light - 1) * _between(chance, 0.75, 1.1) + _between(chance, -0.1, 0.1)
    if toss[4] < 0.5:
        gain, shift = 0.15 * (2 * torch.rand((2, 1, 3, 1, 1), generator=chance).to(picture) - 1)
        picture = picture * (1 + gain) + shift
    if toss[5] < 0.4:
        grey = picture.mean(dim=1, keepdim=True)
        picture = grey + (picture - grey) * _between(chance, 0.0 if toss[5] < 0.06 else 0.5, 1.4)
    return picture.clamp(-1, 1)


def lit_from_aside(picture: Image, chance: torch.Generator) -> Image:
    """A picture whose light falls off to one side, as far as to a third."""
    side = picture.shape[-1]
    angle, strength = _between(chance, 0, 2 * torch.pi), _between(chance, 0.2, 0.7)
    places = torch.linspace(-1, 1, side)
    turn = torch.tensor(angle)
    ramp = (turn.cos() * places[None, :] + turn.sin() * places[:, None]).to(picture)
    light = 1 + strength * ramp.clamp(-1, 1)
    return (picture + 1) * light - 1


def background(other: Image, chance: torch.Generator) -> Image:
    """What may stand behind a person (1,3,S,S): one colour, a few soft ones, or a strip above another's head, blurred."""
    side, kind = other.shape[-1], _between(chance, 0, 3)
    if kind < 1:
        return (2 * torch.rand((1, 3, 1, 1), generator=chance) - 1).expand_as(other)
    if kind < 2:
        cells = 2 * torch.rand((1, 3, 4, 4), generator=chance) - 1
        return F.interpolate(cells, (side, side), mode="bicubic", align_corners=False).clamp(-1, 1)
    left, high = int(_between(chance, 0, 0.6) * side), max(4, int(0.35 * side))
    strip = area(other, side)[:, :, :high, left : left + high]
    wide = F.interpolate(strip, (side, side), mode="bilinear", align_corners=False)
    return blurred(wide, _between(chance, 0, 3) * side / 256)
