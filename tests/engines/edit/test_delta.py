import copy
import json
from dataclasses import replace

import pytest
import torch
from safetensors.torch import save

from engines.core.errors import CatalogueError, KnobError, SpaceError, WeightsError
from engines.core.seeds import normal
from engines.data.changes import FRAMES, NEUTRAL, DeltaSpace, delta_space, packed, sequence_faces, unpacked
from engines.edit import Delta, change_between, learnt_change, read_delta, write_delta
from engines.edit.delta import DeltaRequest, apply_delta, apply_deltas, change_of, chord
from engines.edit.delta_files import FARTHEST, LARGEST_FILE, LONGEST_NAME, StoredDelta
from engines.generators import FfhqGenerator
from engines.spaces.directions import Direction, apply_directions, project_out
from engines.spaces.latent import Inversion, Latent
from engines.spaces.paths import curvature
from engines.spaces.statistics import random_w


@pytest.fixture(scope="module")
def space(toy: FfhqGenerator) -> DeltaSpace:
    return delta_space(toy)


def face(generator: FfhqGenerator, seed: int = 5) -> Inversion:
    return Inversion(Latent("w", random_w(generator, seed)))


def test_a_face_and_itself_are_no_change(toy: FfhqGenerator, space: DeltaSpace) -> None:
    source, other = face(toy), face(toy, 6)
    result = Delta(toy)(DeltaRequest(source=source, pair=(other, other)), frames=2)
    assert len(result.stages) == 2 and torch.allclose(*result.stages.values(), atol=1e-5)
    assert float(result.inversions[-1].latent.codes.sub(toy.slots.spread(source.latent.codes)).abs().max()) < 1e-5


def test_at_strength_0_the_very_face_comes_back(toy: FfhqGenerator, space: DeltaSpace) -> None:
    source = face(toy)
    assert apply_delta(source, space.stored("first", 0, 8), 0.0, space, toy) is source


def test_a_weight_change_and_features_go_with_the_face(toy: FfhqGenerator, space: DeltaSpace) -> None:
    name, weight = next(iter(toy.tunable().items()))
    layer, noise = next(iter(toy.noise().items()))
    tuned = Inversion(face(toy).latent, {name: 0.1 * weight}, {f"noise/{layer}": 2 * noise})
    moved = apply_delta(tuned, space.stored("first", 0, 8), 1.0, space, toy)
    assert moved.tuning is tuned.tuning and torch.equal(moved.features[f"noise/{layer}"], 2 * noise)
    assert torch.equal(moved.latent.codes, apply_delta(face(toy), space.stored("first", 0, 8), 1.0, space, toy).latent.codes)


def test_the_chord_is_a_direction_that_ends_where_the_change_does(toy: FfhqGenerator, space: DeltaSpace) -> None:
    source, delta = face(toy), space.stored("second", 0, 8)
    ends = apply_delta(source, delta, 1.0, space, toy), apply_directions(source, [(chord(source, delta, "x", space, toy), 1.0)], toy)
    codes = [one.latent.codes[:, list(toy.slots.active)] for one in ends]
    assert torch.allclose(*codes, atol=1e-5)


def test_changes_add_up_one_after_the_other(toy: FfhqGenerator, space: DeltaSpace) -> None:
    source, first, second = face(toy), space.stored("first", 4, 8), space.stored("second", 4, 0)
    both = apply_deltas(source, [(first, 1.0), (second, 0.5)], space, toy)
    assert torch.equal(both.latent.codes, apply_delta(apply_delta(source, first, 1.0, space, toy), second, 0.5, space, toy).latent.codes)


def test_given_changes_come_before_pairs_and_pairs_before_stored_ones(toy: FfhqGenerator, space: DeltaSpace) -> None:
    pair, own = (face(toy, 1), face(toy, 2)), normal((1, space.dims), 3)
    asked = DeltaRequest(source=face(toy), factor="second", first=0, last=2)
    ends = [
        Delta(toy)(request, frames=2).inversions[-1].latent.codes
        for request in (asked, replace(asked, pair=pair), replace(asked, pair=pair, delta=own))
    ]
    wanted = [space.stored("second", 0, 2), space.encode(*(one.latent.codes for one in pair)), own]
    assert all(
        torch.equal(end, apply_delta(face(toy), delta, 1.0, space, toy).latent.codes) for end, delta in zip(ends, wanted, strict=True)
    )


def test_what_is_not_known_is_said(toy: FfhqGenerator, space: DeltaSpace) -> None:
    for words, request in (
        ("there are: first, second", DeltaRequest(source=face(toy), factor="beard")),
        ("frames 0 to 8", DeltaRequest(source=face(toy), factor="first", last=9)),
        (r"takes \(1, 8\)", DeltaRequest(source=face(toy), delta=torch.zeros(1, 3))),
        ("this code is in s", DeltaRequest(source=Inversion(toy.styles(random_w(toy, 1))), factor="first")),
    ):
        with pytest.raises(SpaceError, match=words):
            Delta(toy)(request)
    with pytest.raises(KnobError):
        Delta(toy)(DeltaRequest(source=face(toy)), strength=2.5)


def test_a_generator_that_nothing_was_learnt_for_is_refused(toy: FfhqGenerator) -> None:
    another = copy.copy(toy)
    another.name, another.capabilities = "another", frozenset({"w_plus", "encoders"})
    with pytest.raises(CatalogueError, match="none are known for another"):
        delta_space(another)


def test_a_straight_path_has_curvature_1_and_half_a_circle_half_of_pi() -> None:
    line = torch.linspace(0, 1, 9)[:, None] * normal((1, 12), 1)
    turns = torch.linspace(0, torch.pi, 200)
    assert curvature(line) == pytest.approx(1)
    assert curvature(torch.stack([turns.cos(), turns.sin()], dim=1)) == pytest.approx(torch.pi / 2, rel=1e-3)
    assert curvature(torch.zeros(3, 2)) == 1


def test_a_space_comes_back_from_its_file(toy: FfhqGenerator, space: DeltaSpace) -> None:
    again, code, delta = unpacked(packed(space), toy), random_w(toy, 1), normal((1, space.dims), 1)
    assert torch.equal(again.decode(code, delta), space.decode(code, delta))
    assert again.factors == space.factors and again.identities == space.identities
    with pytest.raises(WeightsError, match="another form"):
        unpacked({name: value for name, value in packed(space).items() if name != "net.look.weight"}, toy)


def test_a_change_comes_back_from_its_file_with_its_name(toy: FfhqGenerator, space: DeltaSpace) -> None:
    change = StoredDelta("a wider smile", normal((1, space.dims), 1))
    data = write_delta(change, toy)
    again = read_delta(data, space, toy)
    assert again.name == change.name and torch.equal(again.delta, change.delta) and len(data) < 1024
    assert read_delta(write_delta(replace(change, name="\x00" + "x" * 500), toy), space, toy).name == "x" * (LONGEST_NAME - 1)


def test_files_that_hold_no_change_of_this_generator_are_refused(toy: FfhqGenerator, space: DeltaSpace) -> None:
    delta, notes = torch.zeros(1, space.dims), {"form": "latent-studio-delta-1", "generator": "toy", "name": "x"}
    for error, data in (
        (WeightsError, b"\x80\x04" + b"x" * 40),
        (WeightsError, save({"delta": delta}, notes) + b"\0" * LARGEST_FILE),
        (WeightsError, save({"other": delta}, notes)),
        (WeightsError, save({"delta": delta}, notes | {"form": "x"})),
        (WeightsError, json.dumps({"delta": [0.0]}).encode()),
        (SpaceError, save({"delta": delta}, notes | {"generator": "ffhq"})),
        (SpaceError, save({"delta": torch.zeros(1, space.dims + 1)}, notes)),
        (SpaceError, save({"delta": delta + torch.nan}, notes)),
        (SpaceError, save({"delta": delta + 2 * FARTHEST}, notes)),
    ):
        with pytest.raises(error):
            read_delta(data, space, toy)


def test_what_ships_goes_there_and_back_and_keeps_its_order(ffhq: FfhqGenerator) -> None:
    """The change from the neutral frame to the last and back, on the identities of the test, and the steps of the mean change."""
    space = delta_space(ffhq)
    faces = sequence_faces(ffhq)[list(space.identities[:3])]
    for factor in space.factors:
        delta = space.stored(factor, NEUTRAL, FRAMES - 1).expand(len(faces), -1)
        there = ffhq.slots.spread(faces) + space.decode(faces, delta)
        back = there + space.decode(there, -delta)
        away = (there - ffhq.slots.spread(faces)).flatten(1).norm(dim=1)
        left = (back - ffhq.slots.spread(faces)).flatten(1).norm(dim=1)
        assert float((left / away).max()) < 0.25, factor
        ways = space.decode(faces[:1].expand(FRAMES, -1), space.deltas[factor][NEUTRAL]).flatten(1)
        assert bool(((ways @ (ways[-1] - ways[0])).diff() > 0).all()), factor


def test_stored_sequences_begin_at_faces_of_their_seed(ffhq: FfhqGenerator) -> None:
    space = delta_space(ffhq)
    frames, codes = space.frames(ffhq, space.factors[0], 0)
    face_w = sequence_faces(ffhq)[space.identities[0]]
    assert torch.allclose(codes[frames.index(NEUTRAL)], ffhq.slots.spread(face_w[None])[0], atol=1e-5)


def test_a_learnt_change_as_a_direction_goes_the_engines_way(toy: FfhqGenerator, space: DeltaSpace) -> None:
    source, direction = face(toy), learnt_change(toy, "first")
    for strength, frame in ((1.0, 8), (0.5, 8), (-1.0, 0), (-0.3, 0)):
        by_engine = apply_delta(source, space.stored("first", NEUTRAL, frame), abs(strength), space, toy)
        by_slider = apply_directions(source, [(direction, strength)], toy)
        assert torch.allclose(by_slider.latent.codes, by_engine.latent.codes, atol=1e-5)
    assert apply_directions(source, [(direction, 0.0)], toy) is source


def test_what_bends_is_decoded_on_what_straight_directions_have_made_and_in_its_layers_alone(toy: FfhqGenerator) -> None:
    source, bending = face(toy), learnt_change(toy, "second")
    straight = Direction("x", "w", normal((toy.width,), 3) / toy.width**0.5, toy.slots.active, 1.0, "test")
    there = apply_directions(apply_directions(source, [(straight, 2.0)], toy), [(bending, 1.0)], toy)
    for edits in ([(straight, 2.0), (bending, 1.0)], [(bending, 1.0), (straight, 2.0)]):
        assert torch.equal(apply_directions(source, edits, toy).latent.codes, there.latent.codes)
    some = toy.slots.groups["coarse"]
    moved = apply_directions(source, [(replace(bending, slots=some), 1.0)], toy).latent.codes - toy.slots.spread(source.latent.codes)
    kept = [slot for slot in range(toy.slots.count) if slot not in some]
    assert float(moved[:, list(some)].abs().max()) > 0 and float(moved[:, kept].abs().max()) == 0


def test_the_change_between_two_faces_is_one_to_apply_elsewhere(toy: FfhqGenerator, space: DeltaSpace) -> None:
    before, after, other = (face(toy, seed) for seed in (5, 6, 7))
    direction, delta = change_between(toy, before, after, "mine"), change_of(space, DeltaRequest(source=other, pair=(before, after)), toy)
    moved = apply_directions(other, [(direction, 0.8)], toy).latent.codes
    assert torch.allclose(moved, apply_delta(other, delta, 0.8, space, toy).latent.codes, atol=1e-5)
    with pytest.raises(SpaceError, match="reads W and W\\+"):
        apply_directions(Inversion(toy.styles(other.latent)), [(direction, 1.0)], toy)
    with pytest.raises(SpaceError, match="bends"):
        project_out(direction, [direction])
