"""Masks: read from a picture as people make them, and what every use of a painted one needs, its soft edge and room around it.

A mask is not a photo. Transparency, where there is any, decides: painted strokes are opaque inside, a photo with a hole is transparent
inside. Else light is inside and dark outside, whatever the two values are; strokes of a colour on grey, white or black are inside.
"""

import math
from pathlib import Path
from typing import TypeAlias

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from PIL import Image as Pil

from engines.core.errors import ImageError
from engines.core.images import LOCAL_MEGABYTES, LOCAL_MEGAPIXELS, open_image
from engines.core.shapes import Mask

_Values: TypeAlias = NDArray[np.uint8]
_Inside: TypeAlias = NDArray[np.bool_]

_SMALLEST_SIGMA = 0.2
_REACH = 3.0
"""Standard deviations after which the soft edge ends."""

_PLAIN_COLOURS, _PLAIN_SHARE = 12, 0.9
"""Strokes have no more colours than this, in steps of 8, on this share of their pixels; a photo has, a grey one too."""

_LABELS = 63
"""Values up to this number are labels, of which 0 alone is outside."""

_GREY, _COLOURED = 24, 64
"""Difference of a pixel's channels up to which it is grey, and from which it is coloured."""

_NOISE = 32
"""Values of a lossy format that are no further apart than this are one."""

_LARGEST = 2048
"""Larger masks are thinned out to this side before they are looked at."""

_FEW = 32
"""A lossless mask of no more colours than this holds labels rather than soft edges."""

_LOOKED_AT, _NEAR, _BEND = 128, 0.15, 4 / 255
_LEAST_BETWEEN, _LEAST_BENT = 0.35, 0.2
"""What tells a grey photo: see `_is_grey_photo`."""

_MOST_LABELS = 1000
"""A mask in colour has fewer colours than this; a photo has more."""

_LEAST_MARKED = 2e-5
"""Share of the pixels that a mark needs at least: one of 50 000, or 5 of 512 x 512."""


def read_mask(source: Path | bytes, side: int, megapixels: float = LOCAL_MEGAPIXELS, megabytes: float = LOCAL_MEGABYTES) -> Mask:
    """A picture as a mask (1,1,side,side) of 0 and 1.

    Args:
        source: A file or its bytes, square, of any format that photos may have.
        side: Side of the mask in pixels.
        megapixels: Largest size that is decoded.
        megabytes: Largest file that is read.

    Raises:
        ImageError: Not a picture, not square, a photo, or one that marks nothing or everything.
    """
    opened = open_image(source, megapixels, megabytes, as_mask=True)
    width, height = opened.picture.size
    if width != height:
        raise ImageError(f"A mask of {width} x {height} pixels came; wanted a square one that lies over the aligned face.")
    picture = opened.picture if width <= _LARGEST else opened.picture.resize((_LARGEST, _LARGEST), Pil.Resampling.NEAREST)
    inside = inside_of(np.asarray(picture), opened.lossy)
    share = float(inside.mean())
    if share < _LEAST_MARKED:
        raise ImageError("Nothing is marked in this mask: it has one value all over. Make the part light on black.")
    if share > 1 - _LEAST_MARKED:
        raise ImageError("This mask marks the whole picture: it has one value all over. Leave what is to stay black.")
    values = torch.from_numpy(inside).float()[None, None]
    if picture.width > side:
        return (F.adaptive_avg_pool2d(values, side) > 0.5).float()
    return (F.interpolate(values, (side, side), mode="bilinear", align_corners=False) > 0.5).float()


def inside_of(pixels: _Values, lossy: bool = False) -> _Inside:
    """Which pixels (height, width, RGBA) of a mask are inside.

    Args:
        pixels: Values as the file has them.
        lossy: Whether its format keeps them only about, so that values close to each other are one.

    Raises:
        ImageError: It is a photo.
    """
    colours, alpha = pixels[..., :3], pixels[..., 3].astype(np.int16)
    low, high = int(alpha.min()), int(alpha.max())
    if high - low > (_NOISE if lossy else 0):
        opaque = alpha > (low + high) / 2
        return opaque if _is_plain(colours[opaque]) else ~opaque
    if high == 0:
        return np.zeros(alpha.shape, dtype=bool)
    in_colour = _is_coloured(colours) and not _is_plain(colours.reshape(-1, 3)) and _count(colours) > _MOST_LABELS
    if in_colour or _is_grey_photo(colours.max(-1)):
        raise ImageError("This is a photo, not a mask. Make a picture that is light where the part lies and black elsewhere.")
    return _light(colours.astype(np.int16), lossy)


def _is_plain(colours: _Values) -> bool:
    """Whether nearly all pixels (pixels, 3) have one of few colours."""
    steps = (colours >> 3).astype(np.int32)
    counts = np.bincount(steps @ (1024, 32, 1), minlength=_PLAIN_COLOURS)
    return bool(np.sort(counts)[-_PLAIN_COLOURS:].sum() >= _PLAIN_SHARE * counts.sum())


def _is_coloured(colours: _Values) -> bool:
    """Whether more than grey is to be seen, on a share of the pixels that no stroke's edge has."""
    return bool((_chroma(colours.astype(np.int16)) > _GREY).mean() > 0.2)


def _is_grey_photo(value: _Values) -> bool:
    """Whether values (height, width) are neither two nor a soft edge between two: much lies in between, and it is no slope.

    Looked at at 128 px, where what a lossy format adds is gone: of 924 grey portraits the smoothest bends on 24 % of its pixels, a
    slope between dark and light, however wide, on none.
    """
    small = np.asarray(Pil.fromarray(value).resize((_LOOKED_AT, _LOOKED_AT), Pil.Resampling.BOX)).astype(np.float32)
    low, high = float(small.min()), float(small.max())
    share = (small - low) / max(1.0, high - low)
    between = (share > _NEAR) & (share < 1 - _NEAR)
    if len(np.unique(value)) <= _FEW or float(between.mean()) < _LEAST_BETWEEN:
        return False
    bend = np.abs(share[:, 2:] - 2 * share[:, 1:-1] + share[:, :-2])
    return float((bend[between[:, 1:-1]] > _BEND).mean()) > _LEAST_BENT


def _chroma(colours: NDArray[np.int16]) -> NDArray[np.int16]:
    return np.asarray(colours.max(-1) - colours.min(-1))


def _light(colours: NDArray[np.int16], lossy: bool) -> _Inside:
    """Coloured strokes on grey, labels, or light against dark, halfway between the two."""
    chroma, value = _chroma(colours), colours.max(-1)
    coloured = chroma > _COLOURED
    if coloured.any() and not coloured.all() and float((chroma[~coloured] <= _GREY).mean()) > 0.9:
        ground = value[chroma <= _GREY]
        if int(ground.max()) - int(ground.min()) <= (2 * _NOISE if lossy else 0):
            return np.asarray(chroma > int(chroma.max()) / 2 if lossy else (chroma > 0) | (value != ground[0]))
    low, high = int(value.min()), int(value.max())
    if high - low <= (_NOISE if lossy else 0):
        return np.full(value.shape, high > _NOISE or (high > 0 and not lossy))
    if high <= _LABELS and not lossy:
        return np.asarray(value > 0)
    if low == 0 and int(chroma.max()) > _GREY and not lossy and _count(colours) <= _FEW:
        return np.asarray(value > 0)  # colours of a palette stand for labels
    return np.asarray(value > (low + high) / 2)


def _count(colours: NDArray[np.int16] | _Values) -> int:
    """How many colours there are."""
    return len(np.unique(colours.reshape(-1, 3).astype(np.int32) @ np.array((65536, 256, 1), dtype=np.int32)))


def dilated(mask: Mask, reach: int) -> Mask:
    """The mask with so many pixels around it in both directions, or as it is for 0."""
    wide = F.max_pool2d(mask, (1, 2 * reach + 1), 1, (0, reach))
    return F.max_pool2d(wide, (2 * reach + 1, 1), 1, (reach, 0))


def feathered(mask: Mask, reach: float) -> Mask:
    """The mask with a soft edge: a Gaussian cut off at `reach`, a share of the side, on either side of the line.

    Beyond that distance masks of 0 and 1 stay what they are, up to rounding.
    """
    side = mask.shape[-1]
    sigma = reach * side / _REACH
    if sigma < _SMALLEST_SIGMA:
        return mask
    radius = math.ceil(_REACH * sigma)
    steps = torch.arange(-radius, radius + 1, device=mask.device, dtype=mask.dtype)
    kernel = torch.exp(-0.5 * (steps / sigma).square())
    kernel = (kernel / kernel.sum()).view(1, 1, 1, -1)
    wide = F.conv2d(F.pad(mask, (radius, radius, 0, 0), mode="replicate"), kernel)
    return F.conv2d(F.pad(wide, (0, 0, radius, radius), mode="replicate"), kernel.transpose(2, 3)).clamp(0, 1)
