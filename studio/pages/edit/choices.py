"""Menus of directions: those with a slider first, then the visitor's own, then one for each measured attribute."""

from collections.abc import Sequence
from typing import Any

import gradio as gr

from studio.edits import Edits
from studio.library import MINE
from studio.pages.edit.context import AT_ONCE, EditContext
from studio.shelf import Desk

Choice = tuple[str, str]
"""What the menu says, and the key."""


def offered(context: EditContext, desk: Desk, edits: Edits) -> list[Choice]:
    """Directions to choose from, each once."""
    known = [key for key in edits.keys if key.rpartition("/")[0] != MINE or key in desk.directions]
    keys = [*known, *desk.directions, *(f"interfacegan/{name}" for name in context.library.titles)]
    return [(context.title(key, desk), key) for key in dict.fromkeys(keys)]


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
    dropdown = gr.Dropdown(choices, value=value, label=label, elem_id=elem_id, **settings)

    def follow(edits: Edits, keys: Any, request: gr.Request) -> gr.Dropdown:
        choices = offered(context, context.desk(request), edits)
        return gr.Dropdown(choices, value=chosen(choices, keys, at))

    changes = [context.keys.change, context.added.change, context.revised.change]
    gr.on(changes, follow, [context.edits, dropdown], dropdown, trigger_mode="always_last", **AT_ONCE)
    return dropdown
