import math
from dataclasses import replace

import pytest
import torch

from engines.data.changes import FRAMES, NEUTRAL, DeltaSpace, delta_space
from engines.explore.change_maps import bends, delta_map, difference_map
from engines.generators import FfhqGenerator


@pytest.fixture(scope="module")
def space(toy: FfhqGenerator) -> DeltaSpace:
    """Two faces; one factor runs straight and one along half a circle, as far for both; a frame of the second face is missing."""
    known = delta_space(toy)
    shape = next(iter(known.sequences.values())).shape[2:]
    turn = (torch.arange(FRAMES) - NEUTRAL) / NEUTRAL
    straight, bent = torch.zeros(2, FRAMES, *shape), torch.zeros(2, FRAMES, *shape)
    straight[:, :, 0, 0] = 3 * turn
    bent[:, :, 0, 1], bent[:, :, 0, 2] = torch.sin(turn * math.pi / 2), 1 - torch.cos(turn * math.pi / 2)
    bent[1, 6] = float("nan")
    return replace(known, sequences={"first": straight, "second": bent})


def test_a_half_circle_is_half_of_pi_times_its_chord(space: DeltaSpace) -> None:
    assert bends(space, "first") == pytest.approx(1.0, abs=1e-6)
    assert bends(space, "second") == pytest.approx(math.pi / 2, rel=0.03)


def test_frames_lie_where_their_differences_do(space: DeltaSpace) -> None:
    found = difference_map(space, ["first"])
    assert len(found.frames) == 2 * FRAMES and found.explained[0] == pytest.approx(1.0)
    along = found.places[:FRAMES, 0].tolist()
    assert [abs(value) for value in along] == pytest.approx([abs(3 * (frame - NEUTRAL) / NEUTRAL) for frame in range(FRAMES)], abs=1e-4)
    assert along == sorted(along) or along == sorted(along, reverse=True)
    assert math.isnan(found.told)


def test_what_is_missing_is_left_out_and_factors_are_told_apart(space: DeltaSpace) -> None:
    plain, learnt = (of(space, ["first", "second"]) for of in (difference_map, delta_map))
    assert plain.frames == learnt.frames and len(plain.frames) == 4 * FRAMES - 1
    assert not any((frame.factor, frame.place, frame.number) == ("second", 1, 6) for frame in plain.frames)
    assert plain.told == 1.0
    neutral = [index for index, frame in enumerate(plain.frames) if frame.number == NEUTRAL]
    for found in (plain, learnt):
        assert torch.allclose(found.places[neutral], torch.zeros(4, 2), atol=1e-5)
