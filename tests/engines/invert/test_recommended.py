"""The recommended mixture: are its stages those that its knobs say?"""

import pytest
import torch
from torch import Tensor

from engines import InvertRequest
from engines.generators import FfhqGenerator
from engines.invert import Projector, Recommended, StylemapInversion
from engines.invert.optimize.stylemap_inversion import HELD
from engines.spaces.latent import Latent
from engines.spaces.statistics import random_w
from studio.state.session import INVERTED_BY


def face(toy: FfhqGenerator) -> Tensor:
    return toy.synthesize(random_w(toy, 5))


def test_it_tunes_around_what_the_projector_finds(toy: FfhqGenerator) -> None:
    knobs = {"quick_steps": 2, "steps": 1, "preview_every": 4}
    pivot = Projector(toy)(InvertRequest(image=face(toy)), **knobs).inversions[0].latent
    ours = Recommended(toy)(InvertRequest(image=face(toy)), start="projector", quick_steps=2, coarse_steps=0, tuning_steps=3).inversions[0]
    assert torch.equal(ours.latent.codes, pivot.codes)
    assert ours.tuning and not ours.features


def test_a_grid_may_come_between_and_stays_under_the_tuning(toy: FfhqGenerator) -> None:
    settings = {"start": "projector", "quick_steps": 2, "coarse_steps": 2, "steps": 3, "side": "4"}
    plain, tuned = (Recommended(toy)(InvertRequest(image=face(toy)), **settings, tuning_steps=count).inversions[0] for count in (0, 4))
    assert tuned.tuning and not plain.tuning
    away = [float(found.features["grid"].square().mean()) for found in (tuned, plain)]
    assert 0 < away[0] < away[1]  # what a tuning follows is held tighter
    start = Projector(toy)(InvertRequest(image=face(toy)), quick_steps=2, steps=1).inversions[0].latent
    request = InvertRequest(image=face(toy), start=start)
    alone = StylemapInversion(toy)(request, quick_steps=0, coarse_steps=2, steps=3, side="4", **HELD).inversions[0]
    assert torch.equal(tuned.latent.codes, alone.latent.codes) and torch.equal(tuned.features["grid"], alone.features["grid"])


@pytest.mark.parametrize(
    ("coarse", "steps", "tuning", "total"), [(0, 2, 3, 5), (0, 0, 3, 3), (0, 0, 0, 1), (4, 0, 3, 7), (4, 2, 0, 6), (4, 0, 0, 4)]
)
def test_a_given_start_needs_no_search(toy: FfhqGenerator, coarse: int, steps: int, tuning: int, total: int) -> None:
    engine = Recommended(toy)
    knobs = engine.knob_set.of({"quick_steps": 7, "coarse_steps": coarse, "steps": steps, "tuning_steps": tuning})
    request = InvertRequest(image=face(toy), start=Latent("w", random_w(toy, 6)))
    seen = [(progress.step, progress.total) for progress in engine.run(request, knobs)]
    assert seen[-1] == (total, total)


def test_it_is_what_the_page_offers_first() -> None:
    assert INVERTED_BY[0] == Recommended.card.name
