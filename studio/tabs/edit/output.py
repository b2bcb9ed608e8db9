"""The cell of what is kept: the full picture beside the one before, its side effects, the download, the lines of Python."""

from dataclasses import dataclass

import gradio as gr

from studio.ui.cell import code
from studio.ui.repeating import Link, link_to, repeat_button
from studio.ui.side_effect_meter import UNMEASURED


@dataclass(frozen=True, eq=False)
class EditOutput:
    """The cell's components."""

    compare: gr.ImageSlider
    meter: gr.HTML
    download: gr.DownloadButton
    keep: gr.Button
    link: Link
    repeat: gr.UploadButton
    snippet: gr.Code


def output_cell(resolution: int) -> EditOutput:
    """Build the components."""
    with gr.Row():
        with gr.Column(scale=2, min_width=320):
            label = f"Before | after, {resolution} px"
            compare = gr.ImageSlider(label=label, interactive=False, height=520, max_height=520, elem_id="edit-compare", format="webp")
        with gr.Column(scale=1, min_width=280, elem_classes="results"):
            meter = gr.HTML(UNMEASURED, elem_id="edit-meter")
            download = gr.DownloadButton("Download the edited picture (PNG)", interactive=False, elem_id="edit-download")
            keep = gr.Button("Put the edited face on the shelf", elem_id="edit-keep")
            info = "Opens this page with this face and these sliders, wherever it is open to whom you give it."
            link = link_to("this edit", info, "edit")
            repeat = repeat_button("which face, and how its sliders stood", "edit")
    return EditOutput(compare, meter, download, keep, link, repeat, code("edit"))
