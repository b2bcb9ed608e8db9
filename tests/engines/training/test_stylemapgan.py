"""StyleMapGAN's recipe and figures: the critic joins late, both sides move, what is shipped draws again, and cells stay where they are."""

import json
import tomllib
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors.torch import load

from engines.core.seeds import rng
from engines.generators import FfhqGenerator
from engines.generators.stylemapgan import StyleMapGAN, toy_stylemapgan, with_mapping
from engines.metrics.stylemaps import crossing, gradient, locality, mixed_latent_errors, rectangles, single_face_masks
from engines.nets.equalised import drawn_anew, rectified, unrectified
from engines.nets.stylemapgan import Form, StyleMapEncoder, StyleMapGenerator
from engines.training.command import finish, train
from engines.training.faces import FacePreset, FaceSetting
from engines.training.loop import Plan
from engines.training.manifest import Records
from engines.training.recipes import stylemapgan
from engines.training.recipes.stylemapgan import SIDES, MapPreset, StyleMapFaces, enlarged_lpips, factors, model_of
from engines.training.recipes.stylemapgan_mapping import StyleMapMapping, Whitened, fit
from engines.training.schedules import constant

TINY = MapPreset(
    plan=Plan(4, warm_up=1, last=1.0),
    batch=4,
    size=32,
    drawn_at=32,
    first=64,
    fresh=0,
    capacity=64,
    begin=0.5,
    drawn=32,
    channels=4,
    width=8,
    mixed=2,
)


@pytest.fixture(scope="module")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("samples")


def setting_for(toy: FfhqGenerator, folder: Path, drawn: Path) -> FaceSetting:
    return FaceSetting(generator=toy, preset=TINY, folder=folder, samples=drawn, faces=6)


@pytest.mark.parametrize("side", SIDES)
def test_every_side_of_the_map_trains(side: int, toy: FfhqGenerator, tmp_path: Path, drawn: Path) -> None:
    trainer = StyleMapFaces(side).trainer(setting_for(toy, tmp_path, drawn))
    before = {name: [value.clone() for value in module.network.parameters()] for name, module in trainer.modules.items()}
    figures, moved = [], dict[str, list[bool]]()
    for figure in trainer.steps():
        figures.append(figure)
        moved = {
            name: [not torch.equal(old, new) for old, new in zip(before[name], module.network.parameters(), strict=True)]
            for name, module in trainer.modules.items()
        }
        if trainer.step == 2:
            assert not any(moved["critic"]), "the critic joins at half of this run"
    assert "discriminator" not in figures[1] and {"discriminator", "discriminator_reconstructed", "latent", "adversarial"} <= set(
        figures[2]
    )
    assert all(moved["critic"]) and all(moved["makers"])


def test_without_its_critic_a_run_reconstructs_to_its_end(toy: FfhqGenerator, tmp_path: Path, drawn: Path) -> None:
    recipe, without = StyleMapFaces(4), frozenset({"critic"})
    setting = replace(setting_for(toy, tmp_path, drawn), preset=recipe.shortened(TINY, without), without=without)
    figures = list(recipe.trainer(setting).steps())
    assert len(figures) == 4 and all("discriminator" not in figure for figure in figures)
    assert recipe.shortened(TINY, frozenset()) is TINY


def test_mixed_maps_are_held_against_both_faces(toy: FfhqGenerator, tmp_path: Path, drawn: Path) -> None:
    """Where there are cells to mix, and the idea is on: it changes what is learnt."""
    learnt = dict[str, list[torch.Tensor]]()
    for name, side, without in (("with", 4, frozenset()), ("without", 4, frozenset({"mixtures"})), ("one cell", 1, frozenset[str]())):
        recipe = StyleMapFaces(side)
        preset = recipe.shortened(replace(TINY, begin=1.0), without)
        trainer = recipe.trainer(replace(setting_for(toy, tmp_path / name, drawn), preset=preset, without=without))
        figures = list(trainer.steps())
        assert all(("mixed_latents" in figure) == (name == "with") for figure in figures)
        learnt[name] = list(trainer.modules["makers"].network.parameters())
    assert any(not torch.equal(ours, theirs) for ours, theirs in zip(learnt["with"], learnt["without"], strict=True))


def test_pixels_near_a_border_belong_to_nobody() -> None:
    masks = torch.zeros(1, 1, 8, 8)
    masks[..., 2:6, 2:6] = 1
    inside, outside = single_face_masks(masks, 16)
    assert inside.sum() == 4 * 4 and outside.sum() == 16 * 16 - 12 * 12 and not bool((inside * outside).any())
    assert bool(inside[..., 6:10, 6:10].all())


def test_what_is_recorded_draws_the_same(toy: FfhqGenerator, tmp_path: Path, drawn: Path) -> None:
    recipe, setting = StyleMapFaces(8), setting_for(toy, tmp_path / "run", drawn)
    trainer = recipe.trainer(setting)
    train(recipe, trainer, setting, validate_every=2, log_every=2)
    finish(recipe, trainer, setting, Records(tmp_path))
    entry = tomllib.loads((tmp_path / "weights.toml").read_text())["stylemapgan_8"]
    assert {"mse", "lpips", "mse_src", "mse_ref", "mse_src_vector", "seam", "locality"} <= set(entry["metrics"])
    weights = load((tmp_path / "models" / "stylemapgan_8.safetensors").read_bytes())
    assert weights.pop("form").tolist() == [32, 8, 4, 8]
    model, form = model_of(trainer), TINY.form(8)
    networks = {"generator": StyleMapGenerator(form), "encoder": StyleMapEncoder(form)}
    for name, network in networks.items():
        network.load_state_dict({key.removeprefix(f"{name}."): value.float() for key, value in weights.items() if key.startswith(name)})
    faces = torch.rand((2, 3, 32, 32), generator=rng(1)) * 2 - 1
    again = networks["generator"](networks["encoder"](faces))
    assert torch.allclose(again, model.draw(model.encode(faces)), atol=0.05)
    rows = [json.loads(line) for line in (tmp_path / "run" / "log.jsonl").read_text().splitlines()]
    assert {"mse", "lpips"} <= set(rows[1]["baseline"])


def small(side: int = 8) -> StyleMapGAN:
    form = replace(Form(size=32, side=side, channels=4, small=True), widths={2**step: 8 for step in range(6)})
    generator, encoder = StyleMapGenerator(form), StyleMapEncoder(form)
    for place, network in enumerate((generator, encoder)):
        drawn_anew(network, place)
    return StyleMapGAN(form, generator.eval(), encoder.eval())


def test_equal_faces_mix_to_their_reconstruction() -> None:
    model, face = small(), torch.rand((1, 3, 32, 32), generator=rng(2)) * 2 - 1
    figures = mixed_latent_errors(model, face.expand(5, -1, -1, -1))
    plain = (model.draw(model.encode(face)).clamp(-1, 1) - face).square().mean()
    assert figures["mse_plain"] == pytest.approx(float(plain), rel=1e-4)
    assert figures["seam"] > 0


def test_a_cell_that_changes_nothing_but_itself_is_local(monkeypatch: pytest.MonkeyPatch) -> None:
    model = small()
    monkeypatch.setattr(StyleMapGAN, "encode", lambda self, image: torch.nn.functional.adaptive_avg_pool2d(image, 8))
    monkeypatch.setattr(StyleMapGAN, "draw", lambda self, code: torch.nn.functional.interpolate(code, size=32, mode="nearest"))
    faces = torch.rand((10, 3, 32, 32), generator=rng(3))
    assert locality(model, faces) == pytest.approx(1)
    monkeypatch.setattr(StyleMapGAN, "draw", lambda self, code: code.mean(dim=(2, 3), keepdim=True).expand(-1, -1, 32, 32))
    assert locality(model, faces) < 0.2


def test_rectangles_are_whole_cells_inside_the_map() -> None:
    masks = rectangles(50, 8, rng(4), 2, 5)
    assert masks.shape == (50, 1, 8, 8) and set(masks.unique().tolist()) == {0.0, 1.0}
    areas = masks.sum(dim=(1, 2, 3))
    assert float(areas.min()) >= 4 and float(areas.max()) <= 25


def test_weights_follow_from_the_seed_alone() -> None:
    first, second, other = (StyleMapEncoder(TINY.form(8)) for _ in range(3))
    for network, seed in ((first, 1), (second, 1), (other, 2)):
        drawn_anew(network, seed)
    assert all(torch.equal(ours, theirs) for ours, theirs in zip(first.parameters(), second.parameters(), strict=True))
    assert any(not torch.equal(ours, theirs) for ours, theirs in zip(first.parameters(), other.parameters(), strict=True))


def test_both_presets_are_there_and_the_cpu_one_ends_within_two_hours() -> None:
    recipe = StyleMapFaces(8)
    assert set(recipe.presets) == {"cpu", "gpu"}
    assert recipe.presets["cpu"].plan.hours <= 2


def test_what_the_rectifier_did_can_be_undone() -> None:
    x = torch.linspace(-3, 3, 13)[:, None]
    assert torch.allclose(unrectified(rectified(x, torch.zeros(1))), x, atol=1e-6)


def test_a_mapping_network_begins_as_the_least_squares_say() -> None:
    mapping = toy_stylemapgan().generator.mapping_z
    z = torch.randn((8_000, 8), generator=rng(1))
    way, start = torch.randn((8, 128), generator=rng(2)), torch.randn(128, generator=rng(3))
    length = z.square().mean(dim=1, keepdim=True).sqrt()
    maps = rectified(z / length @ way + start, torch.zeros(128))
    fit(mapping, z, maps)
    left = (mapping(z) - maps).square().mean() / maps.var()
    assert float(left) < 0.02


def test_a_face_s_z_is_its_stylemap_s_main_components() -> None:
    maps = torch.randn((2_000, 64), generator=rng(5)) * torch.tensor([8.0, 4.0] + [1.0] * 62) + 1
    z = Whitened(maps.view(2_000, 4, 4, 4), 8)(maps.view(2_000, 4, 4, 4))
    assert z.shape == (2_000, 8)
    assert torch.allclose(z.mean(dim=0), torch.zeros(8), atol=1e-3)
    assert torch.allclose(z.T.cov(), torch.eye(8), atol=0.01)
    assert all(abs(float(torch.corrcoef(torch.stack([z[:, part], maps[:, part]]))[0, 1])) > 0.95 for part in range(2))


def test_a_change_that_leaves_its_neighbourhood_is_charged(toy: FfhqGenerator, tmp_path: Path, drawn: Path) -> None:
    """Where there are cells to exchange, and the idea is on: the loss is a share, and it is learnt from."""
    learnt = dict[str, list[torch.Tensor]]()
    for name, side, without in (("with", 8, frozenset()), ("without", 8, frozenset({"local"})), ("one cell", 1, frozenset[str]())):
        setting = replace(setting_for(toy, tmp_path / name, drawn), preset=replace(TINY, begin=1.0), without=without)
        trainer = StyleMapFaces(side).trainer(setting)
        figures = list(trainer.steps())
        assert all(("local" in figure) == (name == "with") for figure in figures)
        assert all(0 < figure.get("local", 0.5) <= 1 for figure in figures)
        learnt[name] = list(trainer.modules["makers"].network.parameters())
    assert any(not torch.equal(ours, theirs) for ours, theirs in zip(learnt["with"], learnt["without"], strict=True))


def test_a_border_that_shows_is_charged(toy: FfhqGenerator, tmp_path: Path, drawn: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where stylemaps are mixed, and the idea is on: the charge is never below nothing, and it is learnt from."""
    assert [factors(8)["seam"](progress) for progress in (0.0, 0.5, 0.7, 1.0)] == [0, 0, 0.015, 0.015]
    assert factors(16)["seam"](1.0) == 0.0075, "smaller cells have less room to blend in"
    early = factors(8) | {"seam": constant(1.0)}  # in the second half these few steps have no border left that shows
    monkeypatch.setattr(stylemapgan, "factors", lambda side: early)
    learnt = dict[str, list[torch.Tensor]]()
    components = (("with", 4, ""), ("without", 4, "seam"), ("no mixtures", 4, "mixtures"), ("one cell", 1, ""))
    for name, side, component in components:
        recipe, without = StyleMapFaces(side), frozenset({component} - {""})
        preset = recipe.shortened(replace(TINY, begin=1.0), without)
        trainer = recipe.trainer(replace(setting_for(toy, tmp_path / name, drawn), preset=preset, without=without))
        figures = list(trainer.steps())
        assert all(("seam" in figure) == (name == "with") for figure in figures)
        charged = [figure["seam"] for figure in figures if "seam" in figure]
        assert all(charge >= 0 for charge in charged) and (any(charged) or name != "with")
        learnt[name] = list(trainer.modules["makers"].network.parameters())
    assert any(not torch.equal(ours, theirs) for ours, theirs in zip(learnt["with"], learnt["without"], strict=True))


def test_jumps_are_counted_on_borders_alone() -> None:
    masks = torch.zeros(2, 1, 8, 8)
    masks[0, :, 2:6, :4] = 1
    ramp = torch.arange(8.0).view(1, 1, 1, 8).expand(2, 3, 8, 8)
    jumps, pairs = crossing(ramp, masks)
    assert pairs.tolist() == [4 + 4 + 4, 0], "two borders of four pixels each, and one of four across the ramp"
    assert jumps.tolist() == [4, 0], "the ramp rises by one to the right and not at all downwards"
    wider, more = crossing(ramp, masks, 1)
    assert wider.tolist() == [4 * 3, 0] and more.tolist() == [2 * 3 * 4 + 3 * 4, 0]
    assert gradient(ramp).tolist() == [0.5, 0.5]
    pasted = crossing(masks.expand(-1, 3, -1, -1), masks)
    assert pasted[0].tolist() == pasted[1].tolist(), "of a pasted part every border jumps by one"


def test_small_pictures_are_compared_enlarged() -> None:
    seen = list[int]()

    def perceptual(first: torch.Tensor, second: torch.Tensor) -> torch.Tensor:
        seen.extend((first.shape[-1], second.shape[-1]))
        return (first - second).abs().mean(dim=(1, 2, 3))

    assert enlarged_lpips(perceptual, torch.zeros(2, 3, 8, 8), torch.ones(2, 3, 8, 8), 32).tolist() == [1, 1]  # type: ignore[arg-type]
    assert seen == [32, 32]


class TinyMapping(StyleMapMapping):
    def untaught(self, setting: FaceSetting) -> StyleMapGAN:
        return toy_stylemapgan()


@pytest.mark.parametrize("without", [frozenset[str](), frozenset({"pictures"})], ids=["whole", "without-pictures"])
def test_the_mapping_network_alone_learns(without: frozenset[str], toy: FfhqGenerator, tmp_path: Path, drawn: Path) -> None:
    preset = FacePreset(plan=Plan(3, warm_up=1), batch=4, size=32, drawn_at=32, first=64, fresh=0, capacity=64)
    setting = FaceSetting(generator=toy, preset=preset, folder=tmp_path, samples=drawn, faces=24, without=without)
    recipe = TinyMapping(4)
    trainer = recipe.trainer(setting)
    figures = list(trainer.steps())
    assert ("perceptual" in figures[0]) != bool(without)
    assert torch.isfinite(torch.tensor([list(figure.values()) for figure in figures])).all()
    told = recipe.test(trainer, setting)
    assert {"frechet_random", "frechet_untaught", "frechet_others"} == set(told)
    assert told["frechet_random"] < told["frechet_untaught"]
    taught = with_mapping(toy_stylemapgan(), recipe.shipped(trainer, setting))
    assert not torch.equal(taught.sample(1), toy_stylemapgan().sample(1))
    assert torch.equal(taught.encode(torch.zeros(1, 3, 32, 32)), toy_stylemapgan().encode(torch.zeros(1, 3, 32, 32)))
