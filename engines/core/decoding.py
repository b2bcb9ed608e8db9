"""The room in which pictures from outside are decoded: a process of its own, whose time and memory end where the system says.

`python -c` with `PROGRAM` reads a picture from its input and writes to its output a line of JSON and then the pixels, row by row.
It loads neither torch nor, as a rule, numpy, so that it is there in a fraction of a second. What a decoder does with a hostile file
(loops without end, a gigabyte for one tile) ends here.
"""

import contextlib
import importlib
import io
import json
import re
import struct
import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from PIL import ExifTags, ImageFile, UnidentifiedImageError
from PIL import Image as Pil

from engines.core.colour import ADOBE_RGB, SRGB, Primaries, coded, to_srgb
from engines.core.errors import ImageError
from engines.core.formats import Format, format_of, scans

SMALLEST_SIDE = 32
LEAST_ROWS = 0.9
"""Share of a picture's rows that must have come where the end of its file is missing."""

PROGRAM = """
import sys, types
package = types.ModuleType("engines")
package.__path__ = [sys.argv[1]]
sys.modules["engines"] = package
from engines.core.decoding import main
main(float(sys.argv[2]), int(sys.argv[3]), sys.argv[4] == "mask")
"""
"""The package is there without its own imports: torch alone takes seconds to load."""

DAMAGED = "This picture is damaged or cut off: it could not be decoded. Save it again and retry."
TOO_MUCH = "Decoding this picture takes more memory than one of its size should. Save it again as JPEG or PNG and retry."

_BASE_BYTES, _BYTES_A_PIXEL = 500 * 2**20, 24
_ROWS_BYTES = 4 * 2**20
_CUT = "The end of the file is missing"
_BROKEN = (OSError, SyntaxError, ValueError, EOFError, KeyError, IndexError, TypeError, OverflowError, struct.error, ZeroDivisionError)


@dataclass(frozen=True, eq=False)
class Decoded:
    """A picture out of its file.

    Attributes:
        picture: RGB, or RGBA for a mask.
        lossy: Whether its format keeps values only about.
        note: A sentence for the person where it was not read whole; otherwise empty.
    """

    picture: Pil.Image
    lossy: bool
    note: str = ""


def decoded(data: bytes, megapixels: float, as_mask: bool = False, limit: Callable[[int], None] = lambda pixels: None) -> Decoded:
    """A picture from outside, upright, without metadata, its colours as sRGB on white; of an animation the first frame.

    Args:
        data: The file.
        megapixels: Largest size that is decoded.
        as_mask: Keep transparency, take values as they are, and refuse what has no whole pixels.
        limit: Called with the number of pixels before any is decoded.

    Raises:
        ImageError: Not a picture that is read, damaged, too large or too small.
    """
    form = format_of(data)
    if form.code == "JPEG":
        scans(data)
    try:
        picture = _opened(data, form)
        _check_size(picture.size, megapixels)
        limit(picture.width * picture.height)
        picture, note = _loaded(data, form, picture, whole=as_mask)
        _check_size(picture.size, megapixels)
        turn = _orientation(picture)
        flat = _flat_mask(picture) if as_mask else _flat(picture, data, form)
        return Decoded(flat if turn is None else flat.transpose(turn), form.lossy, note)
    except UnidentifiedImageError as error:
        raise ImageError(f"This file begins like a {form.name} picture, but is none. Save it again and retry.") from error
    except Pil.DecompressionBombError as error:
        raise ImageError(
            f"This picture has far too many pixels. At most {megapixels:g} megapixels are read; make it smaller and try again."
        ) from error
    except MemoryError as error:
        raise ImageError(TOO_MUCH) from error
    except _BROKEN as error:
        raise ImageError(DAMAGED) from error


def _opened(data: bytes, form: Format) -> Pil.Image:
    plugin: Any = importlib.import_module(f"PIL.{form.plugin}ImagePlugin")
    if form.code == "AVIF":
        plugin.DEFAULT_MAX_THREADS = 1
    picture = Pil.open(io.BytesIO(data), formats=[form.code])
    picture.seek(0)
    if form.code == "TIFF" and _is_raw(picture):
        raise ImageError("This file is a camera's raw file, not a picture that can be read here. Export it as JPEG or TIFF and try again.")
    return picture


def _is_raw(picture: Pil.Image) -> bool:
    """Whether a TIFF holds a sensor's data: a DNG, or a first picture that is but a thumbnail of further ones within it."""
    tags = picture.tag_v2  # type: ignore[attr-defined]
    return 50706 in tags or (330 in tags and tags.get(254, 0) == 1)


def _check_size(size: tuple[int, int], megapixels: float) -> None:
    width, height = size
    if width * height > megapixels * 1e6:
        raise ImageError(
            f"This picture has {width} x {height} = {width * height / 1e6:.3g} megapixels; "
            f"at most {megapixels:g} are read. Make it smaller and try again."
        )
    if min(size) < SMALLEST_SIDE:
        raise ImageError(
            f"This picture has {width} x {height} pixels; at least {SMALLEST_SIDE} on each side are needed. Choose a larger one."
        )


def _loaded(data: bytes, form: Format, picture: Pil.Image, whole: bool) -> tuple[Pil.Image, str]:
    """The picture with its pixels, and a note on those that did not come."""
    try:
        picture.load()
    except OSError:
        if whole:
            raise
        return _rows_that_came(data, form)
    return picture, ""


def _rows_that_came(data: bytes, form: Format) -> tuple[Pil.Image, str]:
    """What there is of a file that was cut off, if nearly all rows are there.

    Decoded over black and over white: rows that differ were never written. A JPEG whose scans refine each other gives rows at its end
    only; there the complete scans must hold all frequencies.

    Raises:
        OSError: Too little of it came.
    """
    tries = []
    for fill in (0, 255):
        picture = _opened(data, form)
        bands = len(picture.getbands())
        picture.im = Pil.new(picture.mode, picture.size, (fill,) * bands if bands > 1 else fill).im
        with contextlib.suppress(OSError):
            picture.load()
        tries.append(picture._new(picture.im))
    rows = _first_difference(*tries)
    if rows >= LEAST_ROWS * picture.height:
        kept = tries[0].crop((0, 0, picture.width, rows))
        kept.info = picture.info
        missing = 100 * (1 - rows / picture.height)
        return kept, f"{_CUT}: the lowest {max(missing, 0.1):.1f}% of the picture did not come and are left out."
    if form.code == "JPEG" and scans(data).has_all_frequencies:
        picture = _opened(data, form)
        ImageFile.LOAD_TRUNCATED_IMAGES = True
        try:
            picture.load()
        finally:
            ImageFile.LOAD_TRUNCATED_IMAGES = False
        return picture, f"{_CUT}: some of the finest detail did not come."
    raise OSError("too little of the picture came")


def _first_difference(one: Pil.Image, other: Pil.Image) -> int:
    """Rows from the top in which two pictures are equal."""
    height = one.height
    for row in range(height):
        line = (0, row, one.width, row + 1)
        if one.crop(line).tobytes() != other.crop(line).tobytes():
            return row
    return height


_TURNS = {
    2: Pil.Transpose.FLIP_LEFT_RIGHT,
    3: Pil.Transpose.ROTATE_180,
    4: Pil.Transpose.FLIP_TOP_BOTTOM,
    5: Pil.Transpose.TRANSPOSE,
    6: Pil.Transpose.ROTATE_270,
    7: Pil.Transpose.TRANSVERSE,
    8: Pil.Transpose.ROTATE_90,
}


def _orientation(picture: Pil.Image) -> Pil.Transpose | None:
    """How the picture is to be turned; what cannot be read turns nothing."""
    try:
        return _TURNS.get(int(picture.getexif().get(ExifTags.Base.Orientation, 1)))
    except _BROKEN:
        return None


def _flat(picture: Pil.Image, data: bytes, form: Format) -> Pil.Image:
    """RGB as sRGB, on white."""
    colours, alpha = _apart(picture)
    profile, primaries = picture.info.get("icc_profile"), _primaries(picture, data, form)
    colours = to_srgb(colours, profile if isinstance(profile, bytes) else None, primaries)
    if alpha is None:
        return colours
    whole = Pil.new("RGB", colours.size, "white")
    whole.paste(colours, (0, 0), alpha)
    return whole


def _flat_mask(picture: Pil.Image) -> Pil.Image:
    """RGBA, values as they are; of a palette of one colour the numbers."""
    colours, alpha = _apart(picture, _stretched)
    colours = colours.convert("RGB")
    if picture.mode == "P" and colours.getcolors(1) is not None and picture.getextrema() != (0, 0):
        colours = Pil.frombytes("L", picture.size, picture.tobytes()).convert("RGB")
    colours.putalpha(alpha or 255)
    return colours


def _apart(picture: Pil.Image, in_eight_bits: Callable[[Pil.Image], Pil.Image] | None = None) -> tuple[Pil.Image, Pil.Image | None]:
    """Colours in 8 bits, and opacity where there is any."""
    if picture.mode.startswith("I") or picture.mode == "F":
        picture = (in_eight_bits or _eight_bits)(picture)
    alpha = picture.convert("RGBA").getchannel("A") if picture.has_transparency_data else None
    if picture.mode in ("LA", "La"):
        return picture.convert("LA").getchannel("L"), alpha
    if picture.mode in ("L", "1"):
        return picture.convert("L"), alpha
    if picture.mode in ("RGB", "CMYK", "LAB"):
        return picture, alpha
    return (picture.convert("RGBA") if alpha is not None else picture).convert("RGB"), alpha


def _eight_bits(picture: Pil.Image) -> Pil.Image:
    """Grey of 16 and 32 bits or in floating point as 8 bits: 16 bits go up to 65535, others to 1, 255, 65535 or their own most."""
    if picture.mode.startswith("I;16"):
        return picture.convert("I").point(lambda value: value * (1 / 257)).convert("L")
    most = _most(picture)
    full = 1 if picture.mode == "F" and most <= 1 else 255 if most <= 255 else 65535 if most <= 65535 else most
    return picture.point(lambda value: value * (255 / full)).convert("L")


def _stretched(picture: Pil.Image) -> Pil.Image:
    """The same for a mask: labels as they are, and the largest of other values as 255."""
    whole = picture.convert("I") if picture.mode.startswith("I;16") else picture
    most = _most(whole)
    scale = 1.0 if 1 < most <= 255 or (most == 1 and whole.mode == "I") else 255 / most if most > 0 else 0.0
    return whole.point(lambda value: value * scale).convert("L")


def _most(picture: Pil.Image) -> float:
    return float(picture.getextrema()[1])  # type: ignore[arg-type]


_NCLX = re.compile(rb"colrnclx(..)(..)", re.DOTALL)
_CICP = re.compile(rb"\x00\x00\x00\x04cICP(.)(.)", re.DOTALL)
_HEADERS = 2**16


def _primaries(picture: Pil.Image, data: bytes, form: Format) -> Primaries | None:
    """The colour space that a file names without a profile, or nothing where it is sRGB or none is named."""
    pattern = {"AVIF": _NCLX, "PNG": _CICP}.get(form.code)
    found = pattern.search(data[:_HEADERS]) if pattern else None
    if found is not None:
        return coded(*(int.from_bytes(number, "big") for number in found.groups()))
    if form.code == "PNG":
        return _of_chunks(picture)
    try:
        interop = picture.getexif().get_ifd(ExifTags.IFD.Exif) and picture.getexif().get_ifd(ExifTags.IFD.Interop)
        index = interop.get(1, "") if interop else ""
    except _BROKEN:
        return None
    return ADOBE_RGB if str(index).startswith("R03") else None


def _of_chunks(picture: Pil.Image) -> Primaries | None:
    """By a PNG's gAMA and cHRM."""
    gamma, points = picture.info.get("gamma"), picture.info.get("chromaticity")
    if "srgb" in picture.info or (gamma is None and points is None):
        return None
    exponent = 0.0 if gamma is None or abs(gamma - 1 / 2.2) < 0.01 else 1 / gamma if 0.1 < gamma < 10 else 0.0
    usual = (*SRGB.white, *SRGB.red, *SRGB.green, *SRGB.blue)
    points = tuple(points) if points is not None and len(points) == 8 and min(points[1::2]) > 0.001 else usual
    if max(abs(one - other) for one, other in zip(points, usual, strict=True)) < 0.004:
        return None if exponent == 0.0 else Primaries(SRGB.white, SRGB.red, SRGB.green, SRGB.blue, exponent)
    return Primaries(points[0:2], points[2:4], points[4:6], points[6:8], exponent)


def main(megapixels: float, seconds: int, as_mask: bool) -> None:
    """Decode what comes in, within so many seconds of computing."""
    _forbid(seconds)
    Pil.MAX_IMAGE_PIXELS = max(1, int(megapixels * 1e6))
    out = sys.stdout.buffer
    try:
        done = decoded(sys.stdin.buffer.read(), megapixels, as_mask, _limit_memory)
    except ImageError as error:
        out.write(json.dumps({"error": str(error)}).encode() + b"\n")
        return
    except MemoryError:
        out.write(json.dumps({"error": TOO_MUCH}).encode() + b"\n")
        return
    picture = done.picture
    out.write(json.dumps({"mode": picture.mode, "size": picture.size, "lossy": done.lossy, "note": done.note}).encode() + b"\n")
    for top, bottom in strips(picture.size, len(picture.getbands())):
        out.write(picture.crop((0, top, picture.width, bottom)).tobytes())


def strips(size: tuple[int, int], channels: int) -> list[tuple[int, int]]:
    """First and last row of the pieces in which pixels are handed over."""
    width, height = size
    rows = max(1, _ROWS_BYTES // (channels * width))
    return [(top, min(height, top + rows)) for top in range(0, height, rows)]


def _forbid(seconds: int) -> None:
    """More time than that, and writing any file."""
    with contextlib.suppress(ImportError, OSError, ValueError):
        import resource  # not there on Windows, where the parent's clock alone counts

        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
        resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds + 1))
        resource.setrlimit(resource.RLIMIT_AS, (2**32, 2**32))


def _limit_memory(pixels: int) -> None:
    with contextlib.suppress(ImportError, OSError, ValueError):
        import resource

        most = _BASE_BYTES + _BYTES_A_PIXEL * pixels
        resource.setrlimit(resource.RLIMIT_AS, (most, most))
