"""The cell of sliders: up to eight directions at once, the layers they reach, what must stay, and the live picture."""

from dataclasses import dataclass, replace
from itertools import zip_longest
from typing import Any

import gradio as gr

from studio.services.editor import Editor
from studio.state.edits import AS_FOUND, MOST, USUAL, Edits, Turn
from studio.state.visitor import Visitor
from studio.ui import menus
from studio.ui.cell import fold

_NOTHING = Edits()
CUSTOM = "from … to"
_GROUPS = (AS_FOUND, "coarse", "middle", "fine", "all", CUSTOM)


@dataclass(frozen=True, eq=False)
class Sliders:
    """The cell's components."""

    rows: list[gr.Row]
    sliders: list[gr.Slider]
    asides: list[gr.HTML]
    removers: list[gr.Button]
    undo: gr.Button
    redo: gr.Button
    reset: gr.Button
    summary: gr.Markdown
    live: gr.Image
    keep: gr.CheckboxGroup
    which: gr.Dropdown
    layers: gr.Radio
    first: gr.Slider
    last: gr.Slider
    strip: gr.Gallery

    @property
    def range(self) -> list[Any]:
        """What says which layers one direction reaches."""
        return [self.which, self.layers, self.first, self.last]

    @property
    def arranged(self) -> list[Any]:
        """What `arrange` updates, in its order."""
        return [*self.rows, *self.sliders, self.keep, *self.range]


def board_cell(editor: Editor, edits: Edits) -> Sliders:
    """Build the components, as `edits` has them."""
    nobody = Visitor(0)
    names = [editor.library.title(turn.key, nobody) for turn in edits.turns]
    with gr.Row():
        with gr.Column(scale=2, min_width=300):
            rows, sliders, asides, removers = _pool(edits, names, [editor.library.ends(turn.key) for turn in edits.turns])
            with gr.Row():
                undo = gr.Button("Undo", elem_id="edit-undo", min_width=70)
                redo = gr.Button("Redo", elem_id="edit-redo", min_width=70)
                reset = gr.Button("Reset", elem_id="edit-reset", min_width=70)
            summary = gr.Markdown("No edit yet.", elem_id="edit-summary", elem_classes="status")
        with gr.Column(scale=3, min_width=320, elem_classes="watched"):
            live = gr.Image(label="Live preview", interactive=False, format="jpeg", elem_id="edit-live", height=560, buttons=["fullscreen"])
    titles = [(title, name) for name, title in editor.library.titles.items()]
    with fold("Keep attributes unchanged"):
        info = "Directions of W and Z lose what they share with these attributes, except their own; those of StyleSpace stay as they are."
        keep = gr.CheckboxGroup(titles, value=[], label="Keep these", info=info, elem_id="edit-keep-these")
    with fold("Inspect one direction: its layers, and five strengths"), gr.Column(elem_id="edit-one"):
        with gr.Row():
            which = menus.dropdown(
                [(name, turn.key) for name, turn in zip(names, edits.turns, strict=True)],
                value=edits.turns[0].key,
                label="One direction closely",
                elem_id="edit-which",
                min_width=220,
            )
            info = "coarse for pose and shape, middle for features, fine for colour"
            layers = gr.Radio(list(_GROUPS), value=AS_FOUND, label="Its layers", info=info, elem_id="edit-layers", min_width=280)
        last_slot = len(editor.session.generator.slots.active)
        with gr.Row():
            first = gr.Slider(1, last_slot, 1, step=1, label="From layer", visible=False, elem_id="edit-first")
            last = gr.Slider(1, last_slot, last_slot, step=1, label="To layer", visible=False, elem_id="edit-last")
        strip = gr.Gallery(
            columns=5,
            height=240,
            allow_preview=True,
            show_label=False,
            elem_id="edit-strip",
            interactive=False,
            buttons=["download"],
            format="jpeg",
        )
    return Sliders(rows, sliders, asides, removers, undo, redo, reset, summary, live, keep, which, layers, first, last, strip)


def _pool(edits: Edits, names: list[str], ends: list[str]) -> tuple[list[gr.Row], list[gr.Slider], list[gr.HTML], list[gr.Button]]:
    """As many sliders as can be used at once, each with its own small meter; those that are not yet used are hidden."""
    rows, sliders, asides, removers = [], [], [], []
    for index in range(MOST):
        used = index < len(names)
        with gr.Row(visible=used, elem_classes="turn", elem_id=f"edit-turn-{index + 1}") as row:
            with gr.Column(scale=6, min_width=200, elem_classes="turned"):
                sliders.append(
                    menus.slider(
                        -USUAL.far,
                        USUAL.far,
                        edits.turns[index].strength if used else 0,
                        step=0.1,
                        label=names[index] if used else "",
                        info=ends[index] if used else None,
                        elem_id=f"edit-slider-{index + 1}",
                        buttons=["reset"],
                    )
                )
                asides.append(gr.HTML("", elem_id=f"edit-aside-{index + 1}", padding=False))
            removers.append(gr.Button("✕", elem_id=f"edit-remove-{index + 1}", size="sm", scale=0, min_width=36))
        rows.append(row)
    return rows, sliders, asides, removers


def arrange(editor: Editor, visitor: Visitor, edits: Edits, chosen: str | None, stands: Edits = _NOTHING) -> list[Any]:
    """Updates of all sliders and of what stands below them, for edits that came from elsewhere.

    Sliders that stand right already, in `stands`, are told no value: a hand may be moving them by now.
    """
    names = [editor.library.title(turn.key, visitor) for turn in edits.turns]
    rows = [gr.Row(visible=index < len(names)) for index in range(MOST)]
    far = [editor.library.reach(turn.key, visitor).far for turn in edits.turns]
    right = [before == turn for before, turn in zip_longest(stands.turns, edits.turns)]
    sliders = [
        gr.Slider(-end, end, label=name, info=editor.library.ends(turn.key), **({} if stays else {"value": turn.strength}))
        for name, turn, end, stays in zip(names, edits.turns, far, right, strict=False)
    ]
    idle = [gr.skip() for _ in range(MOST - len(names))]
    keys = edits.keys
    chosen = chosen if chosen in keys else keys[-1] if keys else None
    which = gr.Dropdown([(name, key) for name, key in zip(names, keys, strict=True)], value=chosen)
    return [*rows, *sliders, *idle, gr.CheckboxGroup(value=list(edits.keep)), which, *range_of(editor, edits, chosen)]


def range_of(editor: Editor, edits: Edits, chosen: str | None) -> list[Any]:
    """Updates of the layer controls for the chosen direction."""
    layers = next((turn.layers for turn in edits.turns if turn.key == chosen), AS_FOUND)
    custom = layers not in _GROUPS
    first, last = layers.split("-") if custom else ("1", str(len(editor.session.generator.slots.active)))
    return [
        gr.Radio(value=CUSTOM if custom else layers),
        gr.Slider(value=int(first), visible=custom),
        gr.Slider(value=int(last), visible=custom),
    ]


def reaching(edits: Edits, chosen: str | None, layers: str, first: float, last: float) -> Edits:
    """The edits with the chosen direction in other layers."""
    turn = next((turn for turn in edits.turns if turn.key == chosen), None)
    if turn is None:
        return edits
    wanted = f"{int(min(first, last))}-{int(max(first, last))}" if layers == CUSTOM else layers
    return edits.with_turn(replace(turn, layers=wanted))


def words(editor: Editor, visitor: Visitor, edits: Edits) -> str:
    """The edits in a line."""

    titles = [editor.library.title(turn.key, visitor) for turn in edits.moving]
    brief = [title.rpartition(" · ")[0] for title in titles]

    def one(turn: Turn, title: str, name: str) -> str:
        name = name if brief.count(name) == 1 else title
        return f"{name} {turn.strength:+.1f}{'' if turn.layers == AS_FOUND else f' ({turn.layers})'}"

    kept = ", ".join(editor.library.titles.get(name, name) for name in edits.keep)
    said = "Edits: " + ", ".join(map(one, edits.moving, titles, brief)) + "." if edits.moving else "No edit yet."
    return f"{said} Kept: {kept}." if kept else said
