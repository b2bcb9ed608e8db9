"""The FFHQ crop: from a photo to the upright square that the generator was trained on, and back.

Paper: Karras et al., "A Style-Based Generator Architecture for Generative Adversarial Networks", arXiv:1812.04948, appendix A: the
square follows from the eyes and the mouth; beyond the photo's border it is mirrored, blurred and faded to the median colour. Unlike
there, the blur begins at the border and not inside it, so that every pixel of the photo stays as it was.
"""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image as Pictures
from PIL import ImageFilter

from engines.core.errors import FaceError, ImageError
from engines.faces.landmarks import Landmarks
from engines.faces.warp import cut_out, lay_over, side_length, square, surrounding

EYES_TO_SIDE, MOUTH_TO_SIDE = 2.0, 1.8
"""Half the square's side over the eye distance and over the eye-to-mouth distance: the larger one counts."""

EYES_TO_CENTRE = 0.1
"""How far the square's centre lies from the eyes towards the mouth."""

MESH_BIAS = 1.0062
"""The square from our landmarks over that of FFHQ's own: the mean of 60 generated faces."""

MIRRORED = 0.3
"""Least length of the fade beyond the border, over the square's side."""

BLUR = 0.02
"""Spread of the blur beyond the border, over the square's side."""

SMALLEST_PICTURE = 16
"""Pictures with a side under this many pixels are refused."""

LARGEST_BOX = 4.0
"""Largest side of a box placed by hand, over the picture's shorter side."""

Array = NDArray[np.float64]
Weights = NDArray[np.floating[Any]]
Point = tuple[float, float]


@dataclass(frozen=True)
class Alignment:
    """Where the aligned square lies in its photo.

    Attributes:
        quad: Its corners in pixels: upper left, lower left, lower right, upper right (pixel centres lie at halves).
        picture_size: Width and height of the photo.
    """

    quad: tuple[Point, Point, Point, Point]
    picture_size: tuple[int, int]

    @property
    def corners(self) -> Array:
        """The quad as an array (4, 2)."""
        return np.array(self.quad)

    @property
    def side(self) -> float:
        """Side of the square, in pixels of the photo."""
        return side_length(self.corners)

    @property
    def centre(self) -> Point:
        """Middle of the square, in pixels of the photo."""
        x, y = self.corners.mean(0).tolist()
        return x, y

    @property
    def rotation(self) -> float:
        """Clockwise turn of the square in the photo, in degrees."""
        across = self.corners[3] - self.corners[0]
        return math.degrees(math.atan2(across[1], across[0]))


def ffhq_quad(left_eye: Array, right_eye: Array, mouth: Array) -> Array:
    """Corners (4, 2) of the FFHQ square for eye centres and mouth centre (2,), left and right as seen in the picture.

    Raises:
        FaceError: The points coincide.
    """
    eyes = right_eye - left_eye
    centre = (left_eye + right_eye) / 2
    down = mouth - centre
    across = eyes - np.array([-down[1], down[0]])
    length = float(np.hypot(*across))
    if length < 1e-6:
        raise FaceError("The eyes and the mouth lie on one point: place the crop box by hand.")
    across *= max(EYES_TO_SIDE * float(np.hypot(*eyes)), MOUTH_TO_SIDE * float(np.hypot(*down))) / length
    return square(centre + EYES_TO_CENTRE * down, across)


def alignment_from_landmarks(marks: Landmarks, picture_size: tuple[int, int]) -> Alignment:
    """The FFHQ square of one face in a picture of (width, height), the landmarks' known bias in size removed.

    Raises:
        FaceError: The landmarks coincide.
    """
    quad = ffhq_quad(marks.left_eye, marks.right_eye, marks.mouth)
    middle = quad.mean(0)
    return _alignment(middle + (quad - middle) / MESH_BIAS, picture_size)


def alignment_from_box(picture_size: tuple[int, int], x: float, y: float, side: float, rotation: float = 0.0) -> Alignment:
    """A square placed by hand, for faces that the detector misses.

    Args:
        picture_size: Width and height of the photo in pixels.
        x: Centre over the photo's width, in [0, 1].
        y: Centre over the photo's height, in [0, 1].
        side: Side over the photo's shorter side, in (0, 4].
        rotation: Clockwise turn in degrees.

    Raises:
        ImageError: The box lies outside those bounds.
    """
    if not (0 <= x <= 1 and 0 <= y <= 1 and 0 < side <= LARGEST_BOX and math.isfinite(rotation)):
        raise ImageError(
            f"The box has its centre at ({x:g}, {y:g}), side {side:g} and turn {rotation:g}: the centre must lie in the picture "
            f"(0 to 1) and the side between 0 and {LARGEST_BOX:g}. Move or resize it."
        )
    angle, half = math.radians(rotation), side * min(picture_size) / 2
    centre = np.array([x * picture_size[0], y * picture_size[1]])
    return _alignment(square(centre, half * np.array([math.cos(angle), math.sin(angle)])), picture_size)


def align(image: Pictures.Image, alignment: Alignment, size: int = 1024) -> Pictures.Image:
    """The aligned square as an RGB picture of (size, size).

    Args:
        image: The photo that the alignment was made for.
        alignment: Where the square lies in it.
        size: Side of the result in pixels.

    Raises:
        ImageError: The photo has another size than the alignment's, or is tiny.
    """
    check_picture(image)
    _check_size(image, alignment)
    image, quad = image.convert("RGB"), alignment.corners
    if (quad.min(0) < 0).any() or (quad.max(0) > image.size).any():
        image, quad = _extended(image, quad, size)
    return cut_out(image, quad, size)


def paste_back(photo: Pictures.Image, result: Pictures.Image, alignment: Alignment, feather: float = 0.12) -> Pictures.Image:
    """The whole photo with an edited aligned picture blended in where it came from.

    Args:
        photo: The photo that the alignment was made for.
        result: The aligned picture after editing, square, of any size.
        alignment: Where it lies in the photo.
        feather: Width of the soft border inside the square, over its side, in (0, 0.5].

    Returns:
        An RGB picture of the photo's size, equal to the photo outside the square.

    Raises:
        ImageError: The photo has another size than the alignment's, or the result is not square.
    """
    _check_size(photo, alignment)
    if result.width != result.height:
        raise ImageError(f"The edited picture is {result.width} x {result.height}: it must be square, as alignment made it.")
    if not 0 < feather <= 0.5:
        raise ImageError(f"The feather is {feather:g}: it must lie above 0 and at most at 0.5 of the square's side.")
    whole = photo.convert("RGB")
    box = surrounding(alignment.corners, whole.size)
    if box[0] >= box[2] or box[1] >= box[3]:
        return whole.copy()
    drawn = lay_over(result.convert("RGB"), alignment.corners, box)
    mask = lay_over(_soft_square(result.width, feather), alignment.corners, box)
    pasted = whole.copy()
    pasted.paste(drawn, box[:2], mask)
    return pasted


def check_picture(image: Pictures.Image) -> None:
    """Refuse pictures too small to hold a face.

    Raises:
        ImageError: A side is under 16 pixels.
    """
    if min(image.size) < SMALLEST_PICTURE:
        raise ImageError(
            f"The picture is {image.width} x {image.height} pixels: at least {SMALLEST_PICTURE} a side are needed. Choose a larger one."
        )


def _check_size(image: Pictures.Image, alignment: Alignment) -> None:
    if image.size != alignment.picture_size:
        raise ImageError(
            f"The picture is {image.width} x {image.height} but the alignment was made for "
            f"{alignment.picture_size[0]} x {alignment.picture_size[1]}: find the faces of this picture first."
        )


def _alignment(quad: Array, picture_size: tuple[int, int]) -> Alignment:
    corners = [(float(x), float(y)) for x, y in quad]
    return Alignment((corners[0], corners[1], corners[2], corners[3]), (int(picture_size[0]), int(picture_size[1])))


def _extended(image: Pictures.Image, quad: Array, size: int) -> tuple[Pictures.Image, Array]:
    """A part of the photo, reduced to about the wanted size, with mirrored, blurred and faded surroundings under the square."""
    image, quad = _reduced(image, quad, 1.5 * size / side_length(quad))
    side = side_length(quad)
    low, high = np.floor(quad.min(0) - 4).astype(int), np.ceil(quad.max(0) + 4).astype(int)
    margin = math.ceil(MIRRORED * side)  # what the mirror shows and the fade runs over
    inside = np.clip([low - margin, high + margin], 0, image.size)
    inside[0] = np.minimum(inside[0], np.array(image.size) - 1)
    inside[1] = np.maximum(inside[1], inside[0] + 1)
    before, after = np.maximum(-low, 0), np.maximum(high - image.size, 0)
    part = np.array(image.crop((*inside[0].tolist(), *inside[1].tolist())))
    padded = Pictures.fromarray(np.pad(part, ((before[1], after[1]), (before[0], after[0]), (0, 0)), mode="reflect"))
    beyond = _beyond(padded.size, before, after, margin)
    blurred = Pictures.composite(padded.filter(ImageFilter.GaussianBlur(BLUR * side)), padded, _as_mask(3 * beyond))
    median = np.median(np.array(padded.resize((128, 128), Pictures.Resampling.BOX)), axis=(0, 1)).round().astype(int).tolist()
    plain = Pictures.new("RGB", padded.size, tuple(median))
    return Pictures.composite(plain, blurred, _as_mask(beyond)), quad - (inside[0] - before)


def _reduced(image: Pictures.Image, quad: Array, scale: float) -> tuple[Pictures.Image, Array]:
    """Picture and square shrunk together by a whole factor of at least 1 / scale, if that is 2 or more."""
    factor = math.floor(1 / scale)
    if factor < 2:
        return image, quad
    smaller = image.reduce(min(factor, *image.size))
    return smaller, quad / (np.array(image.size) / smaller.size)


def _beyond(size: tuple[int, int], before: NDArray[np.int64], after: NDArray[np.int64], margin: int) -> Weights:
    """How far outside the photo each pixel lies: 0 inside and at its border, 1 at the end of the fade; (height, width)."""
    ramps = []
    for axis in (0, 1):
        place = np.arange(size[axis], dtype=np.float32) + 0.5
        outside = np.maximum((before[axis] - place) / max(before[axis], margin), 0)
        ramps.append(np.maximum(outside, (place - size[axis] + after[axis]) / max(after[axis], margin)))
    weights: Weights = np.maximum(ramps[0][None, :], ramps[1][:, None])
    return weights


def _soft_square(size: int, feather: float) -> Pictures.Image:
    """White inside, black at the edge, smooth over the feather: a mask (size, size)."""
    place = (np.arange(size, dtype=np.float32) + 0.5) / size
    rise = np.clip(np.minimum(place, 1 - place) / feather, 0, 1)
    smooth = rise * rise * (3 - 2 * rise)
    return _as_mask(smooth[:, None] * smooth[None, :])


def _as_mask(weights: Weights) -> Pictures.Image:
    return Pictures.fromarray((np.clip(weights, 0, 1) * 255).round().astype(np.uint8))
