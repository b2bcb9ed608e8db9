"""Channels of S, on the toy: 140 of them, three measurements of pixels."""

import numpy as np
import pytest
import torch

from engines import FitRequest
from engines.core.errors import SpaceError
from engines.core.seeds import normal
from engines.data import face_bank
from engines.edit import stylespace as module
from engines.edit.stylespace import StyleSpace, examples, localised, rank
from engines.faces.regions import REGIONS
from engines.generators import FfhqGenerator
from engines.spaces.bank import Bank
from engines.spaces.directions import apply_directions
from engines.spaces.latent import Latent
from engines.spaces.statistics import statistics

PLANTED = 70


@pytest.fixture(scope="module")
def planted(toy: FfhqGenerator) -> Bank:
    """Faces whose "spark" is one channel of their styles."""
    bank = face_bank(toy)
    styles = toy.styles(bank.w).codes
    names = ("spark", "brightness", "warmth")
    return Bank(bank.z, bank.w, bank.truncation, names, torch.cat([styles[:, [PLANTED]], bank.scores[:, :2]], dim=1))


def test_channels_are_ranked_by_the_papers_formula(toy: FfhqGenerator) -> None:
    bank, rows = face_bank(toy), torch.tensor([3, 14, 15, 92, 65, 35])
    styles = toy.styles(bank.w).codes.double().numpy()
    mean, std = styles.mean(axis=0), styles.std(axis=0)
    delta = (styles[rows] - mean) / std
    channels = rank(toy, bank, rows)
    assert np.allclose(channels.theta.numpy(), np.abs(delta.mean(axis=0)) / delta.std(axis=0, ddof=1), rtol=1e-3)
    assert np.allclose(channels.shift.numpy(), styles[rows].mean(axis=0) - mean, atol=1e-4)
    assert np.allclose(channels.std.numpy(), std, rtol=1e-3)


def test_chunks_do_not_show(toy: FfhqGenerator, monkeypatch: pytest.MonkeyPatch) -> None:
    bank, rows = face_bank(toy), torch.arange(150)
    whole = rank(toy, bank, rows)
    monkeypatch.setattr(module, "_CHUNK", 64)
    parts = rank(toy, bank, rows)
    assert torch.allclose(parts.theta, whole.theta, rtol=1e-4, atol=1e-6)
    assert torch.allclose(parts.shift, whole.shift, atol=1e-5)


def test_a_planted_channel_is_found(toy: FfhqGenerator, planted: Bank) -> None:
    result = StyleSpace(toy)(FitRequest(bank=planted, attribute="spark"), tried=0, count=3, share=0.1)
    best, shifted = result.directions[0], result.directions[-1]
    layer = next(name for name, part in toy.layout("s").items() if part.start <= PLANTED < part.stop)
    place = PLANTED - toy.layout("s")[layer].start
    assert best.name == f"spark: {layer}:{place}"
    assert (best.space, best.slots) == ("s", (toy.slots.of_layer(layer),))
    assert int(best.vector.argmax()) == PLANTED
    assert float(best.vector[PLANTED]) == 1
    assert float(shifted.vector[PLANTED]) > 0


def test_a_channel_that_examples_have_less_of_is_turned_down(toy: FfhqGenerator, planted: Bank) -> None:
    fewer = Bank(planted.z, planted.w, planted.truncation, planted.names, -planted.scores)
    best = StyleSpace(toy)(FitRequest(bank=fewer, attribute="spark"), tried=0, count=1, share=0.1).directions[0]
    assert float(best.vector[PLANTED]) == -1


def test_each_kept_direction_is_one_channel_with_the_spread_of_its_style(toy: FfhqGenerator, planted: Bank) -> None:
    """The spread goes through the affine map; measured on the styles themselves it is the same."""
    directions = StyleSpace(toy)(FitRequest(bank=planted, attribute="spark"), tried=0, count=4, shifted=9).directions
    styles = toy.styles(statistics(toy).bank).codes
    for direction in directions:
        assert direction.sigma == pytest.approx(float((styles @ direction.vector).std()), rel=1e-3)
        assert float(direction.vector.norm()) == pytest.approx(1, abs=1e-5)
    assert [int((direction.vector != 0).sum()) for direction in directions] == [1, 1, 1, 1, 9]


def test_the_mean_shift_moves_the_best_channels_as_the_examples_are_shifted(toy: FfhqGenerator, planted: Bank) -> None:
    request = FitRequest(bank=planted, attribute="spark")
    shifted = StyleSpace(toy)(request, tried=0, count=1, shifted=12).directions[-1]
    channels = rank(toy, planted, examples(request, 0.02))
    best = channels.theta.argsort(descending=True)[:12]
    assert shifted.name == "spark (mean shift)"
    assert set(shifted.vector.nonzero().flatten().tolist()) == set(best.tolist())
    assert torch.allclose(shifted.vector[best], channels.shift[best] / channels.shift[best].norm(), atol=1e-5)
    parts = toy.layout("s").items()
    assert set(shifted.slots) == {toy.slots.of_layer(name) for name, part in parts if bool(shifted.vector[part].any())}


def test_tried_channels_come_in_the_order_of_what_they_do(toy: FfhqGenerator) -> None:
    result = StyleSpace(toy)(FitRequest(bank=face_bank(toy), attribute="brightness"), tried=12, faces=2, count=2)
    found = result.directions[0]
    bright = []
    for seed in range(4):
        face = Latent("z", normal((1, toy.width), 100 + seed))
        pictures = [apply_directions(face, [(found, strength)], toy, truncation=0.7) for strength in (0.0, 8.0)]
        before, after = (toy.synthesize(item.latent, features=item.features).mean() for item in pictures)
        bright.append(float(after - before))
    assert sum(bright) > 0


def test_the_strip_shows_the_kept_channels(toy: FfhqGenerator, planted: Bank) -> None:
    result = StyleSpace(toy)(FitRequest(bank=planted, attribute="spark", seed=2), tried=0, count=3)
    assert result.images.shape == (3, 3, 16, 16)
    assert len(result.directions) == 4
    assert [row[0] for row in result.tables["channels"].rows[:3]] == [item.name.removeprefix("spark: ") for item in result.directions[:3]]


def test_examples_are_the_highest_scores_or_ones_own_yes(toy: FfhqGenerator) -> None:
    bank = face_bank(toy)
    request = FitRequest(bank=bank, attribute="warmth")
    rows = examples(request, 0.05)
    score = bank.score("warmth")
    assert len(rows) == 20
    assert float(score[rows].min()) >= float(score.sort().values[-20])
    assert len(examples(request, 0.002)) == 5
    labels = torch.zeros(len(bank))
    labels[[1, 2, 3, 5, 8, 13]], labels[4] = 1, -1
    assert examples(FitRequest(bank=bank, attribute="mine", labels=labels), 0.02).tolist() == [1, 2, 3, 5, 8, 13]


def test_ones_own_answers_are_not_tried_since_nothing_measures_them(toy: FfhqGenerator) -> None:
    bank = face_bank(toy)
    labels = torch.where(bank.score("warmth") > bank.score("warmth").quantile(0.95), 1.0, 0.0)
    engine = StyleSpace(toy)
    result = engine(FitRequest(bank=bank, attribute="mine", labels=labels), tried=8, count=2)
    assert [direction.name.split(":")[0] for direction in result.directions[:2]] == ["mine", "mine"]


def test_too_few_examples_and_unknown_attributes_get_a_sentence(toy: FfhqGenerator) -> None:
    labels = torch.zeros(400)
    labels[:4] = 1
    with pytest.raises(SpaceError, match=r"4 examples came; at least 5 are needed to rank channels\."):
        StyleSpace(toy)(FitRequest(bank=face_bank(toy), attribute="mine", labels=labels))
    with pytest.raises(SpaceError, match="has no attribute 'beard'"):
        StyleSpace(toy)(FitRequest(bank=face_bank(toy), attribute="beard"))


def test_a_channel_is_local_where_one_region_wins_clearly(toy: FfhqGenerator, monkeypatch: pytest.MonkeyPatch) -> None:
    votes = torch.zeros(4, len(REGIONS))
    votes[0, REGIONS.index("mouth")] = 0.9
    votes[1, REGIONS.index("hair")], votes[1, REGIONS.index("skin")] = 0.6, 0.4
    votes[2, REGIONS.index("eyes")] = 0.45
    votes[3, REGIONS.index("nose")], votes[3, REGIONS.index("mouth")] = 0.8, 0.5
    assert localised(toy) == []
    monkeypatch.setattr(module, "manifest", lambda: {"style_regions_toy": {}})
    monkeypatch.setattr(module, "load_weights", lambda name: {"votes": votes})
    assert localised(toy) == ["mouth", "several", "several", "nose"]
