"""Painted masks made ready: checked, moved, softened at the edge, and averaged to the size of each layer.

Masks are 1 where a part is taken from its reference and 0 where the source stays.
"""

import torch
import torch.nn.functional as F
from torch import Tensor

from engines.core.errors import ImageError
from engines.core.images import area
from engines.core.masks import feathered
from engines.core.shapes import Mask

Shift = tuple[float, float]
"""How far a part moves to the right and down, as shares of the picture's side."""


def checked(mask: Mask) -> Mask:
    """The mask clipped to [0, 1].

    Raises:
        ImageError: Not one square channel of finite values.
    """
    if mask.shape[0] != 1 or mask.shape[-1] != mask.shape[-2]:
        raise ImageError(f"A mask of shape {tuple(mask.shape)} came; wanted one square mask (1, 1, side, side) over the aligned picture.")
    if not torch.isfinite(mask).all():
        raise ImageError("This mask holds values that are no numbers; wanted 0 where the source stays and 1 where the reference goes.")
    return mask.float().clamp(0, 1)


def moved(values: Tensor, shift: Shift, *, fill: str = "border") -> Tensor:
    """A map (B,C,h,w) moved by shares of its side, between cells bilinearly.

    Args:
        values: What moves.
        shift: To the right and down.
        fill: What comes in at the other side: "border" repeats the edge, "zeros" brings nothing.
    """
    if shift == (0.0, 0.0):
        return values
    matrix = torch.tensor([[[1.0, 0.0, -2 * shift[0]], [0.0, 1.0, -2 * shift[1]]]], device=values.device, dtype=values.dtype)
    grid = F.affine_grid(matrix.expand(values.shape[0], -1, -1), list(values.shape), align_corners=False)
    return F.grid_sample(values, grid, mode="bilinear", padding_mode=fill, align_corners=False)


def soft(mask: Mask, size: int, reach: float, shift: Shift = (0.0, 0.0)) -> Mask:
    """A checked mask as it counts: at `size` px, moved, with its soft edge."""
    return feathered(moved(area(mask, size), shift, fill="zeros"), reach)


def is_empty(mask: Mask) -> bool:
    """Whether nothing is painted."""
    return not bool(mask.any())


def is_full(mask: Mask) -> bool:
    """Whether everything is painted, fully."""
    return bool((mask == 1).all())
