"""What the tab Invert shows of a finished run: pictures to compare, figures, downloads."""

from dataclasses import dataclass, replace
from typing import Any

import gradio as gr
import torch
from PIL import Image as Pil
from safetensors.torch import save

from engines import Inversion, Result
from engines.core.images import jpeg_bytes, png_bytes, to_picture
from engines.faces import paste_back
from engines.spaces.statistics import statistics
from studio.cell import code
from studio.controls import Panel
from studio.events import offer
from studio.photo import small
from studio.plots import error_map
from studio.session import Session
from studio.shelf import Desk, Kept

VIEWS = ("Before and after", "Photo", "Inversion", "Error map")
METRICS = {
    "lpips": ("LPIPS", "{:.3f}", "perceptual distance: 0 is equal, lower is better"),
    "mse": ("MSE", "{:.4f}", "mean squared error on [-1, 1], lower is better"),
    "psnr": ("PSNR", "{:.1f} dB", "higher is better"),
    "ms_ssim": ("MS-SSIM", "{:.3f}", "structure kept: 1 is equal"),
    "identity_distance": ("Identity distance", "{:.2f}", "same person below about 0.55"),
    "unrelated_mse": ("Change of another face", "{:.4f}", "MSE between a random face before and after the tuning: 0 is untouched"),
    "locality_distance": ("Distance of other faces", "{:.1f}", "from the pivot, in lengths of w, while tuning"),
    "tuning_megabytes": ("Weight change", "{:.1f} MB", "in half precision, on the shelf and in the file"),
    "drift": ("Drift", "{:.2f}", "how far the layers' codes differ, in W's deviations: small ones edit better"),
}


@dataclass(frozen=True, eq=False)
class Outputs:
    """Components that a finished run fills."""

    preview: gr.Image
    curve: gr.HTML
    slider: gr.ImageSlider
    picture: gr.Image
    view: gr.Radio
    metrics: gr.Markdown
    inversion_file: gr.DownloadButton
    pasted_file: gr.DownloadButton
    code_file: gr.DownloadButton
    keep: gr.Button
    code: gr.Code
    stages: gr.Gallery


def result_cell(session: Session, preview: gr.Image, curve: gr.HTML) -> Outputs:
    """The cell's components; `preview` and `curve` stand in the cell before."""
    with gr.Row():
        with gr.Column(scale=2):
            view = gr.Radio(list(VIEWS), value=VIEWS[0], label="View", elem_id="invert-view", visible=False)
            slider = gr.ImageSlider(
                label="Photo | inversion", height=560, max_height=560, interactive=False, elem_id="invert-slider", format="webp"
            )
            picture = gr.Image(height=560, interactive=False, visible=False, elem_id="invert-picture", format="webp", show_label=False)
            stages = gr.Gallery(
                label="On the way", columns=5, height="auto", object_fit="contain", visible=False, elem_id="invert-stages", format="webp"
            )
        with gr.Column(scale=1, min_width=280):
            metrics = gr.Markdown("Figures appear here after a run.", elem_id="invert-metrics")
            keep = gr.Button("Put on the shelf", variant="primary", interactive=False, elem_id="invert-keep")
            inversion_file = gr.DownloadButton(
                f"Download the inversion (PNG, {session.generator.resolution} px)", interactive=False, elem_id="invert-download"
            )
            pasted_file = gr.DownloadButton("Download it pasted back into the photo", interactive=False, elem_id="invert-download-pasted")
            code_file = gr.DownloadButton("Download the code (safetensors)", interactive=False, elem_id="invert-download-code")
    snippet = code("invert")
    return Outputs(preview, curve, slider, picture, view, metrics, inversion_file, pasted_file, code_file, keep, snippet, stages)


def viewed(kept: Kept, view: str) -> Pil.Image | None:
    """The picture of a view, or nothing where the view is the slider."""
    if view == VIEWS[1]:
        return to_picture(kept.target)
    if view == VIEWS[2]:
        return to_picture(kept.result.images)
    if view == VIEWS[3]:
        return error_map(kept.result.images[:1], kept.target.to(kept.result.images))
    return None


def conclusion(session: Session, desk: Desk, out: Outputs) -> dict[Any, Any]:
    """Draw what is kept in full, measure it, and offer it for download."""
    assert desk.kept is not None
    kept = in_full(session, desk.kept)
    desk.kept = kept
    inversion, target = kept.result.inversions[0], kept.target.to(session.generator.device)
    figures = session.reconstruction(kept.result.images[:1], target)
    figures |= kept.result.metrics
    figures["drift"] = statistics(session.generator).drift(inversion.latent.codes)
    picture = to_picture(kept.result.images)
    pasted = paste_back(kept.photo, picture, kept.alignment)
    return {
        out.slider: gr.ImageSlider((to_picture(kept.target), picture), visible=True),
        out.picture: gr.Image(visible=False),
        out.view: gr.Radio(value=VIEWS[0], visible=True),
        out.metrics: _table(figures, kept),
        out.inversion_file: gr.DownloadButton(value=offer("inversion.png", png_bytes(picture)), interactive=True),
        out.pasted_file: gr.DownloadButton(value=offer("photo-with-inversion.jpg", jpeg_bytes(pasted)), interactive=True),
        out.code_file: gr.DownloadButton(value=offer("inversion.safetensors", _code_bytes(inversion)), interactive=True),
        out.keep: gr.Button(interactive=True),
        out.stages: _gallery(kept.result),
    }


def _gallery(result: Result) -> gr.Gallery:
    """Pictures on the way, and further ones of the same run, each with its name; nothing where there are none."""
    table = result.tables.get("steps")
    told = {f"step {row[0]}": f"step {row[0]} · LPIPS {row[2]:.3f}" for row in table.rows} if table else {}
    named = [(to_picture(image), told.get(name, name)) for name, image in result.stages.items()]
    further = [(to_picture(image[None]), f"variant {index}") for index, image in enumerate(result.images[1:], 1)]
    shown = [(small(picture), name) for picture, name in named + further]
    return gr.Gallery(shown, visible=bool(shown))


def in_full(session: Session, kept: Kept) -> Kept:
    """The same with the full picture, where only a preview was at hand."""
    if kept.result.images.shape[-1] == session.generator.resolution:
        return kept
    inversion = kept.result.inversions[0]
    with torch.no_grad():
        image = session.generator.synthesize(inversion.latent, tuning=inversion.tuning, features=inversion.features)
    return replace(kept, result=replace(kept.result, images=image))


def _table(figures: dict[str, float], kept: Kept) -> str:
    inversion = kept.result.inversions[0]
    space = {"w": "W, 1 vector", "w_plus": "W+, 16 vectors"}.get(inversion.latent.space, inversion.latent.space)
    if "grid" in inversion.features:
        space += " and a grid of {2} x {3}".format(*inversion.features["grid"].shape)
    if inversion.tuning:
        space += ", tuned weights" + (f" shared with {len(kept.beside)} of the shelf" if kept.beside else "")
    known = {name: row for name, row in METRICS.items() if name in figures}
    rows = [f"| {title} | **{form.format(figures[name])}** | {meaning} |" for name, (title, form, meaning) in known.items()]
    head = f"**{kept.method}** · {kept.seconds:.1f} s · {space}\n\n| figure | value | reading |\n|---|---|---|\n"
    return head + "\n".join(rows)


def _code_bytes(inversion: Inversion) -> bytes:
    tensors = {"codes": inversion.latent.codes, **inversion.features} | {
        f"tuning/{name}": value for name, value in inversion.tuning.items()
    }
    return save({name: value.contiguous() for name, value in tensors.items()}, {"space": inversion.latent.space})


def snippet(chosen: Panel, knobs: Any) -> str:
    """The lines of Python that run the chosen method with these knobs."""
    return f'''from pathlib import Path

from engines import InvertRequest, create, load_generator
from engines.core.images import read_image, to_picture, to_tensor
from engines.faces import align, find_faces

generator = load_generator("ffhq")
photo = read_image(Path("photo.jpg"))
target = to_tensor(align(photo, find_faces(photo)[0].alignment))
result = create("{chosen.engine.card.name}", generator)(InvertRequest(image=target){turned(knobs)})
to_picture(result.images).save("inversion.png")
'''


def turned(knobs: Any) -> str:
    """Knobs that are not at their defaults, as further arguments of a call."""
    defaults = type(knobs)()
    names = [declared.name for declared in knobs.declared()]
    return "".join(f", {name}={getattr(knobs, name)!r}" for name in names if getattr(knobs, name) != getattr(defaults, name))
