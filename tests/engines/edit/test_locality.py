"""Where a channel's change falls, on the toy, whose "face" is a square that the test paints."""

import numpy as np
import pytest
import torch
from torch import Tensor

from engines.core.errors import SpaceError
from engines.edit import locality as module
from engines.edit.locality import GRID, GROWN, Locality, grown, local_directions, outside, single
from engines.faces.regions import REGIONS
from engines.generators import FfhqGenerator
from engines.generators.incremental import draw_inversion
from engines.spaces.directions import apply_directions
from engines.spaces.latent import Latent
from engines.spaces.statistics import random_w, statistics


def squares(*places: tuple[int, int]) -> Tensor:
    found = torch.zeros(1, GRID, GRID)
    for row, column in places:
        found[0, row, column] = 1
    return found


def mask(low: int, high: int) -> Tensor:
    found = torch.zeros(1, 1, GRID, GRID)
    found[..., low:high, low:high] = 1
    return found


def test_a_region_has_some_cells_around_it_and_the_rest_is_outside() -> None:
    wide = grown(mask(20, 30))
    assert float(wide.sum()) == (10 + 2 * GROWN) ** 2
    assert float(outside(squares((25, 25), (17, 17), (50, 50), (5, 5)), wide)[0]) == pytest.approx(0.5)
    assert float(outside(squares(), wide)[0]) == 1


def test_a_channel_is_measured_both_ways(toy: FfhqGenerator, monkeypatch: pytest.MonkeyPatch) -> None:
    masks = torch.zeros(len(REGIONS), 1, GRID, GRID)
    masks[REGIONS.index("mouth")] = 1  # all of the picture
    monkeypatch.setattr(module, "regions", lambda image, size: masks)
    spill = Locality(toy, [1, 2])(5)
    assert set(spill.outside) == set(REGIONS)
    assert spill.outside["mouth"] == pytest.approx(0, abs=1e-5) and spill.outside["nose"] == pytest.approx(1, abs=1e-5)


def test_a_channels_change_is_the_root_mean_square_of_both_ways_on_every_face(toy: FfhqGenerator, monkeypatch: pytest.MonkeyPatch) -> None:
    """Again with numpy, from pictures drawn one by one; of four values the lower one in the middle."""
    monkeypatch.setattr(module, "regions", lambda image, size: torch.zeros(len(REGIONS), 1, GRID, GRID))
    changes = []
    for seed in (1, 2):
        face = Latent("w", random_w(toy, seed))
        before, *after = (
            draw_inversion(toy, apply_directions(face, [(single(toy, 5), strength)], toy)).clamp(-1, 1).numpy() for strength in (0, -10, 10)
        )
        changes += [float(np.sqrt(np.mean((picture - before) ** 2))) for picture in after]
    assert Locality(toy, [1, 2])(5).change == pytest.approx(sorted(changes)[1], rel=1e-4)


def test_a_single_channel_is_a_direction_in_its_layers_slot(toy: FfhqGenerator) -> None:
    for layer, part in toy.layout("s").items():
        direction = single(toy, part.start)
        assert direction.name == f"{layer}:0" and direction.slots == (toy.slots.of_layer(layer),)
        assert int(direction.vector.argmax()) == part.start and float(direction.vector.sum()) == 1
        assert direction.sigma == pytest.approx(float(toy.styles(statistics(toy).bank).codes[:, part.start].std()), rel=1e-3)
    with pytest.raises(SpaceError, match="no channel 100000"):
        single(toy, 100_000)


def test_shipped_channels_become_directions(toy: FfhqGenerator, monkeypatch: pytest.MonkeyPatch) -> None:
    assert local_directions(toy, "mouth") == ()
    stored = {f"{region}.{part}": torch.tensor([]) for region in REGIONS for part in ("channels", "outside")}
    stored |= {"mouth.channels": torch.tensor([3, 7]), "mouth.outside": torch.tensor([0.05, 0.2])}
    monkeypatch.setattr(module, "manifest", lambda: {"style_local_toy": {}})
    monkeypatch.setattr(module, "load_weights", lambda name: stored)
    best, second = local_directions(toy, "mouth")
    assert best.name == "mouth: 5% outside" and int(second.vector.argmax()) == 7
    assert local_directions(toy, "nose") == ()
    with pytest.raises(SpaceError, match="no region 'ear'"):
        local_directions(toy, "ear")
