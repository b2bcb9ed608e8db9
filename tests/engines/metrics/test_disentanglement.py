import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from engines.contract import Result, Run
from engines.core.seeds import normal
from engines.data import attributes, face_bank, measure
from engines.generators import FfhqGenerator
from engines.generators.incremental import draw_inversion
from engines.metrics.disentanglement import (
    IDENTITY,
    SideEffects,
    Sweep,
    consistency,
    dci,
    dci_scores,
    dependency,
    dependency_at,
    faces_of,
    identity_curve,
    leakage,
    rescore_directions,
    sweep,
    unedited,
)
from engines.spaces.directions import Direction, apply_directions
from engines.spaces.latent import Inversion, Latent
from engines.spaces.statistics import random_w, statistics

STRENGTHS = (-2.0, -1.0, 0.0, 1.0, 2.0)


@pytest.fixture(scope="module")
def instrument(toy: FfhqGenerator) -> SideEffects:
    return SideEffects(toy)


def direction(toy: FfhqGenerator, seed: int = 1, sigma: float | None = None) -> Direction:
    vector = torch.nn.functional.normalize(normal((toy.width,), seed), dim=0)
    return Direction(
        f"way {seed}", "w", vector, toy.slots.active, statistics(toy).sigma(vector) if sigma is None else sigma, "drawn at random"
    )


def made(gain: list[float], faces: int = 4) -> tuple[Sweep, torch.Tensor]:
    """A sweep in which each attribute rises by its gain a sigma, on every face alike."""
    base = normal((faces, len(gain)), 1)
    scores = torch.stack([base + strength * torch.tensor(gain) for strength in STRENGTHS])
    return Sweep(STRENGTHS, scores, torch.tensor(STRENGTHS).abs()[:, None].expand(-1, faces) * 0.1), base


def test_dependency_is_the_mean_and_largest_change_of_the_others() -> None:
    moved, base = made([1.0, -0.5, 0.1])
    rows = dependency(moved, base, target=0)
    for strength, (own, mean, largest) in zip(STRENGTHS, rows, strict=True):
        assert own == pytest.approx(abs(strength), abs=1e-5)
        assert mean == pytest.approx(0.3 * abs(strength), abs=1e-5)
        assert largest == pytest.approx(0.5 * abs(strength), abs=1e-5)


def test_what_belongs_to_the_target_is_excepted() -> None:
    moved, base = made([1.0, -0.5, 0.1])
    assert dependency(moved, base, target=0, excepted=(1,))[-1] == pytest.approx((2, 0.2, 0.2), abs=1e-5)


def test_a_change_that_differs_in_sign_from_face_to_face_still_counts_as_a_change_of_others() -> None:
    base = torch.zeros(2, 2)
    moved = Sweep((1.0,), torch.tensor([[[1.0, 0.5], [1.0, -0.5]]]), torch.zeros(1, 2))
    assert dependency(moved, base, target=0) == [pytest.approx((1, 0.5, 0.5))]
    assert dependency(moved, base, target=1) == [pytest.approx((0, 1, 1))]  # the target must move one way to count as moved


def test_faces_that_could_not_be_measured_are_left_out() -> None:
    moved, base = made([1.0, -0.5, 0.1])
    scores = moved.scores.clone()
    scores[:, 2] = math.nan
    broken = Sweep(STRENGTHS, scores, moved.identity)
    for row, wanted in zip(dependency(broken, base, 0), dependency(moved, base, 0), strict=True):
        assert row == pytest.approx(wanted, abs=1e-5)
    assert consistency(broken, 0) == pytest.approx(1)


def test_dependency_at_a_change_is_read_off_the_curve() -> None:
    curve = [(1.0, 0.2, 0.9), (2.0, 0.6, 0.9)]
    assert dependency_at(curve, 1.0) == pytest.approx(0.2)
    assert dependency_at(curve, 1.5) == pytest.approx(0.4)
    assert dependency_at(curve, 0.5) == pytest.approx(0.1)
    assert dependency_at(curve, 0.0) == 0
    assert dependency_at(curve[::-1], 1.5) == pytest.approx(0.4)
    assert math.isnan(dependency_at(curve, 2.5))


def test_consistency_is_one_where_every_face_obeys_at_every_step() -> None:
    moved, _ = made([1.0, -0.5, 0.1])
    assert consistency(moved, 0) == pytest.approx(1)
    assert consistency(moved, 1) == pytest.approx(-1)
    half = Sweep(STRENGTHS, torch.cat([moved.scores[:, :2], moved.scores[:, 2:].flip(0)], dim=1), moved.identity)
    assert consistency(half, 0) == pytest.approx(0, abs=1e-6)
    assert math.isnan(consistency(Sweep(STRENGTHS, torch.full_like(moved.scores, math.nan), moved.identity), 0))


def test_the_identity_curve_is_the_mean_distance_at_each_strength() -> None:
    moved, _ = made([1.0])
    for (strength, distance), wanted in zip(identity_curve(moved), STRENGTHS, strict=True):
        assert (strength, distance) == (wanted, pytest.approx(0.1 * abs(wanted)))


def test_leakage_is_the_own_change_over_the_largest_other() -> None:
    assert leakage([3.0, -1.0, 0.5], own=0) == pytest.approx(3)
    assert leakage([3.0, -1.0, 0.5], own=0, excepted=(1,)) == pytest.approx(6)
    assert leakage([-3.0, 1.0], own=0) == pytest.approx(3)
    assert leakage([3.0, 0.0], own=0) > 1e6
    assert leakage([3.0], own=0) > 1e6


@given(st.integers(2, 6), st.integers(0, 99))
def test_one_value_an_attribute_is_perfect_and_all_alike_is_nothing(count: int, seed: int) -> None:
    order = np.random.default_rng(seed).permutation(count)
    assert dci_scores(np.eye(count)[order]) == pytest.approx((1, 1), abs=1e-6)
    assert dci_scores(np.full((count, count), 1 / count)) == pytest.approx((0, 0), abs=1e-6)


def test_disentanglement_and_completeness_tell_rows_from_columns() -> None:
    spread = np.array([[0.5, 0.0], [0.5, 0.0], [0.0, 0.5], [0.0, 0.5]])  # every value minds one attribute, every attribute needs two values
    assert dci_scores(spread) == pytest.approx((1, 0.5), abs=1e-6)
    crowded = spread.T  # a value for two attributes each
    assert dci_scores(crowded) == pytest.approx((0.5, 1), abs=1e-6)


def test_values_that_do_not_matter_do_not_count() -> None:
    idle = np.vstack([np.eye(3), np.zeros((5, 3))])
    assert dci_scores(idle) == pytest.approx((1, 1), abs=1e-6)


def test_codes_that_are_the_attributes_score_higher_than_their_mixture() -> None:
    scores = normal((600, 3), 1)
    mixture = scores @ torch.linalg.qr(normal((3, 3), 2))[0]
    straight, mixed = (dci(codes, scores, share=0.1) for codes in (torch.cat([scores, normal((600, 2), 3)], dim=1), mixture))
    assert straight["informativeness"] > 0.95
    assert straight["disentanglement"] > mixed["disentanglement"] + 0.2
    assert straight["completeness"] > mixed["completeness"]
    assert dci(torch.cat([scores, normal((600, 2), 3)], dim=1), scores, share=0.1) == straight


def test_the_same_picture_has_no_side_effects(toy: FfhqGenerator, instrument: SideEffects) -> None:
    picture = toy.synthesize(face_bank(toy).w[:1], size=instrument.size)
    figures = instrument.figures(picture, picture)
    assert list(figures) == [IDENTITY, *(attribute.name for attribute in attributes(toy))]
    assert all(value == pytest.approx(0, abs=1e-4) for value in figures.values())


def test_side_effects_are_counted_in_spreads_of_the_bank(toy: FfhqGenerator, instrument: SideEffects) -> None:
    pictures = toy.synthesize(face_bank(toy).w[:2], size=instrument.size).clamp(-1, 1)
    figures = instrument.figures(pictures[:1], pictures[1:])
    wanted = (measure(toy)(pictures)[1] - measure(toy)(pictures)[0]) / face_bank(toy).deviation()
    assert [figures[name] for name in instrument.names] == pytest.approx(wanted.tolist(), abs=1e-4)
    assert figures[IDENTITY] > 0


def test_a_sweep_measures_each_face_at_each_strength(toy: FfhqGenerator, instrument: SideEffects) -> None:
    faces = faces_of(toy, 2)
    base, pictures = unedited(instrument, faces)
    way = direction(toy)
    moved = sweep(instrument, way, (0.0, 2.0), faces, pictures)
    assert moved.scores.shape == (2, 2, 3)
    assert moved.identity.shape == (2, 2)
    assert torch.allclose(moved.changes(base)[0], torch.zeros(2, 3), atol=1e-5)
    assert torch.allclose(moved.identity[0], torch.zeros(2), atol=1e-4)
    edited = apply_directions(faces[1], [(way, 2.0)], toy, truncation=0.7)
    wanted = instrument.scores(toy.synthesize(edited.latent, size=instrument.size))
    assert torch.allclose(moved.scores[1, 1], wanted[0], atol=1e-4)


def test_held_out_faces_are_not_those_of_the_bank(toy: FfhqGenerator) -> None:
    bank = {tuple(row) for row in face_bank(toy).z[:, :4].tolist()}
    assert not bank & {tuple(face.codes[0, :4].tolist()) for face in faces_of(toy, 50)}


def test_rescoring_has_a_row_a_direction_and_a_column_an_attribute(toy: FfhqGenerator, instrument: SideEffects) -> None:
    ways = [direction(toy, seed) for seed in (1, 2)]
    steps, result = driven(rescore_directions(toy, ways, strength=2.0, faces=2))
    table = result.tables["rescoring"]
    assert table.columns == ("direction", "brightness", "warmth", "contrast", IDENTITY)
    assert [row[0] for row in table.rows] == ["way 1", "way 2"]
    faces = faces_of(toy, 2)
    base, pictures = unedited(instrument, faces)
    moved = sweep(instrument, ways[1], (2.0,), faces, pictures)
    assert table.rows[1][1:4] == pytest.approx(moved.changes(base)[0].mean(dim=0).tolist(), abs=1e-4)
    assert table.rows[1][4] == pytest.approx(float(moved.identity.mean()), abs=1e-4)
    numbers = [step for step, _ in steps]
    assert numbers == sorted(set(numbers))
    assert steps[-1] == (5, 5)


def test_a_direction_given_twice_scores_twice_the_same(toy: FfhqGenerator) -> None:
    way = direction(toy)
    _, result = driven(rescore_directions(toy, [way, way], faces=1))
    first, second = result.tables["rescoring"].rows
    assert first == second


def driven(run: Run) -> tuple[list[tuple[int, int]], Result]:
    steps = []
    while True:
        try:
            progress = next(run)
        except StopIteration as stop:
            return steps, stop.value
        steps.append((progress.step, progress.total))


def test_an_inverted_photo_is_swept_at_the_size_that_is_asked_for(toy: FfhqGenerator, instrument: SideEffects) -> None:
    way = direction(toy)
    photo = Inversion(Latent("w_plus", toy.slots.spread(random_w(toy, 3)) + 0.1 * normal((1, toy.slots.count, toy.width), 4)))
    before = draw_inversion(toy, photo)
    moved = sweep(instrument, way, (0.0, 1.5), [photo], [before], toy.resolution)
    after = instrument.figures(before, draw_inversion(toy, apply_directions(photo, [(way, 1.5)], toy)))
    assert moved.changes(instrument.scores(before))[1, 0].tolist() == pytest.approx([after[name] for name in instrument.names], abs=1e-4)
    assert [distance for _, distance in identity_curve(moved)] == pytest.approx([0, after[IDENTITY]], abs=1e-3)
