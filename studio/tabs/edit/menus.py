"""Menus of directions: those with a slider first, then the visitor's own, then one for each measured attribute."""

from collections.abc import Sequence
from typing import Any

import gradio as gr

from studio.services.direction_library import MINE
from studio.state.edits import Edits
from studio.state.visitor import Visitor
from studio.tabs.edit.context import EditContext
from studio.ui import menus
from studio.ui.lanes import AT_ONCE

Choice = tuple[str, str]
"""What the menu says, and the key."""


def offered(context: EditContext, visitor: Visitor, edits: Edits) -> list[Choice]:
    """Directions to choose from, each once."""
    known = [key for key in edits.keys if key.rpartition("/")[0] != MINE or key in visitor.directions]
    keys = [*known, *visitor.directions, *(f"interfacegan/{name}" for name in context.library.titles)]
    return [(context.title(key, visitor), key) for key in dict.fromkeys(keys)]


def chosen(choices: Sequence[Choice], keys: Any, at: int = 0) -> Any:
    """What stays chosen when a menu changes: all that is still there, or in a menu of one the choice number `at`."""
    there = [key for _, key in choices]
    if isinstance(keys, list):
        return [key for key in keys if key in there]
    return keys if keys in there else there[min(at, len(there) - 1)] if there else None


def menu(context: EditContext, label: str, elem_id: str, at: int = 0, **settings: Any) -> gr.Dropdown:
    """A menu of directions that follows the sliders and the visitor's own directions; `at` says which one is chosen at first."""
    choices = [(f"{title} · InterFaceGAN", f"interfacegan/{name}") for name, title in context.library.titles.items()]
    value = [] if settings.get("multiselect") else chosen(choices, None, at)
    dropdown = menus.dropdown(choices, value=value, label=label, elem_id=elem_id, **settings)

    def follow(edits: Edits, keys: Any, request: gr.Request) -> gr.Dropdown:
        choices = offered(context, context.visitor(request), edits)
        return gr.Dropdown(choices, value=chosen(choices, keys, at))

    changes = [context.keys.change, context.added.change, context.revised.change]
    gr.on(changes, follow, [context.edits, dropdown], dropdown, trigger_mode="always_last", **AT_ONCE)
    return dropdown
