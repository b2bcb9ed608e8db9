"""Menus and sliders that change while the page is open.

Gradio checks what comes against the choices, or the ends, that a visitor's page has when it is the event's turn. By then the next menu
may stand there already, and whoever browses quickly would be told about a choice that they never saw. Those here hand over what was
chosen when it was chosen; who reads it checks it against what is there, and takes the usual choice or says what is wrong.
"""

import math
from abc import ABCMeta
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import gradio as gr

MenuT = TypeVar("MenuT")
Choice = str | int | float


def radio(choices: Sequence[Any], **settings: Any) -> gr.Radio:
    """Buttons, one of which is on; the handler gets a text, a number or nothing, which need not be among the choices."""
    return _Radio(choices, **settings)


def dropdown(choices: Sequence[Any], **settings: Any) -> gr.Dropdown:
    """A list to choose from; as `radio`, or with `multiselect` a list of such values."""
    return _Dropdown(choices, **settings)


def slider(low: float, high: float, value: float, **settings: Any) -> gr.Slider:
    """A slider whose ends change: the handler gets a finite number, the nearest within the ends as they are now."""
    return _Slider(low, high, value, **settings)


def chosen(value: Any, offered: Sequence[Any], otherwise: Any) -> Any:
    """What was chosen, where it is still offered; else the usual choice."""
    return value if value in offered else otherwise


def _choice(menu: Any, payload: Any) -> Choice | None:
    return payload if isinstance(payload, Choice) else None


def _choices(menu: gr.Dropdown, payload: Any) -> Choice | list[Choice] | None:
    if not menu.multiselect:
        return _choice(menu, payload)
    return [value for value in payload if isinstance(value, Choice)] if isinstance(payload, list) else []


def _within(slider: gr.Slider, payload: Any) -> float:
    if isinstance(payload, bool) or not isinstance(payload, int | float) or not math.isfinite(payload):
        raise gr.Error(f"{slider.label or 'A slider'}: that is no number. Move the slider again.", print_exception=False)
    return gr.Number.round_to_precision(min(max(payload, slider.minimum), slider.maximum), slider.precision)


def kind(base: type[MenuT], preprocess: Callable[..., Any]) -> type[MenuT]:
    """A component that reads what comes in its own way.

    A class rather than a method on the instance, since each update of a component makes another instance of its class; and made without
    Gradio's metaclass, which would write a stub file beside this module.
    """
    attributes = {"__module__": __name__, "is_template": True, "preprocess": preprocess}
    return ABCMeta.__new__(type(base), base.__name__, (base,), attributes)


_Radio, _Dropdown, _Slider = kind(gr.Radio, _choice), kind(gr.Dropdown, _choices), kind(gr.Slider, _within)
