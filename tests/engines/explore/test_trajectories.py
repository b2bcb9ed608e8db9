from dataclasses import replace

import numpy as np
import pytest
import torch

from engines import Direction, Inversion, Latent
from engines.core.errors import SpaceError
from engines.core.seeds import z_codes
from engines.explore import Trajectories
from engines.explore.trajectories import TrajectoryRequest, between
from engines.generators import FfhqGenerator
from engines.spaces.statistics import random_w, statistics


def face(toy: FfhqGenerator, seed: int) -> Inversion:
    return Inversion(Latent("w", random_w(toy, seed)))


def table(result, way: str) -> np.ndarray:
    return np.array([row[1:] for row in result.tables["path"].rows if row[0] == way], dtype=float)


def test_both_ways_join_the_two_faces_and_the_arc_keeps_away_from_the_mean(toy: FfhqGenerator) -> None:
    start, end = face(toy, 1), face(toy, 2)
    result = Trajectories(toy)(TrajectoryRequest(start=start, end=end), frames=5)
    assert len(result.inversions) == len(result.images) == 10
    for first in (0, 5):
        for index, inversion in ((first, start), (first + 4, end)):
            assert torch.allclose(result.inversions[index].latent.codes, toy.slots.spread(inversion.latent.codes), atol=1e-5)
            assert torch.allclose(result.images[index : index + 1], toy.synthesize(inversion.latent), atol=1e-4)
    line, arc = table(result, "line"), table(result, "arc")
    assert line[2, 2] < arc[2, 2]
    assert min(arc[:, 2]) >= min(arc[0, 2], arc[-1, 2]) - 1e-3


def test_an_edit_runs_through_the_face_from_end_to_end(toy: FfhqGenerator) -> None:
    start = face(toy, 1)
    vector = torch.nn.functional.normalize(torch.ones(toy.width), dim=0)
    direction = Direction("x", "w", vector, toy.slots.active, 0.5, "test")
    result = Trajectories(toy)(TrajectoryRequest(start=start, direction=direction), frames=5, reach=2.0, preview=True)
    assert [row[2] for row in result.tables["path"].rows] == [-2.0, -1.0, 0.0, 1.0, 2.0]
    assert torch.equal(result.inversions[2].latent.codes, toy.slots.spread(start.latent.codes))
    moved = result.inversions[4].latent.codes - result.inversions[0].latent.codes
    assert torch.allclose(moved[:, list(toy.slots.active)], (4 * 0.5 * vector).expand(1, len(toy.slots.active), -1), atol=1e-5)


def test_weight_changes_fade_and_replaced_features_belong_to_the_nearer_end(toy: FfhqGenerator) -> None:
    start = Inversion(face(toy, 1).latent, {"a": torch.ones(2)}, {"shift/conv_4": torch.ones(1, 2), "noise/conv_4": torch.zeros(1)})
    end = Inversion(face(toy, 2).latent, {"b": torch.ones(3)}, {"noise/conv_4": torch.ones(1)})
    early = between(toy.slots.spread, start, end, 0.25, statistics(toy).mean[0])
    assert torch.allclose(early.tuning["a"], torch.full((2,), 0.75)) and torch.allclose(early.tuning["b"], torch.full((3,), 0.25))
    assert torch.allclose(early.features["shift/conv_4"], torch.full((1, 2), 0.75))
    assert (
        float(early.features["noise/conv_4"]) == 0
        and float(between(toy.slots.spread, start, end, 0.75, None).features["noise/conv_4"]) == 1
    )


def test_grids_of_two_sizes_fade_into_each_other(toy: FfhqGenerator) -> None:
    start = Inversion(face(toy, 1).latent, {}, {"grid": torch.ones(1, toy.width, 4, 4)})
    end = Inversion(face(toy, 2).latent, {}, {"grid": 3 * torch.ones(1, toy.width, 8, 8)})
    half = between(toy.slots.spread, start, end, 0.5, None)
    assert torch.allclose(half.features["grid"], torch.full((1, toy.width, 8, 8), 2.0))
    alone = between(toy.slots.spread, start, replace(end, features={}), 0.25, None)
    assert torch.allclose(alone.features["grid"], torch.full((1, toy.width, 4, 4), 0.75))


def test_a_code_of_s_cannot_be_walked_from(toy: FfhqGenerator) -> None:
    styles = Inversion(toy.styles(random_w(toy, 1)))
    with pytest.raises(SpaceError, match="Only codes of W and W\\+"):
        Trajectories(toy)(TrajectoryRequest(start=styles), frames=2)


def test_an_arc_in_z_joins_the_same_two_faces(toy: FfhqGenerator) -> None:
    z = z_codes(2, toy.width, 3)
    codes = statistics(toy).truncate(toy.map(z), 0.7)
    start, end = (Inversion(Latent("w", code[None])) for code in codes)
    request = TrajectoryRequest(start=start, end=end, z=(z[:1], z[1:]), truncation=0.7)
    result = Trajectories(toy)(request, frames=3, preview=True)
    assert [row[0] for row in result.tables["path"].rows] == ["line"] * 3 + ["arc"] * 3 + ["z_arc"] * 3
    for one, other in ((6, 0), (8, 2)):
        assert torch.allclose(result.inversions[one].latent.codes, result.inversions[other].latent.codes, atol=1e-4)
    assert not torch.allclose(result.inversions[7].latent.codes, result.inversions[4].latent.codes, atol=1e-2)
