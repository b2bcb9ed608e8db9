import math

import pytest
import torch

from engines.spaces.paths import fade, lerp, slerp


@pytest.fixture(params=[(4, 32), (2, 5, 16)], ids=["w", "w_plus"])
def ends(request: pytest.FixtureRequest) -> tuple[torch.Tensor, torch.Tensor]:
    rng = torch.Generator().manual_seed(0)
    return torch.randn(request.param, generator=rng), torch.randn(request.param, generator=rng)


@pytest.mark.parametrize("way", [lerp, slerp])
def test_both_ways_begin_and_end_at_their_codes(way, ends) -> None:
    a, b = ends
    torch.testing.assert_close(way(a, b, 0.0), a)
    torch.testing.assert_close(way(a, b, 1.0), b)


@pytest.mark.parametrize("t", [-0.5, 0.25, 0.5, 2.0])
def test_the_straight_way_goes_at_one_pace_and_on_beyond_its_ends(t, ends) -> None:
    a, b = ends
    numpy = (1 - t) * a.double().numpy() + t * b.double().numpy()
    torch.testing.assert_close(lerp(a, b, t).double().numpy(), numpy, rtol=1e-5, atol=1e-6)


def test_what_one_end_lacks_fades_from_nothing() -> None:
    a, b = torch.tensor([4.0]), torch.tensor([8.0])
    assert [float(fade(*pair, 0.25)) for pair in ((a, b), (a, None), (None, b))] == [5.0, 3.0, 2.0]


@pytest.mark.parametrize("t", [0.1, 0.5, 0.8])
def test_an_arc_keeps_the_distance_from_its_centre(t, ends) -> None:
    a, b = ends
    b = b * a.norm(dim=-1, keepdim=True) / b.norm(dim=-1, keepdim=True)
    torch.testing.assert_close(slerp(a, b, t).norm(dim=-1), a.norm(dim=-1))
    centre = torch.full((a.shape[-1],), 3.0)
    torch.testing.assert_close(slerp(a + centre, b + centre, t, centre=centre), slerp(a, b, t) + centre)


def test_an_arc_turns_evenly() -> None:
    a, b = torch.tensor([1.0, 0.0]), torch.tensor([0.0, 1.0])
    torch.testing.assert_close(slerp(a, b, 1 / 3), torch.tensor([math.cos(math.pi / 6), math.sin(math.pi / 6)]))


@pytest.mark.parametrize("factor", [1.0, 2.5, -1.0])
def test_parallel_codes_are_joined_by_the_straight_line(factor, ends) -> None:
    a, _ = ends
    torch.testing.assert_close(slerp(a, factor * a, 0.3), lerp(a, factor * a, 0.3))


def test_a_zero_code_breaks_nothing() -> None:
    assert slerp(torch.zeros(3), torch.ones(3), 0.5).isfinite().all()
