import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import mutual_info_score

from engines.core.seeds import rng
from engines.metrics.factors import (
    counts,
    entropy,
    information,
    matched,
    naming,
    normalised_information,
    overlap,
    share_known,
    share_known_within,
)

values = st.lists(st.tuples(st.integers(0, 6), st.integers(0, 4)), min_size=2, max_size=200)


def columns(pairs: list[tuple[int, int]]) -> tuple[torch.Tensor, torch.Tensor]:
    first, second = torch.tensor(pairs).unbind(dim=1)
    return first, second


@given(values)
def test_information_is_symmetric_and_at_most_either_entropy(pairs: list[tuple[int, int]]) -> None:
    first, second = columns(pairs)
    found = information(first, second)
    assert found == pytest.approx(information(second, first), abs=1e-9)
    assert -1e-9 <= found <= min(entropy(first), entropy(second)) + 1e-9
    assert int(counts(first, second).sum()) == len(pairs)


@given(values)
def test_a_code_that_names_the_factor_knows_all_of_it_under_any_numbering(pairs: list[tuple[int, int]]) -> None:
    _, factor = columns(pairs)
    renamed = (factor + 2) % 5
    expected = 1.0 if len(factor.unique()) > 1 else 0.0
    assert share_known(renamed, factor) == pytest.approx(expected)
    assert matched(renamed, factor) == 1.0


def test_independent_codes_say_nothing_and_fair_dice_have_their_entropy() -> None:
    chance = rng(3)
    first, second = (torch.randint(6, (50_000,), generator=chance) for _ in range(2))
    assert entropy(first) == pytest.approx(math.log(6), abs=1e-3)
    assert share_known(first, second) < 0.001
    assert normalised_information(first, first) == pytest.approx(1)


def test_a_child_code_says_nothing_of_the_shape_beyond_its_parent() -> None:
    child = torch.arange(50).repeat(20)
    parent, texture = child // 5, child % 5
    assert share_known(child, parent) == pytest.approx(1)
    assert share_known_within(child, parent, parent) == pytest.approx(0, abs=1e-9)
    assert share_known_within(child, texture, parent) == pytest.approx(1)
    assert normalised_information(child, texture) == pytest.approx(2 * math.log(5) / (math.log(50) + math.log(5)))


def test_overlap_counts_pixels_at_a_half() -> None:
    left, right = torch.zeros(2, 1, 4, 4), torch.zeros(2, 1, 4, 4)
    left[0, :, :2], right[0, :, 1:3] = 0.9, 0.6
    assert overlap(left, right).tolist() == pytest.approx([1 / 3, 1.0])


@given(values, st.permutations(range(7)))
def test_no_other_naming_of_clusters_gets_more_right(pairs: list[tuple[int, int]], order: list[int]) -> None:
    clusters, factor = columns(pairs)
    table = counts(clusters, factor)
    names = naming(table)
    assert list(names.values()) == sorted(set(names.values())) and len(names) == min(table.shape)
    another = {row: name for row, name in zip(range(table.shape[0]), order, strict=False) if name < table.shape[1]}
    assert sum(table[place] for place in another.items()) <= matched(clusters, factor) * len(pairs) + 1e-9


@pytest.mark.parametrize("seed", [1, 2])
def test_information_is_scikit_learns_less_what_miller_and_madow_take_off(seed: int) -> None:
    """(K_ab - K_a - K_b + 1) / 2N nats, with K the values that occur."""
    chance = rng(seed)
    code = torch.randint(5, (300,), generator=chance)
    factor = (code + torch.randint(2, (300,), generator=chance)) % 4
    filled = len(set(zip(code.tolist(), factor.tolist(), strict=True))) - 5 - 4 + 1
    assert filled > 0
    assert information(code, factor) == pytest.approx(mutual_info_score(code.numpy(), factor.numpy()) - filled / 600)
