"""The recommended mixture: are its stages those that its knobs say?"""

import torch
from torch import Tensor

from engines import InvertRequest
from engines.contract import finish
from engines.generators import Student
from engines.invert import Recommended, StylemapInversion
from engines.spaces.latent import Latent
from engines.spaces.statistics import random_w
from studio.session import INVERTED_BY


def face(toy: Student) -> Tensor:
    return toy.synthesize(random_w(toy, 5))


def test_without_tuning_it_is_the_stylemap_inversion(toy: Student) -> None:
    ours = Recommended(toy)(InvertRequest(image=face(toy)), start="average", quick_steps=2, steps=3)
    knobs = StylemapInversion.knob_set.of({"side": "16", "quick_steps": 2, "steps": 3, "learning_rate": Recommended.rate})
    assert torch.equal(ours.images, finish(StylemapInversion(toy).run(InvertRequest(image=face(toy)), knobs)).images)
    assert not ours.inversions[0].tuning


def test_tuning_steps_bend_the_generator_around_what_was_found(toy: Student) -> None:
    plain = Recommended(toy)(InvertRequest(image=face(toy)), start="average", quick_steps=2, steps=3)
    tuned = Recommended(toy)(InvertRequest(image=face(toy)), start="average", quick_steps=2, steps=3, tuning_steps=4)
    assert torch.equal(tuned.inversions[0].latent.codes, plain.inversions[0].latent.codes)
    assert torch.equal(tuned.inversions[0].features["grid"], plain.inversions[0].features["grid"])
    assert tuned.inversions[0].tuning


def test_a_given_start_needs_no_search(toy: Student) -> None:
    engine = Recommended(toy)
    knobs = engine.knob_set.of({"quick_steps": 7, "steps": 2, "tuning_steps": 3})
    request = InvertRequest(image=face(toy), start=Latent("w", random_w(toy, 6)))
    steps = [(progress.step, progress.total) for progress in engine.run(request, knobs)]
    assert steps[-1] == (5, 5)


def test_it_is_what_the_page_offers_first() -> None:
    assert INVERTED_BY[0] == Recommended.card.name
