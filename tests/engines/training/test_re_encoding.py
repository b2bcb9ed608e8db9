import pytest
import torch

from engines.core.seeds import rng
from engines.generators import FfhqGenerator
from engines.spaces.directions import apply_directions
from engines.spaces.latent import Latent
from engines.spaces.statistics import statistics
from engines.training.loop import Moment
from engines.training.re_encoding import STRONGEST, ReEncoding
from engines.training.validation import boundaries, usual_edit


@pytest.fixture(scope="module")
def re_encoding(toy: FfhqGenerator) -> ReEncoding:
    return ReEncoding(toy, side=32)


def mean_codes(toy: FfhqGenerator, count: int) -> torch.Tensor:
    return statistics(toy).mean[:, None].expand(count, len(toy.slots.active), -1)


def test_an_edited_code_lies_on_one_boundary_s_line(toy: FfhqGenerator, re_encoding: ReEncoding) -> None:
    codes = mean_codes(toy, 40)
    moved = re_encoding.edited(codes, Moment(0, 0.5, rng(3))) - codes
    lengths, steps = moved.flatten(1).norm(dim=1), re_encoding.steps.flatten(1)
    along = (moved.flatten(1) @ steps.T / steps.norm(dim=1)).abs()
    assert torch.allclose(along.amax(dim=1), lengths, rtol=1e-3)
    assert bool((lengths <= STRONGEST * steps.norm(dim=1).max() * 1.001).all())
    assert len({int(one) for one in along.argmax(dim=1)}) > 1


def test_ways_are_what_the_page_s_sliders_do(toy: FfhqGenerator, re_encoding: ReEncoding) -> None:
    codes = mean_codes(toy, 1)
    for step, direction in zip(re_encoding.steps, boundaries(toy).values(), strict=True):
        edited = apply_directions(Latent("w_plus", toy.slots.scatter(codes)), [(direction, 2.0)], toy).latent.codes
        assert torch.allclose(edited[:, list(toy.slots.active)], codes + 2 * step, atol=1e-4)


def test_who_reads_the_edit_has_no_loss_and_who_overlooks_it_has_some(toy: FfhqGenerator, re_encoding: ReEncoding) -> None:
    codes = mean_codes(toy, 4)
    edited = re_encoding.edited(codes, Moment(5, 0.5, rng(5)))
    knows = re_encoding(lambda _: edited, codes, Moment(5, 0.5, rng(5)))
    overlooks = re_encoding(lambda _: codes, codes, Moment(5, 0.5, rng(5)))
    assert float(knows) == 0
    assert float(overlooks) > 0


def test_an_encoder_also_learns_to_say_what_it_can_read_again(toy: FfhqGenerator, re_encoding: ReEncoding) -> None:
    codes = mean_codes(toy, 2).clone().requires_grad_()
    re_encoding(lambda _: mean_codes(toy, 2), codes, Moment(5, 0.5, rng(5))).backward()
    assert codes.grad is not None and float(codes.grad.abs().sum()) > 0


def test_consistency_is_measured_with_one_of_the_boundaries(toy: FfhqGenerator) -> None:
    assert usual_edit(toy).name in {direction.name for direction in boundaries(toy).values()}
