import pytest
import torch
from torch import Tensor

from engines import InvertRequest, Result, create
from engines.core.seeds import normal
from engines.generators import Student
from engines.invert.optimize.image2stylegan_pp import FARTHEST, Noise
from engines.spaces.statistics import random_w


@pytest.fixture(scope="module")
def photo(toy: Student) -> Tensor:
    """A face drawn with other noise than the generator's own: no code alone can reach it."""
    noise = {f"noise/{layer}": 0.5 * normal(tuple(value.shape), 9 + value.shape[-1]) for layer, value in toy.noise().items()}
    return toy.synthesize(random_w(toy, 5), features=noise).detach()


def error(result: Result, photo: Tensor) -> float:
    return float((result.images - photo).square().mean())


@pytest.fixture(scope="module")
def both(toy: Student, photo: Tensor) -> Result:
    return create("image2stylegan_pp", toy)(InvertRequest(image=photo), quick_steps=2, steps=10, noise_steps=15)


def test_codes_and_then_noise_reach_further_than_as_many_steps_on_codes(toy: Student, photo: Tensor, both: Result) -> None:
    codes = create("image2stylegan", toy)(InvertRequest(image=photo), quick_steps=2, steps=25)
    assert error(both, photo) < 0.8 * error(codes, photo)


def test_the_code_is_that_of_the_first_block(toy: Student, photo: Tensor, both: Result) -> None:
    first = create("image2stylegan", toy)(InvertRequest(image=photo), quick_steps=2, steps=10)
    assert torch.equal(both.inversions[0].latent.codes, first.inversions[0].latent.codes)
    assert torch.equal(both.stages["before the noise"], first.images)


def test_noise_stays_noise(toy: Student, both: Result) -> None:
    for layer, value in toy.noise().items():
        assert float((both.inversions[0].features[f"noise/{layer}"] / value.std()).abs().max()) <= FARTHEST + 1e-4


def test_outside_a_mask_the_picture_so_far_is_kept(toy: Student, photo: Tensor) -> None:
    left = (torch.arange(64) < 32).float().expand(1, 1, 64, 64).contiguous()
    result = create("image2stylegan_pp", toy)(InvertRequest(image=photo, mask=left), quick_steps=1, steps=4, noise_steps=12)
    moved = (result.images - result.stages["before the noise"]).square().mean((0, 1, 2))
    assert float(moved[:28].mean()) > 3 * float(moved[36:].mean())


def test_whiteness_tells_a_drawing_from_noise(toy: Student) -> None:
    noise = Noise(toy)
    before = float(noise.whiteness().detach())
    with torch.no_grad():
        for value in noise.steps.values():
            value.copy_(3 * torch.linspace(-1, 1, value.shape[-1]).expand_as(value))
    assert float(noise.whiteness().detach()) > 5 * before
