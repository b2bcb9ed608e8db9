from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from engines import catalogue, create
from engines.checks import quick
from engines.core import weights
from engines.core.errors import KnobError, WeightsError
from engines.core.knobs import Declared, Knob, Knobs
from engines.core.weights import manifest
from engines.generators import FfhqGenerator
from engines.generators.flat import WEIGHTS as FLAT
from engines.generators.stylemapgan import MAPPING
from engines.metrics.birds import CLASSIFIER

LACKING = [
    pytest.param(engine.knob_set, declared, id=f"{name}.{declared.name}")
    for name, engine in catalogue().items()
    for declared in engine.knob_set.declared()
    if any(not manifest()[network].get("ships", True) for network in declared.knob.weights.values())
]
"""Knobs of which some value needs a network that not every installation has."""


@dataclass(frozen=True, kw_only=True)
class Sample(Knobs):
    """One knob of each kind."""

    steps: Annotated[int, Knob("Updates.", lo=1, hi=10)] = 5
    rate: Annotated[float, Knob("Rate.", lo=1e-3, hi=1, log=True)] = 0.1
    polish: Annotated[bool, Knob("Polish.")] = False
    distance: Annotated[Literal["near", "far"], Knob("Distance.", advanced=True)] = "near"


def test_declared_reads_all_there_is() -> None:
    steps, rate, polish, distance = Sample.declared()
    assert (steps.kind, rate.kind, polish.kind, distance.kind) == (int, float, bool, str)
    assert distance.choices == ("near", "far")
    assert rate.knob.log and distance.knob.advanced
    assert (steps.default, steps.label, steps.knob.help) == (5, "Steps", "Updates.")


@pytest.fixture
def as_shipped(monkeypatch: pytest.MonkeyPatch) -> None:
    """An installation of the wheel: what it leaves out is not here."""
    shipped = {name for name, entry in manifest().items() if entry.get("ships", True)}
    path = weights._path
    monkeypatch.setattr(weights, "_path", lambda name: path(name) if name in shipped else Path("nowhere") / f"{name}.safetensors")


@pytest.mark.usefixtures("as_shipped")
@pytest.mark.parametrize("name", list(catalogue()))
def test_defaults_need_nothing_that_the_wheel_leaves_out(name: str) -> None:
    for declared in catalogue()[name].knob_set.declared():
        assert declared.check(declared.default) == declared.default


@pytest.mark.usefixtures("as_shipped")
@pytest.mark.parametrize(("knob_set", "declared"), LACKING)
def test_a_choice_that_lacks_its_network_is_not_offered_and_says_where_it_is(knob_set: type[Knobs], declared: Declared) -> None:
    assert declared.missing and not set(declared.missing) & set(declared.offered)
    for value in declared.missing:
        assert "Only the source tree has the networks for" in declared.help
        with pytest.raises(WeightsError, match=r"the wheel leaves it out .* source tree, assets/models/"):
            knob_set.of({declared.name: value})


def test_what_the_wheel_leaves_out_is_a_rare_choice_or_for_measuring() -> None:
    chosen = {name for case in LACKING for name in case.values[1].knob.weights.values()}  # type: ignore[union-attr]
    beside = {f"{name}{MAPPING}" for name in chosen} | {FLAT, "stylemapgan_1"}
    left_out = {name for name, entry in manifest().items() if not entry.get("ships", True)}
    assert left_out <= chosen | beside | {CLASSIFIER}
    assert CLASSIFIER not in {name for engine in catalogue().values() for name in engine.card.weights}


def test_values_take_their_declared_type() -> None:
    knobs = Sample(steps=3.0, rate=1)  # type: ignore[arg-type]
    assert (type(knobs.steps), type(knobs.rate)) == (int, float)


def test_a_knob_that_does_not_exist_is_named() -> None:
    with pytest.raises(KnobError, match=r"There is no knob 'stps' here; there are: steps, rate, polish, distance\."):
        Sample.of({"stps": 3})


def test_a_field_without_its_declaration_is_a_fault_of_ours() -> None:
    @dataclass(frozen=True, kw_only=True)
    class Bare(Knobs):
        steps: int = 5

    with pytest.raises(TypeError, match="steps lacks"):
        Bare()


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [("steps", "7", 7), ("rate", "1e-2", 0.01), ("polish", "On", True), ("polish", "no", False), ("distance", "far", "far")],
)
def test_a_word_of_the_command_line_becomes_a_value(name: str, text: str, value: object) -> None:
    declared = next(item for item in Sample.declared() if item.name == name)
    assert declared.parse(text) == value


@pytest.mark.parametrize(
    ("name", "text"),
    [("steps", "7.5"), ("steps", "many"), ("steps", ""), ("rate", "nan"), ("rate", "1e999"), ("polish", "maybe"), ("distance", "nearer")],
)
def test_a_word_that_says_no_such_value_is_refused(name: str, text: str) -> None:
    declared = next(item for item in Sample.declared() if item.name == name)
    with pytest.raises(KnobError, match=declared.label):
        declared.parse(text)


ANYTHING = (
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.lists(st.integers()) | st.complex_numbers() | st.binary()
)


@given(st.sampled_from(Sample.declared()), ANYTHING)
def test_whatever_comes_is_taken_or_refused(declared: Declared, value: object) -> None:
    try:
        taken = declared.check(value)
    except KnobError as error:
        assert str(error).startswith(declared.label)
    else:
        assert type(taken) is declared.kind
        assert taken == value


@given(st.sampled_from(Sample.declared()), st.text())
def test_whatever_is_typed_is_taken_or_refused(declared: Declared, text: str) -> None:
    try:
        taken = declared.parse(text)
    except KnobError as error:
        assert str(error).startswith(declared.label)
    else:
        assert type(taken) is declared.kind


def test_a_knob_without_a_default_is_a_fault_of_ours() -> None:
    @dataclass(frozen=True, kw_only=True)
    class Undecided(Knobs):
        steps: Annotated[int, Knob("Updates.", lo=1, hi=10)]

    with pytest.raises(TypeError, match="steps lacks its default"):
        Undecided(steps=3)


def test_a_knob_without_a_condition_always_counts_and_says_no_more() -> None:
    steps = Sample.declared()[0]
    assert steps.counts({}) and steps.help == "Updates."


def trace(name: str, generator: FfhqGenerator, settings: dict[str, Any]) -> tuple[list[Any], list[Tensor]]:
    """What a run shows on its way, and all it leaves."""
    engine = catalogue()[name]
    run = create(name, generator).run(engine.accepts.example(generator), engine.knob_set.of(settings))
    steps = list[Any]()
    while True:
        try:
            progress = next(run)
        except StopIteration as end:
            left = [end.value.images, *(tensor for one in end.value.inversions for tensor in one.tensors())]
            return [*steps, *(tuple(one.shape) for one in left)], [one.detach() for one in left]
        steps.append((progress.step, progress.total, progress.preview is not None))


@pytest.mark.parametrize("name", ["recommended", "e4e", "psp", "restyle", "stylemap_encoder", "image2stylegan"])
def test_every_slider_that_the_page_shows_at_the_defaults_changes_the_run(name: str, toy: FfhqGenerator) -> None:
    declared = catalogue()[name].knob_set.declared()
    usual = {one.name: one.default for one in declared}
    shown = [one for one in declared if one.kind in (int, float) and not one.knob.advanced and one.counts(usual)]
    base = quick(catalogue()[name].knob_set) | ({"tuning_steps": 2} if name == "recommended" else {})
    seen, left = trace(name, toy, base)
    for one in shown:
        value = base.get(one.name, one.default)
        others = (value + 1, value - 1) if one.kind is int else (value * 2 or one.knob.hi, value / 2)
        other = next(each for each in others if one.knob.lo <= each <= one.knob.hi and each != value)  # type: ignore[operator]
        now, other_left = trace(name, toy, base | {one.name: other})
        assert now != seen or not all(map(torch.equal, left, other_left)), f"{one.name} changes nothing"
