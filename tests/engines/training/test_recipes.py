import json
import tomllib
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors.torch import load

from engines.core.errors import CatalogueError, WeightsError
from engines.generators import FfhqGenerator
from engines.invert.encode.encoder import fill
from engines.nets.initial import seeded
from engines.nets.irse import Body
from engines.training import checkpoints
from engines.training.catalogue import recipes
from engines.training.command import finish, settings, train
from engines.training.faces import FacePreset, FaceRecipe, FaceSetting
from engines.training.loop import Plan
from engines.training.manifest import Records
from engines.training.on_trunks import OnTrunks

RECIPES = {name: recipe for name, recipe in recipes().items() if isinstance(recipe, FaceRecipe) and not isinstance(recipe, OnTrunks)}
"""Those on drawn faces alone; the others' own test has portraits."""

STEPS = 4
TINY = FacePreset(plan=Plan(STEPS, warm_up=1), batch=2, size=32, drawn_at=32, first=64, fresh=1, capacity=128, redrawn=2, begin=0.5)
REMEMBERED = replace(TINY, remembered=True)
ABLATIONS = [pytest.param(name, frozenset(), id=name) for name in RECIPES] + [
    pytest.param(name, frozenset({component}), id=f"{name}-without-{component}")
    for name, recipe in RECIPES.items()
    for component in recipe.components
    if component != "pictures"
]


@pytest.fixture(scope="module")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("samples")


def setting_for(toy: FfhqGenerator, folder: Path, drawn: Path, without: frozenset[str] = frozenset()) -> FaceSetting:
    return FaceSetting(generator=toy, preset=TINY, folder=folder, samples=drawn, seed=1, without=without, faces=4)


@pytest.mark.parametrize(("name", "without"), ABLATIONS)
def test_a_recipe_trains_validates_and_logs(name: str, without: frozenset[str], toy: FfhqGenerator, tmp_path: Path, drawn: Path) -> None:
    recipe, setting = RECIPES[name], setting_for(toy, tmp_path, drawn, without)
    trainer = recipe.trainer(setting)
    before = {key: value.clone() for key, value in trainer.averaged[next(reversed(trainer.modules))].state_dict().items()}
    train(recipe, trainer, setting, validate_every=2, log_every=2)
    after = trainer.averaged[next(reversed(trainer.modules))].state_dict()
    assert any(not torch.equal(before[key], after[key]) for key in before)
    rows = [json.loads(line) for line in (tmp_path / "log.jsonl").read_text().splitlines()]
    assert rows[0]["recipe"] == name
    assert rows[0]["without"] == sorted(without)
    assert {"latent", "distance", "mse", "lpips"} <= set(rows[1]["baseline"])
    assert [row["step"] for row in rows if "held_out" in row] == [2, 4]
    assert (tmp_path / "sheet.png").is_file()
    assert checkpoints.load(tmp_path / "checkpoint.pt") is not None


@pytest.mark.parametrize("name", [name for name in RECIPES if name != "face_body"])
def test_the_shared_body_stays_as_it_is(name: str, toy: FfhqGenerator, tmp_path: Path, drawn: Path) -> None:
    trainer = RECIPES[name].trainer(setting_for(toy, tmp_path, drawn))
    body = trainer.modules["encoder"].network.get_submodule("body")
    before = {key: value.clone() for key, value in body.state_dict().items()}
    for _ in trainer.steps():
        pass
    assert all(torch.equal(value, before[key]) for key, value in body.state_dict().items())


@pytest.mark.parametrize("name", ["psp_colourise"])
def test_a_recipe_may_keep_what_the_body_sees(name: str, toy: FfhqGenerator, tmp_path: Path, drawn: Path) -> None:
    trainer = RECIPES[name].trainer(replace(setting_for(toy, tmp_path, drawn), preset=REMEMBERED))
    figures = list(trainer.steps())
    assert len(figures) == STEPS
    assert trainer.stream(0).levels is not None


def test_a_method_may_train_a_body_of_its_own(toy: FfhqGenerator, tmp_path: Path, drawn: Path) -> None:
    trainer = RECIPES["psp_colourise"].trainer(replace(setting_for(toy, tmp_path, drawn), own_body=True))
    body = trainer.modules["encoder"].network.get_submodule("body")
    before = body.get_parameter("stem.0.weight").detach().clone()
    next(trainer.steps())
    assert not torch.equal(body.get_parameter("stem.0.weight"), before)


def test_heads_can_start_from_a_body_that_is_still_in_training(toy: FfhqGenerator, tmp_path: Path, drawn: Path) -> None:
    first = setting_for(toy, tmp_path / "body", drawn)
    trainer = RECIPES["face_body"].trainer(first)
    next(trainer.steps())
    trainer.save()
    second = replace(setting_for(toy, tmp_path / "e4e", drawn), body=tmp_path / "body" / "checkpoint.pt")
    ours = RECIPES["psp_colourise"].trainer(second).modules["encoder"].network.get_parameter("body.body.stem.0.weight")
    assert torch.equal(ours, trainer.averaged["body"].get_parameter("body.stem.0.weight"))
    with pytest.raises(WeightsError, match=r"There is no body in none\.pt"):
        RECIPES["psp_colourise"].trainer(replace(second, body=tmp_path / "none.pt"))


@pytest.mark.parametrize("recipe", RECIPES.values(), ids=list(RECIPES))
def test_a_recipe_has_both_presets_and_the_cpu_one_ends_within_two_hours(recipe: FaceRecipe) -> None:
    assert set(recipe.presets) == {"cpu", "gpu"}
    assert recipe.presets["cpu"].plan.hours <= 2


def test_a_command_line_becomes_a_setting(tmp_path: Path) -> None:
    words = ["--generator", "toy", "--hours", "0.5", "--seed", "7", "--without", "attention", "--folder", str(tmp_path)]
    setting, parsed = settings(RECIPES["stylemap_8"], words)
    assert (setting.generator.name, setting.preset.plan.hours, setting.seed, setting.without) == ("toy", 0.5, 7, {"attention"})
    assert setting.folder == tmp_path
    assert not parsed.record
    assert settings(RECIPES["stylemap_8"], ["--generator", "toy", "--without", "attention"])[0].folder == Path(
        "build/training/stylemap_8-without-attention"
    )


def test_without_pictures_a_run_ends_where_image_losses_would_begin() -> None:
    whole, _ = settings(RECIPES["stylemap_8"], ["--generator", "toy"])
    short, _ = settings(RECIPES["stylemap_8"], ["--generator", "toy", "--without", "pictures"])
    assert short.preset.begin == 1.0
    assert short.preset.plan.steps == round(whole.preset.begin * whole.preset.plan.steps)


def test_the_gpu_preset_without_one_is_refused_in_a_sentence() -> None:
    with pytest.raises(CatalogueError, match=r"no CUDA device\. Take --preset cpu"):
        settings(RECIPES["stylemap_8"], ["--generator", "toy", "--preset", "gpu"])


@pytest.mark.parametrize("name", ["face_body", "psp_colourise"])
def test_what_is_recorded_can_be_loaded(name: str, toy: FfhqGenerator, tmp_path: Path, drawn: Path) -> None:
    recipe, setting = RECIPES[name], setting_for(toy, tmp_path / "run", drawn)
    trainer = recipe.trainer(setting)
    train(recipe, trainer, setting, validate_every=2, log_every=2)
    finish(recipe, trainer, setting, Records(tmp_path))
    entry = tomllib.loads((tmp_path / "weights.toml").read_text())[name]
    file = type(recipe).__module__.replace(".", "/")
    assert entry["origin"].startswith(f"{file}.py, seed 1, 4 steps of 2")
    assert {"distance", "mse", "lpips", "identity_distance", "lpips_error", "consistency"} <= set(entry["metrics"])
    assert len((tmp_path / "training" / f"{name}.jsonl").read_text().splitlines()) >= 4
    weights = load((tmp_path / "models" / f"{name}.safetensors").read_bytes())
    assert int(weights.pop("size", torch.tensor(32))) == 32
    network = seeded(Body, 5) if name == "face_body" else recipe.heads(setting)
    fill(network, {key: value.float() for key, value in weights.items()}, name)
    learnt = trainer.averaged[next(reversed(trainer.modules))].get_submodule("body" if name == "face_body" else "heads")
    for ours, theirs in zip(network.parameters(), learnt.parameters(), strict=True):
        assert torch.allclose(ours, theirs, atol=1e-3)


def test_a_twin_leaves_its_log_and_no_weights(toy: FfhqGenerator, tmp_path: Path, drawn: Path) -> None:
    setting = setting_for(toy, tmp_path / "run", drawn, frozenset({"attention"}))
    trainer = RECIPES["stylemap_8"].trainer(setting)
    train(RECIPES["stylemap_8"], trainer, setting)
    finish(RECIPES["stylemap_8"], trainer, setting, Records(tmp_path))
    rows = [json.loads(line) for line in (tmp_path / "training" / "stylemap_8-without-attention.jsonl").read_text().splitlines()]
    assert {"lpips", "lpips_error", "average_lpips"} <= set(rows[-1]["test"])
    assert not (tmp_path / "models").exists()
