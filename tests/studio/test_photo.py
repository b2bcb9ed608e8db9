"""Hostile and awkward photos: the right result or a clear sentence, and nothing already made is lost."""

import struct
import zlib

import numpy as np
import pytest
from PIL import Image as Pil

from engines.core.errors import ImageError
from studio.photo import NO_FACE, overlay, place
from studio.session import Session
from studio.shelf import Desk
from tests.studio.conftest import ASTRONAUT


@pytest.fixture
def desk() -> Desk:
    return Desk(budget=2**20)


@pytest.fixture(scope="module")
def astronaut() -> Pil.Image:
    return Pil.open(ASTRONAUT).convert("RGB")


def bomb() -> bytes:
    """A PNG whose header says 30 000 x 30 000 pixels."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", 30_000, 30_000, 1, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(bytes(3751 * 100))) + chunk(b"IEND", b"")


@pytest.mark.parametrize(("name", "data", "words"), [("text.jpg", b"not a picture at all", "not a picture"), ("empty.png", b"", "empty")])
def test_what_is_no_picture_gets_a_sentence_and_the_desk_stays(
    session: Session, desk: Desk, write, name: str, data: bytes, words: str
) -> None:
    place(session, desk, str(ASTRONAUT))
    photo, target = desk.photo, desk.target
    with pytest.raises(ImageError, match=words):
        place(session, desk, write(name, data))
    assert desk.photo is photo and desk.target is target


def test_a_bomb_is_refused_by_its_header(session: Session, desk: Desk, write) -> None:
    with pytest.raises(ImageError, match="megapixels"):
        place(session, desk, write("bomb.png", bomb()))


def test_an_exif_rotated_photo_is_turned_upright(session: Session, desk: Desk, write, astronaut: Pil.Image) -> None:
    exif = Pil.Exif()
    exif[274] = 6  # the camera lay on its side
    words = place(session, desk, write("turned.jpg", astronaut.rotate(90, expand=True), format="JPEG", exif=exif, quality=95))
    assert "One face" in words
    assert abs(desk.alignment.rotation) < 15


@pytest.mark.parametrize("mode", ["CMYK", "RGBA", "L", "P"])
def test_other_colour_modes_are_read(session: Session, desk: Desk, write, astronaut: Pil.Image, mode: str) -> None:
    kind = "JPEG" if mode == "CMYK" else "PNG"
    assert "One face" in place(session, desk, write(f"photo.{kind.lower()}", astronaut.convert(mode), format=kind))


def test_sixteen_bit_grey_is_scaled_not_clipped(session: Session, desk: Desk, write, astronaut: Pil.Image) -> None:
    grey = np.asarray(astronaut.convert("L"), dtype=np.uint16) * 257
    assert "One face" in place(session, desk, write("grey.png", Pil.fromarray(grey), format="PNG"))
    assert np.asarray(desk.photo).std() > 20


def test_an_animation_gives_its_first_frame(session: Session, desk: Desk, write, astronaut: Pil.Image) -> None:
    frames = [astronaut, Pil.new("RGB", astronaut.size, "red")]
    words = place(session, desk, write("moving.gif", frames[0], format="GIF", save_all=True, append_images=frames[1:]))
    assert "One face" in words


def test_a_tiny_face_comes_with_a_warning_or_the_box(session: Session, desk: Desk, write, astronaut: Pil.Image) -> None:
    scene = Pil.new("RGB", (400, 400), "grey")
    scene.paste(astronaut.crop((160, 0, 320, 220)).resize((29, 40)), (180, 180))
    words = place(session, desk, write("tiny.png", scene, format="PNG"))
    assert words == NO_FACE or "small" in words
    assert desk.target is not None


def test_no_face_places_a_box_and_says_why(session: Session, desk: Desk, write) -> None:
    noise = np.random.default_rng(0).integers(0, 255, (200, 300, 3), dtype=np.uint8)
    assert place(session, desk, write("noise.png", Pil.fromarray(noise), format="PNG")) == NO_FACE
    assert desk.target.shape[-1] == session.generator.resolution
    assert overlay(desk) is not None


def test_five_faces_are_all_offered_the_largest_first(session: Session, desk: Desk, write, astronaut: Pil.Image) -> None:
    scene = Pil.new("RGB", (1500, 700), "grey")
    head = astronaut.crop((120, 0, 330, 260))
    for index, side in enumerate((160, 200, 260, 180, 220)):
        scene.paste(head.resize((side, int(side * 1.24))), (20 + index * 290, 150))
    words = place(session, desk, write("five.png", scene, format="PNG"))
    assert words.startswith("5 faces")
    sides = [face.alignment.side for face in desk.faces]
    assert sides == sorted(sides, reverse=True)
