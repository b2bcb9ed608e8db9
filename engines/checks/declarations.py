"""What an engine declares: its card, its request, its knobs."""

import inspect
import math
import sys
from collections.abc import Iterator
from copy import copy
from typing import Any

from engines.checks.subject import Check, Shortfall, Subject, require
from engines.core.errors import CatalogueError, KnobError
from engines.core.knobs import Declared, Value
from engines.core.weights import manifest
from engines.inputs import words_of

NO_NUMBERS: tuple[Any, ...] = (math.nan, math.inf, -math.inf, True, False, None, "1", "", [1], {}, 10**400, 1j, b"1")
NO_CHOICES: tuple[Any, ...] = (math.nan, 0, 1, None, "nonsense", "", [], ["lpips"], 10**400)


def the_card_is_complete(subject: Subject) -> None:
    """A name, a title, weights that are there, and the paper's number in the docstring or in that of the module."""
    kind, card = subject.kind, subject.kind.card
    require(card.name.isidentifier(), f"The card's name is {card.name!r}; it wants one like a Python name, such as nearest_sample.")
    require(card.title, "The card has no title.")
    missing = set(card.weights) - set(manifest())
    require(not missing, f"The card names weights that are not bundled: {', '.join(sorted(missing))}.")
    written = f"{inspect.getdoc(kind)}\n{sys.modules[kind.__module__].__doc__}"
    require(card.paper in written, f"The card's paper, {card.paper}, is named neither in the class's docstring nor in the module's.")


def a_generator_that_lacks_something_is_refused_in_a_sentence(subject: Subject) -> None:
    """Before anything is computed."""
    if not subject.kind.card.needs:
        return
    poor = copy(subject.generator)
    for name, value in (("name", "poor"), ("capabilities", frozenset())):
        object.__setattr__(poor, name, value)
    try:
        subject.kind(poor)
    except CatalogueError as error:
        require("which the generator poor does not offer." in str(error), f"The refusal says {error}")
        return
    raise Shortfall(f"The card needs {', '.join(sorted(subject.kind.card.needs))}, but a generator without them is taken.")


def the_defaults_make_knobs(subject: Subject) -> None:
    """Nothing need be turned."""
    knobs = subject.kind.knob_set()
    for one in knobs.declared():
        require(
            getattr(knobs, one.name) == one.default, f"The knob {one.name} at its default, {one.default}, is {getattr(knobs, one.name)}."
        )


def each_knob_says_what_it_does(subject: Subject) -> None:
    """A sentence of help; a number has bounds, a text has choices."""
    for one in subject.kind.knob_set.declared():
        require(one.knob.help.endswith("."), f"The help of the knob {one.name} is no sentence: {one.knob.help!r}.")
        require(
            one.kind in (int, float, bool, str), f"The knob {one.name} is a {one.kind.__name__}; int, float, bool and Literal are read."
        )
        require(one.kind is not str or one.choices, f"The knob {one.name} is a text without choices.")


def bounds_hold(subject: Subject) -> None:
    """Both ends are taken, and what lies beyond is refused."""
    for one in _numbers(subject):
        lo, hi = one.knob.lo, one.knob.hi
        require(lo is not None and hi is not None and lo < hi, f"The knob {one.name} lacks its bounds, or they are crossed.")
        assert lo is not None and hi is not None
        require(not one.knob.log or lo >= 0, f"The knob {one.name} is felt in factors and begins below 0.")
        for value in (lo, hi):
            taken = getattr(subject.kind.knob_set.of({one.name: value}), one.name)
            require(taken == value, f"The knob {one.name} at {value} is {taken}.")
        outside = (lo - 1, hi + 1) if one.kind is int else (math.nextafter(lo, -math.inf), math.nextafter(hi, math.inf))
        for value in outside:
            _refused(subject, one, value)


def numbers_refuse_what_is_no_number(subject: Subject) -> None:
    """Infinity, texts, truth values and whatever else may come over a wire."""
    for one in _numbers(subject):
        for value in NO_NUMBERS:
            _refused(subject, one, value)


def boxes_and_menus_take_all_they_offer_and_no_more(subject: Subject) -> None:
    """Every choice, and no other value."""
    for one in subject.kind.knob_set.declared():
        if one.kind in (int, float):
            continue
        for value in one.offered or [value for value in (True, False) if value not in one.missing]:
            taken = getattr(subject.kind.knob_set.of({one.name: value}), one.name)
            require(taken == value, f"The knob {one.name} at {value} is {taken}.")
        for value in NO_CHOICES:
            _refused(subject, one, value)


def a_command_line_can_say_every_default(subject: Subject) -> None:
    """What is printed beside a knob can be typed."""
    for one in subject.kind.knob_set.declared():
        said = one.parse(str(one.default))
        require(said == one.default, f"The knob {one.name}, typed as {one.default}, is {said}.")


def a_condition_names_another_knob_and_values_that_it_takes(subject: Subject) -> None:
    """What `only_if` says can come true, and need not."""
    declared = {one.name: one for one in subject.kind.knob_set.declared()}
    usual: dict[str, Value] = {one.name: one.default for one in declared.values()}
    for one in declared.values():
        if not one.knob.only_if:
            continue
        name, *values = one.knob.only_if
        require(name in declared and name != one.name, f"The knob {one.name} counts only with {name!r}, which is no other knob here.")
        other = declared[str(name)]
        for value in values:
            require(other.check(value) == value, f"The knob {one.name} counts only with {name} at {value!r}, which {name} does not take.")
        require(values or other.kind in (int, float), f"The knob {one.name} counts only with {name}, without a value of it.")
        met = values[0] if values else other.knob.hi
        require(met is not None and one.counts({**usual, other.name: met}), f"The condition of the knob {one.name} is never met.")
        rest = [value for value in other.choices or (True, False) if value not in values] if values else [0]
        require(rest and not any(one.counts({**usual, other.name: value}) for value in rest), f"The knob {one.name} always counts.")
        told = f"Counts only with {str(name).replace('_', ' ')}"
        require(one.help.startswith(one.knob.help) and told in one.help, f"The help of the knob {one.name} hides its condition.")


def no_input_is_also_a_knob_and_each_says_what_it_is(subject: Subject) -> None:
    """Both are options of one command line."""
    words, knobs = words_of(subject.kind.accepts), {one.name for one in subject.kind.knob_set.declared()}
    both = sorted(set(words) & knobs)
    require(not both, f"Inputs of the request are also knobs: {', '.join(both)}. Give the knobs other names.")
    for word in words.values():
        require(word.help.endswith("."), f"The help of the input {word.name} is no sentence: {word.help!r}.")


def _numbers(subject: Subject) -> Iterator[Declared]:
    return (one for one in subject.kind.knob_set.declared() if one.kind in (int, float))


def _refused(subject: Subject, one: Declared, value: Any) -> None:
    try:
        subject.kind.knob_set.of({one.name: value})
    except KnobError as error:
        require(one.label in str(error), f"The knob {one.name} refuses {value!r} without naming itself: {error}")
        return
    raise Shortfall(f"The knob {one.name} takes {value!r}.")


DECLARATIONS = tuple(
    map(
        Check,
        (
            the_card_is_complete,
            a_generator_that_lacks_something_is_refused_in_a_sentence,
            the_defaults_make_knobs,
            each_knob_says_what_it_does,
            bounds_hold,
            numbers_refuse_what_is_no_number,
            boxes_and_menus_take_all_they_offer_and_no_more,
            a_command_line_can_say_every_default,
            a_condition_names_another_knob_and_values_that_it_takes,
            no_input_is_also_a_knob_and_each_says_what_it_is,
        ),
    )
)
