"""The drawing pad must never differ from plain drawing, whatever came before."""

import threading
from collections.abc import Iterator
from dataclasses import replace
from unittest.mock import patch

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from engines.core.images import area
from engines.core.seeds import normal
from engines.generators import FfhqGenerator
from engines.generators.incremental import IncrementalRenderer, draw_inversion
from engines.generators.toy import toy as new_toy
from engines.spaces.directions import Direction, apply_directions
from engines.spaces.latent import Inversion, Latent, layer_of
from engines.spaces.statistics import random_w

TOY = new_toy()
LAYERS = {layer: part.stop - part.start for layer, part in TOY.layout("s").items()}
CONVOLUTIONS = [layer for layer in LAYERS if layer.startswith("conv")]
TUNABLE = {name: tuple(value.shape) for name, value in TOY.tunable().items()}


@pytest.fixture(autouse=True, scope="module")
def one_thread() -> Iterator[None]:
    """Pictures of 64 px are drawn faster by one thread than by two that wait for each other."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def side(layer: str) -> int:
    return int(layer.rsplit("_", 1)[1])


@torch.no_grad()
def plainly(inversion: Inversion, size: int | None) -> Tensor:
    """Without a memory: as the generator draws, or its full picture averaged down where an auxiliary toRGB head would not see all of it."""
    layers = [layer_of(name) for name in (*inversion.features, *inversion.tuning)]
    hidden = inversion.latent.space == "s" or any(layer is not None and side(layer) > (size or 64) // 2 for layer in layers)
    if size is not None and size < TOY.resolution and hidden:
        return area(plainly(inversion, None), size)
    return TOY.synthesize(inversion.latent, tuning=inversion.tuning, features=inversion.features, size=size)


def moved(inversion: Inversion, kind: str, layer: str, seed: int) -> Inversion:
    """The inversion after one change, somewhere about `layer`."""
    slot, value = TOY.slots.of_layer(layer), normal((1, LAYERS[layer]), seed)
    if kind == "slot":
        vector = torch.nn.functional.normalize(normal((TOY.width,), seed), dim=0)
        return apply_directions(inversion, [(Direction("", "w", vector, (slot,), 1.0, ""), 1.5)], TOY)
    if kind == "s":
        vector = torch.zeros(sum(LAYERS.values()))
        vector[TOY.layout("s")[layer]] = value[0]
        return apply_directions(inversion, [(Direction("", "s", vector, (slot,), 0.2, ""), 1.0)], TOY)
    if kind == "code":
        return replace(inversion, latent=Latent("w", random_w(TOY, seed)))
    if kind == "styles":
        return replace(inversion, latent=TOY.styles(random_w(TOY, seed)))
    if kind == "tuning":
        name = sorted(TUNABLE)[seed % len(TUNABLE)]
        return replace(inversion, tuning={name: 0.1 * normal(TUNABLE[name], seed)})
    if kind == "grid":
        return replace(inversion, features={**inversion.features, "grid": 0.2 * normal((1, TOY.width, seed + 1, 2), seed)})
    if kind == "plain":
        return replace(inversion, tuning={}, features={})
    feature = {
        "shift": lambda: 0.2 * value,
        "style": lambda: 1 + 0.2 * normal((1, LAYERS[layer], seed % 3 + 1, 2), seed),
        "noise": lambda: normal((1, 1, side(layer), side(layer)), seed),
        "feature": lambda: 0.2 * normal((1, 16, side(layer), side(layer)), seed),
    }[kind]()
    return replace(inversion, features={**inversion.features, f"{kind}/{layer}": feature})


kinds = st.sampled_from(["slot", "slot", "s", "s", "code", "styles", "tuning", "grid", "plain", "shift", "style"])
changes = st.one_of(
    st.tuples(kinds, st.sampled_from(list(LAYERS)), st.integers(0, 5)),
    st.tuples(st.sampled_from(["noise", "feature"]), st.sampled_from(CONVOLUTIONS), st.integers(0, 5)),
)


@settings(max_examples=50)
@given(st.lists(st.tuples(changes, st.sampled_from([None, 16, 32, 64])), min_size=1, max_size=8))
def test_after_any_sequence_of_changes_the_bits_are_those_of_plain_drawing(steps: list[tuple[tuple[str, str, int], int | None]]) -> None:
    renderer, inversion = IncrementalRenderer(TOY), Inversion(Latent("w", random_w(TOY, 1)))
    for change, size in steps:
        inversion = moved(inversion, *change)
        assert torch.equal(renderer.draw(inversion, size), plainly(inversion, size))


@settings(max_examples=25)
@given(st.lists(st.tuples(st.integers(0, 2), st.sampled_from([None, 16, 32])), min_size=2, max_size=10))
def test_going_back_and_forth_between_a_few_pictures_keeps_each_as_it_is(visits: list[tuple[int, int | None]]) -> None:
    base = Inversion(Latent("w_plus", TOY.map(normal((TOY.slots.count, TOY.width), 7))[None]))
    pictures = [base, moved(base, "slot", "conv2_32", 1), moved(moved(base, "tuning", "conv_4", 3), "s", "up_16", 2)]
    renderer = IncrementalRenderer(TOY)
    for number, size in visits:
        assert torch.equal(renderer.draw(pictures[number], size), plainly(pictures[number], size))


def test_a_shift_is_not_taken_for_a_map_of_the_same_values_nor_a_map_for_another_of_its_values() -> None:
    base, values = Inversion(Latent("w", random_w(TOY, 1))), normal((1, 16, 2, 4), 1)
    renderer = IncrementalRenderer(TOY)
    for features in (
        {"shift/up_16": values[..., 0, 0]},
        {"style/up_16": values[..., :1, :1]},
        {"style/up_16": values},
        {"style/up_16": values.reshape(1, 16, 4, 2)},
        {"shift/up_16": values[..., 0, 0], "style/up_16": values[..., :1, :1]},
    ):
        inversion = replace(base, features=features)
        assert torch.equal(renderer.draw(inversion), plainly(inversion, None))


@pytest.mark.parametrize("strength", [1e-2, 1e-4, 1e-6])
def test_the_smallest_step_of_a_slider_shows(strength: float) -> None:
    base, renderer = Inversion(Latent("w", random_w(TOY, 1))), IncrementalRenderer(TOY)
    vector = torch.nn.functional.normalize(normal((TOY.width,), 1), dim=0)
    for step in (0, 1, 2, 1):
        moved = apply_directions(base, [(Direction("", "w", vector, (1, 2), 1.0, ""), step * strength)], TOY)
        assert torch.equal(renderer.draw(moved), plainly(moved, None))


def test_batches_of_different_sizes_may_follow_each_other() -> None:
    renderer = IncrementalRenderer(TOY)
    for count in (1, 3, 2, 1):
        inversion = Inversion(Latent("w", TOY.map(normal((count, TOY.width), count))))
        assert torch.equal(renderer.draw(inversion, 32), plainly(inversion, 32))


def test_one_drawing_without_a_memory_is_the_same() -> None:
    inversion = moved(Inversion(Latent("w", random_w(TOY, 1))), "s", "conv2_32", 1)
    for size in (None, 16, 32, 64):
        assert torch.equal(draw_inversion(TOY, inversion, size), plainly(inversion, size))


def test_a_picture_brings_no_gradient() -> None:
    code = random_w(TOY, 1).requires_grad_()
    assert not IncrementalRenderer(TOY).draw(Inversion(Latent("w", code))).requires_grad


@pytest.fixture
def redone() -> Iterator[list[str]]:
    """Names of the blocks that are computed, as they are."""
    seen: list[str] = []
    prefix, synthesize = FfhqGenerator.prefix, FfhqGenerator.synthesize

    def prefixed(self: FfhqGenerator, code: object, block: int, *rest: object, **options: object) -> object:
        seen.append(f"prefix {block}")
        return prefix(self, code, block, *rest, **options)

    def synthesized(self: FfhqGenerator, *rest: object, **options: object) -> object:
        resume = options.get("resume")
        seen.append(f"picture from {0 if resume is None else resume.block}")
        return synthesize(self, *rest, **options)

    with patch.object(FfhqGenerator, "prefix", prefixed), patch.object(FfhqGenerator, "synthesize", synthesized):
        yield seen


@pytest.mark.parametrize("kind", ["slot", "s", "shift", "style"])
@pytest.mark.parametrize(
    ("layer", "wanted"),
    [
        ("conv_4", ["prefix 8", "prefix 16", "prefix 32"]),
        ("conv1_8", ["prefix 16", "prefix 32"]),
        ("conv2_16", ["prefix 32"]),
        ("conv2_32", []),
        ("to_img_32", []),
    ],
)
def test_only_the_layers_that_a_change_reaches_are_redone(kind: str, layer: str, wanted: list[str], redone: list[str]) -> None:
    renderer, base = IncrementalRenderer(TOY), Inversion(Latent("w_plus", TOY.slots.spread(random_w(TOY, 1))))
    renderer.draw(base)
    assert redone == ["prefix 8", "prefix 16", "prefix 32", "picture from 32"]
    redone.clear()
    renderer.draw(moved(base, kind, layer, 1))
    assert redone == [*wanted, "picture from 32"]


def test_the_same_picture_again_and_a_larger_one_redo_nothing_below(redone: list[str]) -> None:
    renderer, base = IncrementalRenderer(TOY), Inversion(Latent("w", random_w(TOY, 1)))
    renderer.draw(base, 16)
    assert redone == ["prefix 8", "prefix 16", "picture from 16"]
    renderer.draw(base, 16)
    assert redone[3:] == ["picture from 16"]
    renderer.draw(base, 64)
    assert redone[4:] == ["prefix 32", "picture from 32"]


def test_a_new_weight_change_redoes_everything_and_the_same_one_nothing(redone: list[str]) -> None:
    renderer, base = IncrementalRenderer(TOY), Inversion(Latent("w", random_w(TOY, 1)))
    renderer.draw(base)
    tuned = moved(base, "tuning", "conv_4", 1)
    redone.clear()
    renderer.draw(tuned)
    assert redone == ["prefix 8", "prefix 16", "prefix 32", "picture from 32"]
    redone.clear()
    renderer.draw(moved(tuned, "slot", "conv2_32", 1))
    assert redone == ["picture from 32"]


def test_threads_that_share_a_pad_each_get_their_own_picture() -> None:
    base = Inversion(Latent("w_plus", TOY.slots.spread(random_w(TOY, 1))))
    jobs = [
        moved(base, kind, layer, seed)
        for seed, (kind, layer) in enumerate([("slot", "conv_4"), ("s", "up_16"), ("s", "conv2_32"), ("code", "up_8")])
    ]
    wanted, renderer, wrong = [plainly(job, 32) for job in jobs], IncrementalRenderer(TOY), []

    def work(number: int) -> None:
        wrong.extend(number for _ in range(15) if not torch.equal(renderer.draw(jobs[number], 32), wanted[number]))

    threads = [threading.Thread(target=work, args=(number,)) for number in range(len(jobs))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert wrong == []


def test_on_the_bundled_generator_the_bits_are_those_of_plain_drawing(ffhq: FfhqGenerator) -> None:
    vector = torch.nn.functional.normalize(normal((ffhq.width,), 1), dim=0)
    fine = Direction("", "w", vector, ffhq.slots.groups["fine"], 1.0, "")
    renderer, base = IncrementalRenderer(ffhq), Inversion(Latent("w", random_w(ffhq, 1)))
    with torch.no_grad():
        for strength in (0.0, 1.0, 2.0):
            edited = apply_directions(base, [(fine, strength)], ffhq)
            assert torch.equal(renderer.draw(edited, 256), ffhq.synthesize(edited.latent, size=256))
