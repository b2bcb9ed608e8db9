"""The two optimisers: do they descend, keep what they promise, and does each idea matter?"""

import numpy as np
import pytest
import torch
from torch import Tensor

from engines import InvertRequest, Result
from engines.contract import finish
from engines.core.images import read_image, to_tensor
from engines.core.seeds import normal
from engines.core.weights import assets
from engines.faces import align, find_faces, pick_face
from engines.generators import FfhqGenerator
from engines.invert import Image2StyleGAN, Projector
from engines.invert.optimize.descent import working_size
from engines.invert.optimize.image2stylegan import arch
from engines.invert.optimize.projector import ramp, whiteness
from engines.metrics import Reconstruction
from engines.spaces.latent import Latent
from engines.spaces.statistics import random_w, statistics

STEPS = {"steps": 40, "quick_steps": 0}


@pytest.fixture(scope="module")
def face(toy: FfhqGenerator) -> Tensor:
    """A picture of one w."""
    return toy.synthesize(random_w(toy, 5))


@pytest.fixture(scope="module")
def foreign(toy: FfhqGenerator) -> Tensor:
    """A picture that no single w draws, as a photo is: every slot has its own."""
    return toy.synthesize(toy.map(normal((toy.slots.count, toy.width), 9))[None])


def error(result: Result, target: Tensor) -> float:
    return float((result.images - target).square().mean())


@pytest.mark.parametrize("engine", [Image2StyleGAN, Projector])
def test_self_inversion_descends(toy: FfhqGenerator, face: Tensor, engine: type[Image2StyleGAN] | type[Projector]) -> None:
    run = engine(toy).run(InvertRequest(image=face), engine.knob_set.of({"steps": 60, "quick_steps": 10}))
    losses = [progress.losses for progress in run]
    for term in ("pixel", "perceptual"):
        assert losses[-1][term] < 0.5 * losses[0][term]


def test_a_w_for_each_slot_comes_closer_than_one_w(toy: FfhqGenerator, foreign: Tensor) -> None:
    """Image2StyleGAN's idea, at equal steps, rates and weights."""
    same = STEPS | {"learning_rate": 0.05, "pixel_weight": 1.0, "perceptual_weight": 0.8}
    one = Projector(toy)(InvertRequest(image=foreign), **same, jitter=0.0)
    each = Image2StyleGAN(toy)(InvertRequest(image=foreign), **same, editability_weight=0.0)
    assert error(each, foreign) < 0.8 * error(one, foreign)


def test_the_editability_weight_holds_the_slots_together(toy: FfhqGenerator, foreign: Tensor) -> None:
    free, held = (
        Image2StyleGAN(toy)(InvertRequest(image=foreign), **STEPS, editability_weight=weight).inversions[0].latent.codes
        for weight in (0.0, 1.0)
    )
    spread = statistics(toy)
    assert spread.w_plus_spread(held) < 0.5 * spread.w_plus_spread(free)


def test_spaces_are_as_promised(toy: FfhqGenerator, face: Tensor) -> None:
    projected = Projector(toy)(InvertRequest(image=face), steps=2, quick_steps=0).inversions[0].latent
    assert (projected.space, projected.codes.shape) == ("w", (1, toy.width))
    embedded = Image2StyleGAN(toy)(InvertRequest(image=face), steps=2, quick_steps=0).inversions[0].latent
    assert (embedded.space, embedded.codes.shape) == ("w_plus", (1, toy.slots.count, toy.width))
    assert torch.equal(toy.slots.fill_dead(embedded.codes), embedded.codes)


@pytest.mark.parametrize("space", ["w", "w_plus"])
@pytest.mark.parametrize("engine", [Image2StyleGAN, Projector])
def test_a_start_is_where_it_starts(toy: FfhqGenerator, face: Tensor, engine: type[Image2StyleGAN] | type[Projector], space: str) -> None:
    w = random_w(toy, 8)
    start = Latent(space, w if space == "w" else toy.slots.spread(w))
    before = start.codes.clone()
    settings = {"steps": 1, "quick_steps": 0, "learning_rate": 1e-4} | ({"jitter": 0.0} if engine is Projector else {})
    result = engine(toy)(InvertRequest(image=face, start=start), **settings)
    assert torch.allclose(toy.slots.spread(result.inversions[0].latent.codes), toy.slots.spread(w), atol=1e-3)
    assert torch.equal(start.codes, before)


def test_without_a_start_it_is_the_mean(toy: FfhqGenerator, face: Tensor) -> None:
    result = Projector(toy)(InvertRequest(image=face), steps=1, quick_steps=0, learning_rate=1e-4)
    assert torch.allclose(result.inversions[0].latent.codes, statistics(toy).mean, atol=1e-3)


@pytest.mark.parametrize("engine", [Image2StyleGAN, Projector])
def test_what_a_mask_leaves_out_does_not_pull(toy: FfhqGenerator, face: Tensor, engine: type[Image2StyleGAN] | type[Projector]) -> None:
    mask = torch.zeros(1, 1, 64, 64)
    mask[..., :32] = 1
    painted = torch.where(mask > 0, face, -face)
    settings = {"steps": 3, "quick_steps": 1, "perceptual_weight": 0.0}  # LPIPS looks at the surroundings of what counts, too
    plain, over = (engine(toy)(InvertRequest(image=image, mask=mask), **settings) for image in (face, painted))
    assert torch.equal(plain.images, over.images)


def test_fitted_noise_maps_come_along_and_stay_normal(toy: FfhqGenerator, face: Tensor) -> None:
    result = Projector(toy)(InvertRequest(image=face), steps=3, quick_steps=0, optimize_noise=True)
    features = result.inversions[0].features
    assert features.keys() == {f"noise/{layer}" for layer in toy.noise()}
    for layer, map_ in toy.noise().items():
        fitted = features[f"noise/{layer}"] / map_.std()
        assert float(fitted.mean()) == pytest.approx(0, abs=1e-4)
        assert float(fitted.square().mean()) == pytest.approx(1, abs=1e-3)
    again = toy.synthesize(result.inversions[0].latent, features=features)
    assert torch.allclose(again, result.images, atol=1e-5)


def test_the_seed_decides_the_jitter(toy: FfhqGenerator, face: Tensor) -> None:
    first, second = (Projector(toy)(InvertRequest(image=face, seed=seed), steps=3, quick_steps=0).images for seed in (0, 1))
    assert not torch.equal(first, second)


def test_previews_come_as_often_as_asked_and_the_first_at_once(toy: FfhqGenerator, face: Tensor) -> None:
    knobs = Image2StyleGAN.knob_set.of({"steps": 7, "quick_steps": 2, "preview_every": 3})
    shown = [progress.step for progress in Image2StyleGAN(toy).run(InvertRequest(image=face), knobs) if progress.preview is not None]
    assert shown == [1, 3, 6, 9]


def test_most_steps_run_at_the_largest_exit_up_to_256_px(toy: FfhqGenerator, ffhq: FfhqGenerator) -> None:
    assert working_size(ffhq) == 256
    assert working_size(toy) == 64
    assert working_size(FfhqGenerator("bare", toy.weights, {})) == 64


@pytest.mark.parametrize(
    ("progress", "share"),
    [(0, 0.2), (0.015, 0.5), (0.04, 1), (0.5, 1), (0.75, 1), (0.75 + 0.25 / 3, 0.75), (0.875, 0.5), (1, 0)],
)
def test_the_projectors_rate_rises_over_a_twentieth_and_falls_over_the_last_quarter(progress: float, share: float) -> None:
    """arXiv:1912.04958, appendix D: up over the first 5 %, down by half a cosine over the last 25 %; ours begins 1 % into the rise."""
    assert ramp(progress) == pytest.approx(share)


@pytest.mark.parametrize(("progress", "share"), [(0, 0.2), (0.02, 0.6), (0.04, 1), (0.05, 1), (1 / 3, 1), (0.5, 1), (0.75, 1), (1, 1)])
def test_the_rate_of_w_plus_is_half_a_cosine_to_a_twentieth_behind_a_rise(progress: float, share: float) -> None:
    assert arch(progress) == pytest.approx(share * (0.05 + 0.95 * np.cos(np.pi * progress / 2) ** 2))


@pytest.mark.parametrize("side", [8, 16, 64])
def test_whiteness_is_the_squared_correlation_with_neighbours_over_scales(side: int) -> None:
    """arXiv:1912.04958, appendix D, with numpy: maps are halved by averages of 2 x 2 and kept at unit variance, down to 8 x 8."""
    noise, total = normal((1, 1, side, side), 1) + 0.3, 0.0
    values = noise[0, 0].double().numpy()
    while True:
        total += sum(np.mean(values * np.roll(values, 1, axis)) ** 2 for axis in (0, 1))
        if len(values) <= 8:
            break
        values = (values[::2, ::2] + values[1::2, ::2] + values[::2, 1::2] + values[1::2, 1::2]) / 2
    assert float(whiteness(noise)) == pytest.approx(total, rel=1e-4)


def test_whiteness_of_stripes_and_of_a_flat_map_by_hand() -> None:
    """Columns of 1 and -1: -1 to the right, 1 down, and nothing is left of them at 8 px. Ones grow to 2 there, whose products are 4."""
    stripes = torch.tensor([1.0, -1.0]).repeat(8).expand(1, 1, 16, 16)
    assert float(whiteness(stripes)) == pytest.approx(2)
    assert float(whiteness(torch.ones(1, 1, 16, 16))) == pytest.approx(2 * 1 + 2 * 4**2)


def test_jitter_fades_as_a_square_over_the_first_three_quarters(toy: FfhqGenerator, face: Tensor, monkeypatch: pytest.MonkeyPatch) -> None:
    """arXiv:1912.04958, appendix D: noise of 0.05 sigma_w times (1 - t/0.75)^2, nothing after 0.75."""
    drawn, synthesize = list[Tensor](), toy.synthesize

    def watched(codes: Tensor | Latent, **options: object) -> Tensor:
        drawn.append(codes.codes if isinstance(codes, Latent) else codes.detach())
        return synthesize(codes, **options)

    monkeypatch.setattr(toy, "synthesize", watched)
    Projector(toy)(InvertRequest(image=face, seed=4), steps=8, quick_steps=0, learning_rate=1e-4)
    stream, spread = torch.Generator().manual_seed(4), statistics(toy)
    for step, codes in enumerate(drawn[:8]):
        sigma = 0.05 * spread.std * max(0.0, 1 - step / 8 / 0.75) ** 2
        assert torch.allclose(codes - spread.mean, sigma * torch.randn(1, toy.width, generator=stream), atol=1e-3)


@pytest.mark.slow
def test_a_w_for_each_slot_comes_closer_than_one_w_on_a_photo(ffhq: FfhqGenerator) -> None:
    """The order of published reruns (W 15.9 dB, W+ 20.6 dB), at the defaults, by the common protocol."""
    photo = read_image(assets() / "examples" / "astronaut.jpg")
    target = to_tensor(align(photo, pick_face(find_faces(photo)).alignment))
    judge = Reconstruction()
    one, each = (judge(engine(ffhq)(InvertRequest(image=target)).images, target) for engine in (Projector, Image2StyleGAN))
    assert each["psnr"] > one["psnr"] + 1
    assert each["lpips"] < 0.7 * one["lpips"]
    assert each["identity_distance"] < one["identity_distance"]


def test_a_run_can_be_driven_by_hand(toy: FfhqGenerator, face: Tensor) -> None:
    knobs = Projector.knob_set.of({"steps": 2, "quick_steps": 1})
    assert finish(Projector(toy).run(InvertRequest(image=face), knobs)).images.shape == face.shape
