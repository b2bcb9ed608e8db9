"""StyleMapGAN's networks: the published names and shapes, a file that is read without being run, and locality."""

import argparse
import copy
import io
from pathlib import Path
from typing import Any

import pytest
import torch

from engines.core.errors import SpaceError, WeightsError
from engines.core.seeds import normal
from engines.generators.stylemapgan import StyleMapGAN, load_stylemapgan
from engines.mix.stylemap import Cells, locally_mixed, locally_mixed_plus, pushed, style_mixed, transplanted
from engines.nets.stylemapgan import Form, StyleMapDiscriminator, StyleMapEncoder, StyleMapGenerator

NARROW = {side: 8 for side in (4, 8, 16, 32, 64)}
ARGUMENTS = {
    "size": 64,
    "latent_spatial_size": 8,
    "latent_channel_size": 4,
    "mapping_layer_num": 2,
    "lr_mul": 0.01,
    "normalize_mode": "LayerNorm",
}


def form(**changes: Any) -> Form:
    return Form(**{"size": 64, "side": 8, "channels": 4, "layers": 2, "widths": NARROW} | changes)


@pytest.fixture(scope="module")
def networks() -> StyleMapGAN:
    torch.manual_seed(0)
    return StyleMapGAN(form(), StyleMapGenerator(form()).eval(), StyleMapEncoder(form()).eval())


def test_names_and_shapes_are_the_published_ones() -> None:
    with torch.device("meta"):
        generator = {key: tuple(value.shape) for key, value in StyleMapGenerator(Form()).state_dict().items()}
        encoder = {key: tuple(value.shape) for key, value in StyleMapEncoder(Form()).state_dict().items()}
        critic = {key: tuple(value.shape) for key, value in StyleMapDiscriminator(Form()).state_dict().items()}
    assert generator["mapping_z.8.weight"] == (4096, 64) and "mapping_z.0.weight" not in generator
    assert generator["decoder.input.input"] == (1, 512, 8, 8)
    assert generator["decoder.conv1.conv.weight"] == (1, 512, 512, 3, 3)
    assert generator["decoder.conv1.conv.gamma.weight"] == (512, 512, 3, 3) and generator["decoder.conv1.activate.bias"] == (512,)
    assert generator["decoder.convs.3.conv1.conv.weight"] == (1, 256, 512, 3, 3)
    assert generator["decoder.convs.3.conv1.conv.blur.kernel"] == (4, 4)
    assert generator["decoder.convs.3.skip.0.weight"] == (256, 512, 1, 1) and generator["decoder.convs.3.skip.1.kernel"] == (4, 4)
    assert generator["decoder.convs_latent.2.0.weight"] == (512, 512, 3, 3) and generator["decoder.convs_latent.2.2.bias"] == (512,)
    assert generator["decoder.convs_latent.3.1.bias"] == (512,) and "decoder.convs_latent.12.0.weight" not in generator
    assert generator["decoder.to_rgb.conv.weight"] == (1, 3, 128, 1, 1) and generator["decoder.to_rgb.activate.bias"] == (3,)
    assert encoder["from_rgb.0.weight"] == (128, 3, 1, 1) and encoder["final_conv.0.weight"] == (64, 512, 3, 3)
    assert {"convs.0.conv2.0.kernel", "convs.0.conv2.1.weight", "convs.0.conv2.2.bias", "convs.0.skip.1.weight"} <= set(encoder)
    assert critic["convs.0.0.weight"] == (128, 3, 1, 1) and critic["final_conv.0.weight"] == (512, 513, 3, 3)
    assert critic["final_linear.0.weight"] == (512, 8192) and critic["final_linear.1.weight"] == (1, 512)


def test_the_published_size_has_the_published_number_of_weights() -> None:
    def millions(network: torch.nn.Module) -> float:
        return sum(weight.numel() for weight in network.parameters()) / 1e6

    with torch.device("meta"):
        generator = StyleMapGenerator(Form())
        found = {
            "mapping": millions(generator.mapping_z),
            "resizer": millions(generator.decoder.convs_latent),
            "encoder": millions(StyleMapEncoder(Form())),
            "critic": millions(StyleMapDiscriminator(Form())),
        }
        found["synthesis"] = millions(generator.decoder) - found["resizer"]
    assert found == pytest.approx({"mapping": 0.30, "resizer": 19.0, "encoder": 17.6, "critic": 28.9, "synthesis": 60.4}, rel=0.02)


def test_sizes_fit_together(networks: StyleMapGAN) -> None:
    stylemap = networks.sample(1, 2)
    assert stylemap.shape == (2, 4, 8, 8)
    assert [level.shape[-1] for level in networks.resized(stylemap)] == [8, 8, 16, 16, 32, 32, 64, 64]
    picture = networks.draw(stylemap)
    assert picture.shape == (2, 3, 64, 64) and networks.encode(picture).shape == stylemap.shape
    assert StyleMapDiscriminator(form())(picture).shape == (2,)
    assert torch.equal(networks.draw(networks.resized(stylemap)), picture)


def written(tmp_path: Path, networks: StyleMapGAN, **changes: Any) -> Path:
    wide = Form(size=64, side=8, channels=4, layers=2)
    torch.manual_seed(1)
    content = {
        "g_ema": StyleMapGenerator(wide).state_dict(),
        "e_ema": StyleMapEncoder(wide).state_dict(),
        "train_args": argparse.Namespace(**ARGUMENTS),
    }
    path = tmp_path / "stylemapgan.pt"
    torch.save({key: value for key, value in (content | changes).items() if value is not None}, path)
    return path


def test_a_file_with_the_published_names_draws_what_its_weights_draw(tmp_path: Path, networks: StyleMapGAN) -> None:
    path = written(tmp_path, networks)
    loaded = load_stylemapgan(path)
    torch.manual_seed(1)
    generator = StyleMapGenerator(loaded.form).eval()
    z = normal((1, 4), 5)
    with torch.no_grad():
        assert torch.equal(generator(generator.map(z)), loaded.draw(loaded.generator.map(z)))


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"g_ema": None}, "lacks g_ema"),
        ({"train_args": None}, "lacks train_args"),
        ({"train_args": argparse.Namespace(**ARGUMENTS | {"size": 100})}, "read are pictures of"),
        ({"train_args": argparse.Namespace(**ARGUMENTS | {"normalize_mode": "BatchNorm2d"})}, "LayerNorm"),
        ({"train_args": argparse.Namespace(**ARGUMENTS | {"latent_channel_size": 5})}, "other weights"),
        ({"train_args": argparse.Namespace(**ARGUMENTS | {"mapping_layer_num": 10**6})}, "far from any published"),
    ],
)
def test_what_does_not_fit_gets_a_sentence(changes: dict[str, Any], words: str, tmp_path: Path, networks: StyleMapGAN) -> None:
    with pytest.raises(WeightsError, match=words):
        load_stylemapgan(written(tmp_path, networks, **changes))


def test_nothing_in_a_file_is_run(tmp_path: Path) -> None:
    class Evil:
        def __reduce__(self) -> tuple[Any, ...]:
            return print, ("run",)

    path = tmp_path / "evil.pt"
    torch.save({"g_ema": Evil()}, path)
    with pytest.raises(WeightsError, match="holds more than tensors"):
        load_stylemapgan(path)
    path.write_bytes(io.BytesIO(path.read_bytes()).read()[:100])
    with pytest.raises(WeightsError, match="cut off"):
        load_stylemapgan(path)


def test_a_half_comes_from_the_reference_and_the_rest_stays(networks: StyleMapGAN) -> None:
    ours, theirs = networks.sample(1), networks.sample(2)
    mask = torch.zeros(1, 1, 64, 64)
    mask[..., 32:] = 1
    mixed = locally_mixed(ours, theirs, mask)
    assert torch.equal(mixed[..., :4], ours[..., :4]) and torch.equal(mixed[..., 4:], theirs[..., 4:])
    plus = locally_mixed_plus(networks.resized(ours), networks.resized(theirs), mask)
    for level, source, reference in zip(plus, networks.resized(ours), networks.resized(theirs), strict=True):
        half = level.shape[-1] // 2
        assert torch.equal(level[..., :half], source[..., :half]) and torch.equal(level[..., half:], reference[..., half:])


def test_an_empty_mask_keeps_the_bits(networks: StyleMapGAN) -> None:
    ours, theirs = networks.sample(1), networks.sample(2)
    mask = torch.zeros(1, 1, 64, 64)
    assert torch.equal(locally_mixed(ours, theirs, mask), ours) and torch.equal(locally_mixed(ours, theirs, 1 + mask), theirs)


def test_rectangles_move_and_are_checked(networks: StyleMapGAN) -> None:
    ours, theirs = networks.sample(1), networks.sample(2)
    moved = transplanted(ours, theirs, [(Cells(4, 2, 2, 4), Cells(3, 2, 2, 4))])
    assert torch.equal(moved[:, :, 4:6, 2:6], theirs[:, :, 3:5, 2:6])
    assert torch.equal(moved[:, :, :4], ours[:, :, :4])
    with pytest.raises(SpaceError, match="differ in size"):
        transplanted(ours, theirs, [(Cells(0, 0, 2, 4), Cells(0, 0, 2, 3))])
    with pytest.raises(SpaceError, match="reaches out"):
        transplanted(ours, theirs, [(Cells(7, 0, 2, 4), Cells(0, 0, 2, 4))])


def test_styles_mix_and_boundaries_push_in_their_cells(networks: StyleMapGAN) -> None:
    ours, theirs = networks.resized(networks.sample(1)), networks.resized(networks.sample(2))
    assert style_mixed(ours, theirs, "coarse")[1] is theirs[1] and style_mixed(ours, theirs, "coarse")[2] is ours[2]
    assert style_mixed(ours, theirs, "fine")[1] is ours[1] and style_mixed(ours, theirs, "fine")[2] is theirs[2]
    stylemap = copy.deepcopy(networks.sample(3))
    mask = torch.zeros(1, 1, 8, 8)
    mask[..., 5:7, 2:6] = 1
    pushed_there = pushed(stylemap, torch.ones_like(stylemap), 2.0, mask)
    assert float((pushed_there - stylemap).sum()) == pytest.approx(2 * 4 * 8, abs=1e-3)
    assert torch.allclose(pushed(stylemap, torch.ones_like(stylemap), 2.0), stylemap + 2)
