"""From the body's features to W+: each level averaged over 4 x 4 fields, a linear map a group of layers, and a low-rank correction a layer.

Paper: Richardson et al., "Encoding in Style", arXiv:2008.00951, section 3.1 (map2style). There every W+ layer has a map2style block of its
own, 200 M weights in all. Here a level is averaged over a grid of 4 x 4 fields, the layers of a group share a linear map of it, and each
layer adds a correction of low rank to the group's vector: 2.2 M weights. map2style blocks were tried, shared by group: on the frozen body
they converged three times as slowly and were worse on held-out faces (latent loss 0.182 after 500 steps, where these have less).
"""

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from engines.core.shapes import Codes
from engines.nets.initial import Gentle
from engines.nets.irse import Levels
from engines.spaces.slots import Slots

GROUPS = ("coarse", "middle", "fine")
_NARROW, _FIELDS, _SUM, _RANK = 64, 4, 256, 16


def group_of_slot(slots: Slots) -> list[int]:
    """The place in `GROUPS` of each active slot."""
    return [next(place for place, name in enumerate(GROUPS) if slot in slots.groups[name]) for slot in slots.active]


class Fields(nn.Module):
    """A map narrowed and averaged over 4 x 4 fields.

    Args:
        channels: Of the map.
        narrow: Channels that are kept.
    """

    def __init__(self, channels: int, narrow: int = _NARROW) -> None:
        super().__init__()
        self.narrow = nn.Sequential(nn.Conv2d(channels, narrow, 1), nn.PReLU(narrow))
        self.length = narrow * _FIELDS**2

    def forward(self, x: Tensor) -> Tensor:
        """A map (B,C,h,w) as one vector (B,length)."""
        return F.adaptive_avg_pool2d(self.narrow(x), _FIELDS).flatten(1)


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

    def _corrections(self, sums: Sequence[Tensor]) -> list[Tensor]:
        slots = zip(self.group_of_slot, self.narrow, self.wide, strict=True)
        return [wide(narrow(sums[group])).float() for group, narrow, wide in slots]


class LevelHeads(nn.Module):
    """Vectors of all active slots, in standard deviations of W: coarse ones read the coarsest level, middle and fine ones finer levels too.

    Args:
        widths: Channels of the body's levels, fine to coarse.
        slots: Slots of the generator.
        width: Length of one w.
    """

    def __init__(self, widths: tuple[int, int, int], slots: Slots, width: int) -> None:
        super().__init__()
        self.fields = nn.ModuleList(Fields(channels) for channels in widths)
        self.sum = nn.ModuleList(nn.Linear(self.length(count), _SUM) for count in (1, 2, 3))
        self.vectors = SlotVectors(slots, width)

    def length(self, count: int) -> int:
        """Numbers in the fields of the last `count` levels."""
        return sum(fields.length for fields in list(self.fields)[-count:])  # type: ignore[misc]

    def forward(self, levels: Levels) -> Codes:
        """(B,16,width) of a body's features."""
        return self.vectors(self.sums(levels))

    def sums(self, levels: Levels) -> list[Tensor]:
        """What each group of slots is told, (B,256)."""
        read = [fields(level) for fields, level in zip(self.fields, levels, strict=True)]
        return [linear(torch.cat(read[-count:], dim=1)) for count, linear in enumerate(self.sum, 1)]
