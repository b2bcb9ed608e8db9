"""What one paints with: two canvases side by side, ready-made parts, and the mask as it counts."""

from dataclasses import dataclass, replace
from typing import Any

import gradio as gr

from engines.faces.parts import PARTS
from studio.services.mixer import Mixer
from studio.state.mix import REFERENCE, Mix
from studio.state.visitor import Visitor
from studio.ui.inputs import hung, mask_canvas


@dataclass(frozen=True, eq=False)
class Easels:
    """Canvases and what stands around them; `hung` is the number of what they show, which a stroke is sent with."""

    source: gr.HTML
    reference: gr.HTML
    hung: gr.Number
    parts: gr.CheckboxGroup
    clear: gr.Button
    undo: gr.Button
    redo: gr.Button
    soft: gr.Image
    words: gr.Markdown


def paint_cell() -> Easels:
    """Build the components."""
    info = "Found on both faces by their landmarks, and found again when a face changes. What the brush adds or the eraser takes stays."
    ready = gr.CheckboxGroup(list(PARTS), label="Ready-made parts", info=info, elem_id="mix-parts")
    with gr.Row():
        with gr.Column(min_width=280):
            source = mask_canvas(label="Source", movable=True, elem_id="mix-source-canvas")
        with gr.Column(min_width=280):
            reference = mask_canvas(label="Reference", elem_id="mix-reference-canvas")
    hung = gr.Number(0, precision=0, visible="hidden", elem_id="mix-hung")
    with gr.Row():
        soft = gr.Image(label="Soft mask", interactive=False, height=170, width=190, elem_id="mix-soft", format="png", buttons=[], scale=0)
        with gr.Column(min_width=200):
            words = gr.Markdown("", elem_id="mix-words", elem_classes="status")
            with gr.Row():
                undo = gr.Button("Undo", elem_id="mix-undo", min_width=70, size="sm")
                redo = gr.Button("Redo", elem_id="mix-redo", min_width=70, size="sm")
                clear = gr.Button("Clear the mask", elem_id="mix-clear", min_width=110, size="sm")
    return Easels(source, reference, hung, ready, clear, undo, redo, soft, words)


def canvases(mixer: Mixer, visitor: Visitor, mix: Mix) -> list[Any]:
    """Both faces with what is painted on them, and the number of this hanging: `Mixer.hangs` tells strokes on it from earlier ones."""
    values: list[Any] = []
    for face, key, shift in zip((mix.source, mix.reference), mix.masks, (mix.shift, (0.0, 0.0)), strict=True):
        values.append(hung(mixer.canvas(visitor, face), mixer.painted(visitor, key), shift=list(shift)))
    return [*values, mixer.hang(visitor)]


def words(mixer: Mixer, visitor: Visitor, mix: Mix) -> str:
    """How much is painted, and what follows from it."""
    share = float(mixer.mask(visitor, mix).mean())
    if mix.below:
        aside = f"{len(mix.below)} laid aside" if len(mix.below) > 1 else "the one laid aside"
        return (
            f"{share:.0%} of the picture is painted for this part, over {aside}."
            if share
            else f"Paint the next part; it goes over {aside}."
        )
    if not share:
        return "Nothing is painted yet, so this is the source. Paint on either picture, or choose a ready-made part."
    if share == 1 and replace(mix, strength=1.0, layers="all", content=REFERENCE, shift=(0.0, 0.0)) == mix:
        return "Everything is painted, so this is the other face. Take some away with the eraser, or press Undo."
    return f"{share:.0%} of the picture is painted." if share >= 0.01 else "Less than 1 % of the picture is painted."
