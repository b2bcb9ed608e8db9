import numpy as np
import pytest
from PIL import Image as Pictures
from PIL import ImageDraw

from engines.core.errors import FaceError, ImageError
from engines.faces import align, alignment_from_box, draw_overlay, find_faces, pick_face, reduced, told
from tests.engines.faces.pictures import GENERATED, astronaut, astronaut_face, generated, generated_face


def test_astronaut_is_found_where_she_is() -> None:
    face = astronaut_face()
    assert face.detection.centre == pytest.approx((223, 118), abs=6)
    assert face.landmarks.left_eye == pytest.approx([203.4, 101.9], abs=2)  # her eyes and mouth corners, marked by hand
    assert face.landmarks.right_eye == pytest.approx([247, 104], abs=2)
    assert face.landmarks.mouth == pytest.approx([223.5, 141], abs=3)
    assert face.landmarks.presence > 0.99
    assert face.warning == ""


def test_points_lie_in_the_order_of_a_face() -> None:
    five = astronaut_face().landmarks.five
    assert five[0, 0] < five[2, 0] < five[1, 0]
    assert five[:2, 1].max() < five[2, 1] < five[3:, 1].min()


@pytest.mark.parametrize("turn", [-90, -30, 30, 90])
def test_a_turned_head_keeps_size_and_shows_its_turn(turn: int) -> None:
    turned = find_faces(astronaut().rotate(-turn, expand=True, resample=Pictures.Resampling.BICUBIC))[0].alignment
    upright = astronaut_face().alignment
    assert turned.side == pytest.approx(upright.side, rel=0.05)
    assert turned.rotation - upright.rotation == pytest.approx(turn, abs=3)


def test_noise_holds_no_face() -> None:
    noise = np.random.default_rng(0).integers(0, 256, (256, 256, 3), dtype=np.uint8)
    assert find_faces(Pictures.fromarray(noise)) == ()


def test_a_collage_gives_every_face_largest_first() -> None:
    collage = Pictures.new("RGB", (640, 420), (90, 110, 130))
    places = {1: (10, 10, 110), 2: (150, 10, 256), 3: (430, 20, 180), 4: (20, 280, 90)}
    for number, (x, y, size) in places.items():
        collage.paste(generated(number).resize((size, size)), (x, y))
    faces = find_faces(collage)
    wanted = [places[number] for number in (2, 3, 1, 4)]
    assert len(faces) == len(wanted)
    for face, (x, y, size) in zip(faces, wanted, strict=True):
        assert face.alignment.centre == pytest.approx((x + size / 2, y + size / 2), abs=0.05 * size)
    assert [face.warning for face in faces] == [""] * 4


def test_a_small_face_in_a_large_picture_is_found_with_a_warning() -> None:
    photo = Pictures.new("RGB", (900, 700), (90, 110, 130))
    photo.paste(generated(3).resize((44, 44), Pictures.Resampling.LANCZOS), (600, 300))
    (face,) = find_faces(photo)
    assert face.alignment.centre == pytest.approx((622, 322), abs=3)
    assert "small" in face.warning and "larger" in face.warning


@pytest.mark.parametrize("mode", ["L", "RGBA", "CMYK"])
def test_any_mode_is_taken(mode: str) -> None:
    assert len(find_faces(generated(3).convert(mode))) == 1


def test_choosing_a_face_says_what_is_wrong() -> None:
    with pytest.raises(FaceError, match="No face was found"):
        pick_face(())
    with pytest.raises(FaceError, match="Face 3 was asked for, but the picture has 1"):
        pick_face((astronaut_face(),), 3)
    with pytest.raises(FaceError, match="Face 0 was asked for"):
        pick_face((astronaut_face(),), 0)


def two(size: int) -> Pictures.Image:
    both = Pictures.new("RGB", (512, 256))
    both.paste(generated(1), (0, 0))
    both.paste(generated(3).resize((size, size), Pictures.Resampling.LANCZOS), (256, 0))
    return both


def test_of_two_faces_of_about_one_size_one_must_be_chosen() -> None:
    faces = find_faces(two(220))
    with pytest.raises(FaceError, match=r"2 faces were found.*from 1 \(the largest\) to 2.*--face"):
        pick_face(faces)
    assert pick_face(faces, 1) is faces[0] and pick_face(faces, 2) is faces[1]
    assert "of about one size" in told(faces) and "face 2 is aligned" in told(faces, 2)


def test_a_face_that_clearly_dominates_is_meant() -> None:
    faces = find_faces(two(90))
    assert len(faces) == 2 and pick_face(faces) is faces[0] and pick_face(faces, 2) is faces[1]
    assert "clearly larger" in told(faces)
    assert told(faces[:1]) == "One face found and aligned." and told(()) == ""


def test_of_a_crowd_the_largest_are_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("engines.faces.find.MOST_FACES", 2)
    collage = Pictures.new("RGB", (640, 300), (90, 110, 130))
    for number, (x, size) in {1: (0, 110), 2: (130, 256), 3: (430, 180)}.items():
        collage.paste(generated(number).resize((size, size)), (x, 10))
    faces = find_faces(collage)
    assert [round(face.alignment.centre[0] / 10) for face in faces] == [26, 52]
    assert "at most 2" in told(faces)
    assert len(find_faces(collage, seconds=0)) == 1


@pytest.mark.parametrize("side", [64, 100])
def test_a_photo_is_kept_as_large_as_its_faces_need(side: int) -> None:
    photo = astronaut().resize((2048, 2048), Pictures.Resampling.BICUBIC)
    faces = find_faces(photo)
    smaller, (face,) = reduced(photo, faces, side)
    assert face.alignment.side == pytest.approx(side, rel=0.02)
    assert face.alignment.picture_size == smaller.size
    direct, indirect = (np.asarray(align(picture, one.alignment, side), float) for picture, one in ((photo, faces[0]), (smaller, face)))
    assert np.abs(direct - indirect).mean() < 4
    share = smaller.width / photo.width
    assert face.detection.centre == pytest.approx(np.multiply(faces[0].detection.centre, share), abs=1)
    assert face.landmarks.eye_distance == pytest.approx(faces[0].landmarks.eye_distance * share, rel=0.02)


def test_a_photo_is_never_enlarged_and_a_large_one_without_faces_is_reduced() -> None:
    assert reduced(astronaut(), find_faces(astronaut()), 4096)[0].size == (512, 512)
    assert reduced(Pictures.new("RGB", (5000, 4000)), (), 1024)[0].size == (2560, 2048)
    width, height = reduced(Pictures.new("RGB", (6000, 4000)), (), 10_000)[0].size
    assert 11.9e6 < width * height <= 12e6


@pytest.mark.parametrize("size", [(1, 1), (15, 300)])
def test_tiny_pictures_are_refused_in_words(size: tuple[int, int]) -> None:
    with pytest.raises(ImageError, match="at least 16"):
        find_faces(Pictures.new("RGB", size))


def test_the_smallest_picture_allowed_has_no_face() -> None:
    assert find_faces(Pictures.new("RGB", (16, 16))) == ()


@pytest.mark.parametrize("by_hand", [False, True])
def test_overlay_marks_the_square_in_use_and_leaves_the_photo(by_hand: bool) -> None:
    photo = astronaut().copy()
    alignment = alignment_from_box(photo.size, 0.5, 0.5, 0.9, 10) if by_hand else astronaut_face().alignment
    drawn = draw_overlay(photo, [astronaut_face()], alignment)
    assert photo.tobytes() == astronaut().tobytes()
    changed = np.argwhere((np.array(drawn) != np.array(photo)).any(2))
    quad = np.clip(alignment.corners, 0, 511)
    assert drawn.size == photo.size
    assert changed.min(0) == pytest.approx(quad[:, ::-1].min(0), abs=4)
    assert changed.max(0) == pytest.approx(quad[:, ::-1].max(0), abs=4)


def test_generated_faces_have_the_landmarks_of_an_aligned_picture() -> None:
    eyes = np.stack([(generated_face(number).landmarks.five / 256)[:2] for number in GENERATED])
    assert np.abs(eyes.mean(0) - [[0.374, 0.473], [0.625, 0.473]]).max() < 0.01


def test_a_drawn_circle_is_no_face() -> None:
    picture = Pictures.new("RGB", (200, 200), "white")
    ImageDraw.Draw(picture).ellipse((40, 30, 160, 180), fill=(230, 190, 160))
    assert find_faces(picture) == ()
