"""Separating planes, on the toy's W with scores that a known plane decides."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from sklearn.linear_model import Ridge
from torch import Tensor

from engines import FitRequest
from engines.core.errors import SpaceError
from engines.core.seeds import normal
from engines.data.faces import codes
from engines.edit import InterFaceGAN
from engines.edit.interfacegan import STRENGTHS, InterFaceGANKnobs, conditional_direction, extremes, slopes
from engines.generators.toy import toy as new_toy
from engines.spaces.bank import Bank
from engines.spaces.directions import Direction, project_out
from engines.spaces.latent import Latent
from engines.spaces.statistics import statistics

TOY = new_toy()
WIDTH, FACES = TOY.width, 600
KNOBS = InterFaceGANKnobs()


def unit(seed: int) -> Tensor:
    return torch.nn.functional.normalize(normal((WIDTH,), seed), dim=0)


def planted(space: str = "w", noise: float = 0.0, faces: int = FACES) -> Bank:
    """Faces whose "smile" is their place along one vector, "age" along another that leans towards it; "luck" is none of theirs."""
    z, w = codes(TOY, faces)
    places = w - w.mean(dim=0) if space == "w" else z
    white = places / places.std(dim=0)
    smile, age = white @ unit(1), white @ torch.nn.functional.normalize(unit(1) + unit(2), dim=0)
    scores = torch.stack([smile, age, normal((faces,), 5)], dim=1) + noise * normal((faces, 3), 6)
    return Bank(z, w, 0.7, ("smile", "age", "luck"), scores)


def request(bank: Bank, attribute: str = "smile", **more: object) -> FitRequest:
    return FitRequest(bank=bank, attribute=attribute, **more)  # type: ignore[arg-type]


@pytest.mark.parametrize("space", ["w", "z"])
def test_a_planted_plane_is_found_and_judged_on_faces_it_has_not_seen(space: str) -> None:
    bank = planted(space)
    boundary = InterFaceGAN(TOY).fit(request(bank), replace(KNOBS, space=space))
    places = bank.w if space == "w" else bank.z
    along = (places - places.mean(dim=0)) @ boundary.direction.vector
    assert float(torch.corrcoef(torch.stack([along, bank.score("smile")]))[0, 1]) > 0.9
    if space == "z":
        assert float(boundary.direction.vector @ unit(1)) > 0.9
    assert boundary.metrics["accuracy"] >= 0.95
    assert boundary.metrics["balanced_accuracy"] >= 0.85
    assert (boundary.direction.name, boundary.direction.space) == ("smile", space)
    assert float(boundary.direction.vector.norm()) == pytest.approx(1, abs=1e-5)


def test_sigma_is_the_spread_of_faces_along_the_normal() -> None:
    bank = planted()
    in_w = InterFaceGAN(TOY).fit(request(bank), KNOBS).direction
    assert in_w.sigma == pytest.approx(statistics(TOY).sigma(in_w.vector), rel=1e-5)
    assert InterFaceGAN(TOY).fit(request(bank), replace(KNOBS, space="z")).direction.sigma == 1.0


def test_what_the_codes_do_not_decide_is_guessed_no_better_than_by_chance() -> None:
    metrics = InterFaceGAN(TOY).fit(request(planted(), "luck"), KNOBS).metrics
    assert metrics["accuracy"] < 0.8
    assert metrics["balanced_accuracy"] < 0.65


def test_accuracy_is_counted_on_held_out_faces_alone() -> None:
    """Noise can be learnt by heart; a judge who has seen the answers would say 1."""
    bank = planted(faces=200)
    metrics = InterFaceGAN(TOY).fit(request(bank, "luck"), replace(KNOBS, penalty=1e3, fraction=0.2)).metrics
    assert metrics["accuracy"] < 0.85


def test_distances_have_the_sign_of_the_answer_and_are_counted_in_sigma() -> None:
    bank = planted()
    boundary = InterFaceGAN(TOY).fit(request(bank), KNOBS)
    mean = statistics(TOY).mean
    far = boundary.distance(bank.w, mean)
    yes, no = extremes(bank, "smile", 0.1)
    assert bool((far[yes] > 0).all())
    assert bool((far[no] < 0).all())
    step = boundary.direction.sigma * boundary.direction.vector
    assert torch.allclose(boundary.distance(bank.w[:3] + 2 * step, mean), far[:3] + 2, atol=1e-3)
    assert float(boundary.distance(mean, mean)[0]) == pytest.approx(boundary.offset)


@pytest.mark.parametrize("space", ["w", "z"])
def test_the_offset_is_where_the_plane_of_the_machine_lies(space: str) -> None:
    """Scores all shifted so that nearly every face says yes: the average face lies well on that side."""
    bank = planted(space)
    labels = bank.score("smile") + 1.0
    boundary = InterFaceGAN(TOY).fit(request(bank, "mine", labels=labels), replace(KNOBS, space=space))
    mean = statistics(TOY).mean if space == "w" else torch.zeros(1, WIDTH)
    far = boundary.distance(bank.w if space == "w" else bank.z, mean)
    assert float(((far > 0) == (labels > 0)).float().mean()) > 0.9
    assert boundary.offset > 0


def test_extremes_are_the_top_and_the_bottom() -> None:
    bank = planted()
    yes, no = extremes(bank, "smile", 0.1)
    assert (int(yes.sum()), int(no.sum())) == (60, 60)
    assert not bool((yes & no).any())
    score = bank.score("smile")
    assert float(score[yes].min()) >= float(score[~yes].max())
    assert float(score[no].max()) <= float(score[~no].min())


def test_ones_own_answers_decide_by_sign_and_what_was_not_answered_does_not_count() -> None:
    bank = planted()
    labels = torch.where(bank.score("smile").abs() > 1, bank.score("smile"), 0.0)
    boundary = InterFaceGAN(TOY).fit(request(bank, "my own", labels=labels), KNOBS)
    assert boundary.direction.name == "my own"
    assert f"{int((labels > 0).sum())} yes, {int((labels < 0).sum())} no" in boundary.direction.source
    assert "balanced_accuracy" not in boundary.metrics
    assert boundary.metrics["accuracy"] > 0.9
    loud = InterFaceGAN(TOY).fit(request(bank, "my own", labels=100 * labels), KNOBS)
    assert torch.equal(loud.direction.vector, boundary.direction.vector)


def few(yes: int, no: int) -> Tensor:
    labels = torch.zeros(FACES)
    labels[:yes], labels[yes : yes + no] = 1, -1
    return labels


def test_with_few_answers_all_are_learnt_from_and_nothing_is_claimed() -> None:
    boundary = InterFaceGAN(TOY).fit(request(planted(), "mine", labels=few(5, 6)), KNOBS)
    assert boundary.metrics == {}
    assert boundary.direction.sigma > 0


@pytest.mark.parametrize(("yes", "no"), [(0, 0), (4, 100), (100, 4), (600, 0)])
def test_too_few_answers_get_a_sentence(yes: int, no: int) -> None:
    with pytest.raises(SpaceError, match=rf"{yes} yes and {no} no came; at least 5 of each are needed.*Mark a few more\."):
        InterFaceGAN(TOY).fit(request(planted(), "mine", labels=few(yes, no)), KNOBS)


def test_too_small_a_bank_and_an_unknown_attribute_get_a_sentence() -> None:
    with pytest.raises(SpaceError, match="at least 5 of each"):
        InterFaceGAN(TOY).fit(request(planted(faces=30)), KNOBS)
    with pytest.raises(SpaceError, match=r"has no attribute 'beard'; it has: smile, age, luck\."):
        InterFaceGAN(TOY).fit(request(planted(), "beard"), KNOBS)
    with pytest.raises(SpaceError, match="has no attribute 'beard'"):
        InterFaceGAN(TOY)(request(planted(), keep=("beard",)))


@pytest.mark.parametrize("space", ["w", "z"])
def test_conditional_manipulation_leaves_the_kept_attributes_alone(space: str) -> None:
    bank = planted(space)
    result = InterFaceGAN(TOY)(request(bank, "age", keep=("smile", "luck")), space=space)
    (direction,) = result.directions
    for (name, before, after), wanted in zip(result.tables["conditions"].rows, ("smile", "luck"), strict=True):
        assert name == wanted
        assert abs(float(after)) < 1e-5
        assert abs(float(before)) <= 1
    assert float(result.tables["conditions"].rows[0][1]) > 0.3  # age leans towards smile
    assert "kept: smile, luck" in direction.source
    smile = InterFaceGAN(TOY).fit(request(bank, "smile"), replace(KNOBS, space=space)).direction
    assert abs(float(direction.vector @ smile.vector)) < 1e-5


BEARD = torch.nn.functional.normalize(0.6 * unit(1) + unit(2), dim=0)


def one_sided(w: Tensor, of: Tensor) -> Tensor:
    """Scores (faces,2): "beard" varies among the "men" alone, along a vector that leans towards them; codes are whitened as `of`."""
    white = (w - of.mean(dim=0)) / of.std(dim=0)
    man = white @ unit(1)
    return torch.stack([man, torch.where(man > 0, (white @ BEARD).clamp_min(0), 0.0)], dim=1)


def bearded() -> Bank:
    z, w = codes(TOY, 4 * FACES)
    return Bank(z, w, 0.7, ("man", "beard"), one_sided(w, w))


def test_slopes_are_where_a_score_rises_on_each_side() -> None:
    bank = bearded()
    man = InterFaceGAN(TOY).fit(request(bank, "man"), KNOBS).direction
    below, above = slopes(man, bank, ("man", "beard"))
    for vector in (*below, *above):
        assert float(vector.norm()) == pytest.approx(1, abs=1e-4)
    men = bank.score("man") > 0.5
    rise = torch.corrcoef(torch.stack([bank.w[men] @ above[1], bank.w[men] @ below[1], bank.score("beard")[men]]))[2]
    assert float(rise[0]) > 0.8 > abs(float(rise[1]))


def test_slopes_are_those_of_scikit_learns_ridge_regression() -> None:
    """With a tenth of the codes' mean variance on the diagonal of their covariance, on either side of the median."""
    bank = bearded()
    direction = Direction("along", "w", unit(8), TOY.slots.active, 1.0, "a test")
    x, y = bank.w.double().numpy(), bank.scores.double().numpy()
    along = x @ unit(8).double().numpy()
    found = slopes(direction, bank, ("man", "beard")).double().numpy()
    for got, side in zip(found, (along <= np.median(along), along > np.median(along)), strict=True):
        wanted = Ridge(alpha=0.1 * x[side].var(axis=0).sum() / WIDTH * side.sum()).fit(x[side], y[side]).coef_
        assert np.allclose(got, wanted / np.linalg.norm(wanted, axis=1, keepdims=True), atol=1e-3)


def test_what_varies_on_one_side_only_is_kept_better_than_by_its_boundary() -> None:
    bank = bearded()
    man, beard = (InterFaceGAN(TOY).fit(request(bank, name), KNOBS).direction for name in ("man", "beard"))

    def leak(direction: Direction) -> float:
        """Mean rise of "beard" for a rise of "man"."""
        rise = (one_sided(bank.w + direction.sigma * direction.vector, bank.w) - bank.scores).mean(dim=0)
        return abs(float(rise[1] / rise[0]))

    plain, kept = project_out(man, [beard]), conditional_direction(man, [beard], bank)
    assert leak(kept) < 0.7 * leak(plain) < leak(man)
    assert abs(float(kept.vector @ beard.vector)) < 1e-5  # and exactly nothing of the boundary is left
    assert kept.source.endswith("kept: beard")
    assert conditional_direction(man, [], bank) is man


def test_keeping_the_attribute_itself_gets_a_sentence() -> None:
    with pytest.raises(SpaceError, match=r"Nothing of smile is left when smile must stay\."):
        InterFaceGAN(TOY)(request(planted(), keep=("smile",)))


@pytest.mark.parametrize("layers", ["all", "coarse", "fine"])
def test_the_strip_shows_the_seeds_face_along_the_direction(layers: str) -> None:
    result = InterFaceGAN(TOY)(request(planted(), seed=4), layers=layers)
    (direction,) = result.directions
    assert direction.slots == TOY.slots.groups[layers]
    assert result.images.shape == (len(STRENGTHS), 3, 16, 16)
    z = normal((1, WIDTH), 4)
    plain = statistics(TOY).truncate(TOY.map(z), 0.7)
    moved = TOY.slots.spread(plain).clone()
    moved[:, list(direction.slots)] += 3 * direction.sigma * direction.vector
    for picture, code in ((2, TOY.slots.spread(plain)), (4, moved)):
        assert torch.allclose(TOY.synthesize(Latent("w_plus", code), size=16), result.images[picture : picture + 1], atol=1e-4)
