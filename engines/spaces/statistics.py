"""Statistics of W: its mean, its standard deviation, and a bank of samples that strengths are measured against."""

from dataclasses import dataclass
from functools import cached_property
from typing import Protocol, runtime_checkable
from weakref import WeakKeyDictionary

import torch
import torch.nn.functional as F
from torch import Tensor

from engines.core.seeds import z_codes
from engines.core.shapes import Code, Codes

BANK_SIZE = 10_000
BANK_SEED = 123
_LEAST = 1e-8


@runtime_checkable
class Mapper(Protocol):
    """The half of a generator that statistics need."""

    device: torch.device
    width: int

    def map(self, z: Codes) -> Codes:
        """z to w, both (B,width)."""
        ...


@dataclass(frozen=True, eq=False)
class Statistics:
    """W as 10 000 mapped samples show it.

    Attributes:
        bank: The samples, (10000,width).
        mean: Their mean, (1,width): the average face.
        std: Root of the summed squared distance from the mean per sample, one number, as StyleGAN2's projector has it.
        deviation: Standard deviation of each dimension, (1,width).
    """

    bank: Codes
    mean: Code
    std: float
    deviation: Code

    def truncate(self, w: Codes, psi: float) -> Codes:
        """Move w, or each slot of w_plus, towards the mean: psi 1 keeps it, 0 is the average face."""
        return self.mean + psi * (w - self.mean)

    @cached_property
    def components(self) -> Tensor:
        """Principal components of W (width,width), largest spread first, each row as long as its standard deviation."""
        offsets = (self.bank - self.mean).double()
        values, vectors = torch.linalg.eigh((offsets.T @ offsets / len(offsets)).cpu())
        return (values.flip(0).clamp_min(_LEAST).sqrt()[:, None] * vectors.flip(1).T).to(self.bank)

    def within(self, codes: Codes, count: int) -> Codes:
        """Codes (...,width) with the first `count` principal components of W alone: what a generator whose W+ is its own can follow."""
        if count >= codes.shape[-1]:
            return codes
        kept = F.normalize(self.components[:count], dim=1)
        return self.mean + (codes - self.mean) @ kept.T @ kept

    def w_plus_spread(self, codes: Codes) -> float:
        """W+ spread of a w_plus (1,slots,width): root mean square offset of its layers in units of `deviation`; 0 for a w."""
        if codes.dim() == 2:
            return 0.0
        offsets = codes - codes.mean(dim=1, keepdim=True)
        return float((offsets / self.deviation).square().mean().sqrt())

    def sigma(self, direction: Tensor) -> float:
        """Standard deviation of n.w over the bank, for a unit vector n (width,): strengths are given in this unit."""
        return float((self.bank @ direction.to(self.bank)).std())


_known: "WeakKeyDictionary[Mapper, Statistics]" = WeakKeyDictionary()


@torch.no_grad()
def statistics(generator: Mapper) -> Statistics:
    """Statistics of a generator's W, computed once (about half a second at width 512)."""
    if generator not in _known:
        bank = generator.map(z_codes(BANK_SIZE, generator.width, BANK_SEED, generator.device))
        mean = bank.mean(dim=0, keepdim=True)
        distance = (bank - mean).square().sum(dim=1).mean().sqrt()
        _known[generator] = Statistics(bank, mean, float(distance), bank.std(dim=0, keepdim=True))
    return _known[generator]


@torch.no_grad()
def random_w(generator: Mapper, seed: int, truncation: float = 0.7) -> Codes:
    """The w (1,width) of the face that a seed stands for, at a truncation psi."""
    w = generator.map(z_codes(1, generator.width, seed, generator.device))
    return statistics(generator).truncate(w, truncation)
