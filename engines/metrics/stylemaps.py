"""StyleMapGAN's figures: errors of locally mixed latents, and locality of single positions.

Kim et al., arXiv:2104.14754, section 4: MSE_src is measured outside a mask against the source, MSE_ref inside against the reference. Masks
are rectangles of whole cells, a third to two thirds of the map both ways, so that a cell belongs to one face; the strip of one cell along
the border is measured by neither.
"""

import torch
import torch.nn.functional as F

from engines.core.seeds import rng
from engines.core.shapes import Image, Mask
from engines.generators.stylemapgan import StyleMapGAN

PAIRS = 100


def rectangles(count: int, side: int, chance: torch.Generator, low: int = 1, high: int | None = None) -> Mask:
    """Random rectangles of cells, (count,1,side,side), `low` to `high` of them both ways: from one cell to the whole map if not given."""
    masks = torch.zeros(count, 1, side, side)
    for mask in masks:
        height, width = (int(torch.randint(low, (high or side) + 1, (1,), generator=chance)) for _ in range(2))
        y, x = (int(torch.randint(0, side - extent + 1, (1,), generator=chance)) for extent in (height, width))
        mask[0, y : y + height, x : x + width] = 1
    return masks


def single_face_masks(masks: Mask, size: int) -> tuple[Mask, Mask]:
    """Masks of pixels (count,1,size,size) that belong to one face alone: inside the masks and outside, without a border of one position."""
    inner, outer = 1 - F.max_pool2d(1 - masks, 3, 1, 1), 1 - F.max_pool2d(masks, 3, 1, 1)
    return F.interpolate(inner, size, mode="nearest"), F.interpolate(outer, size, mode="nearest")


def crossing(image: Image, masks: Mask, reach: int = 0) -> tuple[torch.Tensor, torch.Tensor]:
    """Jumps between neighbours across masks' borders.

    Args:
        image: Pictures, (B,3,S,S).
        masks: As large as they are, (B,1,S,S), of zeros and ones.
        reach: So many lines of pixels on both sides of a border count too.

    Returns:
        Of each picture the sum of its jumps and how many pairs of neighbours these are, (B,) both.
    """
    total, pairs = image.new_zeros(len(image)), image.new_zeros(len(image))
    for axis in (2, 3):
        border = (masks.diff(dim=axis).abs() > 0.5).to(image)
        reached = (reach, 0) if axis == 2 else (0, reach)
        border = F.max_pool2d(border, (2 * reached[0] + 1, 2 * reached[1] + 1), 1, reached)
        total = total + (image.diff(dim=axis).abs().mean(dim=1, keepdim=True) * border).sum(dim=(1, 2, 3))
        pairs = pairs + border.sum(dim=(1, 2, 3))
    return total, pairs


def gradient(image: Image) -> torch.Tensor:
    """Mean jump (B,) between neighbours, both ways, of pictures (B,3,S,S)."""
    return sum((image.diff(dim=axis).abs().mean(dim=(1, 2, 3)) for axis in (2, 3)), image.new_zeros(len(image))) / 2


@torch.no_grad()
def mixed_latent_errors(model: StyleMapGAN, faces: Image, seed: int = 0) -> dict[str, float]:
    """Errors of mixed stylemaps of pairs of faces beside those of plain reconstruction, of mixed vectors, and the visibility of borders.

    A mixed vector is what an encoder without places can do: the mean of a map's cells, blended by the mask's share.

    Args:
        model: A stylemap of at least four cells along each side.
        faces: (N,3,S,S), paired with their neighbours in order.
        seed: Decides the masks.
    """
    count, side = min(PAIRS, len(faces) - 1), model.form.side
    source, reference = faces[:count], faces[1 : count + 1]
    masks = rectangles(count, side, rng(seed), max(1, side // 3), max(1, 2 * side // 3)).to(faces)
    maps = torch.cat([model.encode(part) for part in faces[: count + 1].split(16)])
    ours, theirs = maps[:-1], maps[1:]
    share = masks.mean(dim=(2, 3), keepdim=True)
    blended = torch.lerp(ours.mean(dim=(2, 3), keepdim=True), theirs.mean(dim=(2, 3), keepdim=True), share).expand_as(ours)
    mixed, plain, flat = (_drawn(model, code) for code in (torch.where(masks > 0, theirs, ours), ours, blended))
    inside, outside = single_face_masks(masks, faces.shape[-1])
    return {
        "mse_src": _mean(mixed, source, outside),
        "mse_ref": _mean(mixed, reference, inside),
        "mse_plain": float((plain - source).square().mean()),
        "mse_src_vector": _mean(flat, source, outside),
        "mse_ref_vector": _mean(flat, reference, inside),
        "seam": _seam(mixed, F.interpolate(masks, faces.shape[-1], mode="nearest")),
    }


@torch.no_grad()
def locality(model: StyleMapGAN, faces: Image, seed: int = 0) -> float:
    """Share of the squared change that stays within three cells by three around one that takes another face's value; a mean over faces."""
    count, side, chance = min(PAIRS, len(faces) - 1), model.form.side, rng(seed)
    maps = torch.cat([model.encode(part) for part in faces[: count + 1].split(16)])
    one = torch.zeros(count, 1, side, side).to(faces)
    places = torch.randint(side, (count, 2), generator=chance)
    one[torch.arange(count), 0, places[:, 0], places[:, 1]] = 1
    change = (_drawn(model, torch.where(one > 0, maps[1:], maps[:-1])) - _drawn(model, maps[:-1])).square().mean(dim=1, keepdim=True)
    near = F.interpolate(F.max_pool2d(one, 3, 1, 1), faces.shape[-1], mode="nearest")
    total = change.flatten(1).sum(dim=1)
    kept = (change * near).flatten(1).sum(dim=1)[total > 0] / total[total > 0]
    return float(kept.mean()) if len(kept) else float("nan")


def _drawn(model: StyleMapGAN, maps: torch.Tensor) -> Image:
    return torch.cat([model.draw(part) for part in maps.split(16)]).clamp(-1, 1)


def _mean(image: Image, target: Image, where: Mask) -> float:
    """Mean squared error of the pixels that a mask sees; not a number if it sees none."""
    seen = where.sum() * image.shape[1]
    return float(((image - target).square() * where).sum() / seen) if float(seen) else float("nan")


def _seam(image: Image, masks: Mask) -> float:
    """Mean gradient between neighbours across the masks' borders, over the mean gradient of the pictures."""
    jumps, crossed = crossing(image, masks)
    return float(jumps.sum() / crossed.sum() / gradient(image).mean())
