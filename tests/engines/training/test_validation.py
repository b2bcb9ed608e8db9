from pathlib import Path

import pytest
import torch

from engines.generators import FfhqGenerator
from engines.training.validation import HeldOut


@pytest.fixture(scope="module")
def held_out(toy: FfhqGenerator, tmp_path_factory: pytest.TempPathFactory) -> HeldOut:
    return HeldOut(toy, tmp_path_factory.mktemp("samples"), size=32, count=8)


def knows_all(held_out: HeldOut):
    """An encoder that cheats: it answers with the true codes, in order."""
    place = 0

    def encode(picture: torch.Tensor) -> torch.Tensor:
        nonlocal place
        place += len(picture)
        return held_out.codes[place - len(picture) : place]

    return encode


def test_the_true_codes_have_no_error(held_out: HeldOut) -> None:
    figures = held_out.latent(knows_all(held_out))
    assert set(figures) > {"latent", "distance", "distance_error", "distance_coarse", "distance_middle", "distance_fine"}
    assert all(value == 0 for value in figures.values())


def test_the_true_codes_draw_the_pictures(held_out: HeldOut) -> None:
    quick = held_out.quick_pictures(knows_all(held_out), 8)
    assert quick["lpips"] < held_out.quick_pictures(held_out.average, 8)["lpips"]


def test_the_average_face_is_about_two_thirds_of_a_deviation_off(held_out: HeldOut) -> None:
    """Truncation between a half and one leaves a root mean square of 0.76 deviations; the mean of roots lies below it."""
    figures = held_out.latent(held_out.average)
    assert 0.5 < figures["distance"] < 0.9
    assert figures["distance_error"] > 0
    single, mixed = figures["distance_single"], figures["distance_mixed"]
    assert figures["distance"] == pytest.approx((single + mixed) / 2, abs=1e-5)


def test_the_network_sees_its_own_size(held_out: HeldOut) -> None:
    sizes = []

    def encode(picture: torch.Tensor) -> torch.Tensor:
        sizes.append(tuple(picture.shape[1:]))
        return held_out.average(picture)

    held_out.predicted(encode)
    assert set(sizes) == {(3, 32, 32)}


def test_validation_and_test_share_no_face(toy: FfhqGenerator, held_out: HeldOut, tmp_path: Path) -> None:
    other = HeldOut(toy, tmp_path, kind="test", size=32, count=8)
    assert not torch.equal(other.codes, held_out.codes)
    assert other.samples.path.name != held_out.samples.path.name


def test_a_sheet_shows_faces_above_and_answers_below(held_out: HeldOut) -> None:
    assert held_out.sheet(held_out.average, 4).size == (4 * 64, 2 * 64)
