"""From what frozen trunks see of a photo to three levels of numbers, and from those to W+.

Paper: Richardson et al., "Encoding in Style", arXiv:2008.00951, section 3.1: coarse layers of the generator are told from coarse features,
middle ones from coarse and middle, fine ones from all. There a feature pyramid of 31 M weights learns all of it from FFHQ's photos. Here
the pyramid's trunks are networks that ship already and have seen real pictures (`engines.invert.encode.trunks`); what is learnt are linear
maps over them, a hidden layer a group, and a correction a layer.
"""

from collections.abc import Sequence
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from engines.core.shapes import Codes
from engines.nets.heads import GROUPS, group_of_slot
from engines.spaces.slots import Slots

_LIMIT = 6.0
"""Features further than this from their mean, in standard deviations, count as this far."""

HIDDEN, OWN = 192, 100
"""Width of a group's hidden layer, and principal components of W that a layer's correction has."""

READS, ALL_AS_ONE = (1, 2, 3), (3,)
"""How many levels, from the coarsest, each group of layers reads: pSp's groups, and one group of all layers, e4e's form."""


class Tap(NamedTuple):
    """One place where a trunk is read.

    Attributes:
        channels: Of the map.
        fields: Side of the grid that it is averaged over.
        level: Place in `GROUPS` of the coarsest group that reads it.
        kept: Channels that are left after narrowing.
    """

    channels: int
    fields: int
    level: int
    kept: int


class Narrowed(nn.Module):
    """Features of each tap in standard deviations, narrowed to fewer channels, as one vector a level.

    Args:
        taps: Where the trunks are read, in the order of the flat features.
    """

    def __init__(self, taps: Sequence[Tap]) -> None:
        super().__init__()
        self.taps = tuple(taps)
        total = sum(tap.channels for tap in taps)
        self.mean, self.scale = nn.Parameter(torch.zeros(total), False), nn.Parameter(torch.ones(total), False)
        self.narrow = nn.ParameterList(nn.Parameter(torch.eye(tap.channels)[: tap.kept], False) for tap in taps)
        lengths = [[tap.kept * tap.fields**2 for tap in taps if tap.level == level] for level in range(len(GROUPS))]
        self.lengths = [sum(each) for each in lengths]

    def forward(self, features: Tensor) -> list[Tensor]:
        """Flat features (B,length) as a vector (B,lengths[level]) a level, coarse to fine."""
        levels: list[list[Tensor]] = [[] for _ in GROUPS]
        for tap, values, narrow in zip(self.taps, self.standard(features), self.narrow, strict=True):
            kept = torch.einsum("kc,bcf->bkf", narrow, values).flatten(1)
            levels[tap.level].append(kept * kept.shape[1] ** -0.5)
        return [torch.cat(level, dim=1) for level in levels]

    def standard(self, features: Tensor) -> list[Tensor]:
        """Each tap's (B,C,fields**2) in standard deviations of its channels."""
        parts = features.split([tap.channels * tap.fields**2 for tap in self.taps], dim=1)
        channels = [tap.channels for tap in self.taps]
        means, scales = self.mean.split(channels), self.scale.split(channels)
        shaped = [part.unflatten(1, (tap.channels, -1)) for part, tap in zip(parts, self.taps, strict=True)]
        return [
            ((values - mean[:, None]) / scale[:, None]).clamp(-_LIMIT, _LIMIT)
            for values, mean, scale in zip(shaped, means, scales, strict=True)
        ]


class LevelMaps(nn.Module):
    """A linear map a level.

    Args:
        lengths: What each reads.
        widths: What each says.
    """

    def __init__(self, lengths: Sequence[int], widths: Sequence[int]) -> None:
        super().__init__()
        self.maps = nn.ModuleList(nn.Linear(length, width) for length, width in zip(lengths, widths, strict=True))

    @property
    def linears(self) -> list[nn.Linear]:
        """The maps, coarse to fine."""
        return [each for each in self.maps if isinstance(each, nn.Linear)]

    def forward(self, levels: Sequence[Tensor]) -> list[Tensor]:
        """A vector (B,widths[level]) a level."""
        return [linear(level) for linear, level in zip(self.maps, levels, strict=True)]


class PyramidHeads(nn.Module):
    """Vectors of all active slots in whitened principal components of W, from three levels.

    Args:
        widths: Numbers of each level, coarse to fine.
        slots: Slots of the generator.
        width: Length of one w.
        reads: How many levels each group of slots reads; a single group has all slots, whose vectors then differ by corrections alone.
    """

    def __init__(self, widths: Sequence[int], slots: Slots, width: int, *, reads: Sequence[int] = READS) -> None:
        super().__init__()
        self.reads, self.width = tuple(reads), width
        self.group_of_slot = group_of_slot(slots) if len(reads) > 1 else [0] * len(slots.active)
        lengths = [sum(widths[:count]) for count in reads]
        self.shared = nn.ModuleList(nn.Linear(length, width) for length in lengths)
        self.hidden = nn.ModuleList(nn.Linear(length, HIDDEN) for length in lengths)
        self.spread = nn.ModuleList(nn.Linear(HIDDEN, width) for _ in lengths)
        self.own = nn.ModuleList(nn.Linear(HIDDEN, min(OWN, width)) for _ in slots.active)

    def forward(self, levels: Sequence[Tensor]) -> Codes:
        """(B,16,width), in whitened components."""
        read = self.read(levels)
        hidden = [F.gelu(linear(F.dropout(each, 0.1, self.training))) for linear, each in zip(self.hidden, read, strict=True)]
        hidden = [F.dropout(each, 0.2, self.training) for each in hidden]
        base = [shared(each) + spread(inner) for shared, spread, each, inner in zip(self.shared, self.spread, read, hidden, strict=True)]
        slots = zip(self.group_of_slot, self.own, strict=True)
        return torch.stack([base[group] + self._padded(own(hidden[group])) for group, own in slots], dim=1)

    def read(self, levels: Sequence[Tensor]) -> list[Tensor]:
        """What each group reads of vectors a level."""
        return [torch.cat(list(levels[:count]), dim=1) for count in self.reads]

    @property
    def linears(self) -> list[nn.Linear]:
        """The groups' linear maps."""
        return [each for each in self.shared if isinstance(each, nn.Linear)]

    def _padded(self, correction: Tensor) -> Tensor:
        return F.pad(correction, (0, self.width - correction.shape[1]))


def still(heads: PyramidHeads) -> PyramidHeads:
    """Heads whose hidden layers say nothing yet."""
    for linear in [*heads.spread, *heads.own]:
        nn.init.zeros_(linear.weight)
        nn.init.zeros_(linear.bias)
    return heads
