"""Undo and redo of what is edited or mixed, as the buttons of a page answer."""

from typing import Any

import gradio as gr

from studio.state.edits import History


def back(history: History[Any]) -> list[Any]:
    """The state before the last change."""
    earlier = history.back()
    return [earlier, earlier.past[-1] if earlier.past else gr.skip()]


def forth(history: History[Any]) -> list[Any]:
    """The state that was undone last."""
    later = history.forth()
    return [later, later.past[-1] if later.past else gr.skip()]
