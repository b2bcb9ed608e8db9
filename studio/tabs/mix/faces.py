"""The cell that says which two faces are mixed: each a random one by seed, or one from the shelf."""

from dataclasses import dataclass
from typing import Any

import gradio as gr

from studio.state.edits import Face
from studio.state.visitor import Visitor
from studio.ui import menus
from studio.ui.inputs import seed_input


@dataclass(frozen=True, eq=False)
class Chooser:
    """The components that stand for one face."""

    kind: gr.Radio
    seed: gr.Number
    truncation: gr.Slider
    item: gr.Dropdown
    another: gr.Button

    @property
    def inputs(self) -> list[Any]:
        """What says which face it is, in the order of `facing`."""
        return [self.kind, self.seed, self.truncation, self.item]


def faces_cell(source: Face, reference: Face) -> tuple[Chooser, Chooser, gr.Button]:
    """Build the components; returns both choosers and the button that swaps the faces."""
    with gr.Row():
        choosers = [
            _chooser(source, "Source: stays outside the mask", "mix-source"),
            _chooser(reference, "Reference: seen inside the mask", "mix-reference"),
        ]
    return choosers[0], choosers[1], gr.Button("⇄ Swap source and reference", elem_id="mix-swap", size="sm")


def _chooser(face: Face, label: str, prefix: str) -> Chooser:
    with gr.Column(min_width=280):
        kind = gr.Radio(["Seed", "Shelf"], value=face.kind, label=label, elem_id=f"{prefix}-kind")
        with gr.Row():
            seed = seed_input(face.seed, f"{prefix}-seed", elem_classes=["seed", "with-button"], min_width=130)
            truncation = gr.Slider(0, 1, face.truncation, step=0.05, label="Truncation", elem_id=f"{prefix}-truncation", min_width=150)
            another = gr.Button("Another face", elem_id=f"{prefix}-another", min_width=110)
        item = menus.dropdown([], label="From the shelf", elem_id=f"{prefix}-item", visible=False)
    return Chooser(kind, seed, truncation, item, another)


def facing(visitor: Visitor, kind: str, seed: float | None, truncation: float, item: str | None) -> Face:
    """The face that the components stand for; of the shelf, the newest one if none is chosen."""
    if kind == "Seed":
        return Face(kind, seed, truncation, None)
    newest = next(reversed(visitor.shelf), None)
    return Face(kind, None, 1.0, item if item in visitor.shelf else newest)


def choosing(visitor: Visitor, face: Face) -> list[Any]:
    """Updates of a chooser's inputs, so that they say which face it is."""
    items = [(f"{number}. {item.title}", item.key) for number, item in enumerate(visitor.shelf.values(), start=1)]
    seed, shelf = face.kind == "Seed", face.kind == "Shelf"
    return [
        gr.Radio(value=face.kind),
        gr.Number(value=face.seed, visible=seed) if seed else gr.Number(visible=False),
        gr.Slider(value=face.truncation, visible=seed) if seed else gr.Slider(visible=False),
        gr.Dropdown(items, value=face.chosen if shelf and face.chosen in visitor.shelf else None, visible=shelf),
    ]
