"""From the body's features to codes: a tower of halving convolutions a level, and a linear map a slot.

Paper: Richardson et al., "Encoding in Style", arXiv:2008.00951, section 3.1 (map2style). There every slot has a tower of its own, 200 M
weights in all. Here the slots of a level share one, and each slot adds a correction of low rank to the level's vector: 2.4 M weights.
"""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn

from engines.core.shapes import Codes
from engines.nets.initial import Gentle
from engines.nets.irse import Levels
from engines.nets.pyramid import Pyramid
from engines.spaces.slots import Slots

GROUPS = ("coarse", "middle", "fine")
_WIDTH, _SUM, _RANK, _SLOPE = 128, 256, 16, 0.01


def group_of_slot(slots: Slots) -> list[int]:
    """The place in `GROUPS` of each active slot."""
    return [next(place for place, name in enumerate(GROUPS) if slot in slots.groups[name]) for slot in slots.active]


class Tower(nn.Module):
    """Convolutions that halve a map until one pixel is left, or as often as there are any; the rest is averaged.

    Args:
        channels: Width of the map.
        halvings: Convolutions that halve.
        depth: Convolutions in all; those beyond the halvings come first and keep the size.
    """

    def __init__(self, channels: int, halvings: int, depth: int) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        for index in range(depth):
            stride = 2 if index >= depth - halvings else 1
            layers += [nn.Conv2d(channels, _SUM if index == depth - 1 else channels, 3, stride, 1), nn.LeakyReLU(_SLOPE)]
        self.layers = nn.Sequential(*layers)

    def forward(self, x: Tensor) -> Tensor:
        """A map (B,C,h,w) as one vector (B,256)."""
        return self.layers(x).mean(dim=(2, 3))


class SlotVectors(nn.Module):
    """A vector for each active slot from a sum for each group: the group's linear map, and the slot's correction of low rank.

    Args:
        slots: Slots of the generator.
        width: Length of one w.
    """

    def __init__(self, slots: Slots, width: int) -> None:
        super().__init__()
        self.group_of_slot = group_of_slot(slots)
        self.shared = nn.ModuleList(Gentle(_SUM, width) for _ in GROUPS)
        self.narrow = nn.ModuleList(nn.Linear(_SUM, _RANK, bias=False) for _ in slots.active)
        self.wide = nn.ModuleList(Gentle(_RANK, width, bias=False) for _ in slots.active)

    def forward(self, sums: Sequence[Tensor]) -> Codes:
        """(B,16,width) of the groups' sums, each (B,256)."""
        base = [shared(x).float() for shared, x in zip(self.shared, sums, strict=True)]
        own = self._corrections(sums)
        return torch.stack([base[group] + correction for group, correction in zip(self.group_of_slot, own, strict=True)], dim=1)

    def offsets(self, sums: Sequence[Tensor]) -> tuple[Tensor, Codes]:
        """The first slot's vector (B,1,width), and what the others (B,15,width) are to add to it.

        The first group's map makes the first vector, so that group's offsets are corrections alone: one that is switched on late in a
        training run begins small.
        """
        base = [shared(x).float() for shared, x in zip(self.shared, sums, strict=True)]
        own = self._corrections(sums)
        first, others = base[0] + own[0], zip(self.group_of_slot[1:], own[1:], strict=True)
        return first[:, None], torch.stack([correction + base[group] if group else correction for group, correction in others], dim=1)

    def _corrections(self, sums: Sequence[Tensor]) -> list[Tensor]:
        slots = zip(self.group_of_slot, self.narrow, self.wide, strict=True)
        return [wide(narrow(sums[group])).float() for group, narrow, wide in slots]


class LevelHeads(nn.Module):
    """Vectors of all active slots, in standard deviations of W.

    Args:
        widths: Channels of the body's levels, fine to coarse.
        slots: Slots of the generator.
        width: Length of one w.
        size: Side of the pictures that the body sees.
        split: Whether coarse slots read c3, middle ones p2 and fine ones p1, as the paper has it; all read c3 otherwise, through towers of
            the same number of weights.
    """

    def __init__(self, widths: tuple[int, int, int], slots: Slots, width: int, size: int, *, split: bool = True) -> None:
        super().__init__()
        self.split = split
        self.pyramid = Pyramid(widths, _WIDTH)
        coarsest = halvings(size // 32)
        depths = (coarsest, coarsest + 1, coarsest + 2)
        self.towers = nn.ModuleList(Tower(_WIDTH, depth if split else coarsest, depth) for depth in depths)
        self.vectors = SlotVectors(slots, width)

    def forward(self, levels: Levels) -> Codes:
        """(B,16,width) of a body's features."""
        return self.vectors(self.sums(levels))

    def sums(self, levels: Levels) -> list[Tensor]:
        """What each group of slots is told, (B,256)."""
        p1, p2, p3 = self.pyramid(levels)
        read = (p3, p2, p1) if self.split else (p3, p3, p3)
        return [tower(x) for tower, x in zip(self.towers, read, strict=True)]


class FlatHeads(nn.Module):
    """Vectors of all active slots from one map: ReStyle's simpler head (arXiv:2104.02699, section 3.2).

    Args:
        channels: Of the map.
        slots: Slots of the generator.
        width: Length of one w.
        side: Of the map.
    """

    def __init__(self, channels: int, slots: Slots, width: int, side: int) -> None:
        super().__init__()
        self.entry = nn.Conv2d(channels, _WIDTH, 1)
        self.towers = nn.ModuleList(Tower(_WIDTH, halvings(side), halvings(side)) for _ in GROUPS)
        self.vectors = SlotVectors(slots, width)

    def forward(self, x: Tensor) -> Codes:
        """(B,16,width) of a map (B,C,side,side)."""
        return self.vectors(self.sums(x))

    def sums(self, x: Tensor) -> list[Tensor]:
        """What each group of slots is told, (B,256)."""
        x = self.entry(x)
        return [tower(x) for tower in self.towers]


class OffsetHeads(nn.Module):
    """The same heads read as one vector and offsets from it: e4e's form (arXiv:2102.02766, section 4.2).

    Args:
        heads: `LevelHeads` or `FlatHeads`.
    """

    def __init__(self, heads: LevelHeads | FlatHeads) -> None:
        super().__init__()
        self.heads = heads

    def forward(self, features: Any) -> tuple[Tensor, Codes]:
        """w (B,1,width) and the offsets (B,15,width), in standard deviations of W, of what the heads read."""
        return self.heads.vectors.offsets(self.heads.sums(features))


def halvings(side: int) -> int:
    """How often a map of that side is halved until one pixel is left; at least once."""
    return max(1, side.bit_length() - 1)
