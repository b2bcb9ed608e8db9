"""Colours as their file means them, as sRGB: by the colour profile or, without one, by the primaries that the file names.

A profile that is broken, huge or made for another kind of picture is ignored, as browsers do.
"""

import io
import struct
from dataclasses import dataclass

from PIL import Image as Pil
from PIL import ImageCms

MOST_PROFILE_BYTES = 4 * 2**20
"""Larger profiles are ignored; those of printing presses have one to three megabytes."""

D65, D50 = (0.3127, 0.3290), (0.34567, 0.35850)

_SPACES = {"RGB": "RGB", "CMYK": "CMYK", "L": "GRAY", "LAB": "Lab"}


@dataclass(frozen=True)
class Primaries:
    """A colour space by its white point, its three primaries (x, y) and its exponent, or sRGB's own curve for 0."""

    white: tuple[float, float]
    red: tuple[float, float]
    green: tuple[float, float]
    blue: tuple[float, float]
    gamma: float = 0.0


_REC709 = ((0.64, 0.33), (0.30, 0.60), (0.15, 0.06))
SRGB = Primaries(D65, *_REC709)
ADOBE_RGB = Primaries(D65, (0.64, 0.33), (0.21, 0.71), (0.15, 0.06), 563 / 256)
DISPLAY_P3 = Primaries(D65, (0.680, 0.320), (0.265, 0.690), (0.150, 0.060))
REC2020 = Primaries(D65, (0.708, 0.292), (0.170, 0.797), (0.131, 0.046))

CODED = {1: SRGB, 9: REC2020, 12: DISPLAY_P3}
"""Primaries by their number in ITU-T H.273, as PNG (cICP) and AVIF (nclx) give them."""

_CURVES = {4: 2.2, 5: 2.8, 8: 1.0, 13: 0.0}
"""Exponents by the number of the transfer function there; broadcast curves are shown like sRGB's, and HDR is left as it is."""


def coded(primaries: int, transfer: int) -> Primaries | None:
    """The colour space of two numbers of H.273, or nothing where they say sRGB, or what cannot be followed."""
    base, curve = CODED.get(primaries), _CURVES.get(transfer, 0.0)
    if base is None or transfer in (16, 18) or (base is SRGB and curve == 0.0):
        return None
    return Primaries(base.white, base.red, base.green, base.blue, curve)


def to_srgb(picture: Pil.Image, profile: bytes | None, primaries: Primaries | None) -> Pil.Image:
    """The picture in RGB as sRGB.

    Args:
        picture: In mode RGB, L, CMYK or LAB.
        profile: Its ICC profile; it goes before `primaries`.
        primaries: Its colour space by other means.
    """
    if picture.mode == "LAB":
        return _converted(picture, _lab()) or picture.convert("RGB")
    if profile and len(profile) <= MOST_PROFILE_BYTES:
        source = _opened(profile)
        if source is not None:
            return _converted(picture, source) or picture.convert("RGB")
    if primaries is not None and picture.mode in ("RGB", "L"):
        from engines.core.profiles import profile_of  # with numpy, which few pictures need and which takes its time to load

        try:
            source = _opened(profile_of(primaries))
        except (ValueError, ArithmeticError, struct.error):  # primaries that span no colours
            source = None
        if source is not None:
            return _converted(picture.convert("RGB"), source) or picture.convert("RGB")
    return picture.convert("RGB")


def _lab() -> ImageCms.ImageCmsProfile:
    return ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB"))


def _opened(profile: bytes) -> ImageCms.ImageCmsProfile | None:
    try:
        return ImageCms.ImageCmsProfile(io.BytesIO(profile))
    except (OSError, ValueError, TypeError):
        return None


def _converted(picture: Pil.Image, source: ImageCms.ImageCmsProfile) -> Pil.Image | None:
    """By one profile, or nothing where it does not fit the picture."""
    space = str(source.profile.xcolor_space).strip()
    if space == "RGB" and picture.mode == "L":
        picture = picture.convert("RGB")
    if _SPACES.get(picture.mode) != space:
        return None
    if space == "RGB" and "srgb" in str(source.profile.profile_description or "").lower():
        return picture
    try:
        change = ImageCms.buildTransform(
            source,
            ImageCms.createProfile("sRGB"),
            picture.mode,
            "RGB",
            ImageCms.Intent.RELATIVE_COLORIMETRIC,
            ImageCms.Flags.BLACKPOINTCOMPENSATION,
        )
        return ImageCms.applyTransform(picture, change)
    except (ImageCms.PyCMSError, OSError, ValueError, TypeError):
        return None
