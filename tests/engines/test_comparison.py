import pytest
import torch

from engines import Direction, Inversion, Latent, catalogue
from engines.comparison import CHANGE, CONSISTENCY, IDENTITY_AFTER, InversionEvaluator, consistency_encoder, inverters, space_of, values_of
from engines.contract import InvertRequest
from engines.core.shapes import Codes, Image
from engines.generators import FfhqGenerator
from engines.spaces.statistics import random_w, statistics


def brighter(toy: FfhqGenerator) -> Direction:
    vector = torch.nn.functional.normalize(torch.arange(1.0, toy.width + 1), dim=0)
    return Direction("brightness", "w", vector, toy.slots.active, 0.5, "a test")


class Knows:
    """Reads every picture of these codes, and takes any other for the mean."""

    def __init__(self, toy: FfhqGenerator, *codes: Codes) -> None:
        self.pictures = [(toy.synthesize(code).clamp(-1, 1), code) for code in codes]
        self.mean = toy.slots.spread(statistics(toy).mean)

    def encode(self, image: Image) -> Codes:
        return next((code for picture, code in self.pictures if torch.allclose(picture, image, atol=1e-5)), self.mean)


@pytest.fixture(scope="module")
def evaluator(toy: FfhqGenerator) -> InversionEvaluator:
    return InversionEvaluator(toy)


def test_every_method_that_takes_a_photo_is_compared(toy: FfhqGenerator) -> None:
    names = [engine.card.name for engine in inverters(toy)]
    assert names == [name for name, engine in catalogue().items() if engine.accepts is InvertRequest]
    assert {"projector", "image2stylegan"} <= set(names)


def test_the_reader_is_the_catalogue_s_best_encoder_or_nobody(toy: FfhqGenerator, monkeypatch: pytest.MonkeyPatch) -> None:
    from engines.invert.encode import E4e, Psp

    for offered, wanted in (([], None), ([Psp], "psp"), ([Psp, E4e], "e4e")):
        monkeypatch.setattr("engines.comparison.inverters", lambda _, found=offered: found)
        made: list[str] = []
        found = consistency_encoder(toy, lambda name, made=made: made.append(name) or Knows(toy))
        assert made == ([wanted] if wanted else [])
        assert (found is not None) is bool(offered)
    monkeypatch.setattr("engines.comparison.inverters", lambda _: [E4e])
    assert consistency_encoder(toy, lambda _: object()) is None


def test_without_a_reader_identity_and_the_edit_itself_are_measured(toy: FfhqGenerator, evaluator: InversionEvaluator) -> None:
    inversion = Inversion(Latent("w", random_w(toy, 1)))
    image = evaluator.draw(inversion)
    found = evaluator.edited(inversion, image, image, (brighter(toy), 2.0))
    assert set(found.figures) == {IDENTITY_AFTER, CHANGE}
    assert found.figures[IDENTITY_AFTER] == pytest.approx(float(evaluator.effects.identity(image, found.image)[0]))
    assert found.figures[CHANGE] == pytest.approx(float((evaluator.effects.scores(found.image) - evaluator.effects.scores(image))[0, 0]))
    assert not torch.equal(found.image, image)


def test_an_edit_that_nothing_measures_has_no_change_of_its_own(toy: FfhqGenerator, evaluator: InversionEvaluator) -> None:
    inversion = Inversion(Latent("w", random_w(toy, 1)))
    image = evaluator.draw(inversion)
    unnamed = Direction("mine", "w", brighter(toy).vector, toy.slots.active, 0.5, "a test")
    assert set(evaluator.edited(inversion, image, image, (unnamed, 1.0)).figures) == {IDENTITY_AFTER}


def test_a_reader_that_knows_both_pictures_finds_only_the_edit(toy: FfhqGenerator, evaluator: InversionEvaluator) -> None:
    code, edit = toy.slots.spread(random_w(toy, 1)).clone(), (brighter(toy), 2.0)
    moved = code.clone()
    moved[:, list(toy.slots.active)] += 2.0 * 0.5 * brighter(toy).vector
    inversion, image = Inversion(Latent("w_plus", code)), toy.synthesize(code)
    sure = InversionEvaluator(toy, evaluator.distortion, Knows(toy, code, moved)).edited(inversion, image, image, edit)
    lost = InversionEvaluator(toy, evaluator.distortion, Knows(toy, code)).edited(inversion, image, image, edit)
    assert sure.figures[CONSISTENCY] == pytest.approx(0, abs=1e-3)
    assert lost.figures[CONSISTENCY] > 1


def test_tuned_weights_and_features_are_edited_with_the_code(toy: FfhqGenerator, evaluator: InversionEvaluator) -> None:
    layer, noise = next(iter(toy.noise().items()))
    plain = Inversion(Latent("w", random_w(toy, 1)))
    featured = Inversion(plain.latent, {}, {f"noise/{layer}": noise + 1})
    edit = (brighter(toy), 2.0)
    image = evaluator.draw(featured)
    assert not torch.equal(evaluator.edited(featured, image, image, edit).image, evaluator.edited(plain, image, image, edit).image)


@pytest.mark.parametrize(
    ("space", "extras", "words", "values"),
    [
        ("w", {}, "W", 32),
        ("w_plus", {}, "W+", None),
        ("w", {"tuning": {"a": torch.zeros(7)}}, "W + weights", 39),
        ("w", {"features": {"noise/x": torch.zeros(5), "noise/y": torch.zeros(5), "grid/w": torch.zeros(2)}}, "W + noise + grid", 44),
        ("w", {"features": {"other/x": torch.zeros(1)}}, "W + other", 33),
    ],
)
def test_where_an_inversion_lives_and_what_it_takes(space: str, extras: dict, words: str, values: int | None, toy: FfhqGenerator) -> None:
    codes = torch.zeros(1, 32) if space == "w" else torch.zeros(1, toy.slots.count, 32)
    inversion = Inversion(Latent(space, codes), **extras)
    assert space_of(inversion) == words
    assert values_of(inversion, toy) == (values or 32 * len(toy.slots.active))
