"""Operations on stylemaps: local editing, transplantation, style mixing and local semantic manipulation.

Kim et al., "Exploiting Spatial Dimensions of Latent in GAN for Real-time Image Editing" (StyleMapGAN), arXiv:2104.14754: local editing
(section 3.3, w_mix = m * w_ref + (1 - m) * w_src), unaligned transplantation, style mixing and local semantic manipulation (section 4.4 and
appendix). Codes are stylemaps (B,C,s,s), or their W+, the list that the resizer makes of one.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor

from engines.core.errors import SpaceError
from engines.core.shapes import Mask

COARSE = 2
"""Maps of W+ that are coarse: those at the stylemap's own size."""


@dataclass(frozen=True)
class Cells:
    """A rectangle of cells.

    Attributes:
        y: First row.
        x: First column.
        height: Rows.
        width: Columns.
    """

    y: int
    x: int
    height: int
    width: int

    def of(self, side: int) -> tuple[slice, slice]:
        """The rectangle as slices of a grid.

        Raises:
            SpaceError: It reaches out of the grid.
        """
        fits = self.y >= 0 and self.x >= 0 and self.height > 0 and self.width > 0
        if not fits or self.y + self.height > side or self.x + self.width > side:
            raise SpaceError(f"{self} reaches out of a stylemap of {side} x {side} cells.")
        return slice(self.y, self.y + self.height), slice(self.x, self.x + self.width)


def cells_of(mask: Mask, side: int) -> Mask:
    """Cells that a mask touches, as 0 and 1 (B,1,side,side): the paper's max pooling."""
    return F.adaptive_max_pool2d(mask, side) if mask.shape[-1] >= side else F.interpolate(mask, (side, side), mode="nearest")


def locally_mixed(source: Tensor, reference: Tensor, mask: Mask) -> Tensor:
    """A stylemap that is the reference's in the cells that a mask touches: the form for halves of a picture."""
    return torch.where(cells_of(mask, source.shape[-1]) > 0, reference, source)


def locally_mixed_plus(source: Sequence[Tensor], reference: Sequence[Tensor], mask: Mask) -> list[Tensor]:
    """The same at every level of W+: the form for parts of a face, whose outline a stylemap alone would blur."""
    return [locally_mixed(ours, theirs, mask) for ours, theirs in zip(source, reference, strict=True)]


def rectangle(mask: Mask) -> Cells | None:
    """The smallest rectangle around all cells that a mask (1,1,s,s) of cells holds; None where it holds none."""
    rows, columns = (mask[0, 0] > 0).nonzero(as_tuple=True)
    if not len(rows):
        return None
    y, x = int(rows.min()), int(columns.min())
    return Cells(y, x, int(rows.max()) + 1 - y, int(columns.max()) + 1 - x)


def clipped(fro: Cells, right: int, down: int, side: int) -> tuple[Cells, Cells] | None:
    """Where a rectangle goes that moves by whole cells, and where what is left of it comes from; None if it leaves the grid altogether."""
    y, x = max(0, fro.y + down), max(0, fro.x + right)
    height, width = min(side, fro.y + fro.height + down) - y, min(side, fro.x + fro.width + right) - x
    return (Cells(y, x, height, width), Cells(y - down, x - right, height, width)) if height > 0 and width > 0 else None


def interpolated(start: Tensor, end: Tensor, share: float) -> Tensor:
    """The stylemap on the straight line between two; 0 is the first."""
    return torch.lerp(start, end, share)


def transplanted(source: Tensor, reference: Tensor, moves: Sequence[tuple[Cells, Cells]]) -> Tensor:
    """The source with rectangles of the reference in other places.

    Args:
        source: (1,C,s,s).
        reference: (1,C,s,s).
        moves: Where each rectangle goes, and where it comes from; later ones cover earlier ones.

    Raises:
        SpaceError: Rectangles of two sizes, or outside the grid.
    """
    mixed, side = source.clone(), source.shape[-1]
    for to, fro in moves:
        if (to.height, to.width) != (fro.height, fro.width):
            raise SpaceError(f"{fro} cannot go to {to}: they differ in size.")
        mixed[:, :, *to.of(side)] = reference[:, :, *fro.of(side)]
    return mixed


def style_mixed(source: Sequence[Tensor], reference: Sequence[Tensor], taken: Literal["coarse", "fine"]) -> list[Tensor]:
    """W+ of the source with the reference's coarse or fine maps."""
    coarse, fine = (reference, source) if taken == "coarse" else (source, reference)
    return [*coarse[:COARSE], *fine[COARSE:]]


def pushed(source: Tensor, normal: Tensor, distance: float, where: Mask | None = None) -> Tensor:
    """A stylemap moved along a boundary's normal, in some cells alone or in all.

    Args:
        source: (B,C,s,s).
        normal: (1,C,s,s), of unit length as a linear classifier of stylemaps gives it.
        distance: How far.
        where: The cells that a mask (B,1,h,w) touches; all if not given.
    """
    moved = source + distance * normal
    return moved if where is None else locally_mixed(source, moved, where)
