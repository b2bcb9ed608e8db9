"""InfoGAN's recipe on paper birds: a flat code."""

import tomllib
from pathlib import Path

import pytest
import torch
from safetensors.torch import load

from engines.generators.infogan import Draw, toy_infogan
from engines.metrics import birds
from engines.metrics.birds import flat
from engines.nets.infogan import from_weights
from engines.training.command import finish, train
from engines.training.drawn import BirdSetting, drawn
from engines.training.info_game import InfoPreset
from engines.training.loop import Plan
from engines.training.recipes.infogan_birds import FlatWatch, InfoBirds
from scripts import manifest

TINY = InfoPreset(plan=Plan(2, warm_up=1, last=1.0), batch=8, size=64, width=4, features=16, halvings=4, categories=10, channels=3)


def test_a_run_is_recorded_with_what_its_code_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(manifest, "ASSETS", tmp_path)
    recipe, setting = InfoBirds(), BirdSetting(preset=TINY, folder=tmp_path / "run")
    monkeypatch.setattr(recipe, "watch", lambda setting: FlatWatch(recipe, setting, count=40))
    monkeypatch.setattr("engines.training.recipes.infogan_birds.flat", lambda gan, count, seed: flat(gan, 40, seed))
    trainer = recipe.trainer(setting)
    train(recipe, trainer, setting, validate_every=2, log_every=2)
    finish(recipe, trainer, setting)
    entry = tomllib.loads((tmp_path / "weights.toml").read_text())["infogan_birds"]
    assert {"shape_by_code", "texture_by_code", "background_by_code", "nmi_code_shape"} <= set(entry["metrics"])
    form, _, _ = from_weights(load((tmp_path / "models" / entry["file"]).read_bytes()))
    assert form == TINY.form and form.channels == 3 and form.categories == 10
    assert (tmp_path / "run" / "sheet.png").is_file()


def test_a_code_that_is_the_shape_says_all_of_it_and_nothing_of_the_coat(monkeypatch: pytest.MonkeyPatch) -> None:
    world = drawn(400, 1, 64)
    nothing = torch.zeros(400, 1)
    monkeypatch.setattr(birds, "sampled", lambda gan, count, seed: (Draw(nothing, world.factors.shape, nothing), world.images))
    figures = flat(toy_infogan(), 400, 1)
    assert figures["shape_by_code"] > 0.97 and figures["nmi_code_shape"] > 0.97
    assert figures["texture_by_code"] < 0.05
    assert 2.1 < figures["shape_nats"] < 2.31
