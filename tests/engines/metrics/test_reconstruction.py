import pytest
import torch

from engines.core.images import area, read_image, to_tensor
from engines.core.weights import assets
from engines.losses.perceptual import Perceptual
from engines.metrics import Reconstruction


@pytest.fixture(scope="module")
def measure() -> Reconstruction:
    return Reconstruction()


@pytest.fixture(scope="module")
def photo() -> torch.Tensor:
    return to_tensor(read_image(assets() / "examples" / "astronaut.jpg"))


def test_a_perfect_copy_gets_perfect_figures(measure: Reconstruction, photo: torch.Tensor) -> None:
    figures = measure(photo, photo)
    assert figures.keys() == {"mse", "psnr", "ms_ssim", "lpips", "identity_distance"}
    assert (figures["mse"], figures["lpips"]) == (0, 0)
    assert figures["psnr"] > 120
    assert figures["ms_ssim"] == pytest.approx(1, abs=1e-5)
    assert figures["identity_distance"] == pytest.approx(0, abs=1e-4)


def test_psnr_has_range_two(measure: Reconstruction, photo: torch.Tensor) -> None:
    """A tenth of grey level 1 off everywhere: mse 0.01, and 10 log10(4 / 0.01) = 26.02 dB."""
    target = 0.8 * photo
    figures = measure(target + 0.1, target)
    assert figures["mse"] == pytest.approx(0.01, rel=1e-3)
    assert figures["psnr"] == pytest.approx(26.02, abs=0.01)


def test_pictures_are_clamped_and_averaged_to_256_px(measure: Reconstruction, photo: torch.Tensor) -> None:
    loud = photo + 0.5
    figures = measure(loud, photo)
    small, small_target = area(loud.clamp(-1, 1), 256), area(photo, 256)
    assert figures["mse"] == pytest.approx(float((small - small_target).square().mean()), rel=1e-4)
    assert figures["lpips"] == pytest.approx(float(Perceptual()(small, small_target)), rel=1e-4)
    assert measure(photo.clamp(-1, 1) * 1.0 + (photo >= 1) * 5.0, photo)["mse"] == pytest.approx(0, abs=1e-9)


def test_worse_pictures_get_worse_figures(measure: Reconstruction, photo: torch.Tensor) -> None:
    near, far = (measure(area(area(photo, side), 512), photo) for side in (128, 16))
    for name in ("mse", "lpips", "identity_distance"):
        assert near[name] < far[name]
    for name in ("psnr", "ms_ssim"):
        assert near[name] > far[name]


def test_nothing_keeps_a_gradient(measure: Reconstruction, photo: torch.Tensor) -> None:
    figures = measure(photo.clone().requires_grad_(), photo)
    assert all(type(value) is float for value in figures.values())
