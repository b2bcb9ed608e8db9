"""Recipes over the trunks: portraits beside drawn faces, a start in closed form, and a network that is one with what training moved."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import torch
import torch.nn.functional as F
from PIL import Image

from engines import InvertRequest, create
from engines.core.errors import ImageError
from engines.core.images import to_picture
from engines.core.packed import load_packed, packed
from engines.core.seeds import normal, rng
from engines.data.appearance import background, lit_from_aside, varied
from engines.generators import FfhqGenerator
from engines.invert.encode.pyramid import Pyramid, load_pyramid
from engines.invert.encode.trunks import LENGTH, TAPS, Trunks
from engines.nets.pyramid import ALL_AS_ONE, Narrowed, PyramidHeads, still
from engines.training.catalogue import recipes
from engines.training.closed_form import fit_channels, fit_components, ridge
from engines.training.command import finish, train
from engines.training.manifest import Records
from engines.training.material import Fitted, PortraitSetting, Told
from engines.training.on_trunks import CPU, OnTrunks, folded, spread
from engines.training.real import SIDE, Portraits
from engines.training.recipes.e4e import E4e, limited, switched_on
from engines.training.recipes.psp import Psp
from engines.training.recipes.restyle import ReStyle

PRESET = CPU
RECIPES = {name: recipe for name, recipe in recipes().items() if isinstance(recipe, OnTrunks)}
EVERY = [
    pytest.param(recipe, frozenset(without), id="-without-".join([name, *without]))
    for name, recipe in RECIPES.items()
    for without in ((), *((component,) for component in recipe.components))
]
TINY = replace(PRESET, plan=replace(PRESET.plan, steps=3, warm_up=1), first=64, capacity=64)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two pictures to learn from and one to choose by."""
    folder = tmp_path_factory.mktemp("portraits")
    for part, seeds in (("train", (1, 2)), ("validation", (3,))):
        (folder / part).mkdir()
        for seed in seeds:
            soft = F.interpolate(normal((1, 3, 8, 8), seed).tanh(), (SIDE, SIDE), mode="bicubic").clamp(-1, 1)
            to_picture(soft).save(folder / part / f"{seed}.jpg", quality=95)
    return folder


@pytest.fixture(scope="module")
def setting_of(folder: Path, toy: FfhqGenerator, tmp_path_factory: pytest.TempPathFactory) -> Callable[..., PortraitSetting]:
    samples = tmp_path_factory.mktemp("samples")

    def setting(path: Path, without: frozenset[str] = frozenset()) -> PortraitSetting:
        return PortraitSetting(generator=toy, preset=TINY, folder=path, samples=samples, without=without, faces=4, portraits=folder)

    return setting


@pytest.mark.parametrize(("recipe", "without"), EVERY)
def test_it_trains_measures_real_faces_and_ships_one_network(
    recipe: OnTrunks, without: frozenset[str], setting_of: Callable[..., PortraitSetting], tmp_path: Path
) -> None:
    setting = setting_of(tmp_path / "run", without)
    trainer = recipe.trainer(setting)
    before = {key: value.clone() for key, value in trainer.averaged["encoder"].state_dict().items()}
    train(recipe, trainer, setting, validate_every=3, log_every=1)
    after = trainer.averaged["encoder"].state_dict()
    assert all(value.isfinite().all() for value in after.values())
    assert any(not torch.equal(before[key], after[key]) for key in before)
    finish(recipe, trainer, setting, Records(tmp_path))
    name = "-without-".join([recipe.name, *without])
    rows = [json.loads(line) for line in (tmp_path / "training" / f"{name}.jsonl").read_text().splitlines()]
    assert {"latent", "lpips", "real_mse", "real_lpips", "real_identity_distance"} <= set(rows[1]["baseline"])
    assert {"consistency", "real_lpips", "distance_fine"} <= set(rows[-1]["test"])
    assert (tmp_path / "models" / f"{recipe.name}.safetensors").exists() == (not without)


def test_what_ships_says_what_was_trained(setting_of: Callable[..., PortraitSetting], toy: FfhqGenerator, tmp_path: Path) -> None:
    recipe, setting = Psp(), setting_of(tmp_path)
    trainer = recipe.trainer(setting)
    next(trainer.steps())
    material: Fitted = trainer.material
    picture = material.portraits["validation"].pictures(torch.tensor([0]))
    features = material.trunks(picture)
    student = trainer.averaged["encoder"]
    direct = student(material.told(features)) @ student.basis
    whole = folded(student, material, toy)
    assert torch.allclose(whole(features), direct, atol=1e-4)
    assert torch.allclose(Pyramid(whole, toy).encode(picture), recipe.encode(trainer, setting)(picture), atol=1e-5)


def test_a_run_goes_on_with_the_components_that_it_began_with(
    setting_of: Callable[..., PortraitSetting], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = Fitted(setting_of(tmp_path))
    monkeypatch.setattr("engines.training.material.fit_components", lambda *_: pytest.fail("fitted anew"))
    again = Fitted(setting_of(tmp_path))
    for name, levels in first.levels.items():
        assert all(torch.equal(ours, theirs) for ours, theirs in zip(levels, again.levels[name], strict=True))


def test_portraits_are_left_out_of_the_steps_of_their_ablation(setting_of: Callable[..., PortraitSetting], tmp_path: Path) -> None:
    whole, without = Fitted(setting_of(tmp_path)), Fitted(setting_of(tmp_path, frozenset({"portraits"})))
    drawn = whole.samples.pictures(torch.arange(64))
    for material, count in ((whole, 4), (without, 0)):
        target = material.examples(0).target
        of_drawn = [bool((drawn == picture).flatten(1).all(dim=1).any()) for picture in target]
        assert len(target) == 6 and of_drawn.count(False) == count


def test_numbers_and_looks_of_portraits_depend_on_seeds_alone(folder: Path, tmp_path: Path) -> None:
    one, again = (Portraits(folder / "train", tmp_path / name, seed=5, looks=3) for name in "ab")
    rows = torch.arange(6)
    assert torch.equal(one.pictures(rows), again.pictures(rows.flip(0)).flip(0))
    assert len(one) == 6 and not torch.equal(one.pictures(rows[:2]), one.pictures(rows[2:4]))
    cut = one.path.read_bytes()[:-1000]
    one.path.write_bytes(cut)
    assert torch.equal(Portraits(folder / "train", tmp_path / "a", seed=5, looks=3).pictures(rows), again.pictures(rows))


def test_a_folder_without_portraits_and_pictures_of_another_size_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ImageError, match=r"holds no \.jpg files"):
        Portraits(tmp_path, tmp_path, seed=1, looks=1)
    Image.new("RGB", (100, 120)).save(tmp_path / "small.jpg")
    with pytest.raises(ImageError, match=r"small\.jpg is 100 x 120"):
        Portraits(tmp_path, tmp_path, seed=1, looks=1).pictures(torch.tensor([0]))


def test_a_look_keeps_the_person_and_changes_what_is_around() -> None:
    picture, other = torch.full((1, 3, 64, 64), 0.2), torch.full((1, 3, 64, 64), -0.6)
    person = torch.zeros(1, 1, 64, 64)
    person[..., 16:48, 16:48] = 1
    looks = [varied(picture, rng(seed), person, other) for seed in range(40)]
    assert all(look.shape == picture.shape and float(look.abs().max()) <= 1 for look in looks)
    assert len({round(float(look.mean()), 4) for look in looks}) > 20
    assert torch.equal(looks[3], varied(picture, rng(3), person, other))
    left, right = (lit_from_aside(picture, rng(1))[..., columns].mean() for columns in (slice(0, 16), slice(48, 64)))
    assert abs(float(left - right)) > 0.02
    assert len({background(other, rng(seed)).std().item() > 0.01 for seed in range(12)}) == 2  # plain ones and others


def test_ridge_regression_is_the_normal_equations() -> None:
    inputs, weight, bias = normal((200, 5), 1), normal((3, 5), 2), normal((3,), 3)
    targets = inputs @ weight.T + bias
    found, offset = ridge(inputs, targets, 1e-9)
    assert torch.allclose(found, weight, atol=1e-4) and torch.allclose(offset, bias, atol=1e-4)
    shrunk, _ = ridge(inputs, targets, 1.0)
    assert float(shrunk.norm()) < 0.7 * float(weight.norm())


def test_components_are_the_singular_vectors_and_fold_into_a_linear_map() -> None:
    vectors = normal((300, 20), 4) * torch.linspace(3, 0.1, 20) + 1
    found = fit_components(vectors, 6, 10.0)
    centred = vectors - vectors.mean(dim=0)
    _, _, right = torch.linalg.svd(centred, full_matrices=False)
    cosine = (torch.nn.functional.normalize(found.basis, dim=1) * right[:6]).sum(dim=1).abs()
    assert bool((cosine > 0.999).all())
    assert float(found(vectors).var(dim=0).sum()) == pytest.approx(10.0, rel=0.02)
    weight, bias = normal((4, 6), 5), normal((4,), 6)
    whole, offset = found.folded(weight, bias)
    assert torch.allclose(vectors @ whole.T + offset, found(vectors) @ weight.T + bias, atol=1e-4)


def test_features_are_in_standard_deviations_and_narrowed_to_their_main_channels() -> None:
    features = normal((40, LENGTH), 7).abs()
    module = fit_channels(Narrowed(TAPS), features)
    standard = module.standard(features)
    assert all(abs(float(values.mean())) < 0.05 and abs(float(values.std()) - 1) < 0.05 for values in standard)
    levels = module(features)
    assert [level.shape[1] for level in levels] == module.lengths
    for tap, rows in zip(TAPS, module.narrow, strict=True):
        assert torch.allclose(rows @ rows.T, torch.eye(tap.kept), atol=1e-4)


def test_finer_groups_alone_are_told_from_finer_levels(toy: FfhqGenerator) -> None:
    widths = (6, 5, 4)
    heads = PyramidHeads(widths, toy.slots, toy.width).eval()
    levels = [normal((1, width), place) for place, width in enumerate(widths)]
    base = heads(levels)
    for place in range(3):
        changed = heads([level + (number == place) for number, level in enumerate(levels)])
        moved = (changed - base).abs().amax(dim=2)[0] > 1e-7
        assert moved.tolist() == [group >= place for group in heads.group_of_slot]
    coarse = PyramidHeads(widths, toy.slots, toy.width, reads=(1, 1, 1)).eval()
    assert torch.equal(coarse(levels), coarse([levels[0], levels[1] + 1, levels[2] + 1]))
    one = still(PyramidHeads(widths, toy.slots, toy.width, reads=ALL_AS_ONE)).eval()
    codes = one(levels)
    assert torch.equal(codes, codes[:, :1].expand_as(codes)) and not torch.equal(codes, one([*levels[:2], levels[2] + 1]))


def test_the_prior_measures_each_layer_and_their_distance() -> None:
    codes = torch.zeros(1, 4, 200)
    codes[:, :, :100], codes[:, :, 100:] = 2.0, 3.0
    found = {name: float(value) for name, value in spread(codes).items()}
    assert found == {"near": 4.0, "far": 9.0, "off": 0.0}
    codes[:, 0] += 1.0
    assert float(spread(codes)["off"]) == pytest.approx(3 / 16)


def test_trunks_read_every_tap_of_a_picture_of_any_size() -> None:
    trunks, picture = Trunks(), torch.zeros(2, 3, 300, 300, requires_grad=True)
    features = trunks(picture)
    assert features.shape == (2, LENGTH)
    features.sum().backward()
    assert picture.grad is not None and float(picture.grad.abs().sum()) > 0
    flat = torch.full((1, 3, 64, 64), 0.5)
    pixels = trunks(flat)[:, LENGTH - 128 - 256 - 3 * 64 - 3 * 256 :][:, : 3 * 256]
    assert torch.allclose(pixels, torch.full_like(pixels, 0.5))


def test_kernels_in_eight_bits_are_off_by_half_a_step_at_most(monkeypatch: pytest.MonkeyPatch) -> None:
    weights = {"large": normal((512, 300), 8), "small": normal((20, 3), 9), "counts": torch.arange(5)}
    stored = {key: value.half() if value.is_floating_point() else value for key, value in packed(weights).items()}
    monkeypatch.setattr("engines.core.packed.load_weights", lambda name: stored)
    read = load_packed("any")
    step = (weights["large"].amax(dim=1) - weights["large"].amin(dim=1)) / 255
    assert bool(((read["large"] - weights["large"]).abs() <= 0.501 * step[:, None]).all())
    assert torch.allclose(read["small"].float(), weights["small"], atol=1e-2) and torch.equal(read["counts"], weights["counts"])


def test_the_engine_says_what_its_network_says(toy: FfhqGenerator) -> None:
    engine, picture = create("psp", toy), normal((1, 3, 64, 64), 1).tanh()
    codes = engine(InvertRequest(image=picture)).inversions[0].latent.codes
    assert torch.allclose(codes, toy.slots.scatter(engine.pyramid.encode(picture)), atol=1e-5)


def test_offsets_are_switched_on_one_after_another() -> None:
    assert [switched_on(progress, 15) for progress in (0, 0.14, 0.15, 0.174, 0.175, 0.5, 0.525, 1)] == [0, 0, 1, 1, 2, 15, 15, 15]
    codes = normal((2, 5, 3), 1)
    assert torch.equal(limited(codes, 0), codes[:, :1].expand_as(codes))
    assert torch.allclose(limited(codes, 4), codes, atol=1e-6)
    assert torch.allclose(limited(codes, 2)[:, :3], codes[:, :3], atol=1e-6)
    assert torch.equal(limited(codes, 2)[:, 3:], codes[:, :1].expand(2, 2, 3))


def test_e4e_begins_at_one_w_for_all_layers(setting_of: Callable[..., PortraitSetting], tmp_path: Path) -> None:
    recipe, setting = E4e(), setting_of(tmp_path)
    codes = recipe.encode(recipe.trainer(setting), setting)(normal((1, 3, 64, 64), 1).tanh())
    assert torch.equal(codes, codes[:, :1].expand_as(codes))


def test_restyle_begins_as_its_base_and_moves_its_heads_alone(
    setting_of: Callable[..., PortraitSetting], toy: FfhqGenerator, tmp_path: Path
) -> None:
    recipe, setting, picture = ReStyle("psp"), setting_of(tmp_path), normal((1, 3, 64, 64), 1).tanh()
    trainer, base = recipe.trainer(setting), load_pyramid("psp", toy)
    heads = trainer.averaged["encoder"]
    photo = base.network.levels(base.trunks(picture))
    assert torch.allclose(heads(photo, photo, 0) @ base.network.basis, base(picture), atol=1e-5)
    shipped = {key.removesuffix(".range") for key in recipe.shipped(trainer, setting)}
    assert shipped == set(heads.state_dict()) and "gains" in shipped
    assert torch.equal(Told(setting, base.network).look(picture)[0], photo[0])
