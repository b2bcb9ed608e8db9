"""The cell to paint and mix in: canvases, what goes into the mask and how, and the live picture beside them."""

from dataclasses import dataclass, replace
from typing import Any

import gradio as gr

from engines.core.errors import StudioError
from engines.mix.spatial import RANGES
from studio.services.mixer import Mixer
from studio.state.edits import USUAL
from studio.state.mix import EDIT, REFERENCE, Mix
from studio.state.visitor import Visitor
from studio.tabs.mix.canvases import Easels, paint_cell
from studio.ui import menus
from studio.ui.cell import fold

_IN_Z = "interfacegan-z"
"""Left out of the menu: the same attributes, for faces of a seed alone."""

MOVE = 0.5
"""How far a part can be moved, as a share of the side."""


@dataclass(frozen=True, eq=False)
class MixControls:
    """What is turned and what is shown, the canvases apart."""

    content: gr.Radio
    shelf: gr.Dropdown
    edit: gr.Dropdown
    amount: gr.Slider
    layers: gr.Radio
    strength: gr.Slider
    edge: gr.Slider
    right: gr.Slider
    down: gr.Slider
    carry: gr.Radio
    live: gr.Image
    film: gr.Gallery
    compare: gr.Button
    methods: gr.Gallery
    another: gr.Button
    below: gr.Radio
    up: gr.Button
    off: gr.Button

    @property
    def editing(self) -> list[Any]:
        """What says which edit goes into the mask."""
        return [self.shelf, self.edit, self.amount]

    @property
    def order(self) -> list[Any]:
        """What shows the parts laid aside."""
        return [self.below, self.up, self.off]

    @property
    def controls(self) -> list[Any]:
        """Everything that can be turned, in the order of `turned` and `arrange`."""
        return [self.content, self.edit, self.amount, self.layers, self.strength, self.edge, self.right, self.down, self.carry]


def board_cell(mixer: Mixer, mix: Mix) -> tuple[Easels, MixControls]:
    """Build the components: the canvases and the controls on one side, the live picture in sight on the other."""
    with gr.Row():
        with gr.Column(scale=5, min_width=300):
            easels = paint_cell()
            controls = _controls(mixer, mix)
            with fold("Layers, strength, edge, place, and further parts"):
                controls |= _how(mix)
                order = _order()
        with gr.Column(scale=3, min_width=300, elem_classes="watched"):
            live = gr.Image(label="Live preview", interactive=False, format="jpeg", elem_id="mix-live", height=440, buttons=["fullscreen"])
    with fold("Five strengths side by side, and other methods on this mask"):
        film = _gallery("mix-film", 5)
        compare = gr.Button("Compare methods on this mask", elem_id="mix-compare-run", size="sm")
        methods = _gallery("mix-methods", 5)
    return easels, MixControls(**controls, **order, live=live, film=film, compare=compare, methods=methods)


def _controls(mixer: Mixer, mix: Mix) -> dict[str, Any]:
    """What goes into the mask, by the names of `MixControls`."""
    content = gr.Radio([REFERENCE, EDIT], value=mix.content, label="What goes into the mask", elem_id="mix-content", min_width=240)
    with gr.Row():
        shelf, far = mix.edit.rpartition("/")[0], USUAL.far
        found = menus.dropdown(_shelves(mixer), value=shelf, label="Directions of", visible=False, elem_id="mix-edit-shelf", min_width=200)
        choices = offered(mixer, Visitor(0), shelf)
        edit = menus.dropdown(choices, value=mix.edit, label="The edit", visible=False, elem_id="mix-edit", min_width=200)
        label = "How far, in sigma"
        amount = menus.slider(-far, far, mix.amount, step=0.1, label=label, visible=False, elem_id="mix-amount", min_width=200)
    return {"content": content, "shelf": found, "edit": edit, "amount": amount}


def _how(mix: Mix) -> dict[str, Any]:
    """How it goes into the mask, by the names of `MixControls`."""
    info = "shape is drawn up to 32 px, texture behind"
    layers = gr.Radio(list(RANGES), value=mix.layers, label="Layers", info=info, elem_id="mix-layers", min_width=240)
    with gr.Row():
        strength = gr.Slider(0, 100, 100 * mix.strength, step=5, label="Strength, %", elem_id="mix-strength", min_width=200)
        edge = gr.Slider(0, 15, 100 * mix.edge, step=0.5, label="Soft edge, % of the side", elem_id="mix-edge", min_width=200)
    with gr.Row():
        right = _move("Move right, % of the side", "mix-right")
        down = _move("Move down, % of the side", "mix-down")
    carry = gr.Radio(
        [("the coarsest", "coarse"), ("of moved parts", "moved"), ("always", "always"), ("never", "never")],
        value=mix.carry,
        label="Bring the reference's features along",
        info="more is closer to the reference and leaves the rest alone, at some risk of a seam",
        elem_id="mix-carry",
    )
    return {"layers": layers, "strength": strength, "edge": edge, "right": right, "down": down, "carry": carry}


def _move(label: str, name: str) -> gr.Slider:
    return gr.Slider(-100 * MOVE, 100 * MOVE, 0, step=1, label=label, elem_id=name, min_width=200, buttons=["reset"])


def _order() -> dict[str, Any]:
    """The parts laid aside, and what becomes of them, by the names of `MixControls`."""
    another = gr.Button("Keep this part and paint another, of this or another reference", elem_id="mix-another-part", size="sm")
    info = "Later ones cover earlier ones; what you paint now covers all."
    below = menus.radio([], label="Parts laid aside", info=info, visible=False, elem_id="mix-below")
    with gr.Row():
        up = gr.Button("Take it up, on top of all", visible=False, elem_id="mix-up", size="sm", min_width=150)
        off = gr.Button("Take it off", visible=False, elem_id="mix-off", size="sm", min_width=100)
    return {"another": another, "below": below, "up": up, "off": off}


def laid_aside(mix: Mix) -> list[Any]:
    """Updates of `MixControls.order`."""
    names = [(f"{number}. {_said(part)}", number - 1) for number, part in enumerate(mix.below, start=1)]
    some = bool(names)
    chosen = names[-1][1] if some else None
    return [gr.Radio(names, value=chosen, visible=some), gr.Button(visible=some), gr.Button(visible=some)]


def _said(part: Mix) -> str:
    if part.content == EDIT:
        return f"{part.edit.removeprefix('interfacegan/').replace('/', ' ')} {part.amount:+.1f}"
    return f"seed {int(part.reference.seed or 0)}" if part.reference.kind == "Seed" else "from the shelf"


def _gallery(name: str, columns: int) -> gr.Gallery:
    return gr.Gallery(
        columns=columns,
        height=250,
        allow_preview=True,
        show_label=False,
        visible=False,
        elem_id=name,
        interactive=False,
        buttons=["download"],
        format="jpeg",
    )


def _shelves(mixer: Mixer) -> list[tuple[str, str]]:
    return [(title, name) for title, name in mixer.editor.library.named_shelves if name != _IN_Z]


def offered(mixer: Mixer, visitor: Visitor, shelf: str) -> list[tuple[str, str]]:
    """Directions for a local edit, of one of the library's shelves; a method's own are found at the first look."""
    library = mixer.editor.library
    return [(library.title(key, visitor).rpartition(" · ")[0], key) for key in library.keys(shelf, visitor)]


def editing_shown(mixer: Mixer, visitor: Visitor, content: str, key: str, amount: float) -> list[Any]:
    """Updates of `MixControls.editing`."""
    visible, shelf = content == EDIT, key.rpartition("/")[0]
    try:
        choices, far = offered(mixer, visitor, shelf), mixer.editor.library.reach(key, visitor).far
    except StudioError:  # one of the visitor's own that was deleted meanwhile
        choices, far = [], USUAL.far
    return [
        gr.Dropdown(_shelves(mixer), value=shelf, visible=visible),
        gr.Dropdown(choices, value=key if choices else None, visible=visible),
        gr.Slider(-far, far, value=max(-far, min(far, amount)), visible=visible),
    ]


def turned(mix: Mix, *values: Any) -> Mix:
    """The mix that the controls stand for."""
    content, edit, amount, layers, strength, edge, right, down, carry = values
    return replace(
        mix,
        content=content,
        edit=edit or mix.edit,
        amount=float(amount),
        layers=layers,
        strength=float(strength) / 100,
        edge=float(edge) / 100,
        shift=(round(float(right) / 100, 4), round(float(down) / 100, 4)),
        carry=carry,
    )


def arrange(mixer: Mixer, visitor: Visitor, mix: Mix) -> list[Any]:
    """Updates of all controls, for a mix that did not come from them."""
    return [
        gr.Radio(value=mix.content),
        *editing_shown(mixer, visitor, mix.content, mix.edit, mix.amount)[1:],
        gr.Radio(value=mix.layers),
        gr.Slider(value=100 * mix.strength),
        gr.Slider(value=100 * mix.edge),
        gr.Slider(value=100 * mix.shift[0]),
        gr.Slider(value=100 * mix.shift[1]),
        gr.Radio(value=mix.carry),
    ]
