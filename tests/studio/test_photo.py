"""Hostile and awkward photos: the right result or a clear sentence, and nothing already made is lost."""

import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image as Pil

from engines.core.errors import FaceError, ImageError
from engines.faces import alignment_from_box, pick_face
from studio.services.photo_pipeline import (
    BOX,
    NO_FACE,
    aligned,
    aligned_face,
    box_of,
    face_number,
    face_setting,
    forget,
    inverting,
    overlay,
    place,
    uploaded_face,
    use,
)
from studio.state.holding import held_bytes
from studio.state.session import Session
from studio.state.visitor import Visitor
from tests.studio.conftest import ASTRONAUT


@pytest.fixture
def visitor() -> Visitor:
    return Visitor(budget=2**20)


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
    session: Session, visitor: Visitor, write, name: str, data: bytes, words: str
) -> None:
    place(session, visitor, str(ASTRONAUT))
    photo, target = visitor.photo, visitor.target
    with pytest.raises(ImageError, match=words):
        place(session, visitor, write(name, data))
    assert visitor.photo is photo and torch.equal(visitor.target, target)


def test_a_bomb_is_refused_by_its_header(session: Session, visitor: Visitor, write) -> None:
    with pytest.raises(ImageError, match="megapixels"):
        place(session, visitor, write("bomb.png", bomb()))


def test_an_exif_rotated_photo_is_turned_upright(session: Session, visitor: Visitor, write, astronaut: Pil.Image) -> None:
    exif = Pil.Exif()
    exif[274] = 6  # the camera lay on its side
    words = place(session, visitor, write("turned.jpg", astronaut.rotate(90, expand=True), format="JPEG", exif=exif, quality=95))
    assert "One face" in words
    assert abs(visitor.alignment.rotation) < 15


@pytest.mark.parametrize("mode", ["CMYK", "RGBA", "L", "P"])
def test_other_colour_modes_are_read(session: Session, visitor: Visitor, write, astronaut: Pil.Image, mode: str) -> None:
    kind = "JPEG" if mode == "CMYK" else "PNG"
    assert "One face" in place(session, visitor, write(f"photo.{kind.lower()}", astronaut.convert(mode), format=kind))


def test_sixteen_bit_grey_is_scaled_not_clipped(session: Session, visitor: Visitor, write, astronaut: Pil.Image) -> None:
    grey = np.asarray(astronaut.convert("L"), dtype=np.uint16) * 257
    assert "One face" in place(session, visitor, write("grey.png", Pil.fromarray(grey), format="PNG"))
    assert np.asarray(visitor.photo).std() > 20


def test_an_animation_gives_its_first_frame(session: Session, visitor: Visitor, write, astronaut: Pil.Image) -> None:
    frames = [astronaut, Pil.new("RGB", astronaut.size, "red")]
    words = place(session, visitor, write("moving.gif", frames[0], format="GIF", save_all=True, append_images=frames[1:]))
    assert "One face" in words


def test_a_tiny_face_comes_with_a_warning_or_the_box(session: Session, visitor: Visitor, write, astronaut: Pil.Image) -> None:
    scene = Pil.new("RGB", (400, 400), "grey")
    scene.paste(astronaut.crop((160, 0, 320, 220)).resize((29, 40)), (180, 180))
    words = place(session, visitor, write("tiny.png", scene, format="PNG"))
    assert words == NO_FACE or "small" in words
    assert visitor.target is not None


def test_without_a_face_a_box_is_proposed_and_nothing_is_aligned_until_a_person_placed_it(
    session: Session, visitor: Visitor, write
) -> None:
    noise = np.random.default_rng(0).integers(0, 255, (200, 300, 3), dtype=np.uint8)
    place(session, visitor, str(ASTRONAUT))
    assert place(session, visitor, write("noise.png", Pil.fromarray(noise), format="PNG")).startswith(NO_FACE)
    assert overlay(visitor) is not None and box_of(visitor) == BOX
    assert visitor.target is None and aligned(visitor) is None
    with pytest.raises(FaceError, match="its box was not placed yet"):
        aligned_face(visitor)
    use(session, visitor, visitor.alignment)
    assert aligned_face(visitor).shape[-1] == session.generator.resolution


def test_a_photo_that_was_forgotten_leaves_nothing_to_invert(session: Session, visitor: Visitor) -> None:
    place(session, visitor, str(ASTRONAUT))
    assert pick_face(visitor.faces, face_number("Face 1")).alignment is visitor.alignment
    kept = visitor.results.inverted = object()
    forget(visitor)
    assert (visitor.photo, visitor.faces, visitor.alignment, visitor.target) == (None, (), None, None) and visitor.results.inverted is kept
    with pytest.raises(FaceError, match="Choose a photo"):
        aligned_face(visitor)
    with pytest.raises(FaceError, match="Choose a photo"):
        next(inverting(session, visitor, session.default_inversion, session.default_inversion.knob_set()))
    for name in (None, "", "Face 1", "Face 0", "Face ²", "Face -1", "nonsense"):
        with pytest.raises(FaceError):
            pick_face(visitor.faces, face_number(name))


def test_the_box_by_hand_begins_where_the_face_was_found(session: Session, visitor: Visitor) -> None:
    place(session, visitor, str(ASTRONAUT))
    found = visitor.alignment
    use(session, visitor, alignment_from_box(visitor.photo.size, *box_of(visitor)))
    assert visitor.alignment.centre == pytest.approx(found.centre, abs=0.01 * max(visitor.photo.size))
    assert visitor.alignment.side == pytest.approx(found.side, rel=0.02)


def test_five_faces_are_all_offered_the_largest_first(session: Session, visitor: Visitor, write, astronaut: Pil.Image) -> None:
    scene = Pil.new("RGB", (1500, 700), "grey")
    head = astronaut.crop((120, 0, 330, 260))
    for index, side in enumerate((160, 200, 260, 180, 220)):
        scene.paste(head.resize((side, int(side * 1.24))), (20 + index * 290, 150))
    words = place(session, visitor, write("five.png", scene, format="PNG"))
    assert words.startswith("5 faces")
    sides = [face.alignment.side for face in visitor.faces]
    assert sides == sorted(sides, reverse=True)


def test_a_large_photo_is_kept_smaller_and_says_so(session: Session, visitor: Visitor, write, astronaut: Pil.Image) -> None:
    words = place(session, visitor, write("large.jpg", astronaut.resize((3000, 3000)), format="JPEG"))
    assert visitor.photo.width < 600 and f"kept at {visitor.photo.width} x {visitor.photo.height} pixels" in words
    assert visitor.alignment.picture_size == visitor.photo.size == visitor.faces[0].alignment.picture_size
    assert visitor.target.shape[-1] == session.generator.resolution
    assert overlay(visitor) is not None
    assert 0 < held_bytes(visitor) < 2 * 2**20


def test_a_flat_file_of_many_pixels_is_not_kept_as_large(session: Session, visitor: Visitor, write) -> None:
    place(session, visitor, write("flat.png", Pil.new("RGB", (5000, 5000)), format="PNG"))
    assert held_bytes(visitor) < 2**20


def test_a_photo_without_its_tail_comes_with_a_note(session: Session, visitor: Visitor, write, astronaut: Pil.Image) -> None:
    whole = Path(write("whole.jpg", astronaut, format="JPEG", quality=95)).read_bytes()
    words = place(session, visitor, write("cut.jpg", whole[:-200]))
    assert words.startswith("One face") and "end of the file is missing" in words


def test_the_largest_face_of_an_upload_is_taken_where_it_dominates(session: Session, write, astronaut: Pil.Image) -> None:
    scene, head = Pil.new("RGB", (700, 400), "grey"), astronaut.crop((120, 0, 330, 260))
    scene.paste(head, (20, 20))
    scene.paste(head.resize((70, 87)), (500, 60))
    clear = write("clear.png", scene, format="PNG")
    found = uploaded_face(session, clear)
    assert found.faces == 2 and "clearly larger" in found.words
    assert uploaded_face(session, clear, 2).picture.tobytes() != found.picture.tobytes()
    scene.paste(head.resize((190, 236)), (440, 60))
    with pytest.raises(FaceError, match="2 faces were found"):
        uploaded_face(session, write("pair.png", scene, format="PNG"))


@pytest.mark.parametrize(("given", "wanted"), [({}, None), ({"face": 2}, 2), ({"face": 1.0}, 1), ({"face": None}, None)])
def test_the_number_of_a_face_is_taken_out_of_settings(given: dict, wanted: int | None) -> None:
    assert face_setting(given) == wanted and not given


@pytest.mark.parametrize("number", [0, -1, 1.5, "2", True, [1], float("nan"), float("inf")])
def test_what_is_no_number_of_a_face_is_refused(number: object) -> None:
    with pytest.raises(FaceError, match="number of a face"):
        face_setting({"face": number})


@pytest.mark.parametrize("name", ["Face 0", "Face", "nobody", "Face -1", "Face 1.5"])
def test_a_choice_that_is_none_is_refused(name: str) -> None:
    with pytest.raises(FaceError, match="no longer there"):
        face_number(name)
