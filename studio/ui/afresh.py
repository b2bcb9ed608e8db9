"""A new run begins on the cell as it was built: nothing of the run before stays beside what comes now."""

import copy
from collections.abc import Sequence
from typing import Any

import gradio as gr

from studio.ui.run_control import Going, Updates

READY = "Getting ready …"
"""What a run says before its first step, which may have to load a network first."""


def as_built(component: Any) -> Any:
    """An update that gives a component back the value it was built with, and hides, shows, locks or frees it as it was then."""
    arguments = component.constructor_args
    value = copy.deepcopy(component.value if isinstance(component, gr.State) else arguments.get("value"))
    if isinstance(component, gr.State):
        return value
    looks = {"interactive": arguments["interactive"]} if "interactive" in arguments else {}
    return gr.update(value=value, visible=arguments.get("visible", True), **looks)


def blank(components: Sequence[Any]) -> Updates:
    """All of a cell's results, as they were built."""
    return {component: as_built(component) for component in components}


def afresh(results: Sequence[Any], run: Going) -> Going:
    """A run that first clears what the one before it left.

    Args:
        results: Everything of the cell that a run fills, its status apart.
        run: What fills it. One that cannot begin, and says so before its first update, leaves all as it is.
    """
    try:
        first = next(run)
    except StopIteration as end:
        last: Updates = end.value
        return blank(results) | last
    yield blank(results) | first
    return (yield from run)
