import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image as Pictures

from engines.core.errors import FaceError, ImageError
from engines.faces import Alignment, align, alignment_from_box, ffhq_quad, paste_back
from engines.faces.identity import ALIGNED_POINTS
from tests.engines.faces.pictures import GENERATED, astronaut, astronaut_face, generated, generated_face

FACE = np.array([[203.4, 101.9], [247.0, 104.0], [223.5, 141.0]])


@pytest.mark.parametrize("number", GENERATED)
def test_aligned_pictures_align_to_themselves(number: int) -> None:
    alignment = generated_face(number).alignment
    assert alignment.centre == pytest.approx((128, 128), abs=3)
    assert alignment.side == pytest.approx(256, rel=0.05)
    assert abs(alignment.rotation) < 2


def test_size_and_place_hold_on_average() -> None:
    alignments = [generated_face(number).alignment for number in GENERATED]
    assert np.mean([alignment.side for alignment in alignments]) == pytest.approx(256, rel=0.015)
    assert np.mean([alignment.centre for alignment in alignments], axis=0) == pytest.approx([128, 128], abs=1.5)


@given(st.floats(-500, 500), st.floats(-500, 500), st.floats(0.1, 20), st.floats(-np.pi, np.pi), st.floats(-8, 8), st.floats(-8, 8))
@settings(deadline=None, max_examples=60)
def test_the_square_follows_shift_scale_and_turn(x: float, y: float, scale: float, angle: float, dx: float, dy: float) -> None:
    face = FACE + np.array([[0, 0], [0, 0], [dx, dy]])
    turn = scale * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    moved = ffhq_quad(*(face @ turn.T + (x, y)))
    np.testing.assert_allclose(moved, ffhq_quad(*face) @ turn.T + (x, y), atol=1e-8 * (1000 + 500 * scale))


def test_the_square_of_a_level_face_by_hand() -> None:
    quad = ffhq_quad(np.array([40.0, 50.0]), np.array([60.0, 50.0]), np.array([50.0, 75.0]))
    half = 1.8 * 25  # the eye-to-mouth distance counts: 1.8 * 25 > 2 * 20
    np.testing.assert_allclose(
        quad, [[50 - half, 52.5 - half], [50 - half, 52.5 + half], [50 + half, 52.5 + half], [50 + half, 52.5 - half]]
    )


def test_coinciding_points_are_refused() -> None:
    with pytest.raises(FaceError, match="by hand"):
        ffhq_quad(np.zeros(2), np.zeros(2), np.zeros(2))


def test_the_aligned_astronaut_looks_level() -> None:
    face = astronaut_face()
    axes = (face.alignment.corners[[3, 1]] - face.alignment.corners[0]) / face.alignment.side**2
    local = (face.landmarks.five - face.alignment.corners[0]) @ axes.T
    assert np.abs(local - np.array(ALIGNED_POINTS)).max() < 0.05
    assert align(astronaut(), face.alignment, 256).size == (256, 256)


def test_an_upright_box_is_a_plain_crop() -> None:
    alignment = alignment_from_box((256, 256), 0.5, 0.5, 0.5)
    assert alignment.quad == ((64, 64), (64, 192), (192, 192), (192, 64))
    cropped = np.array(generated(1).crop((64, 64, 192, 192)))
    np.testing.assert_array_equal(np.array(align(generated(1), alignment, 128)), cropped)


def test_a_quarter_turn_of_the_box_turns_the_picture() -> None:
    alignment = alignment_from_box((256, 256), 0.5, 0.5, 1.0, rotation=90)
    turned = np.array(generated(1).rotate(90)).astype(int)
    assert np.abs(np.array(align(generated(1), alignment, 256)) - turned).mean() < 1


def test_a_large_reduction_does_not_alias() -> None:
    stripes = Pictures.fromarray(np.tile(np.array([0, 255], np.uint8), (1024, 512))[..., None].repeat(3, 2))
    small = np.array(align(stripes, alignment_from_box((1024, 1024), 0.5, 0.5, 0.9, rotation=3), 100)).astype(int)
    assert np.abs(small - 127.5).max() < 16  # an odd number of stripes in a pixel leaves one in nine


def test_beyond_the_border_the_picture_is_mirrored_and_fades_to_its_median() -> None:
    alignment = alignment_from_box((256, 256), 0.5, 0.5, 2.0)
    whole = np.array(align(generated(2), alignment, 512)).astype(int)
    np.testing.assert_array_equal(whole[128:384, 128:384], np.array(generated(2)))  # the photo's own pixels stay
    assert np.abs(whole[126:130, 200:300].astype(int) - whole[128, 200:300]).mean() < 25  # no seam at its border
    assert whole[:2].std(axis=(0, 1)).max() < 5  # plain at the far end


@pytest.mark.parametrize("box", [(0.0, 0.0, 0.3), (1.0, 0.5, 4.0), (0.5, 0.5, 0.01)])
def test_boxes_at_the_edge_give_a_picture(box: tuple[float, float, float]) -> None:
    photo = astronaut().resize((96, 48))
    alignment = alignment_from_box(photo.size, *box)
    assert align(photo, alignment, 64).size == (64, 64)
    assert paste_back(photo, Pictures.new("RGB", (64, 64)), alignment).size == photo.size


@pytest.mark.parametrize("box", [(-0.1, 0.5, 0.5), (0.5, 1.1, 0.5), (0.5, 0.5, 0.0), (0.5, 0.5, 9.0), (0.5, 0.5, 0.5, float("nan"))])
def test_impossible_boxes_are_refused_in_words(box: tuple[float, ...]) -> None:
    with pytest.raises(ImageError, match="Move or resize it"):
        alignment_from_box((100, 100), *box)


def _inside(alignment: Alignment, size: tuple[int, int], margin: float) -> np.ndarray:
    """Pixels (h, w) whose centre lies inside the square, `margin` pixels from its sides (outside it, where negative)."""
    corners, side = alignment.corners, alignment.side
    x, y = np.meshgrid(np.arange(size[0]) + 0.5, np.arange(size[1]) + 0.5)
    local = np.stack([x, y], -1) - corners[0]
    across, down = local @ (corners[3] - corners[0]) / side, local @ (corners[1] - corners[0]) / side
    inside: np.ndarray = np.minimum.reduce([across, down, side - across, side - down]) > margin
    return inside


def test_pasting_back_unchanged_changes_nothing_to_speak_of() -> None:
    alignment = astronaut_face().alignment
    back = paste_back(astronaut(), align(astronaut(), alignment), alignment)
    change = np.abs(np.array(back).astype(int) - np.array(astronaut()))
    inside = _inside(alignment, astronaut().size, 0)
    assert change[~inside].max() == 0
    assert change[inside].mean() < 2
    assert np.percentile(change[inside], 99) < 12


def test_an_edit_arrives_inside_and_fades_at_the_edge() -> None:
    alignment = astronaut_face().alignment
    red = Pictures.new("RGB", (1024, 1024), (255, 0, 0))
    back = np.array(paste_back(astronaut(), red, alignment, feather=0.2)).astype(int)
    inner = _inside(alignment, astronaut().size, 0.2 * alignment.side + 1)
    assert inner.sum() > 0.3 * alignment.side**2
    assert (np.abs(back[inner] - (255, 0, 0)) <= 2).all()
    rim = _inside(alignment, astronaut().size, 0) & ~_inside(alignment, astronaut().size, 1.5)
    assert np.abs(back - np.array(astronaut()))[rim].max() < 4


def test_what_lies_outside_the_photo_is_dropped() -> None:
    photo = astronaut().crop((170, 60, 300, 190))
    alignment = alignment_from_box(photo.size, 0.4, 0.4, 1.5, rotation=10)
    back = paste_back(photo, align(photo, alignment, 512), alignment)
    assert back.size == photo.size
    assert np.abs(np.array(back).astype(int) - np.array(photo)).mean() < 3


def test_the_wrong_photo_or_result_is_refused_in_words() -> None:
    alignment = astronaut_face().alignment
    with pytest.raises(ImageError, match="256 x 256 but the alignment was made for 512 x 512"):
        align(generated(1), alignment)
    with pytest.raises(ImageError, match="must be square"):
        paste_back(astronaut(), Pictures.new("RGB", (8, 9)), alignment)
    with pytest.raises(ImageError, match="feather"):
        paste_back(astronaut(), generated(1), alignment, feather=0.0)
