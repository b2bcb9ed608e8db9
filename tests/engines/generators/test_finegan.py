"""FineGAN's generator: published names, the cheap tiled codes, stages that stitch, and a file that is read without being run."""

from pathlib import Path
from typing import Any

import pytest
import torch

from engines.core.errors import SpaceError, WeightsError
from engines.core.seeds import normal
from engines.generators.finegan import FineCodes, FineGAN, from_weights, load_finegan
from engines.nets.finegan import FineGenerator, Form, tiled_convolution

SMALL = Form(parents=3, children=6, noise=5, width=8, size=32, halvings=3)


@pytest.fixture(scope="module")
def birds() -> FineGAN:
    torch.manual_seed(0)
    return FineGAN(SMALL, FineGenerator(SMALL).eval())


def published(generator: FineGAN) -> dict[str, torch.Tensor]:
    return {f"module.{key}": value for key, value in generator.network.state_dict().items()}


def test_names_and_shapes_are_the_published_ones() -> None:
    with torch.device("meta"):
        network = FineGenerator(Form())
    found = {key: tuple(value.shape) for key, value in network.state_dict().items()}
    assert found["h_net1_bg.fc.0.weight"] == (32768, 300) and found["h_net1.fc.0.weight"] == (32768, 120)
    assert found["h_net1_bg.fc.1.running_mean"] == (32768,)
    assert found["h_net1.upsample1.1.weight"] == (1024, 1024, 3, 3) and found["h_net1.upsample5.1.weight"] == (128, 64, 3, 3)
    assert found["h_net2.jointConv.0.weight"] == (128, 84, 3, 3) and found["h_net3.jointConv.0.weight"] == (64, 232, 3, 3)
    assert {"h_net2.residual.1.block.3.weight", "h_net2.residual.1.block.4.running_var", "h_net3.samesample.1.bias"} <= set(found)
    assert found["img_net1_bg.img.0.weight"] == (3, 64, 3, 3) and found["img_net2.img.0.weight"] == (3, 32, 3, 3)
    assert found["img_net3_mask.img.0.weight"] == (1, 16, 3, 3)
    assert sum(weight.numel() for weight in network.parameters()) / 1e6 == pytest.approx(39.7, rel=0.02)


def test_a_code_laid_over_a_picture_convolves_as_if_it_were_tiled() -> None:
    code, weight = torch.eye(4)[:2], normal((6, 4, 3, 3), 1)
    tiled = torch.nn.functional.conv2d(code[:, :, None, None].expand(-1, -1, 16, 16), weight, padding=1)
    assert torch.allclose(tiled_convolution(code, weight, 16), tiled, atol=1e-6)


def test_stages_are_stitched_by_their_masks(birds: FineGAN) -> None:
    stages = birds.draw(FineCodes(1, 2, 3, 4), birds.tied(5))
    assert stages.child.shape == (2, 3, 32, 32) and stages.child_mask.shape == (2, 1, 32, 32)
    ours = stages.parent_mask * stages.parent_foreground + (1 - stages.parent_mask) * stages.background
    assert torch.allclose(stages.parent, ours, atol=1e-6)
    ours = stages.child_mask * stages.child_foreground + (1 - stages.child_mask) * stages.parent
    assert torch.allclose(stages.child, ours, atol=1e-6)


def test_each_code_has_its_stage(birds: FineGAN) -> None:
    plain = birds.draw(FineCodes(0, 0, 0))
    behind, shape, look = (birds.draw(codes) for codes in (FineCodes(1, 0, 0), FineCodes(0, 1, 0), FineCodes(0, 0, 1)))
    assert torch.equal(behind.parent_mask, plain.parent_mask) and not torch.equal(behind.background, plain.background)
    assert torch.equal(shape.background, plain.background) and not torch.equal(shape.parent_mask, plain.parent_mask)
    assert torch.equal(look.parent, plain.parent) and not torch.equal(look.child, plain.child)


def test_consecutive_children_share_a_parent(birds: FineGAN) -> None:
    assert [birds.parent_of(child) for child in range(6)] == [0, 0, 1, 1, 2, 2]
    assert birds.tied(5, 9) == FineCodes(5, 2, 5, 9)


@pytest.mark.parametrize("codes", [FineCodes(6, 0, 0), FineCodes(0, 3, 0), FineCodes(0, 0, -1)])
def test_codes_that_are_not_there_get_a_sentence(codes: FineCodes, birds: FineGAN) -> None:
    with pytest.raises(SpaceError, match="numbered from 0 to"):
        birds.draw(codes)


def test_a_published_file_loads_with_its_dimensions_and_draws_the_same(birds: FineGAN, tmp_path: Path) -> None:
    path = tmp_path / "netG_birds.pth"
    torch.save(published(birds) | {"module.unknown.weight": torch.zeros(1)}, path)
    loaded = load_finegan(path)
    assert loaded.form == SMALL
    assert torch.equal(loaded.draw(FineCodes(1, 2, 3)).child, birds.draw(FineCodes(1, 2, 3)).child)


def test_first_features_that_are_hardly_wider_than_the_last_are_told_by_the_shapes() -> None:
    form = Form(parents=3, children=6, noise=5, width=8, size=64, halvings=1)
    with torch.random.fork_rng():
        weights = FineGenerator(form).state_dict()
    assert weights["h_net1.upsample1.1.weight"].shape[:2] == (16, 16) and weights["h_net1.upsample2.1.weight"].shape[:2] == (16, 8)
    assert from_weights(weights, "narrow").form == form


def test_half_precision_weights_are_widened(birds: FineGAN) -> None:
    half = {key: value.half() if value.is_floating_point() else value for key, value in birds.network.state_dict().items()}
    assert torch.allclose(from_weights(half, "half").draw(FineCodes(1, 2, 3)).child, birds.draw(FineCodes(1, 2, 3)).child, atol=0.05)


class Evil:
    def __reduce__(self) -> tuple[Any, ...]:
        return print, ("run",)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ({"module.a": Evil()}, "holds more than tensors"),
        ([1, 2], "no dict of tensors"),
        ({"module.a": torch.zeros(1)}, "no generator of FineGAN"),
        ("truncated", "lacks h_net1_bg"),
        ("other", "do not fit together"),
    ],
)
def test_files_that_do_not_fit_get_a_sentence(content: Any, words: str, birds: FineGAN, tmp_path: Path) -> None:
    whole = published(birds)
    if content == "truncated":
        content = {key: value for key, value in whole.items() if not key.startswith("module.h_net1_bg")}
    if content == "other":
        content = whole | {"module.h_net1.fc.0.weight": torch.zeros(10, 8)}
    path = tmp_path / "netG.pth"
    torch.save(content, path)
    with pytest.raises(WeightsError, match=words):
        load_finegan(path)
