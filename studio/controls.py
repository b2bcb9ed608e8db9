"""A declared knob becomes a control on the page; the values come back checked."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import gradio as gr
from gradio.components import Component

from engines.core.knobs import Declared, Knobs
from engines.registry import AnyEngine


@dataclass(frozen=True, eq=False)
class Panel:
    """The controls of one engine, in the order of its declared knobs."""

    engine: type[AnyEngine]
    controls: tuple[Component, ...]

    def knobs(self, values: Sequence[Any]) -> Knobs:
        """What the person set, checked against the declarations.

        Raises:
            KnobError: A value outside its range, whatever the browser let through.
        """
        names = [declared.name for declared in self.engine.knob_set.declared()]
        return self.engine.knob_set.of(dict(zip(names, values, strict=True)))


def panel(engine: type[AnyEngine], prefix: str) -> Panel:
    """Controls for every knob of an engine; the advanced ones are folded away."""
    declared = engine.knob_set.declared()
    by_name: dict[str, Component] = {}
    for knob in declared:
        if not knob.knob.advanced:
            by_name[knob.name] = control(knob, prefix)
    if len(by_name) < len(declared):
        with gr.Accordion("More knobs, for those who read the paper", open=False):
            for knob in declared:
                if knob.knob.advanced:
                    by_name[knob.name] = control(knob, prefix)
    return Panel(engine, tuple(by_name[knob.name] for knob in declared))


def control(declared: Declared, prefix: str) -> Component:
    """One knob: a menu, a box to tick, a slider, or a number box where factors count."""
    common: dict[str, Any] = {
        "label": declared.label,
        "info": declared.knob.help,
        "value": declared.default,
        "elem_id": f"{prefix}-{declared.name}",
    }
    if declared.choices:
        return gr.Dropdown(choices=list(declared.choices), **common)
    if declared.kind is bool:
        return gr.Checkbox(**common)
    low, high = declared.knob.lo, declared.knob.hi
    assert low is not None and high is not None
    if declared.knob.log:
        return gr.Number(precision=0 if declared.kind is int else None, **common)
    step = 1 if declared.kind is int else (high - low) / 1000
    return gr.Slider(low, high, step=step, **common)


def turns(controls: Iterable[Any]) -> list[Any]:
    """Events of a visitor's hand on controls: each change, and for sliders also the end of one, which a drag sends last."""
    return [event for control in controls for event in (control.input, *([control.release] if isinstance(control, gr.Slider) else []))]
