"""Figures drawn as SVG: distinct lines, and scales that say what they show."""

import re

import pytest

from engines.contract import Table
from studio.ui.plots import loss_curve, variance_bars


def drawn(svg: str) -> list[list[tuple[float, float]]]:
    """The points of each line."""
    found = re.findall(r'points="([^"]*)"', svg)
    return [[(float(x), float(y)) for x, y in (pair.split(",") for pair in line.split())] for line in found]


def scale(svg: str, side: str) -> list[str]:
    return re.findall(r"<span[^>]*>([^<]*)</span>", svg.split(f'class="{side}">')[1].split("</div>")[0])


def test_each_term_has_a_line_of_its_own_however_many_there_are() -> None:
    svg = loss_curve({f"term {index}": [1.0, 0.5] for index in range(20)})
    looks = re.findall(r'stroke="([^"]*)" stroke-dasharray="([^"]*)"', svg)
    assert len(looks) == len(set(looks)) == 20
    assert len({colour for colour, _ in looks[:8]}) == 8


def test_terms_share_one_logarithmic_scale() -> None:
    svg = loss_curve({"pixel": [0.1, 0.01], "perceptual": [1.0, 0.1]})
    pixel, perceptual = drawn(svg)
    assert pixel[0][1] == perceptual[1][1] and perceptual[0][1] < pixel[0][1] < pixel[1][1]  # y grows downwards
    assert scale(svg, "up")[0] == "0.01" and scale(svg, "up")[-1] == "1" and scale(svg, "across") == ["1", "2"]


@pytest.mark.parametrize("values", [[0.0], [0.3], [0.3, 0.3], [1e-9, 5.0], [7.0, 0.002]])
def test_any_values_lie_within_the_scale(values: list[float]) -> None:
    svg = loss_curve({"pixel": values, "held": [0.0]})
    assert all(0 <= x <= 480 and -0.1 <= y <= 120.1 for line in drawn(svg) for x, y in line)
    ticks = [float(text) for text in scale(svg, "up")]
    assert ticks == sorted(set(ticks)) and 2 <= len(ticks) <= 10


def test_a_term_at_zero_does_not_flatten_the_others() -> None:
    svg = loss_curve({"pixel": [1.0, 0.1], "held": [0.0, 0.5]})
    assert float(scale(svg, "up")[0]) >= 1e-3


def test_names_are_escaped_and_nothing_gives_nothing() -> None:
    assert "<b>x" not in loss_curve({"<b>x": [1.0]})
    assert loss_curve({}) == loss_curve({"pixel": []}) == ""


@pytest.mark.parametrize("steps", [1, 2, 3, 7, 44, 115, 1046, 9000])
def test_steps_are_told_from_first_to_last(steps: int) -> None:
    across = [int(text) for text in scale(loss_curve({"pixel": [1.0] * steps}), "across")]
    assert across[0] == 1 and across[-1] == steps and across == sorted(set(across)) and len(across) <= 8


def test_bars_say_their_share() -> None:
    rows = tuple((index + 1, 0.5 / 2**index, 1 - 0.5 / 2**index) for index in range(12))
    svg = variance_bars(Table(("component", "explained", "cumulative"), rows))
    assert scale(svg, "up") == ["0.0%", "25.0%", "50.0%"]
    assert scale(svg, "across")[0] == "PC 1" and scale(svg, "across")[-1] == "PC 12"
