import numpy as np
import pytest
import torch

from engines import Bank, Direction, ExploreRequest, Inversion, Latent, Result
from engines.data import face_bank
from engines.explore import Projection
from engines.explore.basis import fit, flat, principal
from engines.explore.projections import face_w
from engines.generators import FfhqGenerator
from engines.spaces.directions import apply_directions
from engines.spaces.statistics import statistics

SETTINGS = {"samples": 500, "shown": 60, "components": 5, "truncation": 0.6}
SPACES = ("w", "w_plus", "s")


@pytest.fixture(scope="module")
def result(toy: FfhqGenerator) -> Result:
    w = statistics(toy).bank[:2]
    return Projection(toy)(ExploreRequest(codes=w, seed=7), **SETTINGS)


@pytest.fixture(scope="module")
def bank(toy: FfhqGenerator) -> Bank:
    return face_bank(toy)


def rows(result: Result, table: str) -> np.ndarray:
    return np.array(result.tables[table].rows)


@pytest.mark.parametrize("space", SPACES)
def test_components_are_orthonormal_and_sorted_by_what_they_explain(space: str, toy: FfhqGenerator) -> None:
    result = Projection(toy)(ExploreRequest(seed=7), **SETTINGS, space=space)
    vectors = torch.stack([direction.vector.flatten() for direction in result.directions])
    assert {direction.space for direction in result.directions} == {space}
    assert torch.allclose(vectors @ vectors.T, torch.eye(5), atol=1e-5)
    explained, cumulative = rows(result, "variance")[:, 1], rows(result, "variance")[:, 2]
    assert (np.diff(explained) <= 0).all()
    assert np.allclose(np.cumsum(explained), cumulative)
    assert 0 < cumulative[-1] <= 1
    assert result.metrics["explained by 3"] == pytest.approx(cumulative[2])


@pytest.mark.parametrize("space", SPACES)
def test_the_short_way_over_the_covariance_of_w_is_pca_of_the_codes_themselves(space: str, toy: FfhqGenerator) -> None:
    w = statistics(toy).bank[:400]
    basis = fit(toy, w, space, 4)
    axes, variances, total = principal(flat(toy, Latent("w", w), space), 4)
    assert torch.allclose(basis.variances, variances, rtol=1e-4)
    assert basis.total == pytest.approx(total, rel=1e-4)
    assert torch.allclose((basis.components * axes).sum(1).abs(), torch.ones(4).double(), atol=1e-4)


def test_both_gram_matrices_give_the_same_components() -> None:
    rows = torch.randn(30, 50, generator=torch.Generator().manual_seed(1))
    few, wide = principal(rows, 3), principal(torch.cat([rows, torch.zeros(100, 50)]), 3)
    repeated = principal(rows.repeat(3, 1), 3)
    assert torch.allclose(few[0], repeated[0], atol=1e-8)
    assert wide[2] > 0


def test_sigma_is_the_spread_of_the_samples(result: Result, toy: FfhqGenerator) -> None:
    w = torch.cat([face_w(toy, None, 7, index, 500, 1.0) for index in range(0, 500, 5)])
    first = result.directions[0]
    assert first.sigma == pytest.approx(float((w @ first.vector).std()), rel=0.2)


@pytest.mark.parametrize("index", [0, 17, 59])
def test_a_point_is_the_face_behind_it(result: Result, toy: FfhqGenerator, index: int) -> None:
    """Clicking a point must draw the face that lies there."""
    w = face_w(toy, None, 7, index, 500, 0.6)
    origin = torch.cat([face_w(toy, None, 7, number, 500, 1.0) for number in range(500)]).mean(dim=0)
    axes = torch.stack([direction.vector for direction in result.directions])
    assert np.allclose(rows(result, "points")[index], [index, *((w - origin) @ axes.T)[0].tolist()], atol=1e-4)


def test_as_many_points_as_asked_for(result: Result) -> None:
    assert rows(result, "points").shape == (60, 6)


def test_faces_of_the_bank_come_first_and_new_ones_after(toy: FfhqGenerator, bank: Bank) -> None:
    count = len(bank) + 5
    result = Projection(toy)(ExploreRequest(bank=bank, seed=3), samples=count, shown=count, truncation=bank.truncation)
    assert torch.allclose(face_w(toy, bank, 3, 12, count, bank.truncation)[0], bank.w[12], atol=1e-5)
    again = Projection(toy)(
        ExploreRequest(codes=torch.cat([bank.w[12:13], face_w(toy, bank, 3, count - 1, count, 0.7)]), bank=bank, seed=3), samples=count
    )
    assert np.allclose(rows(result, "points")[[12, count - 1], 1:], rows(again, "codes")[:, 1:], atol=1e-4)


def test_w_plus_codes_count_in_w_by_the_mean_of_their_slots(result: Result, toy: FfhqGenerator) -> None:
    w = statistics(toy).bank[:2]
    again = Projection(toy)(ExploreRequest(codes=toy.slots.spread(w), seed=7), **SETTINGS)
    assert rows(again, "codes").shape == (2, 6)
    assert np.allclose(rows(again, "codes"), rows(result, "codes"), atol=1e-4)


def test_in_w_plus_each_slot_has_its_place_and_the_code_its_distance_from_w(toy: FfhqGenerator) -> None:
    w = statistics(toy).bank[:2]
    codes = toy.slots.spread(w[:1]).clone()
    fine = list(toy.slots.groups["fine"])
    codes[:, fine] = w[1]
    own = (Inversion(Latent("w", w[:1])), Inversion(Latent("w_plus", codes)))
    result = Projection(toy)(ExploreRequest(own=own, seed=7), **SETTINGS, space="w_plus")
    plain, mixed = rows(result, "codes")[:, -1]
    assert plain == pytest.approx(0, abs=1e-4) and mixed > 1
    slots = rows(result, "slots")
    assert [int(slot) for slot in slots[:, 1]] == list(toy.slots.active)
    coarse = slots[slots[:, 1] < 3][:, 3:]
    assert np.allclose(coarse, rows(result, "codes")[0, 1:-1], atol=1e-3)


def test_edits_of_styles_are_seen_in_s_and_only_there(toy: FfhqGenerator) -> None:
    vector = torch.zeros(max(part.stop for part in toy.layout("s").values()))
    vector[5] = 1.0
    w = Inversion(Latent("w", statistics(toy).bank[:1]))
    edited = apply_directions(w, [(Direction("x", "s", vector, toy.slots.active, 3.0, "test"), 2.0)], toy)
    for space, differs in (("w", False), ("s", True)):
        own = rows(Projection(toy)(ExploreRequest(own=(w, edited), seed=7), **SETTINGS, space=space), "codes")
        assert bool(np.abs(own[0, 1:] - own[1, 1:]).max() > 1e-3) == differs


def test_without_codes_the_table_is_empty(toy: FfhqGenerator) -> None:
    assert Projection(toy)(ExploreRequest(), **SETTINGS).tables["codes"].rows == ()


def test_the_picture_is_the_average_face(result: Result, toy: FfhqGenerator) -> None:
    mean = torch.cat([face_w(toy, None, 7, number, 500, 1.0) for number in range(500)]).mean(dim=0, keepdim=True)
    assert torch.allclose(result.images, toy.synthesize(mean, size=toy.exits[0]), atol=1e-4)


def test_truncation_draws_all_points_towards_one(toy: FfhqGenerator) -> None:
    wide, narrow = (
        rows(Projection(toy)(ExploreRequest(seed=7), **(SETTINGS | {"truncation": psi})), "points")[:, 1:] for psi in (1.0, 0.25)
    )
    assert np.allclose(narrow.std(axis=0) / wide.std(axis=0), 0.25, atol=1e-3)


def test_few_faces_explain_much_of_the_bundled_w(ffhq: FfhqGenerator) -> None:
    """W of StyleGAN2-FFHQ is known to be far from round."""
    result = Projection(ffhq)(ExploreRequest(), samples=2000, shown=50)
    assert len(result.directions) == 20
    assert rows(result, "variance")[-1, 2] > 0.3
