"""A picture looks the same whatever colour space its file uses."""

import io
import struct
import zlib
from dataclasses import astuple

import numpy as np
import pytest
from PIL import Image as Pil
from PIL import ImageCms

from engines.core.colour import ADOBE_RGB, DISPLAY_P3, REC2020, SRGB, Primaries, coded, to_srgb
from engines.core.images import read_image
from engines.core.profiles import profile_of
from tests.engines.core.test_images import encoded
from tests.engines.faces.pictures import generated

PROPHOTO = Primaries((0.34567, 0.35850), (0.7347, 0.2653), (0.1596, 0.8404), (0.0366, 0.0001), 1.8)
SPACES = {"Adobe RGB": ADOBE_RGB, "Display P3": DISPLAY_P3, "ProPhoto": PROPHOTO, "Rec. 2020": REC2020}


def in_space(picture: Pil.Image, profile: bytes) -> Pil.Image:
    """The numbers that show the same picture in another colour space."""
    return ImageCms.profileToProfile(picture, ImageCms.createProfile("sRGB"), ImageCms.ImageCmsProfile(io.BytesIO(profile)))


def apart(one: Pil.Image, other: Pil.Image) -> float:
    return float(np.abs(np.asarray(one, float) - np.asarray(other, float)).mean())


@pytest.mark.parametrize("name", SPACES)
@pytest.mark.parametrize("form", ["JPEG", "PNG"])
def test_a_face_looks_the_same_in_every_colour_space(name: str, form: str) -> None:
    face, profile = generated(1), profile_of(SPACES[name])
    moved = in_space(face, profile)
    options = {"quality": 95} if form == "JPEG" else {}
    read = read_image(encoded(moved, form, icc_profile=profile, **options))
    plain = read_image(encoded(face, form, **options))
    assert apart(moved, face) > 2  # so that something is there to be converted
    assert apart(read, plain) < (2.5 if name == "ProPhoto" else 1.2)  # 8 bits are few for so wide a space


def test_srgb_and_no_profile_change_nothing() -> None:
    face, profile = generated(2), ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    assert apart(read_image(encoded(face, "PNG", icc_profile=profile)), face) == 0
    assert apart(read_image(encoded(face, "PNG")), face) == 0


@pytest.mark.parametrize(
    "profile",
    [b"", b"no profile", bytes(5000), profile_of(ADOBE_RGB)[:200], bytes(5 * 2**20)],
    ids=["empty", "text", "zeros", "cut", "huge"],
)
def test_a_broken_or_huge_profile_is_ignored(profile: bytes) -> None:
    face = generated(2)
    assert apart(to_srgb(face, profile, None), face) == 0


def test_a_profile_of_another_kind_of_picture_is_ignored() -> None:
    lab = ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB")).tobytes()
    assert apart(to_srgb(generated(3), lab, None), generated(3)) == 0


def test_grey_follows_a_profile_in_colour() -> None:
    grey = generated(1).convert("L")
    read = read_image(encoded(grey, "PNG", icc_profile=profile_of(PROPHOTO)))
    assert apart(read, grey.convert("RGB")) > 3
    assert np.ptp(np.asarray(read, int), axis=2).max() <= 2


def test_lab_is_read_as_what_it_shows() -> None:
    face = generated(1)
    lab = ImageCms.profileToProfile(face, ImageCms.createProfile("sRGB"), ImageCms.createProfile("LAB"), outputMode="LAB")
    assert apart(read_image(encoded(lab, "TIFF")), face) < 3


def test_transparency_survives_the_conversion() -> None:
    face = in_space(generated(1), profile_of(DISPLAY_P3)).convert("RGBA")
    face.putalpha(Pil.new("L", face.size, 255))
    face.paste((0, 0, 0, 0), (0, 0, 40, 40))
    read = read_image(encoded(face, "PNG", icc_profile=profile_of(DISPLAY_P3)))
    assert (np.asarray(read)[:40, :40] == 255).all()
    assert apart(read.crop((64, 64, 256, 256)), generated(1).crop((64, 64, 256, 256))) < 1.2


def chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def with_chunks(picture: Pil.Image, *chunks: bytes) -> bytes:
    data = encoded(picture, "PNG")
    return data[:33] + b"".join(chunks) + data[33:]


def test_the_colour_space_that_a_png_names_counts() -> None:
    face = generated(1)
    p3 = in_space(face, profile_of(DISPLAY_P3))
    assert apart(read_image(with_chunks(p3, chunk(b"cICP", bytes([12, 13, 0, 1])))), face) < 1.2
    points = [round(100_000 * value) for point in astuple(ADOBE_RGB)[:4] for value in point]
    adobe = in_space(face, profile_of(ADOBE_RGB))
    named = with_chunks(adobe, chunk(b"gAMA", struct.pack(">I", 45_455)), chunk(b"cHRM", struct.pack(">8I", *points)))
    assert apart(read_image(named), face) < 2
    usual = with_chunks(face, chunk(b"gAMA", struct.pack(">I", 45_455)), chunk(b"sRGB", b"\0"))
    assert apart(read_image(usual), face) == 0


@pytest.mark.parametrize("points", [[0] * 8, [2**31 - 1] * 8, [31_270, 32_900] * 4])
def test_senseless_primaries_are_no_crash(points: list[int]) -> None:
    read_image(with_chunks(generated(1), chunk(b"gAMA", struct.pack(">I", 1)), chunk(b"cHRM", struct.pack(">8I", *points))))


def test_a_camera_in_adobe_rgb_says_so_in_its_exif() -> None:
    exif = Pil.Exif()
    exif.get_ifd(0x8769)[0xA005] = {1: "R03"}
    adobe = in_space(generated(1), profile_of(ADOBE_RGB))
    read = read_image(encoded(adobe, "JPEG", exif=exif, quality=95))
    assert apart(read, generated(1)) < apart(adobe, generated(1)) / 1.5


def test_numbers_that_say_srgb_or_light_beyond_white_ask_for_no_conversion() -> None:
    assert coded(1, 13) is None and coded(9, 16) is None and coded(2, 2) is None
    assert coded(12, 13) == DISPLAY_P3
    assert SRGB.gamma == 0


def shown(space: Primaries, colour: tuple[int, int, int]) -> list[int]:
    return list(to_srgb(Pil.new("RGB", (4, 4), colour), profile_of(space), None).getpixel((0, 0)))


def coded_light(light: float) -> float:
    """The curve of IEC 61966-2-1, from light to a value up to 255."""
    return 255 * (12.92 * light if light <= 0.0031308 else 1.055 * light ** (1 / 2.4) - 0.055)


@pytest.mark.parametrize("value", [8, 60, 128, 220])
def test_greys_keep_their_light(value: int) -> None:
    """Display P3 has the curve of sRGB; Adobe RGB (1998) an exponent of 563/256."""
    assert shown(DISPLAY_P3, (value,) * 3) == pytest.approx([value] * 3, abs=1)
    assert shown(ADOBE_RGB, (value,) * 3) == pytest.approx([coded_light((value / 255) ** (563 / 256))] * 3, abs=1)


def test_a_colour_of_display_p3_is_the_published_matrixs() -> None:
    """From linear Display P3 to linear sRGB, both white at D65 (CSS Color 4, sample code)."""
    matrix = np.array([[1.2249402, -0.2249402, 0.0], [-0.0420570, 1.0420570, 0.0], [-0.0196376, -0.0786361, 1.0982736]])
    values = np.array([150, 110, 90]) / 255
    light = matrix @ ((values + 0.055) / 1.055) ** 2.4
    assert shown(DISPLAY_P3, (150, 110, 90)) == pytest.approx([coded_light(part) for part in light], abs=1)
