from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from engines.core.errors import WeightsError
from engines.core.seeds import normal
from engines.data.changes import FRAMES, IDENTITIES, NEUTRAL, coordinates, delta_space, unpacked
from engines.generators import FfhqGenerator
from engines.spaces.statistics import random_w
from engines.training.changes.dataset import Sampler, Sequences, checked, read_sequences
from engines.training.changes.pictured import Answers
from engines.training.changes.reading import Reader
from engines.training.changes.sequences import FACTORS, READINGS, role
from engines.training.changes.walked import spaced
from engines.training.command import finish, train
from engines.training.loop import Plan
from engines.training.manifest import Records
from engines.training.recipes.delta import Delta, DeltaPreset, DeltaSetting

FACES = (0, 1, 2, 3, 6, 10, 13)
TINY = DeltaPreset(plan=Plan(40, warm_up=1, averaging=0.5), batch=8, size=1, hidden=4)


def sequences(toy: FfhqGenerator) -> Sequences:
    """Faces that all change along one straight line a factor, each a little of its own; read as wanted."""
    frame = coordinates(toy)
    neutral = frame.read(random_w(toy, 1)).repeat(len(FACES), 1, 1) + normal((len(FACES), 1, 1), 2)
    lines = normal((len(FACTORS), 1, 1, *neutral.shape[1:]), 3)
    places = (torch.arange(FRAMES).float() - NEUTRAL)[None, None, :, None, None]
    shape = (len(FACTORS), len(FACES), FRAMES)
    offsets = (places * lines + 0.05 * places * normal((*shape[:2], 1, *neutral.shape[1:]), 4)).clone()
    wanted = torch.stack([factor.step * (torch.arange(FRAMES) - NEUTRAL) for factor in FACTORS])[:, None].expand(shape).clone()
    readings = torch.zeros(*shape, len(READINGS))
    for place, factor in enumerate(FACTORS):
        readings[place, :, :, READINGS.index(factor.name)] = wanted[place]
    nothing = torch.zeros(shape)
    return Sequences(FACTORS, FACES, neutral, offsets, readings, wanted, nothing, nothing.clone(), frame)


def test_identities_are_split_70_15_15() -> None:
    assert Counter(map(role, range(IDENTITIES))) == {"train": 28, "validate": 6, "test": 6}


def test_a_walk_is_spaced_by_what_was_measured() -> None:
    strengths = torch.tensor([-3.0, -1.5, 0.0, 1.5, 3.0])
    measured = torch.tensor([-9.0, -2.25, 0.0, 2.25, 9.0])
    places = spaced(strengths, measured, torch.arange(-4.0, 5.0) * 3)
    assert places[NEUTRAL] == 0 and bool(places[[0, 8]].isnan().all())
    assert torch.allclose(places[[1, 7]], torch.tensor([-3.0, 3.0]), atol=1e-3)
    assert bool((places[1:8].diff() > 0).all())


def test_a_frame_is_inverted_from_the_one_before(toy: FfhqGenerator) -> None:
    reader = Reader(toy)
    answers = Answers(reader, random_w(toy, 4))
    hidden = 0.3 * answers.probes[:6].sum(dim=0)
    targets = torch.cat([answers.draw((share * hidden)[None]) for share in (0.5, 1.0)])
    found = answers.inverted(targets)
    for offset, target in zip(found, targets, strict=True):
        assert float((answers.draw(offset[None]) - target).norm()) < 0.3 * float((answers.neutral - target).norm())


def test_frames_that_fail_a_check_are_dropped_and_counted_once(toy: FfhqGenerator) -> None:
    found = sequences(toy)
    yaw = found.factors[0]
    column = READINGS.index(yaw.name)
    found.offsets[0, 0, 0] = torch.nan
    found.readings[0, 0, 1] = torch.nan
    found.readings[0, 0, 2, column] += 2 * yaw.step
    found.distance[0, 0, 3] = 0.6
    found.drift[0, 0, 5] = 1.0
    found.readings[0, 1, 2, column] += 2 * yaw.step
    found.distance[0, 1, 2] = 0.6
    kept = checked(found)
    assert kept.dropped["yaw"] == {
        "out of reach": 1,
        "no face": 1,
        "factor is off": 2,
        "another person": 1,
        "other attributes moved": 1,
    }
    assert kept.kept[0, 0].tolist() == [False, False, False, False, True, False, True, True, True]
    assert bool(kept.kept[1:].all())


def test_pairs_are_of_one_role_and_of_two_faces_and_frames(toy: FfhqGenerator) -> None:
    found = sequences(toy)
    found.offsets[2, 1] = torch.nan
    pairs = Sampler(found, "train")(200, 1)
    allowed = found.values[:, found.places("train")].flatten(0, 2)
    for codes in (*pairs.a, *pairs.b):
        assert bool(codes.isfinite().all())
        assert float(torch.cdist(codes[:20].double(), allowed.nan_to_num(1e3).double()).amin(dim=1).max()) < 1e-4
    assert not torch.allclose(pairs.a[0], pairs.b[0]) and not torch.allclose(pairs.a[0], pairs.a[1])
    assert set(pairs.factor.tolist()) == set(range(len(FACTORS)))
    again = Sampler(found, "train")(200, 1)
    assert torch.equal(pairs.a, again.a)


def test_the_recipe_learns_what_faces_share(toy: FfhqGenerator, tmp_path: Path) -> None:
    setting = DeltaSetting(generator=toy, sequences=sequences(toy), dims=8, preset=TINY, folder=tmp_path / "run")
    recipe = Delta()
    trainer = recipe.trainer(setting)
    before = recipe.evaluator(setting).evaluate(trainer)[0]["transfer"]
    train(recipe, trainer, setting, validate_every=20, log_every=20)
    assert recipe.evaluator(setting).evaluate(trainer)[0]["transfer"] < before
    records = Records(tmp_path / "assets")
    finish(recipe, trainer, setting, records)
    assert (tmp_path / "assets" / "models" / "delta_ffhq.safetensors").is_file()
    weights = {name: value.float() if value.is_floating_point() else value for name, value in recipe.shipped(trainer, setting).items()}
    made = unpacked(weights, toy)
    assert made.factors == tuple(sorted(factor.name for factor in FACTORS)) and made.identities[:2] == (3, 10)
    assert delta_space(toy).net.dims == made.net.dims


def test_ablations_leave_out_a_loss_or_the_noise(toy: FfhqGenerator, tmp_path: Path) -> None:
    setting = DeltaSetting(generator=toy, sequences=sequences(toy), dims=4, preset=TINY, folder=tmp_path)
    figures = {}
    for without in (frozenset[str](), frozenset({"transfer"})):
        trainer = Delta().trainer(replace(setting, without=without, folder=tmp_path / str(len(without))))
        figures[without] = next(trainer.steps())
    assert set(figures[frozenset()]) == {"rate", "own", "transferred", "back"}
    assert set(figures[frozenset({"transfer"})]) == {"rate", "own", "back"}


def test_too_few_sequences_are_refused(toy: FfhqGenerator, tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match="delta_sequences"):
        read_sequences(toy, tmp_path)
