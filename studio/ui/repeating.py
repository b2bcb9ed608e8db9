"""What cells with a result to repeat share: a link to it, and the button that takes a saved picture up again."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import gradio as gr

from studio.ui.lanes import PRIVATE
from studio.ui.run_events import QUICK

_COPY = """query => {
  const link = location.origin + location.pathname + query.slice(query.indexOf('?'));
  navigator.clipboard?.writeText(link).catch(() => {});
  return link;
}"""


@dataclass(frozen=True, eq=False)
class Link:
    """A button that makes an address, and where it is shown."""

    button: gr.Button
    address: gr.Textbox

    def connect(self, query: Callable[..., gr.Textbox], inputs: list[Any]) -> None:
        """Let a click show the whole address whose end `query` makes of these inputs, and copy it."""
        told = self.button.click(query, inputs, self.address, **QUICK | PRIVATE)
        told.success(None, self.address, self.address, js=_COPY, **PRIVATE)


def link_to(what: str, info: str, prefix: str) -> Link:
    """Build the components."""
    button = gr.Button(f"Copy a link to {what}", elem_id=f"{prefix}-link")
    return Link(button, gr.Textbox(label="Link", info=info, visible=False, elem_id=f"{prefix}-address", buttons=["copy"]))


def repeat_button(carries: str, prefix: str) -> gr.UploadButton:
    """Build the button, and a line that says what a picture of this cell carries; whatever picture comes, its own tab opens."""
    button = gr.UploadButton("Repeat a saved picture (PNG) or video (MP4)", file_types=[".png", ".mp4"], elem_id=f"{prefix}-repeat")
    gr.Markdown(f"A picture saved here carries its recipe: {carries}.", elem_classes="status")
    return button
