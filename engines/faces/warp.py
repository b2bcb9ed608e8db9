"""Squares of any place, size and turn cut out of a picture, and put back."""

import math

import numpy as np
from numpy.typing import NDArray
from PIL import Image as Pictures

Array = NDArray[np.float64]


def square(centre: Array, across: Array) -> Array:
    """Corners (4, 2) of a square: upper left, lower left, lower right, upper right.

    Args:
        centre: Middle (2,), in pixels.
        across: Vector (2,) from the middle to the middle of the right side.
    """
    down = np.array([-across[1], across[0]])
    return np.stack([centre - across - down, centre - across + down, centre + across + down, centre + across - down])


def side_length(quad: Array) -> float:
    """Side of a square given by its corners (4, 2)."""
    return float(np.hypot(*(quad[3] - quad[0])))


def to_picture(quad: Array, size: int) -> Array:
    """Matrix (2, 3) that takes (x, y, 1) of a cut-out of `size` pixels to the picture it was cut from."""
    return np.stack([(quad[3] - quad[0]) / size, (quad[1] - quad[0]) / size, quad[0]], axis=1)


def inverse(matrix: Array) -> Array:
    """The affine map (2, 3) that undoes another."""
    turn = np.linalg.inv(matrix[:, :2])
    return np.concatenate([turn, -turn @ matrix[:, 2:]], axis=1)


def cut_out(image: Pictures.Image, quad: Array, size: int) -> Pictures.Image:
    """The square as an upright picture of (size, size), without aliasing; what lies beyond the border repeats the border.

    Args:
        image: Source picture in RGB or L.
        quad: Corners (4, 2) in its pixels: upper left, lower left, lower right, upper right.
        size: Side of the result in pixels.
    """
    image, quad = _near(image, quad)
    shrink = max(1, math.floor(side_length(quad) / size))
    if shrink > 1:
        columns, rows = image.width / math.ceil(image.width / shrink), image.height / math.ceil(image.height / shrink)
        image = image.resize((math.ceil(image.width / shrink), math.ceil(image.height / shrink)), Pictures.Resampling.BOX)
        quad = quad / (columns, rows)
    fine = 2 * size if side_length(quad) > size else size  # up to twofold reduction left: drawn finer, then averaged
    drawn = image.transform((fine, fine), Pictures.Transform.AFFINE, _coefficients(to_picture(quad, fine)), Pictures.Resampling.BICUBIC)
    return drawn if fine == size else drawn.resize((size, size), Pictures.Resampling.LANCZOS)


def lay_over(image: Pictures.Image, quad: Array, box: tuple[int, int, int, int]) -> Pictures.Image:
    """An upright square picture drawn where `quad` lies, as seen in one box (left, top, right, bottom) of the whole.

    Nothing aliases when the square gets smaller; the corners outside the square are arbitrary.
    """
    fine = 2 if side_length(quad) < image.width else 1  # made smaller: drawn at twice the size, then averaged
    size = min(image.width, math.ceil(fine * side_length(quad)))
    if size < image.width:
        image = image.resize((size, size), Pictures.Resampling.LANCZOS)
    matrix = inverse(to_picture(fine * (quad - np.array(box[:2])), size))
    area = (box[2] - box[0], box[3] - box[1])
    drawn = image.transform((fine * area[0], fine * area[1]), Pictures.Transform.AFFINE, _coefficients(matrix), Pictures.Resampling.BICUBIC)
    return drawn if fine == 1 else drawn.resize(area, Pictures.Resampling.LANCZOS)


def surrounding(quad: Array, size: tuple[int, int]) -> tuple[int, int, int, int]:
    """The whole-pixel box (left, top, right, bottom) that holds the part of a square inside a picture of `size`."""
    left, top = np.clip(np.floor(quad.min(0)), 0, size).astype(int).tolist()
    right, bottom = np.clip(np.ceil(quad.max(0)), 0, size).astype(int).tolist()
    return left, top, right, bottom


def _near(image: Pictures.Image, quad: Array) -> tuple[Pictures.Image, Array]:
    """The part of the picture that the square needs, its border repeated where the square reaches beyond it."""
    margin = 4 + side_length(quad) / 64
    low, high = np.floor(quad.min(0) - margin).astype(int), np.ceil(quad.max(0) + margin).astype(int)
    inside = np.clip([low, high], 0, image.size)
    if (inside[1] <= inside[0]).any():  # wholly outside: the nearest pixel stands for all
        inside[0] = np.clip(low, 0, np.array(image.size) - 1)
        inside[1] = inside[0] + 1
    part = image.crop((*inside[0].tolist(), *inside[1].tolist()))
    before, after = np.maximum(inside[0] - low, 0), np.maximum(high - inside[1], 0)
    if before.any() or after.any():
        widths = [(before[1], after[1]), (before[0], after[0])] + [(0, 0)] * (len(image.getbands()) > 1)
        part = Pictures.fromarray(np.pad(np.array(part), widths, mode="edge"))
    return part, quad - (inside[0] - before)


def _coefficients(matrix: Array) -> tuple[float, ...]:
    return tuple(matrix.flatten().tolist())
