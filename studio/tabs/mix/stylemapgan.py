"""The cell in which StyleMapGAN's own small networks mix the same faces by the same mask, and show what else the paper does with them."""

from collections.abc import Callable
from typing import Any, get_args

import gradio as gr

from engines.core.weights import is_bundled
from engines.faces.attributes import ATTRIBUTES
from engines.mix.boundaries import FILE, Pushed
from engines.mix.stylemapgan import NETWORKS, StyleMapMixKnobs
from studio.state.mix import Mix
from studio.tabs.mix.handlers import MixHandlers
from studio.ui import menus
from studio.ui.cell import cell, lesson
from studio.ui.inputs import seed_input
from studio.ui.knob_controls import turns
from studio.ui.lanes import AT_ONCE, LANE, PRIVATE

_PROSE = (
    "The cells above use StyleMapGAN's idea in a generator that was not trained for it. These are networks of the paper's own kind, "
    "small and trained here: an encoder turns both faces into stylemaps, the mask says which cells are exchanged, a generator draws. "
    "At 64 pixels and after half an hour of training faces come back soft: look at what changes where. "
    "Where nothing is painted, nothing is mixed; what needs no mask is shown all the same."
)
_KNOBS = StyleMapMixKnobs()
_CELLS = next(declared for declared in StyleMapMixKnobs.declared() if declared.name == "cells")


def own_cell(handlers: MixHandlers, mix: gr.State) -> Callable[[Any], None]:
    """The cell and its events; nothing where the networks are not bundled.

    Returns:
        What makes the cell say, after an event, that its pictures are of the mix before.
    """
    if not (is_bundled(FILE) and is_bundled(NETWORKS[_KNOBS.cells])):
        return lambda event: None
    with cell("StyleMapGAN", _PROSE, folded=True):
        with gr.Row():
            info = _CELLS.info
            cells = gr.Radio(
                list(_CELLS.offered), value=_KNOBS.cells, label="Cells a side", info=info, elem_id="mix-own-cells", min_width=240
            )
            info = "What the mask takes over: coarse levels hold pose and shape, fine ones colours."
            choices = ["all", "coarse", "fine"]
            levels = gr.Radio(choices, value=_KNOBS.levels, label="Levels", info=info, elem_id="mix-own-levels", min_width=240)
            label, info = "Soft edge in W+, % of the side", "0 takes whole cells, as the authors do, and shows light dots along the line."
            edge = gr.Slider(0, 15, 100 * _KNOBS.edge, step=0.5, label=label, info=info, elem_id="mix-own-edge", min_width=240)
        show = gr.Button("Mix these faces in its own networks", variant="primary", elem_id="mix-own-run")
        with gr.Row(visible=False) as bench:
            with gr.Column(scale=3, min_width=300):
                stale = gr.Markdown("", elem_id="mix-own-stale", elem_classes="status")
                pictures = gr.Gallery(show_label=False, columns=4, object_fit="contain", height="auto", elem_id="mix-own", format="png")
            with gr.Column(scale=2, min_width=300):
                controls, seed = _controls()
        drawn = gr.State(None)
        lesson("stylemapgan")
    controls = {"cells": cells, "levels": levels, "edge": edge} | controls
    answer, told, shown = handlers.in_own_networks(tuple(controls)), [mix, seed, *controls.values()], [bench, pictures, drawn, stale]
    turned = [seed, *(control for name, control in controls.items() if name != "cells")]  # cells first fit the sliders
    gr.on([show.click, *turns(turned)], answer, told, shown, trigger_mode="always_last", **LANE)
    places = [controls["copy_right"], controls["copy_down"]]
    fitting = cells.input(_fitting, [cells, *places], places, trigger_mode="always_last", queue=False, **PRIVATE)
    fitting.then(answer, told, shown, trigger_mode="always_last", **LANE)
    return lambda event: event.success(_outdated, [mix, drawn], stale, **AT_ONCE)


def _controls() -> tuple[dict[str, Any], gr.Number]:
    """What else can be asked of the networks by the names of the engine's knobs, and the seed of random faces."""
    titles = {attribute.name: f"{attribute.title}: {attribute.low} to {attribute.high}" for attribute in ATTRIBUTES}
    offered = [(titles[name], name) for name in get_args(Pushed)]
    with gr.Group():
        info = "A plane parts the maps of faces at both ends; the source is pushed across it, everywhere and inside the mask alone."
        boundary = gr.Dropdown(offered, value=_KNOBS.boundary, label="Push across a boundary", info=info, elem_id="mix-own-boundary")
        amount = gr.Slider(-3, 3, _KNOBS.amount, step=0.1, label="How far, in sigma", elem_id="mix-own-amount")
    with gr.Group():
        info = "The rectangle around what is painted is cut out of the reference's map and laid elsewhere on the source's."
        reach = int(_KNOBS.cells) - 1
        right = menus.slider(-reach, reach, _KNOBS.copy_right, step=1, label="Copy right by, in cells", info=info, elem_id="mix-own-right")
        down = menus.slider(-reach, reach, _KNOBS.copy_down, step=1, label="Copy down by, in cells", elem_id="mix-own-down")
        keep = gr.Checkbox(_KNOBS.copy_in_place, label="Copy it to its own place, too", elem_id="mix-own-keep")
    share = gr.Slider(0, 1, _KNOBS.share, step=0.01, label="Between both: share of the reference", elem_id="mix-own-share")
    with gr.Group():
        info = "Nobody's faces, which the mapping network draws from noise."
        seed = seed_input(0, "mix-own-seed", label="Seed of the random faces", info=info)
        label = "Truncation: 0 is the average face"
        truncation = gr.Slider(0, 1, _KNOBS.truncation, step=0.05, label=label, elem_id="mix-own-truncation")
    found = {"boundary": boundary, "amount": amount, "copy_right": right, "copy_down": down, "copy_in_place": keep}
    return found | {"share": share, "truncation": truncation}, seed


def _outdated(mix: Mix, drawn: Mix | None) -> str:
    """What to say of pictures of an earlier mix."""
    return "" if drawn in (None, mix) else "Faces or mask have changed since: press the button to mix them anew."


def _fitting(cells: str, *places: float) -> list[gr.Slider]:
    """Sliders that reach from one side of a map to the other."""
    reach = int(cells) - 1
    return [gr.Slider(minimum=-reach, maximum=reach, value=max(-reach, min(reach, place))) for place in places]
