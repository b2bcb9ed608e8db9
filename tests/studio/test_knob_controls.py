"""Forms of knobs: what they are built from, and what comes back from them, whoever sends it."""

import json
from typing import Any

import pytest

import engines.invert
from engines.core.errors import KnobError, StudioError
from engines.registry import catalogue, exported
from studio.ui.knob_controls import KnobForm, knob_form

ALL = exported(engines.invert)


def panels_of(form: KnobForm) -> Any:
    """What the browser is told of the knobs."""
    declared = str(form.component.js_on_load).partition("\n")[0]
    return json.JSONDecoder().raw_decode(declared.removeprefix("const PANELS = "))[0]


@pytest.fixture
def form() -> KnobForm:
    return knob_form(ALL, "invert", chosen="pti")


def test_every_knob_of_every_method_is_in_the_form(form: KnobForm) -> None:
    panels = panels_of(form)
    for engine in ALL:
        fields = {field["name"]: field for field in panels[engine.card.name]}
        assert list(fields) == [declared.name for declared in engine.knob_set.declared()]
        for declared in engine.knob_set.declared():
            field = fields[declared.name]
            assert (field["value"], field["help"], tuple(field["choices"])) == (declared.default, declared.info, declared.offered)
            assert field["choices"] or isinstance(declared.default, bool) or field["lo"] <= declared.default <= field["hi"]


def test_what_was_set_is_read_for_the_chosen_method_alone(form: KnobForm) -> None:
    sent = {"pti": {"steps": 7}, "image2stylegan": {"steps": 9}}
    assert form.knobs("pti", sent).steps == 7  # type: ignore[attr-defined]
    assert form.knobs("image2stylegan", sent).steps == 9  # type: ignore[attr-defined]
    for nothing in (None, {}, {"pti": {}}, ""):
        assert form.knobs("pti", nothing) == form.engine("pti").knob_set()


@pytest.mark.parametrize(
    ("sent", "sentence"),
    [
        ({"pti": {"steps": 10**9}}, "Steps: 1000000000 came; it takes a whole number from"),
        ({"pti": {"steps": "many"}}, "Steps: 'many' came"),
        ({"pti": {"steps": [1]}}, "Steps: "),
        ({"pti": {"steps": None}}, "Steps: None came"),
        ({"pti": {"path": "/etc/passwd"}}, "There is no knob 'path' here"),
        ({"pti": [1, 2]}, "list came as the settings"),
        ("<b>knobs</b>", "str came as the settings"),
    ],
)
def test_other_things_are_refused_in_a_sentence(form: KnobForm, sent: Any, sentence: str) -> None:
    with pytest.raises(KnobError, match=sentence):
        form.knobs("pti", sent)


def test_a_method_that_is_not_offered_is_refused(form: KnobForm) -> None:
    with pytest.raises(StudioError, match="There is no method 'other' here"):
        form.knobs("other", {})


def test_a_knob_of_the_cell_stands_outside_the_form_and_counts() -> None:
    engine = catalogue()["image2stylegan_pp_mix"]
    form = knob_form([engine], "search", given={"use": "crossover"})
    assert "use" not in [field["name"] for field in panels_of(form)[engine.card.name]]
    assert form.knobs(engine.card.name, {}, use="style").use == "style"  # type: ignore[attr-defined]
    with pytest.raises(KnobError, match="Use: "):
        form.knobs(engine.card.name, {engine.card.name: {"use": "style"}}, use="anything")


def test_an_update_names_all_that_it_could_change(form: KnobForm) -> None:
    """A form that the browser has not built yet keeps nothing of what an update leaves out."""
    assert form.show("psp").props.keys() == form.show(use="style").props.keys() == form.component.props.keys()
    assert form.show(use="style").props["chosen"] == "pti"
