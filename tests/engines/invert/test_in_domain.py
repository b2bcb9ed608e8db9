"""In-domain optimisation and semantic diffusion on the toy generator, whose encoders are random as it is itself."""

from dataclasses import replace

import pytest
import torch
from torch import Tensor

from engines import InvertRequest, Progress, Result
from engines.contract import Run
from engines.core.errors import ImageError
from engines.core.seeds import normal
from engines.generators import FfhqGenerator
from engines.invert.encode import E4e, InDomain, Psp
from engines.invert.optimize import DiffusionRequest, InDomainRefine, SemanticDiffusion
from engines.invert.optimize.domain import ENCODERS, Domain
from engines.invert.optimize.refinement import LEAVING_STEPS, PATIENCE, QuasiNewton, Refinement, stalled
from engines.losses.reconstruction import ReconstructionLoss
from engines.metrics.seam import seam
from engines.spaces.latent import Latent
from engines.spaces.statistics import random_w, statistics

QUICK = {"quick_steps": 6, "steps": 4, "stop_early": False}


@pytest.fixture(scope="module")
def face(toy: FfhqGenerator) -> Tensor:
    """A picture that no single w draws, as a photo is."""
    return toy.synthesize(toy.map(normal((toy.slots.count, toy.width), 9))[None]).clamp(-1, 1)


@pytest.fixture(scope="module")
def refine(toy: FfhqGenerator) -> InDomainRefine:
    return InDomainRefine(toy)


@pytest.fixture(scope="module")
def half() -> Tensor:
    mask = torch.zeros(1, 1, 64, 64)
    mask[..., :32] = 1
    return mask


def drive(run: Run) -> tuple[list[Progress], Result]:
    steps = []
    while True:
        try:
            steps.append(next(run))
        except StopIteration as stop:
            return steps, stop.value


def error(result: Result, target: Tensor) -> float:
    return float((result.images.clamp(-1, 1) - target).square().mean())


def test_it_starts_at_the_encoder_s_code(refine: InDomainRefine, face: Tensor, toy: FfhqGenerator) -> None:
    still = {"quick_steps": 0, "steps": 1, "learning_rate": 1e-4}
    for name, kind in zip(ENCODERS, (InDomain, E4e, Psp), strict=True):
        assert kind.card.name == name
        result = refine(InvertRequest(image=face), encoder=name, **still)
        assert torch.allclose(result.inversions[0].latent.codes, kind(toy).encode(face), atol=1e-5)


def test_a_start_of_the_request_comes_first(refine: InDomainRefine, face: Tensor, toy: FfhqGenerator) -> None:
    w = random_w(toy, 8)
    result = refine(InvertRequest(image=face, start=Latent("w", w)), quick_steps=0, steps=1, learning_rate=1e-4)
    assert torch.allclose(result.inversions[0].latent.codes, toy.slots.spread(w), atol=1e-3)


def test_it_comes_closer_than_its_start(refine: InDomainRefine, face: Tensor) -> None:
    start = refine(InvertRequest(image=face), quick_steps=0, steps=1, learning_rate=1e-4)
    moved = refine(InvertRequest(image=face), quick_steps=20, steps=10, domain_weight=0.0, learning_rate=0.1)
    assert error(moved, face) < 0.8 * error(start, face)


def test_it_never_ends_below_its_start(refine: InDomainRefine, face: Tensor, toy: FfhqGenerator) -> None:
    """Steps far too long, and a domain that pulls far too hard."""
    loss = ReconstructionLoss(face, {"pixel": 1.0, "perceptual": 0.8})
    start = refine.domain.read(face, "in_domain")
    before = float(loss.total(loss.terms(toy.synthesize(start))))
    for settings in ({"learning_rate": 1.0, "descent": "Adam"}, {"domain_weight": 32.0, "descent": "Adam"}, {"domain_weight": 32.0}):
        result = refine(InvertRequest(image=face), **QUICK | settings)
        assert float(loss.total(loss.terms(result.images))) <= before + 1e-6


def test_the_domain_term_holds_code_and_reading_together(refine: InDomainRefine, face: Tensor) -> None:
    """At equal steps: the paper's third term does what it is for."""

    def apart(weight: float) -> float:
        settings = {"quick_steps": 0, "steps": 30, "learning_rate": 0.05, "stop_early": False}
        latent = refine(InvertRequest(image=face), domain_weight=weight, **settings).inversions[0].latent
        again = refine.domain.read(refine.generator.synthesize(latent), "in_domain")
        return float((refine.domain.numbers(latent) - refine.domain.numbers(again)).square().mean())

    assert apart(8.0) < 0.7 * apart(0.0)


def test_the_domain_term_reaches_the_code_through_encoder_and_generator(toy: FfhqGenerator, face: Tensor) -> None:
    domain = Domain(toy)
    numbers = domain.numbers(domain.read(face, "in_domain")).requires_grad_()
    with torch.enable_grad():
        reading = domain.encoder("in_domain")(toy.synthesize(domain.latent(numbers).codes))
        (slope,) = torch.autograd.grad(reading.square().sum(), numbers)
    assert float(slope.abs().max()) > 0


def test_what_a_mask_leaves_out_does_not_pull(refine: InDomainRefine, face: Tensor, toy: FfhqGenerator, half: Tensor) -> None:
    start, painted = Latent("w", statistics(toy).mean), torch.where(half > 0, face, -face)
    settings = QUICK | {"perceptual_weight": 0.0}  # LPIPS looks at the surroundings of what counts, too
    plain, over = (refine(InvertRequest(image=image, mask=half, start=start), **settings) for image in (face, painted))
    assert torch.equal(plain.images, over.images)


def test_without_the_domain_no_encoder_is_asked(refine: InDomainRefine, face: Tensor) -> None:
    steps, _ = drive(refine.run(InvertRequest(image=face), refine.knob_set.of(QUICK | {"domain_weight": 0.0})))
    assert steps[0].losses.keys() == {"pixel", "perceptual"}
    steps, _ = drive(refine.run(InvertRequest(image=face), refine.knob_set.of(QUICK)))
    assert steps[0].losses.keys() == {"pixel", "perceptual", "domain"}


def test_what_is_kept_is_the_best_so_far(toy: FfhqGenerator, refine: InDomainRefine, face: Tensor) -> None:
    settings = {"learning_rate": 1.0, "quick_steps": 0, "steps": 8, "domain_weight": 0.0, "preview_every": 1, "descent": "Adam"}
    knobs = refine.knob_set.of(QUICK | settings)
    steps, _ = drive(refine.run(InvertRequest(image=face), knobs))
    totals = [step.losses["pixel"] + 0.8 * step.losses["perceptual"] for step in steps]
    loss = ReconstructionLoss(face, {"pixel": 1.0, "perceptual": 0.8})
    for count, step in enumerate(steps, start=1):
        assert step.best is not None
        kept = toy.synthesize(step.best.inversions[0].latent)
        assert float(loss.total(loss.terms(kept))) == pytest.approx(min(totals[:count]), rel=1e-3)
    assert totals[-1] > min(totals)  # else the test shows nothing


def test_a_run_that_comes_to_rest_ends_early_and_says_so(refine: InDomainRefine, toy: FfhqGenerator) -> None:
    w = random_w(toy, 8)
    knobs = refine.knob_set.of({"quick_steps": 0, "steps": 200, "domain_weight": 0.0})
    steps, _ = drive(refine.run(InvertRequest(image=toy.synthesize(w), start=Latent("w", w)), knobs))
    assert len(steps) == PATIENCE + 1
    assert steps[-1].step == steps[-1].total == 200
    assert steps[-1].best is not None


def test_guessed_second_derivatives_get_further_in_as_many_looks(refine: InDomainRefine, face: Tensor) -> None:
    settings = {"quick_steps": 0, "steps": 25, "domain_weight": 0.0, "stop_early": False}
    adam = min(error(refine(InvertRequest(image=face), descent="Adam", learning_rate=rate, **settings), face) for rate in (0.05, 0.2))
    assert error(refine(InvertRequest(image=face), descent="L-BFGS", **settings), face) < adam


def test_every_look_of_a_line_search_is_a_step(
    refine: InDomainRefine, toy: FfhqGenerator, face: Tensor, monkeypatch: pytest.MonkeyPatch
) -> None:
    drawn, draw = [], toy.synthesize
    monkeypatch.setattr(toy, "synthesize", lambda codes, **options: drawn.append(options.get("size")) or draw(codes, **options))
    knobs = refine.knob_set.of({"quick_steps": 0, "steps": 17, "domain_weight": 0.0, "stop_early": False, "preview_every": 100})
    steps, _ = drive(refine.run(InvertRequest(image=face), knobs))
    assert [step.step for step in steps] == list(range(1, 18))
    assert drawn.count(64) == 17, "what was looked at already is not drawn again"


def test_where_nothing_slopes_the_steps_still_come_to_their_end(toy: FfhqGenerator, face: Tensor) -> None:
    w, idle = statistics(toy).mean.clone().requires_grad_(), torch.zeros(1, requires_grad=True)
    loss = ReconstructionLoss(face, {"pixel": 1.0, "perceptual": 0.8})
    descent = QuasiNewton(toy, loss, lambda _: w + 0 * idle, [idle], lambda _: 0.05, lambda: Latent("w", w), stops_early=False)
    steps, _ = drive(descent.run([64] * 4, 2))
    assert [step.step for step in steps] == [1, 2, 3, 4]


def test_rest_and_drift_are_told_from_progress() -> None:
    falling = [1 / step for step in range(1, 40)]
    terms = [{"pixel": value, "domain": 1.0} for value in falling]
    assert not stalled(falling, terms)
    assert stalled([0.0] * (PATIENCE + 1), [{"pixel": 0.0}] * (PATIENCE + 1)), "nothing is left to gain"
    assert stalled(falling + [falling[-1]] * PATIENCE, terms)
    leaving = [{"pixel": 1.0, "domain": float(step)} for step in range(LEAVING_STEPS + 1)]
    assert stalled([1.0], leaving)
    assert not stalled([1.0], [term | {"pixel": 1 / (1 + term["domain"])} for term in leaving])
    assert not stalled([1.0], leaving[1:])


def test_a_refinement_is_a_descent_like_any_other(toy: FfhqGenerator, face: Tensor) -> None:
    w = statistics(toy).mean.clone().requires_grad_()
    descent = Refinement(
        generator=toy,
        loss=ReconstructionLoss(face, {"pixel": 1.0, "perceptual": 0.8}),
        code=lambda _: w,
        parameters=[w],
        rate=lambda _: 0.05,
        kept=lambda: Latent("w", w),
    )
    steps, result = drive(descent.run([64] * 5, 2))
    assert [step.step for step in steps] == [1, 2, 3, 4, 5]
    assert result.inversions[0].latent.space == "w"


def test_diffusion_pastes_and_makes_one_face_of_it(toy: FfhqGenerator, half: Tensor) -> None:
    giver, receiver = (toy.synthesize(random_w(toy, seed)).clamp(-1, 1) for seed in (5, 6))
    request = DiffusionRequest(image=giver, context=receiver, mask=half)
    settings = {"quick_steps": 0, "steps": 40, "learning_rate": 0.05, "surroundings": 0.0, "perceptual_weight": 0.0}
    result = SemanticDiffusion(toy)(request, **settings)
    assert torch.equal(result.stages["pasted"], torch.where(half > 0, giver, receiver))
    before, after = (float(((picture - giver) * half).square().mean()) for picture in (result.stages["encoder"], result.images))
    assert after < 0.5 * before
    assert result.metrics == {"seam_pasted": seam(result.stages["pasted"], half), "seam": seam(result.images, half)}


def test_the_surroundings_count_as_much_as_is_asked(toy: FfhqGenerator, half: Tensor) -> None:
    giver, receiver = (toy.synthesize(random_w(toy, seed)).clamp(-1, 1) for seed in (5, 6))
    settings = {"quick_steps": 0, "steps": 40, "learning_rate": 0.05, "perceptual_weight": 0.0, "stop_early": False}
    none, all_ = (
        SemanticDiffusion(toy)(DiffusionRequest(image=giver, context=receiver, mask=half), surroundings=share, **settings).images
        for share in (0.0, 1.0)
    )
    assert float(((all_ - receiver) * (1 - half)).square().mean()) < float(((none - receiver) * (1 - half)).square().mean())


def test_an_empty_part_and_unlike_sizes_are_refused_in_a_sentence(toy: FfhqGenerator, half: Tensor) -> None:
    giver = toy.synthesize(random_w(toy, 5)).clamp(-1, 1)
    good = DiffusionRequest(image=giver, context=giver, mask=half)
    for request, words in (
        (replace(good, mask=None), "No part of the face was marked"),
        (replace(good, mask=torch.zeros_like(half)), "No part of the face was marked"),
        (replace(good, context=giver[..., :32, :32]), "must have one size; 32 x 32 and 64 x 64 came"),
    ):
        with pytest.raises(ImageError, match=words):
            SemanticDiffusion(toy)(request, steps=1, quick_steps=0)


def test_adams_rate_falls_by_half_a_cosine(refine: InDomainRefine, face: Tensor, toy: FfhqGenerator) -> None:
    start = Latent("w", statistics(toy).mean)
    stage = refine.domain._stage(start, face, None, refine.knob_set.of({"descent": "Adam", "learning_rate": 0.2}))
    assert [stage.rate(progress) for progress in (0, 1 / 3, 0.5, 2 / 3, 1)] == pytest.approx([0.2, 0.15, 0.1, 0.05, 0])
