"""Applying directions in every space, on the toy: 11 slots, width 32, 140 values of S."""

from dataclasses import replace

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from engines.core.errors import SpaceError
from engines.core.seeds import normal
from engines.generators import FfhqGenerator
from engines.generators.toy import toy as new_toy
from engines.spaces.directions import Direction, apply_directions, project_out, signed_distance
from engines.spaces.latent import Inversion, Latent
from engines.spaces.statistics import random_w, statistics

SPACES = ("z", "w", "w_plus", "s")

TOY = new_toy()
SLOTS, WIDTH = TOY.slots, TOY.width
VALUES = max(part.stop for part in TOY.layout("s").values())
SHAPES = {"z": (WIDTH,), "w": (WIDTH,), "w_plus": (SLOTS.count, WIDTH), "s": (VALUES,)}

strengths = st.integers(-50, 50).map(lambda tenths: tenths / 10)
some_slots = st.sets(st.sampled_from(SLOTS.active), min_size=1).map(lambda slots: tuple(sorted(slots)))
code_spaces = st.sampled_from(["w", "w_plus", "s"])
direction_spaces = st.sampled_from(["w", "w_plus", "s"])


def direction(slots: tuple[int, ...] = SLOTS.active, seed: int = 0, sigma: float = 0.7, space: str = "w") -> Direction:
    vector = normal(SHAPES[space], seed)
    return Direction(f"test {seed}", space, vector / vector.norm(), slots, sigma, "drawn at random")


def code(space: str, seed: int = 1, batch: int = 1) -> Latent:
    shape = {"s": (VALUES,), "w_plus": (SLOTS.count, WIDTH)}.get(space, (WIDTH,))
    return Latent(space, normal((batch, *shape), seed))


def styles(inversion: Inversion) -> Tensor:
    """S of an inversion, its shifts included."""
    codes = TOY.styles(inversion.latent).codes.clone()
    for layer, part in TOY.layout("s").items():
        codes[:, part] += inversion.features.get(f"shift/{layer}", 0)
    return codes


@given(strengths, some_slots, st.integers(0, 100), code_spaces, direction_spaces)
def test_there_and_back_restores_the_code(strength: float, slots: tuple[int, ...], seed: int, space: str, of: str) -> None:
    latent, edit = code(space, seed, batch=2), direction(slots, seed, space=of)
    back = apply_directions(apply_directions(latent, [(edit, strength)], TOY), [(edit, -strength)], TOY)
    assert torch.allclose(styles(back), TOY.styles(latent).codes, atol=1e-5)


@given(strengths.filter(bool), some_slots)
def test_only_its_slots_move_and_by_strength_times_sigma(strength: float, slots: tuple[int, ...]) -> None:
    latent, edit = code("w"), direction(slots)
    moved = apply_directions(latent, [(edit, strength)], TOY)
    assert moved.latent.space == "w_plus"
    assert (moved.tuning, moved.features) == ({}, {})
    way = moved.latent.codes - SLOTS.spread(latent.codes)
    still = [slot for slot in range(SLOTS.count) if slot not in slots]
    assert torch.equal(way[:, still], torch.zeros_like(way[:, still]))
    for slot in slots:
        assert torch.allclose(way[0, slot], strength * edit.sigma * edit.vector, atol=1e-5)


@given(strengths.filter(bool), some_slots)
def test_a_direction_of_w_plus_moves_each_slot_its_own_way(strength: float, slots: tuple[int, ...]) -> None:
    latent, edit = code("w_plus"), direction(slots, space="w_plus")
    way = (apply_directions(latent, [(edit, strength)], TOY).latent.codes - latent.codes)[0]
    wanted = torch.zeros_like(way)
    wanted[list(slots)] = strength * edit.sigma * edit.vector[list(slots)]
    assert torch.allclose(way, wanted, atol=1e-5)


@given(strengths.filter(bool), some_slots, st.sampled_from(["w", "w_plus"]))
def test_a_direction_of_s_becomes_a_shift_of_the_layers_that_read_its_slots(strength: float, slots: tuple[int, ...], space: str) -> None:
    latent, edit = code(space), direction(slots, space="s")
    moved = apply_directions(latent, [(edit, strength)], TOY)
    assert moved.latent is latent
    reached = {layer: part for layer, part in TOY.layout("s").items() if SLOTS.of_layer(layer) in slots}
    assert set(moved.features) == {f"shift/{layer}" for layer in reached}
    for layer, part in reached.items():
        assert torch.allclose(moved.features[f"shift/{layer}"][0], strength * edit.sigma * edit.vector[part], atol=1e-6)


@given(strengths, some_slots, direction_spaces, st.integers(0, 20))
def test_a_code_in_s_moves_as_the_styles_of_its_w_do(strength: float, slots: tuple[int, ...], of: str, seed: int) -> None:
    latent, edit = code("w_plus", seed), direction(slots, seed, space=of)
    in_s = apply_directions(TOY.styles(latent), [(edit, strength)], TOY)
    assert in_s.latent.space == "s"
    assert not in_s.features
    moved = apply_directions(latent, [(edit, strength)], TOY)
    assert torch.allclose(in_s.latent.codes, styles(moved), atol=1e-4)
    with torch.no_grad():
        drawn = TOY.synthesize(moved.latent, features=moved.features)
        assert torch.allclose(TOY.synthesize(in_s.latent), drawn, atol=1e-3)


@given(st.lists(st.tuples(direction_spaces, strengths, st.integers(0, 9)), min_size=1, max_size=4), code_spaces)
def test_edits_add_up_in_any_order_at_once_or_one_by_one(drawn: list[tuple[str, float, int]], space: str) -> None:
    latent = code(space)
    edits = [(direction(seed=seed, space=of), strength) for of, strength, seed in drawn]
    wanted = styles(apply_directions(latent, edits, TOY))
    assert torch.allclose(styles(apply_directions(latent, edits[::-1], TOY)), wanted, atol=1e-5)
    one_by_one = Inversion(latent)
    for edit in edits:
        one_by_one = apply_directions(one_by_one, [edit], TOY)
    assert torch.allclose(styles(one_by_one), wanted, atol=1e-5)


@given(code_spaces, st.lists(st.sampled_from(SPACES), max_size=4))
def test_nothing_to_do_returns_the_very_code_and_its_bits(space: str, of: list[str]) -> None:
    latent = code(space)
    edits = [(direction(seed=seed, space=name), 0.0) for seed, name in enumerate(of)]
    assert apply_directions(latent, edits, TOY).latent is latent
    inversion = Inversion(latent, {"conv_4.bias": torch.ones(16)}, {"shift/conv_4": torch.ones(1, 16)})
    assert apply_directions(inversion, edits, TOY) is inversion


@given(code_spaces, direction_spaces, strengths)
def test_what_is_given_is_never_written_to(space: str, of: str, strength: float) -> None:
    inversion = Inversion(code(space), features={"shift/conv_4": torch.ones(1, 16)})
    edit = direction(space=of)
    codes, vector = inversion.latent.codes.clone(), edit.vector.clone()
    apply_directions(inversion, [(edit, strength)], TOY)
    assert torch.equal(inversion.latent.codes, codes)
    assert torch.equal(edit.vector, vector)
    assert torch.equal(inversion.features["shift/conv_4"], torch.ones(1, 16))
    assert list(inversion.features) == ["shift/conv_4"]


@pytest.mark.parametrize("of", ["w", "w_plus", "s"])
def test_a_weight_change_and_other_features_stay(of: str) -> None:
    inversion = Inversion(code("w"), {"conv_4.bias": torch.ones(16)}, {"noise/conv_4": torch.zeros(1, 1, 4, 4)})
    moved = apply_directions(inversion, [(direction(space=of), 1.5)], TOY)
    assert moved.tuning is inversion.tuning
    assert moved.features["noise/conv_4"] is inversion.features["noise/conv_4"]


def test_a_shift_that_is_there_already_is_added_to() -> None:
    edit = direction(space="s")
    once = apply_directions(code("w"), [(edit, 1.0)], TOY)
    thrice = apply_directions(once, [(edit, 2.0)], TOY)
    for key, value in once.features.items():
        assert torch.allclose(thrice.features[key], 3 * value, atol=1e-6)


@pytest.mark.parametrize("truncation", [1.0, 0.7])
def test_a_z_is_mapped_and_truncated(truncation: float) -> None:
    latent = code("z", batch=2)
    moved = apply_directions(latent, [], TOY, truncation=truncation)
    wanted = statistics(TOY).truncate(TOY.map(latent.codes), truncation)
    assert moved.latent.space == "w_plus"
    assert torch.allclose(moved.latent.codes, SLOTS.spread(wanted), atol=1e-5)


@given(strengths, some_slots)
def test_a_direction_of_z_is_added_before_the_mapping(strength: float, slots: tuple[int, ...]) -> None:
    latent, edit = code("z"), direction(slots, space="z", sigma=1.0)
    moved = apply_directions(latent, [(edit, strength)], TOY).latent.codes
    wanted = TOY.map(latent.codes + strength * edit.vector)
    for slot in range(SLOTS.count):
        assert torch.allclose(moved[:, slot], wanted if slot in slots else TOY.map(latent.codes), atol=1e-4)


def test_directions_of_all_spaces_go_together_on_a_z() -> None:
    latent = code("z")
    edits = [(direction(space=of, seed=index), 1.0) for index, of in enumerate(SPACES)]
    together = apply_directions(latent, edits, TOY, truncation=0.7)
    first = apply_directions(latent, edits[:1], TOY, truncation=0.7)
    assert torch.allclose(styles(together), styles(apply_directions(first, edits[1:], TOY)), atol=1e-5)


@pytest.mark.parametrize("space", ["w", "w_plus", "s"])
def test_a_direction_of_z_is_refused_where_the_z_is_not_known(space: str) -> None:
    with pytest.raises(SpaceError, match=r"A direction of Z moves random faces only.*Choose a direction of W or S\."):
        apply_directions(code(space), [(direction(space="z"), 1.0)], TOY)


@pytest.mark.parametrize("of", SPACES)
@pytest.mark.parametrize("space", ["z", "w"])
def test_directions_of_another_generator_are_refused_in_a_sentence(of: str, space: str) -> None:
    foreign = replace(direction(space=of), vector=torch.ones(512))
    with pytest.raises(SpaceError, match=rf"shape \(512,\) in {of}; wanted .* it belongs to another generator\."):
        apply_directions(code(space), [(foreign, 1.0)], TOY)
    outside = replace(direction(space=of), slots=(0, 22))
    with pytest.raises(SpaceError, match="another generator"):
        apply_directions(code(space), [(outside, 1.0)], TOY)


def test_directions_of_unknown_spaces_are_refused_in_a_sentence() -> None:
    with pytest.raises(SpaceError, match="in stylemap; wanted None"):
        apply_directions(code("w"), [(replace(direction(), space="stylemap"), 1.0)], TOY)


@given(code_spaces, st.lists(st.sampled_from(["w", "w_plus", "s"]), min_size=1, max_size=3))
def test_strength_zero_draws_the_same_bits(space: str, of: list[str]) -> None:
    latent = TOY.styles(random_w(TOY, 1)) if space == "s" else Latent(space, random_w(TOY, 1) if space == "w" else code("w_plus").codes)
    moved = apply_directions(latent, [(direction(space=name), 0.0) for name in of], TOY)
    with torch.no_grad():
        assert torch.equal(TOY.synthesize(moved.latent, features=moved.features), TOY.synthesize(latent))


def test_strength_zero_draws_the_same_bits_at_1024_px(ffhq: FfhqGenerator) -> None:
    latent = Latent("w", random_w(ffhq, 1))
    vector = normal((ffhq.width,), 1)
    edit = Direction("", "w", vector / vector.norm(), ffhq.slots.active, 1.0, "")
    assert apply_directions(latent, [(edit, 0.0)], ffhq).latent is latent


@given(st.integers(0, 1000), st.integers(1, 4), st.sampled_from(["z", "w", "w_plus", "s"]))
def test_projection_removes_exactly_the_span_of_the_conditions(seed: int, count: int, space: str) -> None:
    target = direction(seed=seed, space=space)
    conditions = [direction(seed=seed + 1 + index, space=space) for index in range(count)]
    left = project_out(target, conditions)
    rows = torch.stack([condition.vector.flatten() for condition in conditions]).double()
    ours, before = left.vector.flatten().double(), target.vector.flatten().double()
    assert float((rows @ ours).abs().max()) < 1e-5
    assert float(ours.norm()) == pytest.approx(1, abs=1e-5)
    removed = before - left.sigma / target.sigma * ours  # lies in the span: nothing else was taken
    assert torch.allclose(rows.T @ torch.linalg.lstsq(rows.T, removed[:, None]).solution[:, 0], removed, atol=1e-5)
    assert (left.name, left.slots, left.space, left.vector.shape) == (target.name, target.slots, target.space, target.vector.shape)
    assert all(condition.name in left.source for condition in conditions)


@given(st.integers(0, 1000))
def test_projection_does_not_care_for_order_repeats_or_what_is_gone_already(seed: int) -> None:
    target, first, second = (direction(seed=seed + index) for index in range(3))
    left = project_out(target, [first, second])
    mixed = replace(first, vector=torch.nn.functional.normalize(first.vector + second.vector, dim=0))
    for conditions in ([second, first], [first, second, first], [first, mixed, second]):
        assert torch.allclose(project_out(target, conditions).vector, left.vector, atol=1e-4)
    again = project_out(left, [first, second])
    assert torch.allclose(again.vector, left.vector, atol=1e-5)
    assert again.sigma == pytest.approx(left.sigma, rel=1e-5)


def test_a_step_along_what_is_left_is_the_old_step_without_the_conditions_share() -> None:
    target, condition = direction(seed=1), direction(seed=2)
    left = project_out(target, [condition])
    old = apply_directions(code("w"), [(target, 2.0)], TOY).latent.codes
    new = apply_directions(code("w"), [(left, 2.0)], TOY).latent.codes
    share = 2.0 * target.sigma * float(target.vector @ condition.vector)
    way = (old - new)[0, list(SLOTS.active)]
    assert torch.allclose(way, (share * condition.vector).expand_as(way), atol=1e-5)


def test_no_conditions_leave_the_direction_alone() -> None:
    target = direction()
    assert project_out(target, []) is target


def test_nothing_left_and_different_spaces_get_a_sentence() -> None:
    target = direction(seed=1)
    flipped = replace(target, name="its opposite", vector=-target.vector)
    with pytest.raises(SpaceError, match=r"Nothing of test 1 is left when its opposite must stay\."):
        project_out(target, [flipped])
    with pytest.raises(SpaceError, match=r"lies in w and test 0 in s: both must be of one space\."):
        project_out(target, [direction(space="s")])
    with pytest.raises(SpaceError, match="both must be of one space"):
        project_out(target, [replace(target, vector=torch.ones(512))])


@given(strengths, some_slots, st.integers(0, 100), code_spaces, direction_spaces)
def test_a_strength_raises_where_a_code_stands_by_as_much(strength: float, slots: tuple[int, ...], seed: int, space: str, of: str) -> None:
    latent, edit = code(space, seed), direction(slots, seed, space=of)
    if space == "s" and of != "s":
        with pytest.raises(SpaceError, match="is not known"):
            signed_distance(latent, edit, TOY)
        return
    moved = signed_distance(apply_directions(latent, [(edit, strength)], TOY), edit, TOY)
    assert moved == pytest.approx(signed_distance(latent, edit, TOY) + strength, abs=2e-3)


@pytest.mark.parametrize("space", ["w", "w_plus", "s"])
def test_the_average_face_stands_at_nothing(space: str) -> None:
    mean = Latent("w", statistics(TOY).mean)
    assert signed_distance(mean, direction(space=space), TOY) == pytest.approx(0, abs=1e-4)


def test_standing_in_z_is_counted_in_z_and_needs_it() -> None:
    edit = direction(space="z")
    assert signed_distance(code("z"), edit, TOY) == pytest.approx(float(code("z").codes[0] @ edit.vector) / 0.7, rel=1e-4)
    truncated = signed_distance(code("z"), direction(), TOY, truncation=0.5)
    assert truncated == pytest.approx(0.5 * signed_distance(code("z"), direction(), TOY), abs=1e-4)
    with pytest.raises(SpaceError, match="the code is in w, not in z"):
        signed_distance(code("w"), edit, TOY)
