"""Distances against figures that are known from elsewhere: LPIPS of one photo, as the package `lpips` gives them with the original
trunk (`resize((256, 256), LANCZOS)` of scikit-image's astronaut; tolerances are for our JPEG of it)."""

import pytest
import torch
from PIL import Image as Pil
from PIL import ImageFilter

from engines.core.images import read_image, to_tensor
from engines.core.seeds import normal
from engines.core.shapes import Image
from engines.core.weights import assets
from engines.losses.perceptual import Perceptual, VggFeatures


@pytest.fixture(scope="module")
def photo() -> Pil.Image:
    picture = read_image(assets() / "examples" / "astronaut.jpg")
    return picture.resize((256, 256), Pil.Resampling.LANCZOS)


@pytest.fixture(scope="module")
def image(photo: Pil.Image) -> Image:
    return to_tensor(photo)


@pytest.fixture(scope="module")
def lpips() -> Perceptual:
    return Perceptual()


def test_a_picture_is_no_distance_from_itself(lpips: Perceptual, image: Image) -> None:
    assert float(lpips(image, image)) == 0
    assert float(VggFeatures()(image[..., :64, :64], image[..., :64, :64])) == 0


def test_lpips_of_the_mirrored_photo_is_the_known_one(lpips: Perceptual, image: Image) -> None:
    assert float(lpips(image, image.flip(3))) == pytest.approx(0.637, abs=0.005)


@pytest.mark.parametrize(("spread", "known"), [(1, 0.185), (4, 0.649)])
def test_lpips_of_a_blurred_photo_is_the_known_one(lpips: Perceptual, photo: Pil.Image, image: Image, spread: int, known: float) -> None:
    blurred = to_tensor(photo.filter(ImageFilter.GaussianBlur(spread)))
    assert float(lpips(image, blurred)) == pytest.approx(known, abs=0.008)


@pytest.mark.parametrize(("spread", "known"), [(0.02, 0.0044), (0.1, 0.147), (0.3, 0.512)])
def test_lpips_of_a_noisy_photo_is_about_the_known_one(lpips: Perceptual, image: Image, spread: float, known: float) -> None:
    noisy = image + spread * normal(tuple(image.shape), 0)
    assert float(lpips(image, noisy)) == pytest.approx(known, rel=0.15)


def test_distances_are_symmetric_and_come_pair_by_pair(lpips: Perceptual, image: Image) -> None:
    pair, other = torch.cat([image, image.flip(3)])[..., 64:192, 64:192], torch.cat([image.flip(2), image])[..., 64:192, 64:192]
    for distance in (lpips, VggFeatures()):
        there, back = distance(pair, other), distance(other, pair)
        assert there.shape == (2,)
        assert torch.allclose(there, back, rtol=1e-4)
        assert float(there[0]) == pytest.approx(float(distance(pair[:1], other[:1])), rel=1e-3)


def test_gradients_reach_the_picture_and_nothing_else(lpips: Perceptual, image: Image) -> None:
    for distance in (lpips, VggFeatures()):
        moving = image[..., 64:128, 64:128].clone().requires_grad_()
        distance(moving, image[..., 64:128, 80:144]).sum().backward()
        assert moving.grad is not None
        assert torch.isfinite(moving.grad).all()
        assert float(moving.grad.abs().max()) > 0
    assert not any(parameter.requires_grad for parameter in lpips.network.parameters())


def test_a_step_down_the_gradient_comes_nearer(lpips: Perceptual, image: Image) -> None:
    for distance in (lpips, VggFeatures()):
        target = image[..., 64:128, 80:144]
        moving = image[..., 64:128, 64:128].clone().requires_grad_()
        before = distance(moving, target).sum()
        before.backward()
        assert moving.grad is not None
        nearer = moving.detach() - 0.01 * moving.grad / moving.grad.abs().max()
        assert float(distance(nearer, target)) < float(before.detach())


def test_the_network_is_shared(lpips: Perceptual) -> None:
    assert Perceptual().network is lpips.network
