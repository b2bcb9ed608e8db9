import pytest
import torch

from engines.core.seeds import rng
from engines.generators import Student
from engines.spaces.directions import apply
from engines.spaces.latent import Latent
from engines.spaces.statistics import statistics
from engines.training.loop import Moment
from engines.training.rereading import STRONGEST, Rereading
from engines.training.validation import boundaries, usual_edit


@pytest.fixture(scope="module")
def rereading(toy: Student) -> Rereading:
    return Rereading(toy, side=32)


def mean_codes(toy: Student, count: int) -> torch.Tensor:
    return statistics(toy).mean[:, None].expand(count, len(toy.slots.active), -1)


def test_an_edited_code_lies_on_one_boundary_s_line(toy: Student, rereading: Rereading) -> None:
    codes = mean_codes(toy, 40)
    moved = rereading.edited(codes, Moment(0, 0.5, rng(3))) - codes
    lengths, ways = moved.flatten(1).norm(dim=1), rereading.ways.flatten(1)
    along = (moved.flatten(1) @ ways.T / ways.norm(dim=1)).abs()
    assert torch.allclose(along.amax(dim=1), lengths, rtol=1e-3)
    assert bool((lengths <= STRONGEST * ways.norm(dim=1).max() * 1.001).all())
    assert len({int(one) for one in along.argmax(dim=1)}) > 1


def test_ways_are_what_the_page_s_sliders_do(toy: Student, rereading: Rereading) -> None:
    codes = mean_codes(toy, 1)
    for way, direction in zip(rereading.ways, boundaries(toy).values(), strict=True):
        edited = apply(Latent("w_plus", toy.slots.scatter(codes)), [(direction, 2.0)], toy).latent.codes
        assert torch.allclose(edited[:, list(toy.slots.active)], codes + 2 * way, atol=1e-4)


def test_who_reads_the_edit_has_no_loss_and_who_overlooks_it_has_some(toy: Student, rereading: Rereading) -> None:
    codes = mean_codes(toy, 4)
    edited = rereading.edited(codes, Moment(5, 0.5, rng(5)))
    knows = rereading(lambda _: edited, codes, Moment(5, 0.5, rng(5)))
    overlooks = rereading(lambda _: codes, codes, Moment(5, 0.5, rng(5)))
    assert float(knows) == 0
    assert float(overlooks) > 0


def test_an_encoder_also_learns_to_say_what_it_can_read_again(toy: Student, rereading: Rereading) -> None:
    codes = mean_codes(toy, 2).clone().requires_grad_()
    rereading(lambda _: mean_codes(toy, 2), codes, Moment(5, 0.5, rng(5))).backward()
    assert codes.grad is not None and float(codes.grad.abs().sum()) > 0


def test_consistency_is_measured_with_one_of_the_boundaries(toy: Student) -> None:
    assert usual_edit(toy).name in {direction.name for direction in boundaries(toy).values()}
