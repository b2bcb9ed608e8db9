"""Stylemap inversion: does the grid say what single codes cannot, and do its knobs hold it?"""

import numpy as np
import pytest
import torch
from torch import Tensor

from engines import InvertRequest, Result
from engines.core.seeds import normal
from engines.generators import FfhqGenerator
from engines.invert import Image2StyleGAN, Psp, StylemapInversion
from engines.invert.optimize.stylemap_descent import centre, penalties
from engines.spaces.latent import Latent
from engines.spaces.statistics import random_w, statistics

STEPS = {"steps": 40, "quick_steps": 0, "learning_rate": 0.05}
FULL = STEPS | {"coarse_steps": 0}


@pytest.fixture(scope="module")
def patchwork(toy: FfhqGenerator) -> Tensor:
    """A picture whose places have different codes, as no W+ code has."""
    grid = normal((1, toy.width, 4, 4), 3)
    return toy.synthesize(random_w(toy, 5), features={"grid": grid})


def error(result: Result, target: Tensor) -> float:
    return float((result.images - target).square().mean())


def test_a_grid_comes_closer_than_one_w_a_layer(toy: FfhqGenerator, patchwork: Tensor) -> None:
    """The idea, at equal steps, rate and weights; its absence is Image2StyleGAN."""
    alone = Image2StyleGAN(toy)(InvertRequest(image=patchwork), **STEPS, editability_weight=0.0)
    with_grid = StylemapInversion(toy)(InvertRequest(image=patchwork), **FULL, editability_weight=0.0, smoothness_weight=0.0, side="4")
    assert error(with_grid, patchwork) < 0.6 * error(alone, patchwork)


@pytest.mark.parametrize("side", ["4", "8", "16"])
def test_the_grid_has_the_side_that_was_asked_for_and_no_mean(toy: FfhqGenerator, patchwork: Tensor, side: str) -> None:
    inversion = StylemapInversion(toy)(InvertRequest(image=patchwork), steps=2, quick_steps=1, coarse_steps=1, side=side).inversions[0]
    grid = inversion.features["grid"]
    assert grid.shape == (1, toy.width, int(side), int(side))
    assert float(grid.abs().max()) > 0
    assert float(grid.mean(dim=(2, 3)).abs().max()) < 1e-5
    assert inversion.latent.space == "w_plus"


def test_coarse_steps_come_before_the_full_ones_and_spare_some(toy: FfhqGenerator, patchwork: Tensor) -> None:
    few = {"quick_steps": 2, "steps": 4, "learning_rate": 0.05, "preview_every": 1}
    engine, request = StylemapInversion(toy), InvertRequest(image=patchwork)
    seen = list(engine.run(request, engine.knob_set.of(few | {"coarse_steps": 20})))
    assert [progress.step for progress in seen] == list(range(1, 27)) and {progress.total for progress in seen} == {26}
    assert [step.preview.shape[-1] for step in seen if step.preview is not None][-4:] == [toy.resolution] * 4
    alone, helped = (engine(request, **few, coarse_steps=count) for count in (0, 20))
    assert error(helped, patchwork) < 0.8 * error(alone, patchwork)


def test_moving_the_mean_into_the_code_leaves_the_picture(toy: FfhqGenerator) -> None:
    w, grid = random_w(toy, 1).clone(), 0.3 + normal((1, toy.width, 4, 4), 2)
    before = toy.synthesize(w, features={"grid": grid.clone()})
    centre(w, grid)
    assert torch.allclose(toy.synthesize(w, features={"grid": grid}), before, atol=1e-5)


def test_the_smoothness_weight_holds_neighbours_together(toy: FfhqGenerator, patchwork: Tensor) -> None:
    rough, smooth = (
        StylemapInversion(toy)(InvertRequest(image=patchwork), **FULL, smoothness_weight=weight).inversions[0] for weight in (0.0, 1.0)
    )
    deviation = statistics(toy).deviation
    steps = [
        float(penalties(item.latent.codes, item.features["grid"], deviation)["smoothness"] / item.features["grid"].square().mean())
        for item in (rough, smooth)
    ]
    assert steps[1] < 0.5 * steps[0]


def test_the_editability_weight_holds_the_grid_small(toy: FfhqGenerator, patchwork: Tensor) -> None:
    free, held = (
        StylemapInversion(toy)(InvertRequest(image=patchwork), **FULL, editability_weight=weight).inversions[0].features["grid"]
        for weight in (0.0, 1.0)
    )
    assert float(held.square().mean()) < 0.25 * float(free.square().mean())


def test_it_starts_where_it_is_told(toy: FfhqGenerator, patchwork: Tensor) -> None:
    start = Latent("w", random_w(toy, 8))
    result = StylemapInversion(toy)(InvertRequest(image=patchwork, start=start), steps=1, quick_steps=0, coarse_steps=0, learning_rate=1e-4)
    assert torch.allclose(result.inversions[0].latent.codes, toy.slots.spread(start.codes), atol=1e-3)


def test_it_starts_where_the_encoder_looks_unless_told_otherwise(toy: FfhqGenerator, patchwork: Tensor) -> None:
    still = {"steps": 1, "quick_steps": 0, "coarse_steps": 0, "learning_rate": 1e-4}
    default, average = (StylemapInversion(toy)(InvertRequest(image=patchwork), **still, **more) for more in ({}, {"start": "average"}))
    read = Psp(toy).encode(patchwork)
    assert torch.allclose(default.inversions[0].latent.codes, read, atol=1e-3)
    assert torch.allclose(average.inversions[0].latent.codes, toy.slots.spread(statistics(toy).mean), atol=1e-3)
    assert not torch.allclose(read, average.inversions[0].latent.codes, atol=1e-2)


def test_the_penalties_are_mean_squares_in_deviations() -> None:
    """With numpy: neighbours are those side by side, and no cell is its opposite edge's."""
    offsets, grid, deviation = normal((1, 5, 3), 1), normal((1, 3, 4, 6), 2), torch.tensor([[1.0, 2.0, 0.5]])
    cells = (grid / deviation[:, :, None, None]).double().numpy()
    found = penalties(offsets, grid, deviation)
    held = np.mean((offsets / deviation).double().numpy() ** 2) + np.mean(cells**2)
    assert float(found["editability"]) == pytest.approx(held, rel=1e-5)
    assert float(found["smoothness"]) == pytest.approx(sum(np.mean(np.diff(cells, axis=axis) ** 2) for axis in (2, 3)), rel=1e-5)
