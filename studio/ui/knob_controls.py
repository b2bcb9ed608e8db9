"""Declared knobs become one form on the page; the values come back checked."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import gradio as gr

from engines.core.errors import KnobError, StudioError
from engines.core.knobs import Declared, Knobs, Value
from engines.plugins import AnyEngine

_SCRIPT = Path(__file__).with_name("knobs.js")


@dataclass(frozen=True, eq=False)
class KnobForm:
    """The knobs of one engine at a time, out of several.

    Attributes:
        component: What hands over the settings, for `knobs` to check.
        engines: By card name.
        chosen: Whose knobs are shown at first.
    """

    component: gr.HTML
    engines: Mapping[str, type[AnyEngine]]
    chosen: str

    def engine(self, name: str) -> type[AnyEngine]:
        """The engine called `name`.

        Raises:
            StudioError: It is not among those of the form.
        """
        if name not in self.engines:
            raise StudioError(f"There is no method {name!r} here. Choose one of the list.")
        return self.engines[name]

    def knobs(self, name: str, value: Any, **given: Any) -> Knobs:
        """What the person set for an engine, checked against its declarations.

        Args:
            name: The engine.
            value: What the component handed over.
            **given: Knobs that stand elsewhere on the page.

        Raises:
            KnobError: A value outside its range, whatever the browser let through.
            StudioError: There is no such engine.
        """
        knob_set = self.engine(name).knob_set
        settings = value.get(name, {}) if isinstance(value, dict) else value or {}
        if not isinstance(settings, dict):
            raise KnobError(f"{type(settings).__name__} came as the settings; they are an object with a value for each knob.")
        return knob_set.of(settings | given)

    def show(self, name: str | None = None, **given: Value) -> gr.HTML:
        """The knobs of another engine, or with other values of those that stand elsewhere; what was set stays.

        Both are always sent: a form in a fold that was never opened forgets the properties that an update leaves out.
        """
        return gr.HTML(chosen=name or self.chosen, given=given)

    def set(self, name: str, settings: Mapping[str, Value], value: Any) -> gr.HTML:
        """The knobs of an engine, set to these values; what was set of other engines stays.

        Args:
            name: The engine.
            settings: All its knobs by name.
            value: What the component handed over.
        """
        declared = {knob.name: knob.default for knob in self.engine(name).knob_set.declared()}
        own = {knob: setting for knob, setting in settings.items() if setting != declared[knob]}
        return gr.HTML(value={**(value if isinstance(value, dict) else {}), name: own}, chosen=name, given={})


def knob_form(
    engines: Sequence[type[AnyEngine]],
    prefix: str,
    chosen: str | None = None,
    given: Mapping[str, Value] | None = None,
    only: Mapping[str, tuple[Value, ...]] | None = None,
) -> KnobForm:
    """A form with every knob of the chosen engine; the advanced ones are folded away, those that do not count as things stand are hidden.

    Args:
        engines: Whose knobs.
        prefix: What the names of controls begin with: `prefix-engine-knob`, or `prefix-knob` where there is one engine.
        chosen: Whose are shown at first; the first one's if not given.
        given: Knobs that the cell has controls for already, with their first values.
        only: Further conditions that hold in this cell, as `Knob.only_if`.
    """
    kept = given or {}
    panels = {
        engine.card.name: [_field(knob, (only or {}).get(knob.name)) for knob in engine.knob_set.declared() if knob.name not in kept]
        for engine in engines
    }
    first = chosen or engines[0].card.name
    declared = f"const PANELS = {json.dumps(panels)}, PREFIX = {json.dumps(prefix)};\n"
    component = gr.HTML(
        {},
        html_template="<div class='knob-form'></div>",
        js_on_load=declared + _SCRIPT.read_text(encoding="utf-8"),
        chosen=first,
        given=dict(kept),
        apply_default_css=False,
        elem_id=f"{prefix}-knob-form",
    )
    return KnobForm(component, {engine.card.name: engine for engine in engines}, first)


def _field(declared: Declared, only_if: tuple[Value, ...] | None) -> dict[str, Any]:
    """A knob as the form reads it."""
    low, high, whole = declared.knob.lo, declared.knob.hi, declared.kind is int
    steps = {} if low is None or high is None else {"lo": low, "hi": high, "step": 1 if whole else (high - low) / 1000}
    return steps | {
        "name": declared.name,
        "label": declared.label,
        "help": declared.info,
        "value": declared.default,
        "whole": whole,
        "log": declared.knob.log,
        "choices": list(declared.offered),
        "locked": bool(declared.missing) and declared.kind is bool,
        "advanced": declared.knob.advanced,
        "only_if": list(declared.knob.only_if if only_if is None else only_if),
    }


def turns(controls: Iterable[Any]) -> list[Any]:
    """Events of a visitor's hand on controls: each change, and for sliders also the end of one, which a drag sends last."""
    return [event for control in controls for event in (control.input, *([control.release] if isinstance(control, gr.Slider) else []))]
