"""What one does with a face next: a click takes it to another tab, and the page to the place where it is used."""

from typing import Any

import gradio as gr

from studio.ui.lanes import AT_ONCE

EDIT, MIX, MAP, INVERT, HIERARCHY = "edit", "mix", "explore", "invert", "hierarchy"
"""Tabs by their id."""


def next_steps(prefix: str) -> tuple[gr.Button, gr.Button, gr.Button]:
    """Buttons beside a result: edit the face, mix it, show it on the map; they wait for a result."""
    with gr.Row(elem_classes="onward"):
        edit = gr.Button("Edit this face", variant="primary", interactive=False, elem_id=f"{prefix}-edit", min_width=120)
        mix = gr.Button("Mix it", interactive=False, elem_id=f"{prefix}-mix", min_width=80)
        shown = gr.Button("Show on the map", interactive=False, elem_id=f"{prefix}-map", min_width=120)
    return edit, mix, shown


def lead(event: Any, tabs: gr.Tabs, tab: str, place: str, where: gr.Textbox | None = None) -> Any:
    """Open a tab after an event and bring a place of it into sight; returns the event that did.

    Args:
        event: What has to succeed first.
        tabs: All tabs.
        tab: Id of the tab.
        place: `elem_id` of what is to be seen.
        where: If given, all this happens only where the box is not empty.
    """

    def select(*told: str) -> Any:
        return gr.Tabs(selected=tab) if all(told) else gr.skip()

    opened = event.success(select, where, tabs, **AT_ONCE)
    opened.success(None, where, None, js=_INTO_SIGHT % place, **AT_ONCE)
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
