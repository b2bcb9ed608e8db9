"""The one-pass encoders on the toy generator, whose networks are random as it is itself: form, not likeness."""

import pytest
import torch

from engines.contract import Engine, InvertRequest, Result
from engines.core.errors import CatalogueError, KnobError, WeightsError
from engines.core.weights import manifest
from engines.generators import FfhqGenerator
from engines.invert.encode import E4e, Psp, ReStyle
from engines.invert.encode.e4e import assembled
from engines.invert.encode.encoder import SIZE, FrozenBody, Scale, fill, load_body, stored
from engines.invert.encode.psp import NETWORKS, PspKnobs
from engines.invert.encode.pyramid import TRUNKS
from engines.invert.encode.restyle import BASES, GAINS
from engines.nets.initial import seeded
from engines.nets.irse import Body
from engines.spaces.statistics import random_w, statistics

ENGINES = (Psp, E4e, ReStyle)


@pytest.fixture(scope="module")
def request_(toy: FfhqGenerator) -> InvertRequest:
    return InvertRequest(image=toy.synthesize(random_w(toy, 5)))


@pytest.fixture(scope="module", params=ENGINES, ids=lambda kind: kind.card.name)
def engine(request: pytest.FixtureRequest, toy: FfhqGenerator) -> Engine:
    return request.param(toy)


def test_steps_rise_to_the_total_and_the_picture_is_the_code_s(engine: Engine, request_: InvertRequest, toy: FfhqGenerator) -> None:
    run, steps = engine.run(request_, engine.knob_set()), []
    while True:
        try:
            steps.append(next(run))
        except StopIteration as stop:
            result = stop.value
            break
    assert [one.step for one in steps] == list(range(1, steps[-1].total + 1))
    assert steps[-1].best is not None
    for index, inversion in enumerate(result.inversions):
        assert inversion.latent.space == "w_plus"
        assert torch.allclose(toy.synthesize(inversion.latent), result.images[index : index + 1], atol=1e-5)
        assert not inversion.latent.codes.requires_grad


def test_dead_slots_repeat_the_one_below(engine: Engine, request_: InvertRequest, toy: FfhqGenerator) -> None:
    codes = engine(request_).inversions[0].latent.codes
    assert torch.equal(codes, toy.slots.fill_dead(codes))


def test_equal_requests_have_equal_answers(engine: Engine, request_: InvertRequest) -> None:
    first, second = engine(request_), engine(request_)
    assert torch.equal(first.images, second.images)


def test_another_photo_has_another_code(engine: Engine, request_: InvertRequest, toy: FfhqGenerator) -> None:
    other = InvertRequest(image=toy.synthesize(random_w(toy, 6)))
    assert not torch.equal(engine(request_).inversions[0].latent.codes, engine(other).inversions[0].latent.codes)


def test_the_card_names_its_paper(engine: Engine) -> None:
    assert engine.card.paper in str(type(engine).__doc__)
    assert set(TRUNKS) <= set(engine.card.weights)


def test_variants_keep_the_coarse_and_take_other_fine_styles(toy: FfhqGenerator, request_: InvertRequest) -> None:
    result = Psp(toy)(request_, variants=2)
    plain, first, second = (inversion.latent.codes[0] for inversion in result.inversions)
    fine = list(toy.slots.groups["fine"])
    kept = [slot for slot in toy.slots.active if slot not in fine]
    assert torch.equal(first[kept], plain[kept])
    assert not torch.equal(first[fine], plain[fine])
    assert not torch.equal(first[fine], second[fine])
    middle = list(toy.slots.groups["middle"])
    more = Psp(toy)(request_, variants=1, mixed="middle and fine").inversions[1].latent.codes[0]
    assert not torch.equal(more[middle], plain[middle])
    still = Psp(toy)(request_, variants=1, mix_strength=0.0).inversions[1].latent.codes[0]
    assert torch.allclose(still, plain, atol=1e-6)


def test_offset_strength_leads_from_one_w_to_all_offsets(toy: FfhqGenerator, request_: InvertRequest) -> None:
    engine, active = E4e(toy), list(toy.slots.active)
    none, half, full = (engine(request_, offset_strength=value).inversions[0].latent.codes[0, active] for value in (0.0, 0.5, 1.0))
    assert torch.equal(none, none[:1].expand_as(none))
    assert torch.equal(full[0], none[0])
    assert torch.allclose(half, (none + full) / 2, atol=1e-5)
    assert statistics(toy).w_plus_spread(full[None]) > 0


def test_offsets_are_switched_on_from_the_coarse_end() -> None:
    vectors = assembled(torch.zeros(1, 1, 2), torch.ones(1, 5, 2), count=2)
    assert vectors[0, :, 0].tolist() == [0, 1, 1, 0, 0, 0]


def test_restyle_corrects_its_last_attempt(toy: FfhqGenerator, request_: InvertRequest) -> None:
    engine = ReStyle(toy)
    result = engine(request_, steps=3)
    assert list(result.stages) == ["step 1", "step 2", "step 3"]
    assert [row[0] for row in result.tables["steps"].rows] == [1, 2, 3]
    codes, photo = engine.average(), engine.residual("psp").told(request_.image)
    for look in range(3):
        codes = engine.corrected(codes, photo, "psp", look)
    assert torch.allclose(result.inversions[0].latent.codes, codes, atol=1e-6)
    for base in set(BASES) - {"psp"}:
        assert not torch.equal(engine(request_, base=base).images, result.images)


def test_a_correction_is_the_difference_of_two_answers_times_the_looks_gain(toy: FfhqGenerator, request_: InvertRequest) -> None:
    residual = ReStyle(toy).residual("psp")
    heads, (photo, attempt) = residual.heads, [residual.told(image) for image in (request_.image, -request_.image)]
    with torch.no_grad():
        difference = heads.heads(photo) - heads.heads(attempt)
        assert torch.equal(heads(photo, photo, 1), torch.zeros_like(difference))
        assert torch.allclose(heads(photo, attempt, 0), GAINS[0] * heads.heads(photo), atol=1e-6)
        for look, gain in enumerate((*GAINS[1:], GAINS[-1]), start=1):
            assert torch.allclose(heads(photo, attempt, look), gain * difference, atol=1e-6)


def test_restyle_stops_when_it_gains_nothing(toy: FfhqGenerator, request_: InvertRequest) -> None:
    run = ReStyle(toy).run(request_, ReStyle.knob_set.of({"steps": 10, "least_gain": 0.5}))
    steps = list(run)
    assert len(steps) < 10
    assert steps[-1].step == steps[-1].total == 10


def test_a_frozen_body_stays_frozen_inside_a_training_network() -> None:
    body = FrozenBody(seeded(Body, 0))
    torch.nn.Sequential(body).train()
    means = body.body.stem[1].running_mean.clone()
    levels = body(torch.randn(2, 3, 32, 32))
    assert not body.body.training
    assert not any(level.requires_grad for level in levels)
    assert torch.equal(body.body.stem[1].running_mean, means)


def test_zeros_mean_the_average_face(toy: FfhqGenerator) -> None:
    scale = Scale(toy)
    codes = scale.codes(torch.zeros(1, len(toy.slots.active), toy.width))
    assert torch.equal(codes, statistics(toy).mean.expand_as(codes))


class Foreign:
    """A generator that nothing was trained for."""

    name, capabilities = "mine", frozenset({"w_plus"})


def test_a_generator_that_nothing_was_trained_for_is_refused_in_a_sentence() -> None:
    with pytest.raises(CatalogueError, match="they do not know mine"):
        stored.__wrapped__("psp", Foreign())


def test_weights_that_do_not_fit_are_refused_in_a_sentence(toy: FfhqGenerator) -> None:
    body = load_body(toy).body
    weights = dict(body.state_dict())
    fill(body, {name: value for name, value in weights.items() if not name.endswith("num_batches_tracked")}, "face_body")
    with pytest.raises(WeightsError, match=r"do not fit this version's network \(stem\.0\.weight\)"):
        fill(body, {name: value for name, value in weights.items() if name != "stem.0.weight"}, "face_body")
    with pytest.raises(WeightsError, match="have other shapes"):
        fill(body, weights | {"stem.0.weight": torch.zeros(1)}, "face_body")
    assert SIZE == 128


def test_a_task_takes_away_first_and_shows_what_it_saw(
    toy: FfhqGenerator, request_: InvertRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(NETWORKS, "colourise", "psp_colourise")

    def result(task: str = "inversion", take_away: bool = True) -> Result:
        knobs = PspKnobs(take_away=take_away)
        object.__setattr__(knobs, "task", task)  # whatever weights are there
        return list(Psp(toy).run(request_, knobs))[-1].best

    grey = result(task="colourise")
    saw = grey.stages["what it saw"]
    assert torch.equal(saw[:, 0], saw[:, 2])
    assert not torch.equal(grey.images, result().images)
    assert torch.equal(result(task="colourise", take_away=False).stages["what it saw"], request_.image)
    assert "what it saw" not in result().stages


def test_only_tasks_with_weights_are_offered(toy: FfhqGenerator, request_: InvertRequest) -> None:
    assert "inversion" in NETWORKS and all(name in manifest() for name in NETWORKS.values())
    with pytest.raises(KnobError):
        Psp(toy)(request_, task="toonify")
