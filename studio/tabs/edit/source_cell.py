"""The cell that says which face is edited: a random one by seed, one from the shelf, or a photo or saved code that is uploaded here."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import gradio as gr

from studio.state.edits import Face
from studio.state.session import Session
from studio.tabs.edit.bring import BringCode, bring_code_part, connect_bring_code
from studio.tabs.edit.upload import UPLOAD, Reader, Upload, connect_upload, upload_part
from studio.ui.cell import fold
from studio.ui.inputs import seed_input
from studio.ui.lanes import AT_ONCE, PRIVATE
from studio.ui.run_events import QUICK
from studio.ui.shelf_strip import Strip


@dataclass(frozen=True, eq=False)
class Source:
    """The cell's components."""

    kind: gr.Radio
    seed: gr.Number
    truncation: gr.Slider
    another: gr.Button
    upload: Upload
    saved: BringCode

    @property
    def inputs(self) -> list[Any]:
        return [self.kind, self.seed, self.truncation]


def source_cell(session: Session) -> Source:
    """Build the components."""
    first = Face()
    with gr.Row():
        kind = gr.Radio(["Seed", "Shelf", UPLOAD], value=first.kind, label="Edit", elem_id="edit-kind")
        seed = seed_input(first.seed, "edit-seed", elem_classes=["seed", "with-button"])
        another = gr.Button("Another face", elem_id="edit-another", min_width=120)
    with fold("Truncation of a random face"):
        info = "0 is the average face, 1 the full variety"
        truncation = gr.Slider(0.0, 1.0, first.truncation, step=0.05, label="Truncation", info=info, elem_id="edit-truncation")
    return Source(kind, seed, truncation, another, upload_part(session), bring_code_part())


def connect_source(session: Session, source: Source, strip: Strip, face: gr.State, redraw_after: Callable[[Any], None]) -> None:
    """Whatever changes the face writes the state `face` and draws it."""
    chosen = [*source.inputs, strip.chosen]
    source.kind.change(_shown, source.kind, [source.seed, source.truncation, source.upload.group], **AT_ONCE)
    uploaded = connect_upload(Reader(session, strip, source.upload, source.kind))
    redraw_after(uploaded.success(facing, chosen, face, trigger_mode="multiple", **AT_ONCE))
    brought = connect_bring_code(session, strip, source.saved, source.kind)
    redraw_after(brought.success(facing, chosen, face, trigger_mode="multiple", **AT_ONCE))
    changed = [source.kind.input, source.seed.input, source.truncation.input]
    redraw_after(gr.on(changed, facing, chosen, face, trigger_mode="always_last", **AT_ONCE))
    stepped = source.another.click(_next_seed, source.seed, [source.kind, source.seed], **AT_ONCE)
    redraw_after(stepped.success(facing, chosen, face, trigger_mode="multiple", **AT_ONCE))
    taken = strip.gallery.select(lambda: "Shelf", None, source.kind, **AT_ONCE)
    redraw_after(taken.success(facing, chosen, face, trigger_mode="multiple", **AT_ONCE))
    arrived = gr.State(None)
    # the words about the shelf change when a tab puts something on it, and the state only if that was chosen there
    strip.hint.change(lambda key, before: key or before, [strip.chosen, arrived], arrived, **QUICK | PRIVATE)
    # a state's first value counts as a change, even if nothing was chosen
    arriving = arrived.change(lambda key: "Shelf" if key else gr.skip(), arrived, source.kind, **AT_ONCE)
    redraw_after(arriving.success(facing, chosen, face, trigger_mode="multiple", **AT_ONCE))


def facing(kind: str, seed: float | None, truncation: float, chosen: str | None) -> Any:
    """The `Face` that the components stand for; what does not matter for its kind is left out, so that equal faces are equal.

    While a photo is on its way, the face stays what it was.
    """
    if kind == UPLOAD:
        return gr.skip()
    return Face(kind, seed, truncation, None) if kind == "Seed" else Face(kind, None, 1.0, chosen)


def _shown(kind: str) -> list[Any]:
    """The inputs that belong to the kind."""
    return [gr.Number(visible=kind == "Seed"), gr.Slider(visible=kind == "Seed"), gr.Column(visible=kind == UPLOAD)]


def _next_seed(seed: float | None) -> list[Any]:
    return ["Seed", (int(seed or 0) + 1) % 2**31]
