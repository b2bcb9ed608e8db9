"""InfoGAN's grids and Q, on narrow networks of random weights."""

import pytest
import torch

from engines import DrawingRequest, Request
from engines.core.errors import SpaceError
from engines.data.digits import shown_digits
from engines.generators import Student
from engines.generators.infogan import REACH, InfoCodes, InfoGAN, toy_infogan
from engines.hierarchy.infogan import InfoReader, InfoSampler, centred, grey, grid_codes, read_codes, steps

CODES = InfoCodes(4, (0.5, -0.25), 7)


@pytest.fixture(scope="module")
def digits() -> InfoGAN:
    return toy_infogan()


def test_a_row_is_a_value_of_the_varied_code_and_a_column_one_draw_of_the_rest(digits: InfoGAN) -> None:
    by_category = grid_codes(digits, "category", CODES, columns=5)
    assert [len(row) for row in by_category] == [5] * 10
    for number, row in enumerate(by_category):
        assert {one.category for one in row} == {number}
    for column in zip(*by_category, strict=True):
        assert len({(one.continuous, one.seed) for one in column}) == 1
    assert by_category[4][0] == CODES
    assert len({one.seed for one in by_category[0]}) == 5


@pytest.mark.parametrize(("axis", "place"), [("first", 0), ("second", 1)])
def test_a_continuous_code_runs_from_end_to_end(digits: InfoGAN, axis: str, place: int) -> None:
    grid = grid_codes(digits, axis, CODES, rows=5, columns=3)  # type: ignore[arg-type]
    assert [row[0].continuous[place] for row in grid] == [-2, -1, 0, 1, 2]
    for column in zip(*grid, strict=True):
        assert len({(one.category, one.seed, one.continuous[1 - place]) for one in column}) == 1
    assert steps(1) == (0.0,)


def test_pictures_lie_row_by_row_and_depend_on_their_codes_alone(toy: Student, digits: InfoGAN) -> None:
    result = InfoSampler(toy, digits)(Request(seed=7), category=4, first=0.5, second=-0.25, vary="category", columns=3)
    assert result.images.shape == (30, 3, 28, 28)
    assert torch.allclose(result.images[12:13], digits.draw(CODES), atol=1e-6)
    assert result.tables["codes"].rows[12] == (4, 4, 0.5, -0.25, 7)
    one = InfoSampler(toy, digits)(Request(seed=7), category=4, first=0.5, second=-0.25, vary="nothing", columns=1)
    assert torch.allclose(one.images, digits.draw(CODES), atol=1e-6)


def test_the_ends_of_every_slider_stay_finite(digits: InfoGAN) -> None:
    ends = [InfoCodes(category, (first, second)) for category in (0, 9) for first in (-REACH, REACH) for second in (-REACH, REACH)]
    drawn = digits.draw(*ends)
    assert torch.isfinite(drawn).all() and float(drawn.abs().max()) <= 1


@pytest.mark.parametrize(
    ("codes", "words"),
    [
        (InfoCodes(10), "category 10 came; there are 10, numbered from 0 to 9"),
        (InfoCodes(-1), "category -1 came"),
        (InfoCodes(0, (2.5, 0.0)), "2.5 came; take one from -2 to 2"),
        (InfoCodes(0, (float("nan"), 0.0)), "nan came"),
        (InfoCodes(0, (0.0,)), "1 continuous codes came; this network takes 2"),
    ],
)
def test_codes_that_are_none_get_a_sentence(digits: InfoGAN, codes: InfoCodes, words: str) -> None:
    with pytest.raises(SpaceError, match=words):
        digits.draw(codes)


def test_q_reads_what_it_reads_and_stays_in_reach(toy: Student, digits: InfoGAN) -> None:
    picture = shown_digits()[:1].images.expand(-1, 3, -1, -1)
    codes, sure = read_codes(digits, picture[:, :1], seed=3)
    assert len(sure) == 10 and sum(sure) == pytest.approx(1, abs=1e-5)
    assert codes.category == max(range(10), key=lambda number: sure[number]) and codes.seed == 3
    assert all(abs(value) <= REACH for value in codes.continuous)
    result = InfoReader(toy, digits)(DrawingRequest(image=2 * picture - 1, seed=3), centre=False, redrawn=2)
    assert torch.allclose(result.stages["read"], (2 * picture - 1).expand(2, -1, -1, -1), atol=1e-5)
    assert result.images.shape == (2, 3, 28, 28)
    assert torch.allclose(result.images[:1], digits.draw(codes), atol=1e-5)
    assert sorted(row[2] for row in result.tables["categories"].rows)[-1] == pytest.approx(result.metrics["sure"], abs=1e-4)


def test_a_drawing_becomes_a_digit_as_mnist_has_it() -> None:
    paper = torch.ones(1, 3, 100, 120)
    paper[..., 10:50, 90:100] = -1  # a bar of ink in a corner
    digit = centred(grey(paper))
    assert digit.shape == (1, 1, 28, 28)
    ink = (digit[0, 0] > 0.5).nonzero()
    assert (ink.max(dim=0).values - ink.min(dim=0).values + 1).tolist() == [20, 5]
    middle = (digit[0, 0].sum(dim=1) * torch.arange(28)).sum() / digit.sum()
    assert float(middle) == pytest.approx(13.5, abs=0.51)


def test_an_empty_drawing_is_black(toy: Student, digits: InfoGAN) -> None:
    result = InfoReader(toy, digits)(DrawingRequest(image=torch.ones(1, 3, 50, 50)))
    assert float(result.stages["read"].max()) == -1
    assert torch.isfinite(result.images).all()
