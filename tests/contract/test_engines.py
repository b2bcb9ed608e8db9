"""Every engine of the catalogue is put to every check that looks at something which it returns."""

import pytest

import engines.edit
import engines.explore
import engines.hierarchy
import engines.invert
import engines.mix
from engines import catalogue
from engines.checks import CHECKS, Check, Subject, quick
from engines.core.weights import assets
from engines.generators import FfhqGenerator
from engines.plugins import exported
from engines.registry import generator_for

NAMES = list(catalogue())
KINDS = ("inversions", "directions", "tables")
"""What a result may hold beside its pictures, and checks look into."""

_BY_VERB = {
    engines.invert: {"inversions"},
    engines.edit: {"directions", "tables"},
    engines.explore: {"tables"},
    engines.mix: set[str](),
    engines.hierarchy: {"tables"},
}
_ALSO = {
    "restyle": {"tables"},
    "changes": {"directions"},
    "delta": {"inversions"},
    "pca": {"directions"},
    "trajectories": {"inversions"},
    "spatial": {"inversions"},
}
"""What single engines return beyond those of their verb."""


def returned(name: str) -> set[str]:
    """Those of `KINDS` that an engine returns for its example: what its verb stands for, and more where it says so here."""
    verb = next(verb for verb in _BY_VERB if catalogue()[name] in exported(verb))
    return _BY_VERB[verb] | _ALSO.get(name, set())


CASES = [
    pytest.param(name, check, id=f"{name}-{check.asks.__name__}")
    for name in NAMES
    for check in CHECKS
    if not check.over or check.over in returned(name)
]
DESCENDING = [name for name in NAMES if "inversions" in returned(name) and "steps" in quick(catalogue()[name].knob_set)]


@pytest.fixture(scope="module")
def subjects(toy: FfhqGenerator) -> dict[str, Subject]:
    """Each engine with what draws for it: the toy, or the toy of its own kind. It keeps its quick run for all checks."""
    return {name: Subject(engine, generator_for(engine.card, toy)) for name, engine in catalogue().items()}


@pytest.mark.parametrize(("name", "check"), CASES)
def test_it_keeps_the_contract(name: str, check: Check, subjects: dict[str, Subject]) -> None:
    assert check.applies(subjects[name])
    check.asks(subjects[name])


@pytest.mark.parametrize("name", NAMES)
def test_an_engine_returns_what_it_is_tested_for_and_nothing_else(name: str, subjects: dict[str, Subject]) -> None:
    """So that no check above looks at nothing, and none is left out that has something to look at."""
    result = subjects[name].finished.result
    assert {kind for kind in KINDS if getattr(result, kind)} == returned(name)
    assert not result.tables or any(table.rows for table in result.tables.values())


@pytest.mark.parametrize("name", DESCENDING)
def test_a_descent_shows_several_that_could_be_kept(name: str, subjects: dict[str, Subject]) -> None:
    """Or nothing would be compared where each best owns its tensors."""
    assert sum(bool(step.best and step.best.inversions) for step in subjects[name].finished.steps) > 1


@pytest.mark.parametrize("name", NAMES)
def test_there_is_a_note_for_a_class(name: str) -> None:
    note = (assets() / "notes" / f"{name}.md").read_text(encoding="utf-8")
    assert 120 <= len(note.split()) <= 400
    assert catalogue()[name].card.paper.removeprefix("arXiv:") in note


def test_no_test_runs_over_nothing() -> None:
    assert DESCENDING and any(catalogue()[name].card.needs for name in NAMES)
    assert {kind for name in NAMES for kind in returned(name)} == set(KINDS)
    assert {check.over for check in CHECKS if check.over} == set(KINDS)
