"""Synthetic checkpoints with the official names: narrow ones, all else as published."""

import argparse
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from engines import InvertRequest
from engines.core.errors import SpaceError, WeightsError
from engines.generators import FfhqGenerator
from engines.generators.ffhq import ffhq_slots
from engines.invert.encode.official import OfficialEncoder, load_official
from engines.nets.irse50 import Kind, PublishedEncoder
from engines.spaces.statistics import statistics

STEM, DEPTHS, COUNTS = 8, (8, 12, 16, 20), (3, 4, 14, 3)
WIDTH = 24
TYPES = {
    "psp": "GradualStyleEncoder",
    "e4e": "Encoder4Editing",
    "restyle_psp": "BackboneEncoder",
    "restyle_e4e": "ProgressiveBackboneEncoder",
}
KINDS = list(TYPES)


def official_weights(kind: str, styles: int = 18) -> dict[str, Tensor]:
    """Names and shapes of the published encoders, written down by hand from their sources."""
    stream = torch.Generator().manual_seed(1)
    found: dict[str, Tensor] = {}

    def random(name: str, *shape: int) -> None:
        found[name] = 0.2 * torch.randn(shape, generator=stream)

    def normal(name: str, channels: int) -> None:
        random(f"{name}.bias", channels)
        found.update({f"{name}.weight": torch.ones(channels), f"{name}.running_mean": torch.zeros(channels)})
        found.update({f"{name}.running_var": torch.ones(channels), f"{name}.num_batches_tracked": torch.tensor(7)})

    random("input_layer.0.weight", STEM, 6 if kind.startswith("restyle") else 3, 3, 3)
    normal("input_layer.1", STEM)
    random("input_layer.2.weight", STEM)
    index, before = 0, STEM
    for depth, count in zip(DEPTHS, COUNTS, strict=True):
        for _ in range(count):
            name = f"body.{index}.res_layer"
            normal(f"{name}.0", before)
            random(f"{name}.1.weight", depth, before, 3, 3)
            random(f"{name}.2.weight", depth)
            random(f"{name}.3.weight", depth, depth, 3, 3)
            normal(f"{name}.4", depth)
            random(f"{name}.5.fc1.weight", max(1, depth // 16), depth, 1, 1)
            random(f"{name}.5.fc2.weight", depth, max(1, depth // 16), 1, 1)
            if before != depth:
                random(f"body.{index}.shortcut_layer.0.weight", depth, before, 1, 1)
                normal(f"body.{index}.shortcut_layer.1", depth)
            index, before = index + 1, depth
    for style in range(styles):
        halvings = 4 if kind.startswith("restyle") or style < 3 else 5 if style < 7 else 6
        for conv in range(halvings):
            random(f"styles.{style}.convs.{2 * conv}.weight", WIDTH, 20 if conv == 0 else WIDTH, 3, 3)
            random(f"styles.{style}.convs.{2 * conv}.bias", WIDTH)
        random(f"styles.{style}.linear.weight", WIDTH, WIDTH)
        random(f"styles.{style}.linear.bias", WIDTH)
    if not kind.startswith("restyle"):
        for name, channels in (("latlayer1", 16), ("latlayer2", 12)):
            random(f"{name}.weight", 20, channels, 1, 1)
            random(f"{name}.bias", 20)
    return found


def checkpoint(kind: str, **changes: Any) -> dict[str, Any]:
    weights = {f"encoder.{name}": value for name, value in official_weights(kind).items()}
    options = {"encoder_type": TYPES[kind], "output_size": 1024, "device": "cuda:0", "input_nc": 6 if kind.startswith("restyle") else 3}
    content = {
        "state_dict": weights | {"decoder.input.input": torch.zeros(1, 4, 4, 4)},
        "latent_avg": torch.ones(18, WIDTH),
        "opts": options,
    }
    return content | changes


def written(folder: Path, content: Any) -> Path:
    path = folder / "official.pt"
    torch.save(content, path)
    return path


@pytest.mark.parametrize("kind", KINDS)
def test_a_published_checkpoint_loads_strictly_and_predicts_eighteen_vectors(kind: str, tmp_path: Path) -> None:
    official = load_official(written(tmp_path, checkpoint(kind)))
    assert official.kind == kind
    assert official.average.shape == (1, 18, WIDTH)
    vectors = official.network(torch.zeros(1, 6 if official.refines else 3, 256, 256))
    assert vectors.shape == (1, 18, WIDTH)
    assert torch.isfinite(vectors).all()


def test_the_taps_of_the_published_depth_are_the_published_ones() -> None:
    assert PublishedEncoder("psp", official_weights("psp")).taps == [6, 20, 23]


def offsets(kind: Kind) -> Tensor:
    network = PublishedEncoder(kind, official_weights(kind))
    network.load_state_dict(official_weights(kind))
    with torch.no_grad():
        return network.eval()(torch.linspace(-1, 1, 3 * 64 * 64).view(1, 3, 64, 64).repeat(1, 1, 4, 4))


def test_e4e_adds_its_offsets_to_its_first_vector() -> None:
    """The same weights in both forms differ by the first vector."""
    psp, e4e = offsets("psp"), offsets("e4e")
    assert torch.equal(e4e[:, 0], psp[:, 0])
    assert torch.allclose(e4e[:, 1:], psp[:, :1] + psp[:, 1:])


def test_a_single_average_serves_all_layers(tmp_path: Path) -> None:
    official = load_official(written(tmp_path, checkpoint("psp", latent_avg=torch.arange(24.0))))
    assert torch.equal(official.average[0, 17], torch.arange(24.0))


class Canvas(FfhqGenerator):
    """A generator of the published number of layers, as narrow as the files here: its picture has one colour, the mean of the code."""

    def __init__(self) -> None:
        self.name, self.device, self.capabilities = "canvas", torch.device("cpu"), frozenset({"w_plus"})
        self.resolution, self.exits, self.width, self.slots = 1024, (1024,), WIDTH, ffhq_slots(7)

    def synthesize(self, code: Tensor, **_: Any) -> Tensor:
        return code.mean(dim=(1, 2)).tanh().view(-1, 1, 1, 1).expand(-1, 3, 256, 256)


@pytest.mark.parametrize(("kind", "passes"), [("psp", 1), ("restyle_psp", 3)])
def test_codes_arrive_in_our_slots_and_restyle_looks_again(kind: str, passes: int, tmp_path: Path) -> None:
    official, canvas = load_official(written(tmp_path, checkpoint(kind))), Canvas()
    photo = torch.zeros(1, 3, 256, 256)
    steps = list(official.codes(photo, canvas, 3))
    assert len(steps) == passes
    codes, published = official.average, official.average
    attempt = canvas.synthesize(canvas.slots.from_published(codes))
    for found, image in steps:
        seen = torch.cat([photo, attempt], dim=1) if official.refines else photo
        published = published + official.network(seen)
        assert torch.allclose(found, canvas.slots.from_published(published), atol=1e-5)
        assert torch.equal(image, canvas.synthesize(found))
        attempt = image


@pytest.mark.parametrize(("kind", "passes"), [("e4e", 1), ("restyle_e4e", 3)])
def test_it_runs_as_every_engine_does(kind: str, passes: int, tmp_path: Path) -> None:
    official, canvas = load_official(written(tmp_path, checkpoint(kind))), Canvas()
    encoder, photo = OfficialEncoder(canvas, official), torch.zeros(1, 3, 256, 256)
    run, steps = encoder.run(InvertRequest(image=photo), encoder.knob_set.of({"steps": 3})), []
    while True:
        try:
            steps.append(next(run))
        except StopIteration as stop:
            result = stop.value
            break
    assert [(step.step, step.total) for step in steps] == [(number, passes) for number in range(1, passes + 1)]
    assert all(step.best is not None and step.preview is not None for step in steps)
    latent = result.inversions[0].latent
    assert (latent.space, latent.codes.shape) == ("w_plus", (1, 23, WIDTH))
    assert torch.equal(result.images, canvas.synthesize(latent.codes))
    assert "(published checkpoint)" in encoder.title


def test_an_encoder_whose_codes_draw_noise_here_is_refused_with_the_reason(tmp_path: Path) -> None:
    with pytest.raises(SpaceError, match="nine standard deviations outside W"):
        OfficialEncoder(Canvas(), load_official(written(tmp_path, checkpoint("psp"))))


class Elongated(Canvas):
    """The canvas with a W that is spread along its first eight axes alone, all around a mean."""

    def map(self, z: Tensor) -> Tensor:
        return 0.25 + z * torch.linspace(1, 0.1, WIDTH) * (torch.arange(WIDTH) < 8)


def test_each_layer_keeps_the_first_components_of_w_alone(tmp_path: Path) -> None:
    official, canvas, photo = load_official(written(tmp_path, checkpoint("e4e"))), Elongated(), torch.zeros(1, 3, 256, 256)
    ((whole, _),), ((kept, image),) = (list(official.codes(photo, canvas, components=count)) for count in (WIDTH, 8))
    mean = statistics(canvas).mean
    size = float(whole.abs().mean())
    assert float((whole - mean)[..., 8:].abs().mean()) > 0.1 * size
    assert torch.allclose(kept[..., :8], whole[..., :8], atol=1e-3 * size)
    assert float((kept - mean)[..., 8:].abs().max()) < 1e-3 * size
    assert torch.equal(image, canvas.synthesize(kept))


def test_a_generator_that_its_codes_do_not_fit_is_refused_before_the_run(tmp_path: Path, toy: FfhqGenerator) -> None:
    official = load_official(written(tmp_path, checkpoint("e4e")))
    with pytest.raises(SpaceError, match="codes have 24 values; those of toy have 32"):
        OfficialEncoder(toy, official)
    small = Canvas()
    small.slots = ffhq_slots(3)
    with pytest.raises(SpaceError, match="1024 px generator only"):
        OfficialEncoder(small, official)


def bare(**changes: Any) -> dict[str, Any]:
    return checkpoint("psp") | changes


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (lambda: [1, 2], "holds no dict"),
        (lambda: {"g_ema": {"a": torch.zeros(1)}}, "has no state_dict"),
        (lambda: bare(state_dict={"decoder.x": torch.zeros(1)}), "may be a generator's file"),
        (lambda: bare(opts={"encoder_type": TYPES["psp"], "output_size": 512}), "a generator of 512 px"),
        (lambda: bare(opts={"encoder_type": "ResNetBackboneEncoder"}), "holds an encoder 'ResNetBackboneEncoder' of 3 channels"),
        (lambda: bare(opts={"encoder_type": TYPES["psp"], "learn_in_w": True}), "one w for all layers"),
        (lambda: {key: value for key, value in checkpoint("psp").items() if key != "latent_avg"}, "lacks latent_avg"),
        (lambda: bare(latent_avg=torch.zeros(3, 3)), r"has shape \(3, 3\)"),
        (lambda: bare(state_dict={"encoder.input_layer.0.weight": torch.zeros(8, 3, 3, 3)}), "lacks weights"),
        (lambda: bare(state_dict={f"encoder.{k}": v for k, v in official_weights("psp", styles=16).items()}), "predicts 16 vectors"),
    ],
)
def test_what_does_not_fit_is_refused_in_a_sentence(content: Any, sentence: str, tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match=sentence):
        load_official(written(tmp_path, content()))


class Evil:
    """What a pickle could run."""

    def __reduce__(self) -> tuple[Any, ...]:
        return print, ("run!",)


@pytest.mark.parametrize(
    ("spoil", "sentence"),
    [(lambda data: data[: len(data) // 2], "cut off"), (lambda data: b"", "is empty"), (lambda data: b"nonsense" * 50, "not known here")],
)
def test_a_file_that_is_none_is_told_for_what_it_is(spoil: Any, sentence: str, tmp_path: Path) -> None:
    path = written(tmp_path, checkpoint("psp"))
    path.write_bytes(spoil(path.read_bytes()))
    with pytest.raises(WeightsError, match=sentence):
        load_official(path)


@pytest.mark.parametrize("kind", KINDS)
def test_a_checkpoint_of_torch_before_1_6_is_the_same_checkpoint(kind: str, tmp_path: Path) -> None:
    new = load_official(written(tmp_path, checkpoint(kind)))
    torch.save(checkpoint(kind), tmp_path / "old.pt", _use_new_zipfile_serialization=False)
    old = load_official(tmp_path / "old.pt")
    assert old.average is not None and new.average is not None and torch.equal(old.average, new.average)
    ours = old.network.state_dict()
    assert all(torch.equal(value, ours[name]) for name, value in new.network.state_dict().items())


def test_what_else_a_checkpoint_holds_refuses_it_not(tmp_path: Path) -> None:
    content = checkpoint("psp") | {"epoch": np.int64(3), "best": np.float64(0.2), "args": argparse.Namespace(x=1), "folder": tmp_path}
    content["opts"] = argparse.Namespace(**content["opts"])
    assert load_official(written(tmp_path, content)).kind == "psp"


def without_average(**options: Any) -> dict[str, Any]:
    content = checkpoint("psp")
    del content["latent_avg"]
    return content | {"opts": content["opts"] | options}


class Mapping18(Canvas):
    """The canvas with a W whose mean is known."""

    def map(self, z: Tensor) -> Tensor:
        return 0 * z + 0.25


def test_an_encoder_that_was_trained_without_an_average_answers_as_it_is(tmp_path: Path) -> None:
    """pSp adds the average only where `start_from_latent_avg` is set, whether the file has one or not."""
    photo, canvas = torch.zeros(1, 3, 256, 256), Canvas()
    for content in (
        without_average(start_from_latent_avg=False),
        without_average(start_from_latent_avg=False) | {"latent_avg": torch.ones(18, 24)},
    ):
        official = load_official(written(tmp_path, content))
        ((codes, _),) = official.codes(photo, canvas)
        assert torch.allclose(codes, canvas.slots.from_published(official.network(photo)))
        assert any("without an average" in remark for remark in official.remarks)


@pytest.mark.parametrize("kind", ["e4e", "restyle_e4e"])
def test_where_the_average_is_missing_the_mean_of_w_stands_for_it(kind: str, tmp_path: Path) -> None:
    content = checkpoint(kind)
    del content["latent_avg"]
    content["opts"]["start_from_latent_avg"] = True
    encoder = OfficialEncoder(Mapping18(), load_official(written(tmp_path, content)))
    assert torch.allclose(encoder.official.average, torch.full((1, 18, WIDTH), 0.25))
    assert any("mean of this generator's W" in remark for remark in encoder.remarks)


@pytest.mark.parametrize("shape", [(WIDTH,), (1, WIDTH), (18, WIDTH), (1, 18, WIDTH)])
def test_an_average_of_any_known_shape_is_read(shape: tuple[int, ...], tmp_path: Path) -> None:
    official = load_official(written(tmp_path, checkpoint("psp", latent_avg=torch.full(shape, 3.0))))
    assert torch.equal(official.average, torch.full((1, 18, WIDTH), 3.0))


def test_a_decoder_of_its_own_is_told_of(tmp_path: Path) -> None:
    options = checkpoint("psp")["opts"] | {"stylegan_weights": "/models/toonify.pt", "train_decoder": True}
    official = load_official(written(tmp_path, checkpoint("psp", opts=options)))
    assert "decoder (toonify.pt) is not used, although it was trained along" in official.remarks[-1]


def test_nothing_in_a_file_is_run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(WeightsError, match="holds more than tensors"):
        load_official(written(tmp_path, checkpoint("psp") | {"opts": Evil()}))
    assert capsys.readouterr().out == ""
