"""The bundled 1024 px generator, against what the original networks drew (tests/golden/ffhq_generator.py says how)."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from engines.core.images import area
from engines.generators import FfhqGenerator
from engines.spaces.latent import Latent
from engines.spaces.statistics import random_w

GOLDEN = Path(__file__).parents[2] / "golden" / "ffhq_generator.npz"


@pytest.fixture(scope="module")
def golden() -> Mapping[str, torch.Tensor]:
    with np.load(GOLDEN) as file:
        return {name: torch.from_numpy(file[name]) for name in file.files}


@pytest.fixture(scope="module")
def faces(ffhq: FfhqGenerator) -> list[tuple[torch.Tensor, torch.Tensor]]:
    """Four seeds at truncation 0.7: w and the full picture, clamped."""
    with torch.no_grad():
        return [(w, ffhq.synthesize(w).clamp(-1, 1)) for w in (random_w(ffhq, seed) for seed in range(900_000, 900_004))]


def test_its_shape_is_the_published_one(ffhq: FfhqGenerator) -> None:
    assert (ffhq.resolution, ffhq.width, ffhq.slots.count, len(ffhq.slots.active)) == (1024, 512, 23, 16)
    assert ffhq.exits == (128, 256, 512, 1024)
    assert len(ffhq.layout("s")) == 23
    assert list(ffhq.layout("s").values())[-1].stop == 6752
    synthesis = [value for name, value in ffhq.weights.items() if not name.startswith("mapping.")]
    assert sum(value.numel() for value in synthesis) == pytest.approx(8.01e6, rel=1e-3)


def test_mapping_agrees_with_the_original(ffhq: FfhqGenerator, golden: Mapping[str, torch.Tensor]) -> None:
    """Weights are in half precision here: hence the tolerance."""
    w = ffhq.map(golden["z"])
    assert float((w - golden["w"]).abs().max()) < 5e-3
    assert float((w - golden["w"]).abs().mean()) < 5e-4


@pytest.mark.parametrize("index", range(3))
def test_pictures_agree_with_the_original(ffhq: FfhqGenerator, golden: Mapping[str, torch.Tensor], index: int) -> None:
    with torch.no_grad():
        image = ffhq.synthesize(golden["w"][index : index + 1])
    y, x = golden["pixels_yx"].long().unbind(1)
    difference = (image[0][:, y, x].T - golden["rgb"][index].float()).abs()
    assert float(difference.mean()) <= 2e-3
    assert float(difference.max()) <= 0.1


def test_a_picture_is_about_in_range(faces: list[tuple[torch.Tensor, torch.Tensor]], ffhq: FfhqGenerator) -> None:
    for _, full in faces:
        assert full.shape == (1, 3, 1024, 1024)
        assert float((full.abs() == 1).float().mean()) < 0.2


@pytest.mark.parametrize(("size", "least"), [(128, 25.0), (256, 29.0), (512, 30.0)])
def test_early_heads_show_the_averaged_full_picture(
    ffhq: FfhqGenerator, faces: list[tuple[torch.Tensor, torch.Tensor]], size: int, least: float
) -> None:
    with torch.no_grad():
        errors = [F.mse_loss(ffhq.synthesize(w, size=size).clamp(-1, 1), area(full, size)) for w, full in faces]
    psnr = float(torch.stack([10 * torch.log10(4 / error) for error in errors]).mean())
    assert psnr >= least


def test_resuming_equals_the_full_forward(ffhq: FfhqGenerator, faces: list[tuple[torch.Tensor, torch.Tensor]]) -> None:
    w, full = faces[0]
    with torch.no_grad():
        resumed = ffhq.synthesize(w, resume=ffhq.prefix(w, 128))
    assert torch.allclose(resumed.clamp(-1, 1), full, atol=1e-6)


def test_s_draws_what_its_w_draws(ffhq: FfhqGenerator, faces: list[tuple[torch.Tensor, torch.Tensor]]) -> None:
    w, full = faces[0]
    with torch.no_grad():
        styles = ffhq.styles(Latent("w", w))
        assert torch.allclose(ffhq.synthesize(styles).clamp(-1, 1), full, atol=1e-5)


def test_a_spatial_style_transplants_one_half(ffhq: FfhqGenerator, faces: list[tuple[torch.Tensor, torch.Tensor]]) -> None:
    """The left half in one face's styles, the right half in another's: each side keeps its own face."""
    (ours, left), (theirs, right) = faces[:2]
    right_half = torch.zeros(1, 1, 4, 4)
    right_half[..., 2:] = 1

    with torch.no_grad():
        own, other = ffhq.styles(ours).codes, ffhq.styles(theirs).codes
        maps = {}
        for layer, part in ffhq.layout("s").items():
            size = int(layer.rsplit("_", 1)[1]) // (2 if layer.startswith("up_") else 1)
            mask = F.interpolate(right_half, (size, size), mode="nearest")
            maps[f"style/{layer}"] = own[:, part, None, None] * (1 - mask) + other[:, part, None, None] * mask
        image = ffhq.synthesize(ours, features=maps).clamp(-1, 1)
    far_left, far_right = slice(0, 256), slice(768, 1024)
    assert F.mse_loss(image[..., far_left], left[..., far_left]) < 0.3 * F.mse_loss(image[..., far_left], right[..., far_left])
    assert F.mse_loss(image[..., far_right], right[..., far_right]) < 0.3 * F.mse_loss(image[..., far_right], left[..., far_right])


def test_dead_slots_do_not_show(ffhq: FfhqGenerator) -> None:
    code = ffhq.slots.spread(random_w(ffhq, 1)).clone()
    other = code.clone()
    other[:, [slot for slot in range(23) if slot not in ffhq.slots.active]] = 0
    with torch.no_grad():
        assert torch.equal(ffhq.synthesize(code, size=256), ffhq.synthesize(other, size=256))
