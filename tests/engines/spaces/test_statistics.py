import pytest
import torch

from engines.generators import FfhqGenerator
from engines.spaces.statistics import BANK_SIZE, Statistics, random_w, statistics


def test_statistics_are_those_of_the_bank(toy: FfhqGenerator) -> None:
    spread = statistics(toy)
    assert spread.bank.shape == (BANK_SIZE, toy.width)
    assert torch.allclose(spread.mean, spread.bank.mean(dim=0, keepdim=True))
    assert spread.std == pytest.approx(float((spread.bank - spread.mean).square().sum() / BANK_SIZE) ** 0.5, rel=1e-4)
    assert torch.allclose(spread.deviation, spread.bank.std(dim=0, keepdim=True))


def test_statistics_are_computed_once(toy: FfhqGenerator) -> None:
    assert statistics(toy) is statistics(toy)


def test_truncation_scales_the_way_from_the_mean(toy: FfhqGenerator) -> None:
    spread = statistics(toy)
    w = spread.bank[:2]
    assert torch.allclose(spread.truncate(w, 1.0), w, atol=1e-6)
    assert torch.allclose(spread.truncate(w, 0.0), spread.mean.expand(2, -1))
    codes = toy.slots.spread(w)
    assert torch.allclose(spread.truncate(codes, 0.5), toy.slots.spread(spread.truncate(w, 0.5)))


def test_drift_is_none_for_one_w_and_grows_with_the_offsets(toy: FfhqGenerator) -> None:
    spread = statistics(toy)
    w = spread.bank[:1]
    assert spread.w_plus_spread(w) == 0
    assert spread.w_plus_spread(toy.slots.spread(w)) == pytest.approx(0, abs=1e-5)
    offsets = torch.randn(1, toy.slots.count, toy.width) * spread.deviation
    small, large = (spread.w_plus_spread(w[:, None] + scale * (offsets - offsets.mean(dim=1, keepdim=True))) for scale in (0.5, 1.0))
    assert large == pytest.approx(2 * small, rel=1e-4)
    assert large == pytest.approx(1, abs=0.15)


def test_drift_is_a_root_mean_square() -> None:
    """Four slots off by 1, -1, 7 and -7 deviations in one value of two: the mean square is 100 / 8."""
    bank = torch.zeros(2, 2)
    spread = Statistics(bank, torch.zeros(1, 2), 1.0, torch.tensor([[2.0, 1.0]]))
    codes = torch.tensor([[[2.0, 0.0], [-2.0, 0.0], [14.0, 0.0], [-14.0, 0.0]]])
    assert spread.w_plus_spread(codes) == pytest.approx((2 * (1 + 49) / 8) ** 0.5)


def test_sigma_is_the_spread_along_a_direction(toy: FfhqGenerator) -> None:
    spread = statistics(toy)
    axis = torch.eye(toy.width)[3]
    assert spread.sigma(axis) == pytest.approx(float(spread.deviation[0, 3]), rel=1e-4)


def test_a_seed_stands_for_one_face(toy: FfhqGenerator) -> None:
    assert torch.equal(random_w(toy, 3), random_w(toy, 3))
    assert not torch.equal(random_w(toy, 3), random_w(toy, 4))
    assert torch.allclose(random_w(toy, 3, truncation=0.0), statistics(toy).mean)


def test_two_generators_have_their_own(toy: FfhqGenerator) -> None:
    other = FfhqGenerator("other", toy.weights | {"mapping.7.bias": toy.weights["mapping.7.bias"] + 1}, {})
    assert not torch.allclose(statistics(other).mean, statistics(toy).mean)
