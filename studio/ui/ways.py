"""Ways from one part of the page to a tab: a click opens it, and brings the place where the work goes on into sight."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import gradio as gr

from studio.ui.lanes import AT_ONCE

EDIT, MIX, MAP, INVERT, HIERARCHY = "edit", "mix", "explore", "invert", "hierarchy"
"""Tabs by their name."""


def next_steps(prefix: str) -> tuple[gr.Button, gr.Button, gr.Button]:
    """Buttons beside a result: edit the face, mix it, show it on the map; they wait for a result."""
    with gr.Row(elem_classes="onward"):
        edit = gr.Button("Edit this face", variant="primary", interactive=False, elem_id=f"{prefix}-edit", min_width=120)
        mix = gr.Button("Mix it", interactive=False, elem_id=f"{prefix}-mix", min_width=80)
        shown = gr.Button("Show on the map", interactive=False, elem_id=f"{prefix}-map", min_width=120)
    return edit, mix, shown


@dataclass(frozen=True, eq=False)
class _Way:
    """One way, while it is planned: after an event, to a tab, for a face or without, wherever a box is not empty."""

    event: Any
    tab: str
    takes: bool
    where: gr.Textbox | None


@dataclass(frozen=True, eq=False)
class Ways:
    """All ways of a page: planned while its parts are built, in whatever order, and laid when all tabs stand."""

    _planned: list[_Way] = field(default_factory=list)
    _takers: dict[str, Callable[[Any], Any]] = field(default_factory=dict)

    def lead(self, event: Any, tab: str, *, takes: bool = False, where: gr.Textbox | None = None) -> None:
        """Open a tab after an event.

        Args:
            event: What has to succeed first.
            tab: Name of the tab.
            takes: Whether the tab takes up what the visitor chose there, as it told by `taken_by`.
            where: If given, all this happens only where the box is not empty.
        """
        self._planned.append(_Way(event, tab, takes, where))

    def taken_by(self, tab: str, take: Callable[[Any], Any]) -> None:
        """A tab says what it does once an event sent it something: `take(event)`."""
        self._takers[tab] = take

    def lay(self, tabs: gr.Tabs, places: dict[str, str]) -> None:
        """Make the events of all ways.

        Args:
            tabs: All tabs.
            places: For each tab's name, `elem_id` of what is to be seen.

        Raises:
            KeyError: If a way leads to a tab that is not there.
        """
        for way in self._planned:
            opened = _open(way, tabs, places[way.tab])
            if way.takes and way.tab in self._takers:
                self._takers[way.tab](opened)


def _open(way: _Way, tabs: gr.Tabs, place: str) -> Any:
    """Open the tab and bring its place into sight; returns the event that opened it."""

    def select(*told: str) -> Any:
        return gr.Tabs(selected=way.tab) if all(told) else gr.skip()

    opened = way.event.success(select, way.where, tabs, **AT_ONCE)
    opened.success(None, way.where, None, js=_INTO_SIGHT % place, **AT_ONCE)
    return opened


_INTO_SIGHT = """(...told) => {
  if (told.includes('')) return;
  const start = document.querySelector('#start .label-wrap.open');
  if (start) start.click();
  const look = tries => {
    const place = document.getElementById('%s');
    if (place?.offsetParent) place.scrollIntoView({block: 'center'});
    if (tries > 0) setTimeout(look, 150, tries - 1);
  };
  look(4);
}"""
"""More than once, since what is drawn above the place moves it."""
