import math
from dataclasses import dataclass
from typing import Annotated, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engines import catalogue
from engines.core.errors import KnobError
from engines.core.knobs import Declared, Knob, Knobs

DECLARED = [
    pytest.param(engine.knob_set, declared, id=f"{name}.{declared.name}")
    for name, engine in catalogue().items()
    for declared in engine.knob_set.declared()
]
NUMBERS = [case for case in DECLARED if case.values[1].kind in (int, float)]  # type: ignore[union-attr]


@pytest.mark.parametrize("name", list(catalogue()))
def test_defaults_construct(name: str) -> None:
    knobs = catalogue()[name].knob_set()
    for declared in knobs.declared():
        assert getattr(knobs, declared.name) == declared.default


@pytest.mark.parametrize(("knob_set", "declared"), DECLARED)
def test_each_knob_says_what_it_does(knob_set: type[Knobs], declared: Declared) -> None:
    assert declared.knob.help.endswith(".")
    assert declared.kind in (int, float, bool, str)
    assert declared.kind is bool or declared.choices or declared.kind in (int, float)


@pytest.mark.parametrize(("knob_set", "declared"), NUMBERS)
def test_bounds_hold(knob_set: type[Knobs], declared: Declared) -> None:
    lo, hi = declared.knob.lo, declared.knob.hi
    assert lo is not None and hi is not None and lo < hi
    assert not declared.knob.log or lo >= 0
    for value in (lo, hi):
        assert getattr(knob_set.of({declared.name: value}), declared.name) == value
    outside = (lo - 1, hi + 1) if declared.kind is int else (math.nextafter(lo, -math.inf), math.nextafter(hi, math.inf))
    for value in outside:
        with pytest.raises(KnobError, match=declared.label):
            knob_set.of({declared.name: value})


@pytest.mark.parametrize(("knob_set", "declared"), NUMBERS)
def test_numbers_refuse_what_is_no_number(knob_set: type[Knobs], declared: Declared) -> None:
    for value in (math.nan, math.inf, -math.inf, True, False, None, "1", "", [1], {}, 10**400, 1j, b"1"):
        with pytest.raises(KnobError, match=declared.label):
            knob_set.of({declared.name: value})


@pytest.mark.parametrize(("knob_set", "declared"), [case for case in DECLARED if case not in NUMBERS])
def test_boxes_and_menus_refuse_what_they_do_not_offer(knob_set: type[Knobs], declared: Declared) -> None:
    for value in (math.nan, 0, 1, None, "nonsense", "", [], ["lpips"], 10**400):
        with pytest.raises(KnobError, match=declared.label):
            knob_set.of({declared.name: value})


@pytest.mark.parametrize(("knob_set", "declared"), [case for case in DECLARED if case not in NUMBERS])
def test_boxes_and_menus_take_all_they_offer(knob_set: type[Knobs], declared: Declared) -> None:
    for value in declared.choices or (True, False):
        assert getattr(knob_set.of({declared.name: value}), declared.name) == value


@pytest.mark.parametrize(("knob_set", "declared"), DECLARED)
def test_a_command_line_can_say_every_default(knob_set: type[Knobs], declared: Declared) -> None:
    assert declared.parse(str(declared.default)) == declared.default


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
