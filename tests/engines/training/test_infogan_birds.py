"""InfoGAN's recipe on paper birds: a flat code."""

import tomllib
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors.torch import load

from engines.core.errors import WeightsError
from engines.core.shapes import Image
from engines.generators.flat import FlatGAN, from_weights
from engines.metrics.birds import flat
from engines.training.command import finish, train
from engines.training.drawn import BirdSetting, random_birds
from engines.training.loop import Plan
from engines.training.manifest import Records
from engines.training.recipes.infogan_birds import FlatEvaluator, FlatPreset, InfoBirds, generator_of

TINY = FlatPreset(plan=Plan(2, warm_up=1, last=1.0), batch=8, size=64, width=4, halvings=1, discriminator_width=4, categories=10, noise=6)


def test_a_run_is_recorded_with_what_its_code_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    recipe, setting = InfoBirds(), BirdSetting(preset=TINY, folder=tmp_path / "run")
    monkeypatch.setattr(recipe, "evaluator", lambda setting: FlatEvaluator(count=40))
    monkeypatch.setattr("engines.training.recipes.infogan_birds.flat", lambda gan, count, seed: flat(gan, 40, seed))
    trainer = recipe.trainer(setting)
    train(recipe, trainer, setting, validate_every=2, log_every=2)
    finish(recipe, trainer, setting, Records(tmp_path))
    entry = tomllib.loads((tmp_path / "weights.toml").read_text())["infogan_birds"]
    assert {"shape_by_code", "texture_by_code", "background_by_code", "nmi_code_shape"} <= set(entry["metrics"])
    shipped = from_weights(load((tmp_path / "models" / entry["file"]).read_bytes()))
    assert shipped.form == TINY.form
    pictures = generator_of(trainer).sampled(3, 1)[1]
    assert torch.allclose(shipped.sampled(3, 1)[1], pictures, atol=0.05)
    assert shipped.features(pictures).shape == (3, 8 * TINY.discriminator_width)
    assert (tmp_path / "run" / "sheet.png").is_file()


@pytest.mark.parametrize("without", [frozenset(), frozenset({"information"})], ids=str)
def test_the_reader_learns_only_where_the_code_is_to_be_told(without: frozenset[str], tmp_path: Path) -> None:
    trainer = InfoBirds().trainer(BirdSetting(preset=TINY, folder=tmp_path, without=without))
    network = trainer.modules["generator"].network
    before = {name: network.get_submodule(name).state_dict()[key].clone() for name, key in KEYS.items()}
    figures = list(trainer.steps())[-1]
    moved = {name for name, key in KEYS.items() if not torch.equal(network.get_submodule(name).state_dict()[key], before[name])}
    assert moved == {"generator"} | ({"reader"} if not without else set())
    assert ("code" in figures) == (not without)


KEYS = {"generator": "img_net2.img.0.weight", "reader": "trunk.0.weight"}


def test_weights_that_are_cut_off_get_a_sentence(tmp_path: Path) -> None:
    weights = generator_of(InfoBirds().trainer(BirdSetting(preset=TINY, folder=tmp_path))).to_weights()
    with pytest.raises(WeightsError, match="lacks trunk"):
        from_weights({key: value for key, value in weights.items() if not key.startswith("reader.")})


def test_a_code_that_is_the_shape_says_all_of_it_and_nothing_of_the_coat(tmp_path: Path) -> None:
    world = random_birds(400, 1, 64)

    class Shapes(FlatGAN):
        def sampled(self, count: int, seed: int) -> tuple[torch.Tensor, Image]:
            return world.factors.shape, world.images

    known = generator_of(InfoBirds().trainer(BirdSetting(preset=replace(TINY, categories=4), folder=tmp_path)))
    figures = flat(Shapes(known.form, known.generator, known.q_network), 400, 1)
    assert figures["shape_by_code"] > 0.97 and figures["nmi_code_shape"] > 0.97
    assert figures["texture_by_code"] < 0.05
    assert 2.1 < figures["shape_nats"] < 2.31
