"""InfoGAN's recipe, on digits that are bars."""

import json
import tomllib
from pathlib import Path

import pytest
import torch
from safetensors.torch import load

from engines.core.seeds import rng
from engines.data.digits import Digits, Sets
from engines.losses.information import category_loss
from engines.metrics.infogan import categories_of
from engines.nets.infogan import from_weights
from engines.training.augmentation import DIGITS
from engines.training.command import finish, train
from engines.training.infogan_networks import InfoGANNetworks, InfoPreset
from engines.training.loop import Moment, Plan, Trainer
from engines.training.manifest import Records
from engines.training.recipes.infogan import DigitEvaluator, DigitSetting, InfoDigits, named_of

TINY = InfoPreset(plan=Plan(4, warm_up=1, last=1.0), batch=8, size=28, width=4, features=16)

START = Moment(0, 0.0, rng(0))


def bars(count: int, seed: int) -> Digits:
    """Ten kinds of bars, at ten heights."""
    labels = torch.randint(10, (count,), generator=rng(seed))
    rows = torch.arange(28)[None, :, None].expand(count, 28, 28)
    images = ((rows >= 2 * labels[:, None, None] + 2) & (rows < 2 * labels[:, None, None] + 5)).to(torch.uint8) * 255
    return Digits(images[:, None], labels)


def setting_for(folder: Path, without: frozenset[str] = frozenset(), seed: int = 1) -> DigitSetting:
    return DigitSetting(preset=TINY, folder=folder, without=without, seed=seed, sets=Sets(bars(100, 1), bars(60, 2), bars(60, 3)))


def networks_of(setting: DigitSetting) -> InfoGANNetworks:
    return InfoGANNetworks(setting, setting.real, DIGITS)


def weights_of(trainer: Trainer) -> dict[str, torch.Tensor]:
    return {
        f"{name}.{key}": value.detach().clone()
        for name, module in trainer.modules.items()
        for key, value in module.network.named_parameters()
    }


def moved(before: dict[str, torch.Tensor], after: dict[str, torch.Tensor]) -> set[str]:
    return {".".join(key.split(".")[:2]) for key, value in after.items() if not torch.equal(value, before[key])}


@pytest.mark.parametrize("without", [frozenset(), frozenset({"information"})], ids=["whole", "plain"])
def test_every_part_learns(without: frozenset[str], tmp_path: Path) -> None:
    trainer = InfoDigits().trainer(setting_for(tmp_path, without))
    before = weights_of(trainer)
    figures = list(trainer.steps())[-1]
    parts = moved(before, weights_of(trainer))
    assert {"reader.trunk", "reader.d_head", "reader.q_head", "generator.0"} <= parts
    assert {"discriminator", "adversarial", "category", "continuous"} <= set(figures)


def test_the_information_reaches_trunk_and_generator(tmp_path: Path) -> None:
    networks = networks_of(setting_for(tmp_path))
    draw, made = networks.made(None, START)
    category_loss(networks.discriminator(made).logits, draw.category).backward()
    for network in (networks.discriminator.trunk, networks.discriminator.q_head, networks.generator):
        assert any(weight.grad is not None and float(weight.grad.abs().sum()) > 0 for weight in network.parameters())
    assert all(weight.grad is None for weight in networks.discriminator.d_head.parameters())


def test_in_the_plain_twin_q_leaves_the_trunk_alone(tmp_path: Path) -> None:
    networks = networks_of(setting_for(tmp_path, frozenset({"information"})))
    draw, made = networks.made(None, START)
    category_loss(networks.discriminator(made.detach(), apart=True).logits, draw.category).backward()
    assert all(weight.grad is None for weight in networks.discriminator.trunk.parameters())
    assert any(weight.grad is not None for weight in networks.discriminator.q_head.parameters())


def test_seeds_see_other_digits_codes_and_first_weights(tmp_path: Path) -> None:
    first, second = (setting_for(tmp_path / str(seed), seed=seed) for seed in (1, 2))
    assert not torch.equal(first.real(0), second.real(0))
    assert not torch.equal(networks_of(first).made(None, START)[0].z, networks_of(second).made(None, START)[0].z)
    assert not torch.equal(networks_of(first).discriminator.d_head.weight, networks_of(second).discriminator.d_head.weight)


def test_a_killed_run_ends_with_the_same_weights(tmp_path: Path) -> None:
    whole = InfoDigits().trainer(setting_for(tmp_path / "whole"))
    list(whole.steps())
    killed = InfoDigits().trainer(setting_for(tmp_path / "killed"))
    next(killed.steps())
    killed.save()
    again = InfoDigits().trainer(setting_for(tmp_path / "killed"))
    assert again.step == 1
    list(again.steps())
    assert all(torch.equal(value, weights_of(whole)[key]) for key, value in weights_of(again).items())


def test_single_pictures_get_the_same_answers_as_many(tmp_path: Path) -> None:
    """Normalisations must not look at the batch once the network is asked."""
    setting = setting_for(tmp_path)
    trainer = InfoDigits().trainer(setting)
    list(trainer.steps())
    gan, images = named_of(trainer, setting), setting.sets.test.images[:10]
    assert torch.equal(categories_of(gan, images), torch.cat([categories_of(gan, one) for one in images.split(1)]))


@pytest.mark.parametrize("without", [frozenset(), frozenset({"information"})], ids=["whole", "plain"])
def test_network_and_twin_are_recorded_under_their_names(without: frozenset[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    recipe, setting = InfoDigits(), setting_for(tmp_path / "run", without)
    monkeypatch.setattr(recipe, "evaluator", lambda setting: DigitEvaluator(setting, count=50))
    trainer = recipe.trainer(setting)
    train(recipe, trainer, setting, validate_every=2, log_every=2)
    finish(recipe, trainer, setting, Records(tmp_path))
    name = "infogan_digits" + ("-without-information" if without else "")
    entry = tomllib.loads((tmp_path / "weights.toml").read_text())[name]
    assert entry["origin"].startswith("engines/training/recipes/infogan.py, seed 1, 4 steps of 8")
    assert {"error", "error_by_names", "information", "r2_1", "r2_2"} == set(entry["metrics"])
    shipped = load((tmp_path / "models" / entry["file"]).read_bytes())
    assert from_weights(shipped)[0] == TINY.form and sorted(shipped["names"].tolist()) == list(range(10))
    rows = [json.loads(line) for line in (tmp_path / "run" / "log.jsonl").read_text().splitlines()]
    assert [row["step"] for row in rows if "held_out" in row] == [2, 4]
    assert (tmp_path / "run" / "sheet.png").is_file()
