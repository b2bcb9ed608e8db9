import numpy as np
import pytest
import torch

from engines import BankRequest
from engines.core.errors import WeightsError
from engines.core.seeds import normal
from engines.data import face_bank
from engines.edit import GANSpace
from engines.edit.ganspace import NAMED_FROM, Covariance, GANSpaceKnobs, correlations, packed, shipped
from engines.generators import FfhqGenerator
from engines.spaces.bank import Bank
from engines.spaces.directions import apply_directions
from engines.spaces.latent import Latent
from engines.spaces.statistics import random_w, statistics

PUBLISHED = (2.856, 2.627, 2.594, 2.418, 2.266, 2.245, 2.095, 1.968, 1.653, 1.641)
"""Spreads that GANSpace's own file of components for StyleGAN2-FFHQ names."""


@pytest.mark.parametrize("sizes", [(1000,), (1, 999), (300, 300, 400), (7,) * 142 + (6,)])
@pytest.mark.parametrize("offset", [0.0, 3.0])
def test_a_covariance_that_comes_in_batches_is_that_of_all_samples(sizes: tuple[int, ...], offset: float) -> None:
    codes = normal((1000, 12), 1) @ normal((12, 12), 2) + offset
    gathered = Covariance(12)
    for part in codes.split(sizes):
        gathered.add(part)
    found = gathered.components(12)
    covariance = np.cov(codes.double().numpy().T)
    values, vectors = np.linalg.eigh(covariance)
    assert np.allclose(found.std.numpy() ** 2, values[::-1], rtol=1e-3, atol=1e-4)
    assert np.allclose(np.abs((found.vectors.double().numpy() * vectors.T[::-1]).sum(axis=1)), 1, atol=1e-4)
    assert np.allclose(found.mean.numpy(), codes.mean(dim=0).numpy(), atol=1e-4)
    assert found.variance == pytest.approx(float(np.trace(covariance)), rel=1e-4)
    rebuilt = found.vectors.T @ torch.diag(found.std.square()) @ found.vectors
    assert np.allclose(rebuilt.numpy(), covariance, atol=1e-2)


def test_the_largest_entry_of_a_component_is_positive() -> None:
    gathered = Covariance(8)
    gathered.add(normal((200, 8), 3))
    vectors = gathered.components(5).vectors
    assert vectors.shape == (5, 8)
    assert bool((vectors.gather(1, vectors.abs().argmax(dim=1, keepdim=True)) > 0).all())


def test_shipped_components_are_orthonormal_and_spread_as_the_published_ones(ffhq: FfhqGenerator) -> None:
    found = shipped(ffhq)
    assert found.vectors.shape == (80, 512)
    assert float((found.vectors.double() @ found.vectors.double().T - torch.eye(80)).abs().max()) < 1e-5
    assert found.std[:10].tolist() == pytest.approx(PUBLISHED, rel=0.02)
    assert bool((found.std.diff() <= 0).all())
    assert float(found.std.square().sum()) < found.variance
    for index in (0, 4, 9):
        assert statistics(ffhq).sigma(found.vectors[index]) == pytest.approx(float(found.std[index]), rel=0.03)
    assert float((found.mean - statistics(ffhq).mean[0]).abs().max()) < 0.05


def test_shipped_components_come_at_once_and_as_many_as_asked_for(ffhq: FfhqGenerator) -> None:
    run = GANSpace(ffhq).run(BankRequest(), GANSpaceKnobs(components=6))
    first = next(run)
    run.close()
    assert (first.step, first.total) == (1, 6)
    assert torch.equal(shipped(ffhq, 6).vectors, shipped(ffhq).vectors[:6])


def test_other_generators_have_none_shipped(toy: FfhqGenerator) -> None:
    with pytest.raises(WeightsError, match=r"No components are shipped for the generator toy: let GANSpace compute them\."):
        shipped(toy)


def test_components_survive_their_file_bit_for_bit() -> None:
    gathered = Covariance(8)
    gathered.add(normal((50, 8), 1))
    found = gathered.components(4)
    stored = packed(found)
    assert {value.dtype for value in stored.values()} == {torch.uint8}
    assert torch.equal(stored["vectors"].view(torch.float32).reshape(4, 8), found.vectors)
    assert torch.equal(stored["std"].view(torch.float32), found.std)


def test_the_engine_finds_the_axes_of_the_toys_w(toy: FfhqGenerator) -> None:
    result = GANSpace(toy)(BankRequest(), samples=20_000, components=5)
    bank = statistics(toy).bank
    axes = torch.linalg.svd(bank - bank.mean(dim=0), full_matrices=False)[2]
    found = torch.stack([direction.vector for direction in result.directions])
    assert float((found[0] @ axes[0]).abs()) > 0.98
    assert [direction.sigma for direction in result.directions[:2]] == [
        pytest.approx(statistics(toy).sigma(direction.vector), rel=0.05) for direction in result.directions[:2]
    ]
    assert [direction.name for direction in result.directions] == [f"PC {number}" for number in range(1, 6)]


def test_more_components_than_there_are_dimensions_gives_all(toy: FfhqGenerator) -> None:
    result = GANSpace(toy)(BankRequest(), samples=500, components=80)
    rows = result.tables["components"].rows
    assert len(result.directions) == len(rows) == toy.width
    assert rows[-1][3] == pytest.approx(1, abs=1e-3)
    assert sum(float(row[2]) for row in rows) == pytest.approx(1, abs=1e-3)


def test_the_strip_shows_two_sigma_in_the_chosen_layers(toy: FfhqGenerator) -> None:
    result = GANSpace(toy)(BankRequest(seed=3), samples=500, components=2, layers="fine")
    assert result.images.shape == (2, 3, 16, 16)
    for direction, picture in zip(result.directions, result.images, strict=True):
        assert direction.slots == toy.slots.groups["fine"]
        moved = apply_directions(Latent("w", random_w(toy, 3)), [(direction, 2.0)], toy)
        assert torch.allclose(toy.synthesize(moved.latent, size=16), picture[None], atol=1e-5)


def test_correlations_are_numpys(toy: FfhqGenerator) -> None:
    bank = face_bank(toy)
    vectors = torch.nn.functional.normalize(normal((4, toy.width), 1), dim=1)
    wanted = np.corrcoef((bank.w @ vectors.T).double().numpy().T, bank.scores.double().numpy().T)[:4, 4:]
    assert np.allclose(correlations(vectors, bank).numpy(), wanted, atol=1e-4)


def test_components_are_named_after_what_they_go_with_and_point_to_more_of_it(toy: FfhqGenerator) -> None:
    plain = GANSpace(toy)(BankRequest(), samples=5_000, components=4)
    axes = torch.stack([direction.vector for direction in plain.directions])
    w = statistics(toy).bank[:500]
    luck = normal((500,), 2)
    bank = Bank(w, w, 1.0, ("eyes_open", "luck"), torch.stack([-(w @ axes[1]), luck], dim=1))
    named = GANSpace(toy)(BankRequest(bank=bank), samples=5_000, components=4).directions
    assert named[1].name == "PC 2: eyes open"
    assert torch.allclose(named[1].vector, -axes[1])
    table = correlations(torch.stack([direction.vector for direction in named]), bank)
    for direction, row in zip(named, table, strict=True):
        strongest = row[row.abs().argmax()]
        assert (":" in direction.name) == (float(strongest.abs()) >= NAMED_FROM)
        assert ":" not in direction.name or float(strongest) > 0
