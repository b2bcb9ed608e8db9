"""Codes that come back: a file saved here, or a w, w_plus or z from elsewhere, becomes a face on the shelf and is edited at once."""

from dataclasses import dataclass
from typing import Any

import gradio as gr

from engines.core.errors import StudioError
from engines.core.images import to_picture
from engines.edit.codes import read_codes
from engines.generators.incremental import draw_inversion
from studio.services.user_directions import plain
from studio.serving.lines import FILES as FILES_LINE
from studio.state.session import Session
from studio.state.visitor import Visitor
from studio.ui.inputs import content
from studio.ui.lanes import PRIVATE
from studio.ui.run_control import Updates
from studio.ui.run_events import spoken
from studio.ui.shelf_strip import Strip

FILES: dict[str, Any] = {"concurrency_id": FILES_LINE} | PRIVATE
"""Events that read a file from outside: one at a time, since each may take some hundred megabytes."""


@dataclass(frozen=True, eq=False)
class BringCode:
    """The components."""

    file: gr.UploadButton
    status: gr.Markdown


def shelve(session: Session, visitor: Visitor, data: bytes, name: str) -> tuple[str, str]:
    """Put the codes of a file on the shelf; returns the key of the last and what to say.

    Raises:
        StudioError: It holds none, or the shelf is full.
    """
    inversions = read_codes(data, name, session.generator)
    title = plain(name.rsplit(".", 1)[0], "saved code")
    for number, inversion in enumerate(inversions, 1):
        numbered = title if len(inversions) == 1 else f"{title[:32]} {number}"
        key = visitor.put(numbered, to_picture(draw_inversion(session.generator, inversion, session.live_size)), inversion).key
    space = {"w": "W", "z": "Z", "w_plus": "W+", "s": "S"}[inversion.latent.space]
    one = f"A face's code of {space} is on the shelf as “{title}”"
    return key, f"{one if len(inversions) == 1 else f'{len(inversions)} codes of {space} are on the shelf'}, and is what the sliders turn."


def bring_code_part() -> BringCode:
    """Build the components."""
    with gr.Row(elem_classes="said"):
        file = gr.UploadButton("Upload a saved code", elem_id="edit-bring", size="sm", min_width=160)
        status = gr.Markdown(
            "A code saved in the tab Invert (.safetensors), or a w, w_plus or z of StyleGAN2-FFHQ (.npy, .npz, .pt).",
            elem_id="edit-bring-status",
            elem_classes="status",
        )
    return BringCode(file, status)


def connect_bring_code(session: Session, strip: Strip, part: BringCode, kind: gr.Radio) -> Any:
    """The upload's event, after which the face is the one that was brought."""

    @spoken
    def bring(path: str | None, request: gr.Request) -> Updates:
        """Read a saved code, put it on the shelf and choose it there."""
        if path is None:
            raise StudioError("Choose a file first.")
        visitor = session.visitors.visitor(request)
        key, words = shelve(session, visitor, *content(path))
        return {part.status: words, kind: "Shelf"} | strip.show(visitor, key)

    return part.file.upload(bring, part.file, [part.status, kind, *strip.outputs], **FILES)
