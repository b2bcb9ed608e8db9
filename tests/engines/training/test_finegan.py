"""FineGAN's recipe: every player moves what it should, ideas can be switched off, and a killed run ends with the same weights."""

import json
import tomllib
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from PIL import Image as Pil
from safetensors.torch import load

from engines.core.seeds import rng
from engines.generators.finegan import from_weights
from engines.metrics.birds import classified
from engines.nets.finegan import FineGenerator
from engines.nets.initial import orthogonal
from engines.training.augmentation import noise_augmented
from engines.training.best_checkpoint import BestCheckpoint, restore
from engines.training.command import BEST, Setting, finish, train
from engines.training.drawn import TEST, random_birds
from engines.training.finegan_evaluator import FineGANEvaluator, generator_of
from engines.training.finegan_networks import Draw, FineGANNetworks, FinePreset, scale_codes
from engines.training.loop import Moment, Plan, Trainer
from engines.training.manifest import Records
from engines.training.recipes.bird_classifier import BirdClassifier, repainted
from engines.training.recipes.finegan import FineBirds, area_penalty, mask_disagreement

PLAN = Plan(4, warm_up=1, last=1.0)
TINY = FinePreset(
    plan=PLAN,
    batch=4,
    size=64,
    parents=3,
    children=6,
    noise=8,
    width=4,
    discriminator_width=4,
    patches=4,
    hard=0.5,
    candidates=2,
    halvings=1,
    free=0.3,
)


def setting_for(folder: Path, without: frozenset[str] = frozenset(), preset: FinePreset = TINY) -> Setting[FinePreset]:
    return Setting(preset=preset, folder=folder, without=without)


def state(trainer: Trainer, module: str) -> dict[str, torch.Tensor]:
    return {
        key: value.clone()
        for key, value in trainer.modules[module].network.state_dict().items()
        if "running" not in key and "tracked" not in key
    }


@pytest.mark.parametrize("without", [frozenset(), *(frozenset({component}) for component in FineBirds.components)], ids=str)
def test_every_player_moves(without: frozenset[str], tmp_path: Path) -> None:
    trainer = FineBirds().trainer(setting_for(tmp_path, without))
    before = {name: state(trainer, name) for name in trainer.modules}
    figures = list(trainer.steps())[-1]
    for name in trainer.modules:
        moved = [key for key, value in state(trainer, name).items() if not torch.equal(value, before[name][key])]
        parts = {key.split(".")[0] for key in moved}
        expected = {
            "generator": {"generator"} | ({"parent", "coat"} if "information" not in without else set()),
            "child": {"trunk", "real"},
            "features": {"critic"},
        }
        assert parts == expected.get(name, {"trunk", "kind", "real"}), name
    assert ("features" in trainer.modules) == ("features_adversarial" in figures) == ("features" not in without)
    assert ("parent" in figures) == ("information" not in without)
    assert ("kinds_adversarial" in figures) == ("background" not in without)


def test_the_pictures_of_a_step_are_drawn_once_for_all_players(tmp_path: Path) -> None:
    networks = FineGANNetworks(setting_for(tmp_path))
    first = networks.drawn(None, Moment(3, 0.1, rng(3)))
    assert networks.drawn(None, Moment(3, 0.1, rng(3))) is first
    assert networks.drawn(None, Moment(4, 0.1, rng(4))) is not first


def test_hard_examples_are_those_whose_code_is_read_worst(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    networks, seen = FineGANNetworks(setting_for(tmp_path)), list[torch.Tensor]()

    def confidence(codes: Draw) -> torch.Tensor:
        seen.append(codes.z[:, 0])
        return codes.z[:, 0]

    monkeypatch.setattr(networks, "confidence", confidence)
    hard = networks.hard(Moment(1, 1.0, rng(1)))
    every = torch.cat(seen)
    assert len(every) == TINY.candidates * TINY.batch
    assert torch.equal(hard.z[:, 0], every.sort().values[: TINY.batch])


def test_a_loud_code_moves_first_features_as_far_as_z_does() -> None:
    form = replace(TINY, noise=16).form
    generator = scale_codes(orthogonal(lambda: FineGenerator(form), 1), 4.0)
    weight = generator.h_net1.fc[0].weight.detach()
    code, z = weight[:, : form.parents], weight[:, form.parents :]
    assert float(code.square().sum(dim=0).mean()) == pytest.approx(float(z.square().sum()), rel=0.01)


def test_codes_are_tied_as_the_paper_ties_them_until_half_of_them_are_set_free(tmp_path: Path) -> None:
    networks = FineGANNetworks(setting_for(tmp_path, preset=replace(TINY, batch=64)))
    early, late = (networks.codes(Moment(step, progress, rng(step))) for step, progress in ((1, 0.1), (2, 0.9)))
    assert torch.equal(early.background, early.child) and torch.equal(early.parent, early.child // 2)
    assert torch.equal(late.background[32:], late.child[32:]) and torch.equal(late.parent[32:], late.child[32:] // 2)
    assert not torch.equal(late.background[:32], late.child[:32]) and not torch.equal(late.parent[:32], late.child[:32] // 2)
    paper = FineGANNetworks(setting_for(tmp_path, frozenset({"free"}), preset=replace(TINY, batch=64))).codes(Moment(2, 0.9, rng(2)))
    assert torch.equal(paper.parent, paper.child // 2)


def test_what_ships_is_the_best_look_of_a_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    recipe, setting = FineBirds(), setting_for(tmp_path)
    seen: dict[int, torch.Tensor] = {}

    class Rising:
        def baseline(self) -> dict[str, float]:
            return {}

        def evaluate(self, trainer: Trainer) -> tuple[dict[str, float], Pil.Image]:
            seen[trainer.step] = first(trainer)
            good = {1: 0.1, 2: 0.7, 3: 0.2, 4: 0.3}[trainer.step]
            return dict.fromkeys(("shape_by_parent", "texture_by_child", "shape_kept_under_child"), good), Pil.new("RGB", (8, 8))

    def first(trainer: Trainer) -> torch.Tensor:
        return trainer.averaged["generator"].get_parameter("generator.h_net1.fc.0.weight").clone()

    monkeypatch.setattr(recipe, "evaluator", lambda setting: Rising())
    trainer = recipe.trainer(setting)
    train(recipe, trainer, setting, validate_every=1)
    assert torch.equal(first(trainer), seen[4])
    assert restore(setting.folder / BEST, trainer, "cpu") == 2
    assert torch.equal(first(trainer), seen[2]) and not torch.equal(seen[2], seen[4])
    (setting.folder / "checkpoint.pt").unlink()
    anew = recipe.trainer(setting)
    BestCheckpoint(setting.folder / BEST, anew)
    assert restore(setting.folder / BEST, anew, "cpu") == 0


def test_a_killed_run_ends_with_the_same_weights(tmp_path: Path) -> None:
    whole = FineBirds().trainer(setting_for(tmp_path / "whole"))
    list(whole.steps())
    killed = FineBirds().trainer(setting_for(tmp_path / "killed"))
    next(killed.steps())
    killed.save()
    again = FineBirds().trainer(setting_for(tmp_path / "killed"))
    assert again.step == 1
    list(again.steps())
    for ours, theirs in zip(state(again, "generator").values(), state(whole, "generator").values(), strict=True):
        assert torch.equal(ours, theirs)


def test_what_is_recorded_can_be_loaded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    recipe, setting = FineBirds(), setting_for(tmp_path / "run")
    monkeypatch.setattr(recipe, "evaluator", lambda setting: FineGANEvaluator(count=40, pairs=10))
    monkeypatch.setattr(recipe, "test", lambda trainer, setting: FineGANEvaluator(count=40, pairs=10).evaluate(trainer)[0])
    trainer = recipe.trainer(setting)
    train(recipe, trainer, setting, validate_every=2, log_every=2)
    finish(recipe, trainer, setting, Records(tmp_path))
    entry = tomllib.loads((tmp_path / "weights.toml").read_text())["finegan_birds"]
    assert entry["origin"].startswith("engines/training/recipes/finegan.py, seed 1, 4 steps of 4")
    assert {"shape_by_parent", "texture_by_child", "mask_overlap", "unsure"} <= set(entry["metrics"])
    shipped = from_weights(load((tmp_path / "models" / "finegan_birds.safetensors").read_bytes()), "finegan_birds")
    assert shipped.form == generator_of(trainer).form == TINY.form
    rows = [json.loads(line) for line in (tmp_path / "run" / "log.jsonl").read_text().splitlines()]
    assert [row["step"] for row in rows if "held_out" in row] == [2, 4]


def test_the_oracle_learns(tmp_path: Path) -> None:
    preset = replace(BirdClassifier.presets["cpu"], plan=Plan(30, warm_up=1), batch=8)
    trainer = BirdClassifier().trainer(Setting(preset=preset, folder=tmp_path))
    figures = list(trainer.steps())
    assert figures[-1]["texture"] < figures[0]["texture"]


def test_paint_covers_birds_and_nothing_else() -> None:
    birds = random_birds(40, 3, 32)
    painted, own = repainted(birds.images, birds.masks, 0.5, rng(1))
    outside = (birds.masks == 0).expand_as(painted)
    assert torch.equal(painted[outside], birds.images[outside])
    assert 8 < int(own.sum()) < 32
    assert torch.equal(painted[own], birds.images[own])
    changed = (painted - birds.images).abs().amax(dim=(1, 2, 3))[~own]
    assert bool((changed > 0).all())
    assert bool(repainted(birds.images, birds.masks, 0.0, rng(1))[1].all())


def test_the_shipped_judge_knows_shapes_under_coats_that_it_never_saw() -> None:
    birds = random_birds(200, TEST + 7, 64)
    painted, _ = repainted(birds.images, birds.masks, 1.0, rng(TEST + 7))
    labels, _ = classified(painted)
    assert float((labels["shape"] == birds.factors.shape).float().mean()) > 0.95


@pytest.mark.parametrize("recipe", [BirdClassifier(), FineBirds()], ids=lambda recipe: recipe.name)
def test_both_presets_are_there_and_the_cpu_one_ends_within_two_hours(recipe: FineBirds | BirdClassifier) -> None:
    assert set(recipe.presets) - {"lesson"} == {"cpu", "gpu"}
    assert recipe.presets["cpu"].plan.hours <= 2


def test_masks_agree_where_both_are_black_and_white_alike() -> None:
    left, right, grey = torch.zeros(1, 1, 4, 4), torch.zeros(1, 1, 4, 4), torch.full((1, 1, 4, 4), 0.5)
    left[..., :2], right[..., 2:] = 1, 1
    assert float(mask_disagreement(left, left)) == 0
    assert float(mask_disagreement(left, right)) == 1
    assert float(mask_disagreement(grey, grey)) == 0.5


def test_what_is_faint_is_lost_in_the_noise_and_what_is_plain_is_not() -> None:
    chance = rng(7)
    bright = torch.zeros(200, 1, 32, 32)
    bright[:100, :, 8:24, 8:24] = 1.0
    for scale, least, most in ((1.0, 0.9, 1.0), (0.02, 0.0, 0.65)):
        seen = noise_augmented(scale * bright, 0.2, chance)
        contrast = seen[..., 8:24, 8:24].mean(dim=(1, 2, 3)) - seen.mean(dim=(1, 2, 3))
        told = (contrast > contrast.median()) == (torch.arange(200) < 100)
        assert least <= float(told.float().mean()) <= most


def test_masks_that_cover_nothing_or_everything_are_uncommon() -> None:
    masks = torch.zeros(3, 1, 10, 10)
    masks[1], masks[2, :, :3] = 1, 1
    assert [round(float(area_penalty(mask[None])), 4) for mask in masks] == [0.08, 0.5, 0.0]
