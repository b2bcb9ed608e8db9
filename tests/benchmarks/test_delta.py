import numpy as np
import pytest
import torch

from benchmarks.delta_baselines import Paths, Transfer, plain
from benchmarks.delta_data import about_sequences, interval
from engines.data.changes import FRAMES, NEUTRAL
from engines.generators import FfhqGenerator
from tests.engines.training.test_changes import sequences


def test_an_interval_holds_its_mean_and_a_constant_has_none() -> None:
    values = np.random.default_rng(1).normal(3.0, 1.0, 200)
    found = interval(values)
    assert found["low"] < found["mean"] < found["high"] and found["mean"] == pytest.approx(float(values.mean()), abs=1e-3)
    assert interval(2 * np.ones(9), np.ones(9)) == {"mean": 2.0, "low": 2.0, "high": 2.0}


def test_along_one_straight_line_every_fitted_path_is_near_what_faces_share(toy: FfhqGenerator) -> None:
    found = sequences(toy)
    paths, (a, b) = Paths(found), found.places("test")
    frames = torch.tensor([[0, 8], [3, NEUTRAL], [FRAMES - 1, 2]])
    values = found.values[1]
    both = [torch.stack([values[face, frames[:, 0]], values[face, frames[:, 1]]]) for face in (a, b)]
    transfer = Transfer(1, frames[:, 0], frames[:, 1], both[0], both[1])
    for method in (plain, paths.mean, paths.quadratic):
        assert float((method(transfer) - transfer.wanted).norm()) < 0.2 * float(transfer.wanted.norm()), method
    assert float((paths.direction(transfer) - transfer.wanted).norm()) < float(transfer.wanted.norm())


def test_straight_sequences_are_straight_and_in_order(toy: FfhqGenerator) -> None:
    found = sequences(toy)
    found.dropped.update({factor.name: {} for factor in found.factors})  # type: ignore[misc]
    for row in about_sequences(found).values():
        assert row["curvature"]["mean"] == pytest.approx(1, abs=1e-3)
        assert row["spearman"] == row["spearman_before_checks"] == {"mean": 1.0, "least": 1.0}
        assert row["kept"] == row["frames"] and row["reached"] == pytest.approx(1)
