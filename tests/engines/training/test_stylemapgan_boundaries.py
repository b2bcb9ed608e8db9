"""Boundaries between stylemaps, by toy networks on the toy generator's own bank."""

import pytest
import torch

from engines.core.errors import SpaceError
from engines.core.seeds import rng
from engines.data.faces import face_bank
from engines.generators import FfhqGenerator
from engines.generators.stylemapgan import toy_stylemapgan
from engines.mix.boundaries import packed
from engines.spaces.bank import Bank
from engines.training.tables.stylemapgan_boundaries import accuracy, fitted, learnt, part, position, pushes

MODEL = toy_stylemapgan()


def bank_of(scores: torch.Tensor) -> Bank:
    nothing = torch.zeros(len(scores), 1)
    return Bank(nothing, nothing, 0.7, ("score",), scores[:, None])


def test_a_boundary_is_found_where_one_was_laid() -> None:
    stream = rng(1)
    way = torch.nn.functional.normalize(torch.randn(128, generator=stream), dim=0).view(1, 8, 4, 4)
    scores = torch.randn(1_000, generator=stream)
    maps = 0.3 * torch.randn(1_000, 8, 4, 4, generator=stream) + 2 * scores[:, None, None, None] * way + 5
    boundary, middle = fitted(maps[:800], part(bank_of(scores), slice(800)), "score")
    assert float(boundary.normal.norm()) == pytest.approx(1, abs=1e-4)
    assert float((boundary.normal * way).sum()) > 0.9, "towards the high end"
    assert boundary.sigma == pytest.approx(2, rel=0.15)
    assert accuracy(maps[800:], part(bank_of(scores), slice(800, 1_000)), "score", boundary, middle) == 1
    assert middle == pytest.approx(float(position(maps, boundary.normal).mean()), abs=boundary.sigma)
    with pytest.raises(SpaceError, match="no attribute 'mood'"):
        fitted(maps, bank_of(scores), "mood")


def test_a_bank_s_pictures_become_boundaries_that_fit_the_networks(toy: FfhqGenerator) -> None:
    names = face_bank(toy).names[:2]
    found = learnt(toy, MODEL, names)
    assert tuple(found) == names
    for boundary, figures in found.values():
        assert boundary.normal.shape == (1, 8, 4, 4) and boundary.sigma > 0
        assert set(figures) == {"accuracy", "rise", "inside", "near"}
        assert 0 <= figures["accuracy"] <= 1 and 0 < figures["inside"] <= 1 and 0 < figures["near"] <= 1
    tensors = packed({("stylemapgan_4", name): boundary for name, (boundary, _) in found.items()})
    assert set(tensors) == {f"stylemapgan_4.{name}.{part}" for name in names for part in ("normal", "sigma")}


def test_a_push_of_nothing_raises_nothing() -> None:
    maps = MODEL.sample(1, 4, 1.0)
    boundary, _ = fitted(MODEL.sample(2, 100, 1.0), bank_of(torch.arange(100.0)), "score")
    assert pushes(MODEL, maps, boundary) == pushes(MODEL, maps, boundary)
    assert pushes(MODEL, maps, type(boundary)(boundary.normal, 1e-9))["inside"] <= 1
