"""InfoGAN's grids and Q, on narrow networks of random weights."""

from collections.abc import Callable

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from engines import DrawingRequest, Request
from engines.core.errors import SpaceError
from engines.data.digits import shown_digits
from engines.generators.infogan import REACH, WEIGHTS, InfoCodes, InfoGAN, bundled_infogan, toy_infogan
from engines.hierarchy.infogan import InfoEncoder, InfoSampler, centred, grid_codes, read_codes, steps, written

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


def test_pictures_lie_row_by_row_and_depend_on_their_codes_alone(digits: InfoGAN) -> None:
    result = InfoSampler(digits)(Request(seed=7), category=4, first=0.5, second=-0.25, vary="category", columns=3)
    assert result.images.shape == (30, 3, 28, 28)
    assert torch.allclose(result.images[12:13], digits.draw(CODES), atol=1e-6)
    assert result.tables["codes"].rows[12] == (4, 4, 0.5, -0.25, 7)
    one = InfoSampler(digits)(Request(seed=7), category=4, first=0.5, second=-0.25, vary="nothing", columns=1)
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


def test_q_reads_what_it_reads_and_stays_in_reach(digits: InfoGAN) -> None:
    picture = shown_digits()[:1].images.expand(-1, 3, -1, -1)
    codes, sure = read_codes(digits, picture[:, :1], seed=3)
    assert len(sure) == 10 and sum(sure) == pytest.approx(1, abs=1e-5)
    assert codes.category == max(range(10), key=lambda number: sure[number]) and codes.seed == 3
    assert all(abs(value) <= REACH for value in codes.continuous)
    result = InfoEncoder(digits)(DrawingRequest(image=2 * picture - 1, seed=3), centre=False, redrawn=2)
    assert torch.allclose(result.stages["read"], (2 * picture - 1).expand(2, -1, -1, -1), atol=1e-5)
    assert result.images.shape == (2, 3, 28, 28)
    assert torch.allclose(result.images[:1], digits.draw(codes), atol=1e-5)
    assert sorted(row[2] for row in result.tables["categories"].rows)[-1] == pytest.approx(result.metrics["sure"], abs=1e-4)


def test_a_drawing_becomes_a_digit_as_mnist_has_it() -> None:
    paper = torch.ones(1, 3, 100, 120)
    paper[..., 10:50, 90:100] = -1  # a bar of ink in a corner
    digit = centred(written(paper))
    assert digit.shape == (1, 1, 28, 28)
    ink = (digit[0, 0] > 0.5).nonzero()
    assert (ink.max(dim=0).values - ink.min(dim=0).values + 1).tolist() == [20, 5]
    middle = (digit[0, 0].sum(dim=1) * torch.arange(28)).sum() / digit.sum()
    assert float(middle) == pytest.approx(13.5, abs=0.51)


def test_an_empty_drawing_is_black(digits: InfoGAN) -> None:
    result = InfoEncoder(digits)(DrawingRequest(image=torch.ones(1, 3, 50, 50)))
    assert float(result.stages["read"].max()) == -1
    assert torch.isfinite(result.images).all()


ACROSS, DOWN = np.meshgrid(np.linspace(0, 1, 256), np.linspace(0, 1, 256))
GRAIN = np.random.default_rng(0).normal(0, 1, (256, 256))
PAPERS: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "white": lambda ink: 1 - 0.9 * ink,
    "chalk": lambda ink: ink,
    "slate": lambda ink: 0.1 + 0.5 * ink + 0.03 * GRAIN,
    "grey": lambda ink: 0.8 - 0.6 * ink,
    "pencil on grey": lambda ink: 0.5 - 0.2 * ink,
    "lit from one side": lambda ink: (0.95 - 0.75 * ink) * (0.45 + 0.55 * ACROSS),
    "hard shadow": lambda ink: (0.9 - 0.7 * ink) * np.where(ACROSS + 0.3 * DOWN > 0.6, 0.55, 1),
    "vignette": lambda ink: (0.9 - 0.7 * ink) * (1 - 1.2 * ((ACROSS - 0.5) ** 2 + (DOWN - 0.5) ** 2)),
    "grain": lambda ink: 0.8 - 0.6 * ink + 0.06 * GRAIN,
    "lined": lambda ink: np.minimum(0.92 - 0.72 * ink, np.where((256 * DOWN).astype(int) % 32 < 2, 0.7, 1)),
    "edge of a table": lambda ink: np.where(ACROSS < 0.06, 0.2, 0.9 - 0.7 * ink),
}


def sheet(
    digit: torch.Tensor, paper: Callable[[np.ndarray], np.ndarray], side: int = 192, corner: tuple[int, int] = (32, 32)
) -> torch.Tensor:
    """A digit (1,3,28,28) written on paper, (1,3,256,256)."""
    ink = F.interpolate((digit[:, :1] + 1) / 2, (side, side), mode="bicubic").clamp(0, 1)[0, 0].double().numpy()
    whole = np.zeros((256, 256))
    whole[corner[0] : corner[0] + side, corner[1] : corner[1] + side] = ink
    return torch.from_numpy(2 * paper(whole).clip(0, 1) - 1).float().expand(1, 3, 256, 256)


@pytest.fixture(scope="module")
def trained() -> InfoGAN:
    return bundled_infogan(WEIGHTS, torch.device("cpu"))


@pytest.fixture(scope="module")
def drawn(trained: InfoGAN) -> list[torch.Tensor]:
    return [trained.draw(InfoCodes(number, (0.0, 0.0), 0)) for number in range(10)]


@pytest.mark.parametrize("name", PAPERS)
def test_every_digit_is_read_off_every_paper(trained: InfoGAN, drawn: list[torch.Tensor], name: str) -> None:
    read = [read_codes(trained, centred(written(sheet(digit, PAPERS[name]))))[0].category for digit in drawn]
    assert read == list(range(10))


@pytest.mark.parametrize("corner", [(0, 0), (190, 20), (100, 200)])
@pytest.mark.parametrize("name", ["white", "grey", "chalk"])
def test_a_small_digit_anywhere_is_read(trained: InfoGAN, drawn: list[torch.Tensor], name: str, corner: tuple[int, int]) -> None:
    sheets = [sheet(digit, PAPERS[name], 54, corner) for digit in drawn]
    assert [read_codes(trained, centred(written(one)))[0].category for one in sheets] == list(range(10))


def test_ink_of_any_colour_is_read(trained: InfoGAN, drawn: list[torch.Tensor]) -> None:
    paper, ink = torch.tensor([0.93, 0.9, 0.84]), torch.tensor([0.15, 0.2, 0.6])
    for number, digit in enumerate(drawn):
        share = (sheet(digit, PAPERS["chalk"])[:, :1] + 1) / 2
        colours = (1 - share) * paper.view(1, 3, 1, 1) + share * ink.view(1, 3, 1, 1)
        assert read_codes(trained, centred(written(2 * colours - 1)))[0].category == number


@pytest.mark.parametrize("level", [-1.0, 0.2, 1.0])
def test_an_empty_sheet_has_no_ink(level: float) -> None:
    grain = 0.01 * torch.randn(1, 3, 128, 128, generator=torch.Generator().manual_seed(0))
    assert float(written(torch.full((1, 3, 128, 128), level) + grain).max()) == 0


def test_a_block_of_ink_lies_in_the_very_middle() -> None:
    """MNIST's: 40 x 20 pixels become 20 x 10, whose centre of mass, (9.5, 4.5), comes to (13.5, 13.5)."""
    drawing = torch.zeros(1, 1, 100, 100)
    drawing[..., 5:45, 70:90] = 1
    ink = (centred(drawing)[0, 0] > 0.5).nonzero()
    assert ink.min(dim=0).values.tolist() == [4, 9] and ink.max(dim=0).values.tolist() == [23, 18]
