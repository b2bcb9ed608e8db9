"""Pictures of two faces: their true stylemaps, and that the generator draws them from those."""

from pathlib import Path

import pytest
import torch

from engines.core.images import area
from engines.core.seeds import rng
from engines.generators.ffhq import FfhqGenerator
from engines.training.composites import FINEST, Composites, HeldOutComposites, coarse, mean_and_offsets, random_masks
from engines.training.samples import CHUNK, TRAINING


@pytest.fixture
def composites(toy: FfhqGenerator, tmp_path: Path) -> Composites:
    made = Composites(toy, tmp_path, seed=TRAINING, size=32, drawn_at=32)
    made.fill(CHUNK)
    return made


def test_some_pictures_are_one_face_and_most_are_two() -> None:
    masks = random_masks(400, rng(1))
    assert masks.shape == (400, FINEST**2) and float(masks.min()) == 0 and float(masks.max()) == 1
    plain = (masks.amax(dim=1) == 0).float().mean()
    assert 0.15 < float(plain) < 0.4
    assert 0.2 < float(masks[masks.amax(dim=1) > 0].mean()) < 0.8


def test_a_mix_is_drawn_by_its_stylemap(composites: Composites, toy: FfhqGenerator) -> None:
    rows = torch.arange(8)
    drawn = Composites.drawn(toy, composites.codes(rows), 32).clamp(-1, 1)
    assert torch.allclose(drawn, composites.pictures(rows), atol=1.01 / 127.5)


def test_cells_average_and_come_apart(composites: Composites, toy: FfhqGenerator) -> None:
    cells = composites.codes(torch.arange(4))
    one = coarse(cells, 1)
    mean, grid = mean_and_offsets(cells)
    assert torch.allclose(one[:, 0], cells.mean(dim=1), atol=1e-5) and torch.allclose(mean, one[:, 0], atol=1e-5)
    assert grid.shape == (4, toy.width, FINEST, FINEST) and float(grid.mean(dim=(2, 3)).abs().max()) < 1e-4
    assert torch.allclose(coarse(coarse(cells, 8), 4), coarse(cells, 4), atol=1e-5)


def test_more_cells_redraw_a_mix_better(toy: FfhqGenerator, tmp_path: Path) -> None:
    held_out = HeldOutComposites(toy, tmp_path, size=32, count=16)

    def figures(side: int) -> tuple[float, float]:
        known = {float(picture.sum()): row for row, picture in enumerate(area(held_out.samples.pictures(torch.arange(16)), 32))}

        def encode(pictures: torch.Tensor) -> torch.Tensor:
            return coarse(held_out.codes[[known[float(picture.sum())] for picture in pictures]], side)

        return held_out.latent(encode)["distance"], held_out.quick_pictures(encode, 16)["mse"]

    (_, one), (exact, four), (_, sixteen) = figures(1), figures(4), figures(16)
    assert exact == pytest.approx(0, abs=1e-5)
    assert one > four > sixteen
    average = held_out.latent(held_out.average)
    assert average["distance"] > 0.3 and held_out.consistency(held_out.average) == {}
