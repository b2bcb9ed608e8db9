import pytest
import torch
from torch import Tensor

from engines import Request
from engines.core.seeds import normal
from engines.edit import SeFa
from engines.edit.sefa import factorise
from engines.generators import FfhqGenerator
from engines.spaces.directions import Direction, apply_directions
from engines.spaces.latent import Latent
from engines.spaces.statistics import random_w, statistics


@pytest.mark.parametrize("group", ["all", "coarse"])
def test_directions_are_orthonormal_and_sorted_and_the_trace_counts_rows(ffhq: FfhqGenerator, group: str) -> None:
    layers = tuple(layer for layer in ffhq.layout("s") if ffhq.slots.of_layer(layer) in ffhq.slots.groups[group])
    affine = ffhq.affine(layers)
    vectors, values = factorise(affine)
    assert float((vectors @ vectors.T - torch.eye(512)).abs().max()) < 1e-5
    assert bool((values.diff() <= 1e-4).all())
    assert float(values.double().sum()) == pytest.approx(len(affine), rel=1e-4)


def test_each_vector_moves_the_styles_by_its_eigenvalue() -> None:
    affine = normal((40, 8), 1)
    vectors, values = factorise(affine, unit_rows=False)
    assert torch.allclose((affine @ vectors.T).square().sum(dim=0), values, rtol=1e-3)
    random = torch.nn.functional.normalize(normal((200, 8), 2), dim=1)
    assert float((affine @ random.T).square().sum(dim=0).max()) <= float(values[0]) * 1.0001


def test_the_sign_is_fixed_and_the_answer_repeats() -> None:
    affine = normal((40, 8), 1)
    vectors, _ = factorise(affine)
    again, _ = factorise(affine.clone())
    assert torch.equal(vectors, again)
    assert bool((vectors.gather(1, vectors.abs().argmax(dim=1, keepdim=True)) > 0).all())
    turned, _ = factorise(-affine)
    assert torch.allclose(vectors, turned, atol=1e-5)


def test_scaling_a_row_only_matters_where_rows_are_left_as_they_are() -> None:
    affine = normal((40, 8), 1)
    louder = affine * torch.linspace(1, 5, 40)[:, None]
    assert torch.allclose(factorise(affine)[1], factorise(louder)[1], atol=1e-4)
    assert not torch.allclose(factorise(affine, unit_rows=False)[1], factorise(louder, unit_rows=False)[1], atol=1e-2)


def test_a_result_names_its_slots_and_shows_both_ends(toy: FfhqGenerator) -> None:
    result = SeFa(toy)(Request(seed=3), layers="middle", count=3, strength=2.0)
    assert [direction.name for direction in result.directions] == ["middle 1", "middle 2", "middle 3"]
    assert {direction.slots for direction in result.directions} == {toy.slots.groups["middle"]}
    assert result.images.shape == (6, 3, toy.exits[0], toy.exits[0])
    spread = statistics(toy)
    assert [direction.sigma for direction in result.directions] == [pytest.approx(spread.sigma(item.vector)) for item in result.directions]
    rows = result.tables["directions"].rows
    assert [row[0] for row in rows] == [direction.name for direction in result.directions]
    minus = apply_directions(Latent("w", random_w(toy, 3)), [(result.directions[0], -2.0)], toy).latent
    assert torch.allclose(toy.synthesize(minus, size=toy.exits[0]), result.images[:1], atol=1e-5)


@torch.no_grad()
def changes(generator: FfhqGenerator, w: Tensor, vectors: Tensor, length: float) -> Tensor:
    """How much a step of `length` along each vector, in the coarse slots, moves the picture at the smallest exit."""
    slots = generator.slots.groups["coarse"]
    steps = [Direction("", "w", vector, slots, length, "") for vector in vectors]
    moved = [apply_directions(Latent("w", w), [(step, 1.0)], generator).latent.codes for step in steps]
    pictures = generator.synthesize(torch.cat([generator.slots.spread(w), *moved]), size=generator.exits[0])
    return (pictures[1:] - pictures[:1]).abs().mean(dim=(1, 2, 3))


def test_found_directions_move_a_face_more_than_random_ones_of_the_same_length(ffhq: FfhqGenerator) -> None:
    layers = tuple(layer for layer in ffhq.layout("s") if ffhq.slots.of_layer(layer) in ffhq.slots.groups["coarse"])
    found = factorise(ffhq.affine(layers))[0][:10]
    random = torch.nn.functional.normalize(normal((10, ffhq.width), 5), dim=1)
    two_sigma = 2 * sum(statistics(ffhq).sigma(vector) for vector in found) / len(found)
    ours, theirs = (changes(ffhq, random_w(ffhq, 4), vectors, two_sigma) for vectors in (found, random))
    assert float(ours.mean()) >= 1.5 * float(theirs.mean())
