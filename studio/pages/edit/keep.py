"""The cell of what is kept: the full picture beside the one before, its side effects, the download, the lines of Python."""

from dataclasses import dataclass

import gradio as gr

from studio.cell import code
from studio.pages.edit.meter import UNMEASURED


@dataclass(frozen=True, eq=False)
class Keeping:
    """The cell's components."""

    compare: gr.ImageSlider
    meter: gr.HTML
    download: gr.DownloadButton
    keep: gr.Button
    snippet: gr.Code


def keeping_cell(resolution: int) -> Keeping:
    """Build the components."""
    with gr.Row():
        with gr.Column(scale=2, min_width=320):
            label = f"Before | after, {resolution} px"
            compare = gr.ImageSlider(label=label, interactive=False, height=520, max_height=520, elem_id="edit-compare", format="webp")
        with gr.Column(scale=1, min_width=280):
            meter = gr.HTML(UNMEASURED, elem_id="edit-meter")
            download = gr.DownloadButton("Download the edited picture (PNG)", interactive=False, elem_id="edit-download")
            keep = gr.Button("Put the edited face on the shelf", elem_id="edit-keep")
    return Keeping(compare, meter, download, keep, code("edit"))
