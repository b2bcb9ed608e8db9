"""Soft-edged shapes for whole batches at once: each is a signed distance, turned into how much of a pixel it covers.

A picture spans -1 to 1 both ways, x to the right and y down. Every number is a tensor (N,), so each picture of a batch has its own.
"""

from dataclasses import dataclass

import torch
from torch import Tensor

_EPS = 1e-6


@dataclass(frozen=True, eq=False)
class Plane:
    """Where each pixel of each picture lies.

    Attributes:
        x: (N,S,S).
        y: (N,S,S).
        pixel: Side of a pixel, (N,1,1): what an edge is softened by.
    """

    x: Tensor
    y: Tensor
    pixel: Tensor

    def covered(self, distance: Tensor) -> Tensor:
        """How much of each pixel lies inside, 0 to 1, by its distance from the edge (negative inside)."""
        return (0.5 - distance / self.pixel).clamp(0, 1)

    def turned(self, x: Tensor, y: Tensor, angle: Tensor) -> "Plane":
        """The plane around another origin, turned by radians."""
        dx, dy = self.x - _wide(x), self.y - _wide(y)
        cos, sin = _wide(angle.cos()), _wide(angle.sin())
        return Plane(dx * cos + dy * sin, dy * cos - dx * sin, self.pixel)

    def scaled(self, scale: Tensor, flip: Tensor) -> "Plane":
        """The plane in units of `scale`, mirrored where `flip` is -1."""
        return Plane(self.x * _wide(flip) / _wide(scale), self.y / _wide(scale), self.pixel / _wide(scale))


def plane(count: int, size: int) -> Plane:
    """Pixels of square pictures."""
    place = (torch.arange(size) + 0.5) / size * 2 - 1
    return Plane(place.expand(count, size, size), place[:, None].expand(count, size, size), torch.full((count, 1, 1), 2.0 / size))


def ellipse(on: Plane, x: Tensor, y: Tensor, wide: Tensor, high: Tensor, angle: Tensor) -> Tensor:
    """Distance from an ellipse of half axes `wide` and `high`; exact on the edge, close to it elsewhere."""
    own = on.turned(x, y, angle)
    u, v = own.x / _wide(wide), own.y / _wide(high)
    length = (u.square() + v.square()).sqrt()
    slope = ((u / _wide(wide)).square() + (v / _wide(high)).square()).sqrt()
    return length * (length - 1) / (slope + _EPS)


def cone(on: Plane, x: Tensor, y: Tensor, thick: Tensor, to_x: Tensor, to_y: Tensor, to_thick: Tensor) -> Tensor:
    """Distance from a stroke whose half width goes from `thick` at one end to `to_thick` at the other."""
    along_x, along_y = to_x - x, to_y - y
    dx, dy = on.x - _wide(x), on.y - _wide(y)
    length = (along_x.square() + along_y.square()).clamp_min(_EPS)
    share = ((dx * _wide(along_x) + dy * _wide(along_y)) / _wide(length)).clamp(0, 1)
    off = ((dx - share * _wide(along_x)).square() + (dy - share * _wide(along_y)).square()).sqrt()
    return off - torch.lerp(_wide(thick).expand_as(share), _wide(to_thick).expand_as(share), share)


def _wide(numbers: Tensor) -> Tensor:
    return numbers[:, None, None]
