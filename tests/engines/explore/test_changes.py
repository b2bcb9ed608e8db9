import numpy as np
import pytest
import torch

from engines import Bank
from engines.core.errors import SpaceError
from engines.data import face_bank
from engines.explore import Changes
from engines.explore.changes import DELTA_SPACES, ChangesRequest, matched
from engines.generators import FfhqGenerator


@pytest.fixture(scope="module")
def bank(toy: FfhqGenerator) -> Bank:
    return face_bank(toy)


@pytest.mark.parametrize("attribute", ["brightness", "warmth", "contrast"])
def test_pairs_differ_in_their_attribute_more_than_in_any_other(attribute: str, bank: Bank) -> None:
    low, high = matched(bank, attribute, 40, 0.15, 0)
    change = ((bank.scores[high] - bank.scores[low]) / bank.deviation()).abs().mean(dim=0)
    own = bank.names.index(attribute)
    assert (bank.score(attribute)[high] > bank.score(attribute)[low]).all()
    assert change[own] > 1.5 * max(value for index, value in enumerate(change.tolist()) if index != own)


def test_what_was_not_measured_is_no_partner(bank: Bank) -> None:
    scores = bank.scores.clone()
    scores[:50, 0] = float("nan")
    low, high = matched(Bank(bank.z, bank.w, bank.truncation, bank.names, scores), bank.names[0], 40, 0.3, 0)
    assert min(low.min(), high.min()) >= 50


def test_changes_along_one_direction_lie_on_one_ray_from_the_origin(toy: FfhqGenerator, bank: Bank) -> None:
    way = torch.nn.functional.normalize(torch.randn(toy.width, generator=torch.Generator().manual_seed(2)), dim=0)
    steps = torch.linspace(0.5, 3, 20)[:, None] * way
    result = Changes(toy)(ChangesRequest(changes={"walk": (bank.w[:20], bank.w[:20] + steps)}))
    points = np.array(result.tables["points"].rows)[:, 1:]
    assert np.allclose(np.abs(points[:, 0]), steps.norm(dim=1), atol=1e-4)
    assert np.abs(points[:, 1:]).max() < 1e-4
    assert result.tables["groups"].rows[0][:2] == ("walk", 20)
    assert result.tables["groups"].rows[0][3] == pytest.approx(1, abs=1e-4)
    assert abs(float(result.directions[0].vector @ way)) == pytest.approx(1, abs=1e-4)


@pytest.mark.parametrize("space", list(DELTA_SPACES))
def test_every_way_to_tell_a_change_places_pairs_and_own_ones(space: str, toy: FfhqGenerator, bank: Bank) -> None:
    mine = {"mine": (toy.slots.spread(bank.w[:1]), toy.slots.spread(bank.w[1:2]))}
    request = ChangesRequest(bank=bank, attributes=("warmth",), changes=mine, space=space)
    result = Changes(toy)(request, pairs=10)
    groups = [row[0] for row in result.tables["pairs"].rows]
    assert groups == ["warmth"] * 10 + ["mine"]
    assert len(result.tables["points"].rows) == 11


def test_a_learned_space_of_changes_enters_by_its_name(toy: FfhqGenerator, bank: Bank, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(DELTA_SPACES, "learned", lambda generator, before, after: (after - before)[:, :5].tanh())
    result = Changes(toy)(ChangesRequest(bank=bank, space="learned"), pairs=10)
    assert len(result.tables["variance"].rows) == 5
    assert result.directions == ()


def test_what_cannot_be_compared_gets_a_sentence(toy: FfhqGenerator, bank: Bank) -> None:
    with pytest.raises(SpaceError, match="One change alone"):
        Changes(toy)(ChangesRequest(changes={"one": (bank.w[:1], bank.w[1:2])}))
    with pytest.raises(SpaceError, match="no space of changes called 'x'"):
        Changes(toy)(ChangesRequest(bank=bank, space="x"))
    with pytest.raises(SpaceError, match="no attribute 'charm'"):
        Changes(toy)(ChangesRequest(bank=bank, attributes=("charm",)))
