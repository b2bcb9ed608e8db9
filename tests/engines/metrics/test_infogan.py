import math

import pytest
import torch

from engines.generators.infogan import toy_infogan
from engines.metrics.infogan import naming, naming_error, round_trip, sampled


def test_names_are_one_to_one_and_the_best_there_are() -> None:
    labels = torch.tensor([0, 0, 0, 1, 1, 1, 2, 2, 2])
    categories = torch.tensor([2, 2, 2, 0, 0, 2, 1, 1, 1])
    names = naming(categories, labels, 3)
    assert names == (1, 2, 0)
    assert naming_error(categories, labels, names) == pytest.approx(1 / 9)


def test_a_category_that_nobody_falls_into_gets_the_name_that_is_left() -> None:
    labels = torch.tensor([0, 1, 2, 2])
    assert sorted(naming(torch.tensor([0, 0, 1, 1]), labels, 3)) == [0, 1, 2]
    assert naming(torch.tensor([0, 0, 1, 1]), labels, 3)[1] == 2


def test_random_networks_tell_little_of_their_codes() -> None:
    figures = round_trip(toy_infogan(), 200, 1)
    assert set(figures) == {"information", "r2_1", "r2_2"}
    assert figures["information"] < 0.5 < math.log(10)


def test_a_sample_is_the_same_for_a_seed() -> None:
    draw, pictures = sampled(toy_infogan(), 12, 3)
    again, redrawn = sampled(toy_infogan(), 12, 3)
    assert torch.equal(pictures, redrawn) and torch.equal(draw.category, again.category)
    assert not torch.equal(pictures, sampled(toy_infogan(), 12, 4)[1])
