import numpy as np
import pytest
import torch

from engines import ExploreRequest, Result
from engines.explore import Projection
from engines.explore.projections import sampled_w
from engines.generators import Student
from engines.spaces.statistics import statistics

SETTINGS = {"samples": 500, "shown": 60, "components": 5, "truncation": 0.6}


@pytest.fixture(scope="module")
def result(toy: Student) -> Result:
    w = statistics(toy).bank[:2]
    return Projection(toy)(ExploreRequest(codes=w, seed=7), **SETTINGS)


def rows(result: Result, table: str) -> np.ndarray:
    return np.array(result.tables[table].rows)


def test_components_are_orthonormal_and_sorted_by_what_they_explain(result: Result) -> None:
    vectors = torch.stack([direction.vector for direction in result.directions])
    assert vectors.shape == (5, 32)
    assert torch.allclose(vectors @ vectors.T, torch.eye(5), atol=1e-5)
    explained, cumulative = rows(result, "variance")[:, 1], rows(result, "variance")[:, 2]
    assert (np.diff(explained) <= 0).all()
    assert np.allclose(np.cumsum(explained), cumulative)
    assert 0 < cumulative[-1] <= 1
    assert result.metrics["explained by 3"] == pytest.approx(cumulative[2])


def test_sigma_is_the_spread_of_the_samples(result: Result, toy: Student) -> None:
    w = torch.cat([sampled_w(toy, 7, index, 500, 1.0) for index in range(0, 500, 5)])
    first = result.directions[0]
    assert first.sigma == pytest.approx(float((w @ first.vector).std()), rel=0.2)


@pytest.mark.parametrize("index", [0, 17, 59])
def test_a_point_is_the_face_behind_it(result: Result, toy: Student, index: int) -> None:
    """Clicking a point must draw the face that lies there."""
    w = sampled_w(toy, 7, index, 500, 0.6)
    origin = torch.cat([sampled_w(toy, 7, number, 500, 1.0) for number in range(500)]).mean(dim=0)
    axes = torch.stack([direction.vector for direction in result.directions[:3]])
    assert np.allclose(rows(result, "points")[index], [index, *((w - origin) @ axes.T)[0].tolist()], atol=1e-4)


def test_as_many_points_as_asked_for(result: Result) -> None:
    assert rows(result, "points").shape == (60, 4)


def test_own_codes_are_placed_and_w_plus_by_the_mean_of_its_slots(result: Result, toy: Student) -> None:
    w = statistics(toy).bank[:2]
    again = Projection(toy)(ExploreRequest(codes=toy.slots.spread(w), seed=7), **SETTINGS)
    assert rows(result, "codes").shape == (2, 4)
    assert np.allclose(rows(again, "codes"), rows(result, "codes"), atol=1e-4)


def test_without_codes_the_table_is_empty(toy: Student) -> None:
    assert Projection(toy)(ExploreRequest(), **SETTINGS).tables["codes"].rows == ()


def test_the_picture_is_the_average_face(result: Result, toy: Student) -> None:
    mean = torch.cat([sampled_w(toy, 7, number, 500, 1.0) for number in range(500)]).mean(dim=0, keepdim=True)
    assert torch.allclose(result.images, toy.synthesize(mean, size=toy.exits[0]), atol=1e-4)


def test_few_faces_explain_much_of_the_bundled_w(ffhq: Student) -> None:
    """W of StyleGAN2-FFHQ is known to be far from round."""
    result = Projection(ffhq)(ExploreRequest(), samples=2000, shown=50)
    assert len(result.directions) == 20
    assert rows(result, "variance")[-1, 2] > 0.3
