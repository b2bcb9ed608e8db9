"""The cell in which StyleMapGAN's own small networks mix the same faces by the same mask."""

import gradio as gr

from engines.core.weights import manifest
from engines.mix.stylemapgan import CELLS, WEIGHTS
from studio.cell import cell, lesson
from studio.pages.edit.context import LANE
from studio.pages.mix.answers import Answers

_PROSE = (
    "The cells above lend StyleMapGAN's idea to a generator that never heard of it. These are networks of the paper's own kind, small and "
    "trained here: an encoder lays both faces out as maps of styles, the mask picks cells, and a generator draws the map. "
    "At 64 pixels and after half an hour of training faces come back soft: look at what changes where. "
    "Coarse and fine levels are the reference's; the random faces are nobody's, drawn from noise by the mapping network."
)


def own_cell(answers: Answers, number: int, mix: gr.State) -> None:
    """The cell and its event; nothing where the networks are not bundled."""
    if not set(WEIGHTS) <= set(manifest()):
        return
    with cell(number, "StyleMapGAN itself, small", _PROSE):
        info = "Fewer cells blend more widely; more redraw each face better and keep to what was painted, seams included."
        cells = gr.Radio(list(CELLS), value=CELLS[1], label="Cells a side", info=info, elem_id="mix-own-cells")
        show = gr.Button("Mix these faces in its own networks", variant="primary", elem_id="mix-own-run")
        pictures = gr.Gallery(
            show_label=False,
            columns=5,
            object_fit="contain",
            height="auto",
            visible=False,
            elem_id="mix-own",
            format="png",
        )
        lesson("stylemapgan")
    gr.on([show.click, cells.input], answers.in_own_networks, [mix, cells], pictures, trigger_mode="always_last", **LANE)
