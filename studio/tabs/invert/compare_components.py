"""What the comparison's cell is made of."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import gradio as gr

from engines.contract import Engine
from studio.services.direction_library import Library
from studio.ui.cell import Runner, runner
from studio.ui.plots import plotly_address

EDITS = ("yaw", "smile", "age")
"""Edits on offer where faces are drawn; elsewhere the first attributes that can be measured."""

DEFAULTS = ("psp", "e4e", "restyle", "recommended", "image2stylegan")
"""Ticked at first, where they exist: the spread of the trade in about a minute."""

_SCRIPT, _STYLE = Path(__file__).with_name("compare.js"), Path(__file__).with_name("compare.css")
_TEMPLATE = (
    "<div class='tradeoff' role='img' aria-label='Distortion against editing; the table above holds the same numbers'></div>"
    "<p class='reading words'></p>"
)
VIEW = "axis => { window.latentTradeoff?.across(axis); }"
_PICK = """
element.addEventListener('click', event => {
  const button = event.target.closest('button[data-row]');
  if (button) trigger('pick', {name: button.dataset.row});
});
"""


@dataclass(frozen=True, eq=False)
class CompareParts:
    """The cell's components."""

    methods: gr.CheckboxGroup
    edit: gr.Radio
    strength: gr.Slider
    again: gr.Button
    buttons: Runner
    preview: gr.Image
    table: gr.HTML
    axis: gr.Radio
    plot: gr.HTML
    strip: gr.Gallery
    csv: gr.DownloadButton
    archive: gr.DownloadButton
    clear: gr.Button

    @property
    def filled(self) -> list[Any]:
        """Components that a run fills."""
        return [self.buttons.status, self.preview, self.table, self.plot, self.strip, self.csv, self.archive]


def edits_of(library: Library) -> list[tuple[str, str]]:
    """Titles and names of the edits on offer."""
    names = [name for name in EDITS if name in library.titles] or list(library.titles)[: len(EDITS)]
    return [(library.titles[name], name) for name in names]


def parts(methods: Mapping[str, type[Engine[Any, Any]]], library: Library) -> CompareParts:
    """The components in reading order."""
    with gr.Row():
        with gr.Column(scale=2, min_width=300):
            chosen, edit, strength, again = _choices(methods, edits_of(library))
        with gr.Column(scale=1, min_width=280):
            buttons = runner("compare", "Compare")
            preview = gr.Image(
                label="The picture so far", height=220, interactive=False, format="jpeg", elem_id="compare-preview", buttons=[]
            )
    table = gr.HTML("", css_template=_STYLE.read_text(encoding="utf-8"), js_on_load=_PICK, elem_id="compare-table")
    axis = gr.Radio([("LPIPS", "lpips"), ("MSE", "mse")], value="lpips", label="Distortion across the plot", elem_id="compare-axis")
    plot = gr.HTML(
        None,
        html_template=_TEMPLATE,
        js_on_load=f"const PLOTLY = {json.dumps(plotly_address())};\n{_SCRIPT.read_text(encoding='utf-8')}",
        elem_id="compare-plot",
    )
    strip = gr.Gallery(
        columns=5,
        height="auto",
        label="The same edit of each",
        visible=False,
        interactive=False,
        format="jpeg",
        object_fit="contain",
        buttons=["download", "fullscreen"],
        elem_id="compare-strip",
        elem_classes="walk",
    )
    with gr.Row(elem_classes="saves"):
        csv = gr.DownloadButton("Table (CSV)", size="sm", interactive=False, elem_id="compare-csv", min_width=110)
        archive = gr.DownloadButton("All pictures (ZIP)", size="sm", interactive=False, elem_id="compare-zip", min_width=110)
        clear = gr.Button("Clear the table", size="sm", elem_id="compare-clear", min_width=110)
    return CompareParts(chosen, edit, strength, again, buttons, preview, table, axis, plot, strip, csv, archive, clear)


def _choices(
    methods: Mapping[str, type[Engine[Any, Any]]], edits: Sequence[tuple[str, str]]
) -> tuple[gr.CheckboxGroup, gr.Radio, gr.Slider, gr.Button]:
    titles = [(engine.card.title, name) for name, engine in methods.items()]
    ticked = [name for name in DEFAULTS if name in methods]
    if len(ticked) < 2:
        ticked = list(methods)[:2]
    chosen = gr.CheckboxGroup(titles, value=ticked, label="Methods", info="each at its defaults", elem_id="compare-methods")
    edit = gr.Radio(list(edits), value=edits[0][1], label="The same edit of each", elem_id="compare-edit")
    with gr.Row():
        strength = gr.Slider(-4, 4, 2, step=0.5, label="Strength, sigma", elem_id="compare-strength", min_width=200)
        again = gr.Button("Apply this edit to the rows", size="sm", elem_id="compare-again", min_width=160)
    return chosen, edit, strength, again
