"""Which pixels of an aligned face show hair, told from ears, neck, beard and clothes by colour: no parser needed.

Two colours are read off the picture itself: the hair's at the crown and the skin's within the oval of the face. What lies outside the oval
and looks like the crown rather than the skin is hair, and so is a fringe above the brows. From there it grows: strands are seldom as bright
as the crown, but they look like the hair a few pixels away. Only what hangs together with the crown is kept, so a beard is not.
"""

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from engines.core.images import area
from engines.core.shapes import Image, Mask
from engines.faces.measure import lab
from engines.faces.person import SIZE
from engines.faces.regions import REGIONS, Regions

Pixels = NDArray[np.bool_]
Numbers = NDArray[np.float64]

_LEAST = 200
"""Fewer pixels of crown or of skin tell no colour."""

_ALIKE = 1.5
"""Standard deviations between the colours of hair and skin under which neither can be told from the other, as on a shaven head."""

_NOISE = 9 * np.eye(3)
"""Variance in L*a*b* that every colour may have: three units in each."""

_FAR = 9.0
"""Squared distance, in standard deviations, from which a pixel has another colour."""

_WINDOW, _STEPS = 21, 16
"""Side of the square, in pixels, whose hair a strand is compared with, and how often it grows by half of that."""


def hair(image: Image, masks: Regions) -> Mask:
    """The hair of one aligned face (1,3,R,R) as a mask of 0 and 1, (1,1,256,256), without ears, neck and beard.

    Where too little of crown or face is seen it is the region "hair" as it stands; where both have one colour, what lies above the brows.

    Args:
        image: The face.
        masks: Its regions, (regions,1,256,256), as `engines.faces.regions` gives them.
    """
    of = {name: masks[index, 0].cpu().numpy() > 0 for index, name in enumerate(REGIONS)}
    found = _hair(lab(area(image.clamp(-1, 1), SIZE))[0].permute(1, 2, 0).double().cpu().numpy(), of)
    return masks.new_tensor(found)[None, None]


def _hair(colours: Numbers, of: dict[str, Pixels]) -> Pixels:
    region, rows = of["hair"], np.arange(SIZE)[:, None]
    first, top, brows = (_first(of[name]) for name in ("hair", "skin", "brows"))
    crown = ndimage.binary_erosion(region, iterations=3, border_value=1) & (rows < first + 0.6 * (top - first))
    skin = ndimage.binary_erosion(of["skin"] | of["nose"], iterations=3) & (rows > brows)
    if min(crown.sum(), skin.sum()) < _LEAST:
        return region
    colours = ndimage.uniform_filter(colours, (3, 3, 0))
    (hairs, hairs_spread), (skins, skins_spread) = (_colour(colours[mask]) for mask in (crown, skin))
    if _distance((hairs - skins)[None], (hairs_spread + skins_spread) / 2) < _ALIKE**2:
        return region & (rows < brows)
    to_hair, to_skin = _distance(colours - hairs, hairs_spread), _distance(colours - skins, skins_spread)
    likelier = to_skin - to_hair + np.log(np.linalg.det(skins_spread) / np.linalg.det(hairs_spread))
    outside = region | of["body"]
    may = outside | of["skin"] & (rows < brows)
    like = may & (ndimage.uniform_filter(likelier.clip(-20, 20), 5) > 0) & (ndimage.uniform_filter(to_hair.clip(0, 40), 3) < 16)
    found = _joined(ndimage.binary_opening(like, _disc(3)), crown)
    if found.sum() < _LEAST:
        return region
    below = (rows > _first(of["mouth"])) & _between(of["eyes"])  # a neck in the shade looks like hair
    found = _grown(found, outside & (rows > top) & ~below, colours, to_skin)
    closed = ndimage.binary_closing(np.pad(found, 8), _disc(5))[8:-8, 8:-8] & may
    return _joined(ndimage.binary_opening(closed, _disc(3)), crown)


def _grown(found: Pixels, field: Pixels, colours: Numbers, to_skin: Numbers) -> Pixels:
    """Hair with what looks like the hair beside it more than like skin, step by step."""
    for _ in range(_STEPS):
        near = ndimage.uniform_filter(found.astype(float), _WINDOW)
        beside = ndimage.uniform_filter(colours * found[..., None], (_WINDOW, _WINDOW, 0)) / near.clip(1e-3)[..., None]
        spread = np.cov((colours - beside)[found].T) + _NOISE
        alike = field & (near > 0.02) & (_distance(colours - beside, spread) < np.minimum(_FAR, to_skin))
        more = found | ndimage.binary_opening(found | alike, _disc(3))
        if (more == found).all():
            break
        found = more
    return found


def _colour(sample: Numbers) -> tuple[Numbers, Numbers]:
    """Mean and covariance of colours (pixels,3), the odd ones left out."""
    for _ in range(3):
        mean, spread = sample.mean(0), np.cov(sample.T) + _NOISE
        usual = _distance(sample - mean, spread) < _FAR
        if usual.sum() < _LEAST / 2:
            break
        sample = sample[usual]
    return mean, spread


def _distance(offsets: Numbers, spread: Numbers) -> Numbers:
    """Squared Mahalanobis distances of (...,3)."""
    return (offsets @ np.linalg.inv(spread) * offsets).sum(-1)


def _joined(mask: Pixels, to: Pixels) -> Pixels:
    """The connected parts of a mask that meet another."""
    labels, _ = ndimage.label(mask)
    return np.isin(labels, np.setdiff1d(labels[to], 0))


def _disc(radius: int) -> Pixels:
    across = np.arange(-radius, radius + 1)
    return np.hypot(across, across[:, None]) <= radius + 0.3


def _first(mask: Pixels) -> int:
    """The first row of a mask."""
    return int(mask.any(1).argmax())


def _between(mask: Pixels) -> Pixels:
    """The columns (256,) from the first to the last of a mask."""
    seen = np.cumsum(mask.sum(0))
    return (seen > 0) & (seen - mask.sum(0) < seen[-1])
