from dataclasses import replace
from functools import partial
from typing import Any

import pytest
import torch
from torch import Tensor

from engines import InvertRequest, Result, create
from engines.contract import Run, finish
from engines.core.errors import ImageError, KnobError
from engines.core.seeds import normal
from engines.faces.parts import rectangle_mask
from engines.generators import FfhqGenerator
from engines.generators.incremental import draw_inversion
from engines.invert.optimize import LocalEmbedding, LocalRequest, blocks
from engines.invert.optimize.blocks import copied
from engines.invert.optimize.descent import Descent
from engines.invert.optimize.local_embedding import continued
from engines.losses.local import Goal, LocalLoss
from engines.spaces.latent import Latent
from engines.spaces.statistics import random_w

LEFT = (torch.arange(64) < 32).float().expand(1, 1, 64, 64).contiguous()
FAST = {"quick_steps": 1, "steps": 6, "noise_steps": 15, "noise_rate": 0.05, "edge": 0.03}


@pytest.fixture(scope="module")
def photo(toy: FfhqGenerator) -> Tensor:
    """A face drawn with other noise than the generator's own: no code alone can reach it."""
    noise = {f"noise/{layer}": 0.5 * normal(tuple(value.shape), 9 + value.shape[-1]) for layer, value in toy.noise().items()}
    return toy.synthesize(random_w(toy, 5), features=noise).detach()


def error(result: Result, photo: Tensor) -> float:
    return float((result.images - photo).square().mean())


@pytest.fixture(scope="module")
def both(toy: FfhqGenerator, photo: Tensor) -> Result:
    return create("image2stylegan_pp", toy)(InvertRequest(image=photo), quick_steps=2, steps=10, noise_steps=15)


def test_codes_and_then_noise_reach_further_than_as_many_steps_on_codes(toy: FfhqGenerator, photo: Tensor, both: Result) -> None:
    codes = create("image2stylegan", toy)(InvertRequest(image=photo), quick_steps=2, steps=25)
    assert error(both, photo) < 0.6 * error(codes, photo)


def test_the_code_is_that_of_the_first_block(toy: FfhqGenerator, photo: Tensor, both: Result) -> None:
    first = create("image2stylegan", toy)(InvertRequest(image=photo), quick_steps=2, steps=10)
    assert torch.equal(both.inversions[0].latent.codes, first.inversions[0].latent.codes)
    assert torch.equal(both.stages["before the noise"], first.images)


def test_outside_a_mask_the_picture_so_far_is_kept(toy: FfhqGenerator, photo: Tensor) -> None:
    result = create("image2stylegan_pp", toy)(InvertRequest(image=photo, mask=LEFT), quick_steps=1, steps=4, noise_steps=12)
    moved = (result.images - result.stages["before the noise"]).square().mean((0, 1, 2))
    assert float(moved[:28].mean()) > 3 * float(moved[36:].mean())


@pytest.fixture(scope="module")
def faces(toy: FfhqGenerator) -> tuple[Tensor, Tensor]:
    return toy.synthesize(random_w(toy, 5)).detach().clamp(-1, 1), toy.synthesize(random_w(toy, 6)).detach().clamp(-1, 1)


def inside(left: Tensor, right: Tensor) -> float:
    return float((left - right)[..., :26].square().mean())


def outside(left: Tensor, right: Tensor) -> float:
    return float((left - right)[..., 38:].square().mean())


def test_a_crossover_has_either_face_on_its_side(toy: FfhqGenerator, faces: tuple[Tensor, Tensor]) -> None:
    x, y = faces
    result = LocalEmbedding(toy)(LocalRequest(image=x, other=y, mask=LEFT), use="crossover", **FAST)
    assert inside(result.images, y) < 0.5 * inside(x, y)
    assert outside(result.images, x) < 0.5 * outside(x, y)
    assert torch.equal(result.stages["asked"], torch.where(LEFT > 0, y, x))
    assert set(result.metrics) == {"mse_outside", "border"}


def test_a_hole_is_filled_without_a_look_at_what_is_in_it(toy: FfhqGenerator, faces: tuple[Tensor, Tensor]) -> None:
    x, hole = faces[0], rectangle_mask(64, 0.5, 0.5, 0.4, 0.4)
    filled = [
        LocalEmbedding(toy)(LocalRequest(image=torch.lerp(x, value * torch.ones_like(x), hole), mask=hole), use="inpaint", **FAST).images
        for value in (-1.0, 1.0)
    ]
    # the perceptual features of the known pixels still see a little of their neighbours in the hole
    assert float((filled[0] - filled[1]).square().mean()) < 0.05 * float(hole.mean()) * 4


def test_a_hole_is_asked_for_in_grey(toy: FfhqGenerator, faces: tuple[Tensor, Tensor]) -> None:
    result = LocalEmbedding(toy)(LocalRequest(image=faces[0], mask=LEFT), use="inpaint", **FAST)
    assert torch.equal(result.stages["asked"], torch.where(LEFT > 0, 0.0, faces[0]))


def test_a_difference_is_carried_on_softly_where_it_is_not_known() -> None:
    difference = torch.linspace(-1, 1, 64).expand(1, 3, 64, 64)
    known = torch.ones(1, 1, 64, 64)
    known[..., 20:44, 20:44] = 0
    wild = difference.clone()
    wild[..., 20:44, 20:44] = 50.0
    carried = continued(wild, known)
    assert torch.allclose(carried[..., :20, :], difference[..., :20, :])
    assert float((carried - difference).abs().max()) < 0.4
    assert torch.allclose(continued(torch.full((1, 3, 64, 64), 0.3), known[..., ::2, ::2]), torch.tensor(0.3))
    assert not continued(difference, torch.zeros(1, 1, 64, 64)).any()


def test_filling_gives_only_some_layers_a_code_of_their_own(toy: FfhqGenerator, faces: tuple[Tensor, Tensor]) -> None:
    result = LocalEmbedding(toy)(LocalRequest(image=faces[0], mask=LEFT), use="inpaint", **FAST)
    codes = result.inversions[0].latent.codes[0, list(toy.slots.active)]
    shared = codes[9:-1]
    assert torch.allclose(shared, shared[:1].expand_as(shared)) and not torch.allclose(codes[0], codes[1])


def test_a_style_brings_textures_and_leaves_the_rest(toy: FfhqGenerator, faces: tuple[Tensor, Tensor]) -> None:
    x, y = faces
    start = Latent("w", random_w(toy, 5))
    plain, styled = (
        LocalEmbedding(toy)(LocalRequest(image=x, other=y, mask=LEFT, start=start), use="style", style_weight=weight, **FAST)
        for weight in (0.0, 10.0)
    )
    assert inside(styled.images, x) > 2 * inside(plain.images, x)
    assert outside(styled.images, x) < 0.2 * outside(y, x)


def test_a_scribble_guides_and_closeness_holds(toy: FfhqGenerator, faces: tuple[Tensor, Tensor]) -> None:
    x, start = faces[0], Latent("w", random_w(toy, 5))
    scribbled = torch.where(LEFT > 0, faces[1].mean((2, 3), keepdim=True), x)
    request, settings = LocalRequest(image=x, other=scribbled, mask=LEFT, start=start), FAST | {"steps": 25, "learning_rate": 0.2}
    free, held = (LocalEmbedding(toy)(request, use="scribble", closeness=weight, **settings) for weight in (0.0, 1.0))
    assert inside(free.images, scribbled) < 0.9 * inside(x, scribbled)
    first = toy.slots.spread(start.codes)
    moved, stayed = (float((result.inversions[0].latent.codes - first).norm()) for result in (free, held))
    assert stayed < 0.8 * moved


def test_an_attribute_copies_features_within_the_mask_alone(toy: FfhqGenerator) -> None:
    own, giver = (toy.slots.spread(random_w(toy, seed)) for seed in (5, 6))
    features = copied(toy, own, giver, LEFT, 16)
    before, after = (toy.prefix(own, 32, features=each).features for each in (None, features))
    wanted = toy.prefix(giver, 32).features
    assert torch.allclose(after[..., :8], wanted[..., :8], atol=1e-5) and torch.equal(after[..., 8:], before[..., 8:])


def test_an_attribute_is_kept_with_the_inversion(toy: FfhqGenerator, faces: tuple[Tensor, Tensor]) -> None:
    starts = [Latent("w", random_w(toy, seed)) for seed in (5, 6)]
    request = LocalRequest(image=faces[0], other=faces[1], mask=LEFT, start=starts[0], other_start=starts[1])
    result = LocalEmbedding(toy)(request, use="attribute", layer="16", **FAST)
    assert "feature/conv2_16" in result.inversions[0].features
    assert torch.allclose(draw_inversion(toy, result.inversions[0]), result.images, atol=1e-5)
    nothing = replace(request, other=faces[0], other_start=starts[0])
    without = LocalEmbedding(toy)(nothing, use="attribute", layer="16", **FAST).stages["before the noise"]
    assert inside(result.stages["before the noise"], without) > 5 * outside(result.stages["before the noise"], without)


def test_bad_requests_get_a_sentence(toy: FfhqGenerator, faces: tuple[Tensor, Tensor]) -> None:
    good = LocalRequest(image=faces[0], other=faces[1], mask=LEFT)
    embed = partial(LocalEmbedding(toy), **FAST)
    for request, words in (
        (replace(good, mask=None), "Nothing is marked"),
        (replace(good, mask=0 * LEFT), "Nothing is marked"),
        (replace(good, other=None), "needs a second picture"),
        (replace(good, other=faces[1][..., :32, :32]), "32 x 32 and 64 x 64 came"),
    ):
        with pytest.raises(ImageError, match=words):
            embed(request, use="crossover")
    with pytest.raises(KnobError, match="copies them at 8, 16 px"):
        embed(good, use="attribute", layer="64")


def test_the_rate_of_the_noise_stays_for_half_a_run_and_falls_to_its_half(
    toy: FfhqGenerator, photo: Tensor, monkeypatch: pytest.MonkeyPatch
) -> None:
    rates = dict[float, float]()

    class Watched(Descent):
        def run(self, *args: Any, **options: Any) -> Run:
            rates.update({progress: self.rate(progress) for progress in (0, 0.25, 0.5, 0.75, 1)})
            return super().run(*args, **options)

    monkeypatch.setattr(blocks, "Descent", Watched)
    finish(blocks.seek_noise(toy, LocalLoss([Goal(photo, pixel=LEFT)], {}), toy.slots.spread(random_w(toy, 5)), 1, 0.2, {}, 1, 0))
    assert rates == pytest.approx({0: 0.2, 0.25: 0.2, 0.5: 0.2, 0.75: 0.15, 1: 0.1})
