"""Few numbers for what edits do to W+: each active slot's offset along the first principal components of W, in their own deviations."""

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from engines.core.shapes import Codes
from engines.spaces.slots import Slots

Offsets = Float[Tensor, "batch slots components"]


@dataclass(frozen=True, eq=False)
class Coordinates:
    """A frame of W+ that codes are read in.

    Attributes:
        mean: Of W, (width,): where the numbers begin.
        basis: Unit rows, (components,width).
        std: Standard deviation of W along each, (components,).
        slots: The generator's table; unused W+ layers repeat the active one below.
    """

    mean: Tensor
    basis: Tensor
    std: Tensor
    slots: Slots

    def read(self, codes: Codes) -> Offsets:
        """Where codes, w (B,width) or w_plus (B,slots,width), lie: (B,active,components). What is outside the basis is not seen."""
        active = self.slots.spread(codes)[:, list(self.slots.active)]
        return (active - self.mean.to(codes)) @ self.basis.to(codes).T / self.std.to(codes)

    def change(self, offsets: Offsets) -> Codes:
        """What offsets (B,active,components) add to a w_plus, (B,slots,width)."""
        return self.slots.scatter(offsets @ (self.basis * self.std[:, None]).to(offsets))


def principal_coordinates(bank: Codes, slots: Slots, components: int) -> Coordinates:
    """Coordinates along the principal components of a bank of w (N,width); the largest entry of each is positive."""
    mean = bank.mean(dim=0)
    values, vectors = torch.linalg.eigh(torch.cov(bank.double().T))
    rows = vectors.T.flip(0)[:components]
    signs = rows.gather(1, rows.abs().argmax(dim=1, keepdim=True)).sign()
    return Coordinates(mean, (rows * signs).to(bank), values.flip(0)[:components].clamp_min(1e-12).sqrt().to(bank), slots)
