"""Pivotal tuning: does the generator bend to the photo, near the pivot only, and is the shared one left alone?"""

import numpy as np
import pytest
import torch
from torch import Tensor

from engines import Inversion, InvertRequest, Latent, Result
from engines.core.images import area
from engines.core.seeds import normal
from engines.generators import FfhqGenerator
from engines.invert import PivotalTuning
from engines.invert.tune import pti
from engines.spaces.latent import layer_of
from engines.spaces.statistics import random_w, statistics

SETTINGS = {"steps": 40, "learning_rate": 5e-3, "stop_at": 0.0}


@pytest.fixture(scope="module")
def foreign(toy: FfhqGenerator) -> Tensor:
    """A picture that no single w draws, as a photo is: every slot has its own."""
    return toy.synthesize(toy.map(normal((toy.slots.count, toy.width), 9))[None])


@pytest.fixture(scope="module")
def pivot(toy: FfhqGenerator) -> Latent:
    return Latent("w", random_w(toy, 3))


def tuned(toy: FfhqGenerator, image: Tensor, start: Latent, **settings: object) -> Result:
    return PivotalTuning(toy)(InvertRequest(image=image, start=start), **SETTINGS | settings)


def error(image: Tensor, target: Tensor) -> float:
    return float((image - target).square().mean())


def test_the_generator_bends_and_the_code_stays(toy: FfhqGenerator, foreign: Tensor, pivot: Latent) -> None:
    result = tuned(toy, foreign, pivot)
    inversion = result.inversions[0]
    assert torch.equal(inversion.latent.codes, pivot.codes)
    assert error(result.images, foreign) < 0.6 * error(toy.synthesize(pivot), foreign)
    assert all(change.dtype == torch.float16 for change in inversion.tuning.values())


def test_strength_0_is_the_untuned_picture_bit_for_bit(toy: FfhqGenerator, foreign: Tensor, pivot: Latent) -> None:
    inversion = tuned(toy, foreign, pivot, steps=3).inversions[0]
    none = inversion.at_strength(0.0)
    assert torch.equal(toy.synthesize(none.latent, tuning=none.tuning, features=none.features), toy.synthesize(pivot))
    assert inversion.at_strength(1.0) is inversion
    half = inversion.at_strength(0.5)
    assert all(torch.equal(half.tuning[name], 0.5 * change) for name, change in inversion.tuning.items())


def test_what_places_things_is_left_alone(toy: FfhqGenerator, foreign: Tensor, pivot: Latent) -> None:
    names = tuned(toy, foreign, pivot, steps=1).inversions[0].tuning
    assert names
    assert not any("modulation" in name or layer_of(name) in (None, "conv_4", "conv2_8", "conv2_16") for name in names)


@pytest.mark.parametrize("first", ["32", "64"])
def test_layers_are_tuned_from_the_side_that_is_asked_for(ffhq: FfhqGenerator, first: str) -> None:
    request = InvertRequest(image=ffhq.synthesize(random_w(ffhq, 2)).clamp(-1, 1), start=Latent("w", random_w(ffhq, 3)))
    names = PivotalTuning(ffhq)(request, steps=1, tuned_from=first).inversions[0].tuning
    assert min(int(layer.rsplit("_", 1)[1]) for layer in map(layer_of, names) if layer) == int(first)


def test_locality_keeps_other_faces(toy: FfhqGenerator, foreign: Tensor, pivot: Latent) -> None:
    """Eq. 3, at equal steps: other faces change less with the term than without."""
    loose, local = (tuned(toy, foreign, pivot, locality_weight=weight, locality_every=1).metrics["unrelated_mse"] for weight in (0.0, 10.0))
    assert local < 0.8 * loose


@pytest.mark.parametrize("alpha", [0.3, 30.0])
def test_other_faces_are_watched_at_alpha_from_the_pivot(toy: FfhqGenerator, foreign: Tensor, pivot: Latent, alpha: float) -> None:
    """Eq. 3: w_p + alpha (w_z - w_p) / |w_z - w_p|, or w_z itself where it is nearer; w_z at psi 0.5, from the seed's stream."""
    knobs = PivotalTuning.knob_set.of({"alpha": alpha})
    code = pti._Tuning(toy, [(foreign, Inversion(pivot))], knobs, None, 7)._on_the_way(Inversion(pivot))
    mean, z = statistics(toy).mean, torch.randn(1, toy.width, generator=torch.Generator().manual_seed(7))
    way = (mean + 0.5 * (toy.map(z) - mean) - pivot.codes).double().numpy()
    length = np.linalg.norm(way)
    assert 0.3 < length < 30
    wanted = pivot.codes.double().numpy() + (alpha * way / length if alpha < length else way)
    assert np.allclose(code[0].double().numpy(), wanted, atol=1e-5)


def test_it_stops_when_close_enough_and_still_ends_at_its_total(toy: FfhqGenerator, foreign: Tensor, pivot: Latent) -> None:
    engine = PivotalTuning(toy)
    knobs = engine.knob_set.of(SETTINGS | {"stop_at": 1.0})
    steps = list(engine.run(InvertRequest(image=foreign, start=pivot), knobs))
    assert len(steps) == 1
    assert steps[-1].step == steps[-1].total == 40


def test_the_best_change_is_kept_when_the_last_is_worse(toy: FfhqGenerator, foreign: Tensor, pivot: Latent) -> None:
    """A rate far too high throws the weights about: what comes back is never worse than no change at all."""
    wild = tuned(toy, foreign, pivot, steps=6, learning_rate=1e-2, perceptual_weight=0.0)
    assert error(wild.images, foreign) <= error(toy.synthesize(pivot), foreign) + 1e-6


def test_one_change_for_several_photos(toy: FfhqGenerator, foreign: Tensor, pivot: Latent) -> None:
    other = toy.synthesize(toy.map(normal((toy.slots.count, toy.width), 10))[None])
    beside = Inversion(Latent("w", random_w(toy, 4)), features={"grid": 0.1 * normal((1, toy.width, 4, 4), 1)})
    alone = tuned(toy, foreign, pivot)
    result = PivotalTuning(toy)(InvertRequest(image=foreign, start=pivot, beside=((other, beside),)), **SETTINGS)
    first, second = result.inversions
    assert first.tuning is second.tuning
    assert second.features is not None and torch.equal(second.features["grid"], beside.features["grid"])
    for image, target, latent in ((result.images[:1], foreign, first), (result.images[1:], other, second)):
        untuned = toy.synthesize(latent.latent, features=latent.features)
        assert error(image, target) < 0.9 * error(untuned, target)
    leaked = toy.synthesize(second.latent, tuning=alone.inversions[0].tuning, features=second.features)
    assert error(result.images[1:], other) < error(leaked, other)


def test_photos_without_a_pivot_get_one(toy: FfhqGenerator, foreign: Tensor, pivot: Latent) -> None:
    engine = PivotalTuning(toy)
    knobs = engine.knob_set.of({"steps": 2, "quick_steps": 3, "pivot": "projector"})
    other = toy.synthesize(random_w(toy, 6))
    steps = list(engine.run(InvertRequest(image=foreign, start=pivot, beside=((other, None),)), knobs))
    assert [progress.step for progress in steps] == list(range(1, 4 + 4 + 1))
    found = steps[-1].best
    assert found is not None and torch.equal(found.inversions[0].latent.codes, pivot.codes)
    assert found.inversions[1].latent.space == "w"


def test_without_a_start_the_projector_finds_the_pivot(toy: FfhqGenerator, foreign: Tensor) -> None:
    result = PivotalTuning(toy)(InvertRequest(image=foreign), steps=2, quick_steps=2, pivot="projector")
    assert result.inversions[0].latent.space == "w"
    assert result.metrics["tuning_megabytes"] > 0


def test_a_stylemap_pivot_has_a_grid_and_is_closer_than_its_start(ffhq: FfhqGenerator, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pti, "_GRID_STEPS", 4)
    face = ffhq.synthesize(random_w(ffhq, 5), features={"grid": normal((1, ffhq.width, 4, 4), 3)}).clamp(-1, 1)
    engine = PivotalTuning(ffhq)
    steps = list(engine.run(InvertRequest(image=face), engine.knob_set.of({"pivot": "stylemap", "steps": 1, "preview_every": 1})))
    assert [step.step for step in steps] == list(range(1, 8)) and {step.total for step in steps} == {7}
    found = steps[-1].best
    assert found is not None and found.inversions[0].features["grid"].shape[-2:] == (8, 8) and found.inversions[0].tuning
    drawn = [step.preview for step in steps if step.preview is not None]
    assert error(area(drawn[-1], 256), area(face, 256)) < error(area(drawn[0], 256), area(face, 256))
