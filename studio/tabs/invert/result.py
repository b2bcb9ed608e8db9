"""What the tab Invert shows of a finished run: pictures to compare, figures, downloads."""

from dataclasses import dataclass, fields, replace
from typing import Any

import gradio as gr
from PIL import Image as Pil

import engines.invert
from engines.core.images import jpeg_bytes, png_bytes, to_picture
from engines.edit.codes import write_codes
from engines.faces import paste_back
from engines.plugins import AnyEngine
from engines.spaces.statistics import statistics
from studio.services.photo_pipeline import in_full, small
from studio.services.snippets import knob_arguments, program
from studio.state.lab_book import Made
from studio.state.moments import Moment, say
from studio.state.results import Kept
from studio.state.session import Session
from studio.ui.cell import code
from studio.ui.plots import error_map
from studio.ui.repeating import repeat_button
from studio.ui.run_control import Updates
from studio.ui.run_events import offer
from studio.ui.terms import explained
from studio.ui.ways import next_steps

VIEWS = ("Before and after", "Photo", "Inversion", "Error map")
SMALL_NETWORK = (
    "A small encoder answered, trained for this studio on a CPU: a likeness in a second, often not the same person. "
    "“Recommended” takes longer and keeps the person."
)
METRICS = {
    "lpips": ("LPIPS", "{:.3f}", "perceptual distance: 0 is equal, lower is better"),
    "mse": ("MSE", "{:.4f}", "mean squared error on [-1, 1], lower is better"),
    "psnr": ("PSNR", "{:.1f} dB", "higher is better"),
    "ms_ssim": ("MS-SSIM", "{:.3f}", "structure kept: 1 is equal"),
    "identity_distance": ("Identity distance", "{:.2f}", "same person below about 0.55"),
    "unrelated_mse": ("Change of another face", "{:.4f}", "MSE between a random face before and after the tuning: 0 is untouched"),
    "locality_distance": ("Distance of other faces", "{:.1f}", "from the pivot, in lengths of w, while tuning"),
    "tuning_megabytes": ("Weight change", "{:.1f} MB", "in half precision, on the shelf and in the file"),
    "drift": ("W+ spread", "{:.2f}", "how far the layers' codes differ, in standard deviations of W: small ones edit better"),
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
    edit: gr.Button
    mix: gr.Button
    map: gr.Button
    repeat: gr.UploadButton

    @property
    def results(self) -> list[Any]:
        """All of them: what one run leaves goes together, and nothing of it stays beside another's."""
        return [getattr(self, each.name) for each in fields(self) if each.name != "repeat"]


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
        with gr.Column(scale=1, min_width=280, elem_classes="results"):
            onward = next_steps("invert")
            metrics = gr.Markdown("Figures appear here after a run.", elem_id="invert-metrics")
            keep = gr.Button("Put on the shelf", interactive=False, elem_id="invert-keep")
            inversion_file = gr.DownloadButton(
                f"Download the inversion (PNG, {session.generator.resolution} px)", interactive=False, elem_id="invert-download"
            )
            pasted_file = gr.DownloadButton("Download it pasted back into the photo", interactive=False, elem_id="invert-download-pasted")
            code_file = gr.DownloadButton("Download the code (safetensors)", interactive=False, elem_id="invert-download-code")
            repeat = repeat_button("which method, its settings and the photo's hash, and not the photo", "invert")
    files = (inversion_file, pasted_file, code_file)
    return Outputs(preview, curve, slider, picture, view, metrics, *files, keep, code("invert"), stages, *onward, repeat)


def viewed(kept: Kept, view: str) -> Pil.Image | None:
    """The picture of a view, or nothing where the view is the slider."""
    if view == VIEWS[1]:
        return to_picture(kept.target)
    if view == VIEWS[2]:
        return to_picture(kept.images)
    if view == VIEWS[3]:
        return error_map(kept.images[:1], kept.target)
    return None


@dataclass(frozen=True, eq=False)
class Drawn:
    """A finished result as the page shows it.

    Attributes:
        kept: The result, in full and measured.
        face: The aligned photo.
        picture: The same, redrawn.
    """

    kept: Kept
    face: Pil.Image
    picture: Pil.Image


def finished(session: Session, kept: Kept, recipe: str = "") -> Drawn:
    """Draw a result in full and measure it, unless both was done; the recipe says how it was made."""
    if not kept.figures:
        whole = in_full(session, kept)
        kept = replace(whole, figures=_figures(session, whole), recipe=recipe or kept.recipe)
    return Drawn(kept, to_picture(kept.target), to_picture(kept.images))


def shown(session: Session, drawn: Drawn, out: Outputs) -> Updates:
    """A finished result on the page, offered for download."""
    kept = drawn.kept
    pasted = paste_back(kept.photo, drawn.picture, kept.alignment)
    return {
        out.slider: gr.ImageSlider((drawn.face, drawn.picture), visible=True),
        out.picture: gr.Image(visible=False),
        out.view: gr.Radio(value=VIEWS[0], visible=True),
        out.metrics: _table(kept, by_small_network=_is_by_small_network(session, kept)),
        out.inversion_file: gr.DownloadButton(value=offer("inversion.png", png_bytes(drawn.picture, kept.recipe)), interactive=True),
        out.pasted_file: gr.DownloadButton(value=offer("photo-with-inversion.jpg", jpeg_bytes(pasted)), interactive=True),
        out.code_file: gr.DownloadButton(value=offer("inversion.safetensors", write_codes(kept.inversion)), interactive=True),
        out.keep: gr.Button(interactive=True),
        **{button: gr.Button(interactive=True) for button in (out.edit, out.mix, out.map)},
        out.stages: _gallery(kept),
    }


def _figures(session: Session, kept: Kept) -> dict[str, float]:
    """What is measured of a result that is there in full, and what its method measured."""
    target = kept.target.to(session.generator.device)
    figures = {**session.reconstruction(kept.images[:1].to(target), target), **kept.result.metrics}
    return figures | {"drift": statistics(session.generator).w_plus_spread(kept.inversion.latent.codes)}


def made(session: Session, drawn: Drawn, chosen: type[AnyEngine], knobs: Any, moment: Moment) -> Made:
    """A finished run as an entry of the lab book: it begins with the aligned face, whoever aligned it.

    Args:
        session: Who computed it.
        drawn: The result.
        chosen: The method.
        knobs: Its settings.
        moment: The run's last: of one that did not come to its end, the lines go further.
    """
    kept = drawn.kept
    figures = [f"{title} {form.format(kept.figures[name])}" for name, (title, form, _) in METRICS.items() if name in kept.figures][:5]
    exact = moment.is_whole and not kept.beside
    beside = "" if not kept.beside else f" Tuned along with {len(kept.beside)} of the shelf, which these lines leave out."
    code = program(f'''
generator = load_generator("{session.generator.name}")
target = to_tensor(read_image(Path("face.png")))
result = create("{chosen.card.name}", generator)(InvertRequest(image=target){knob_arguments(knobs)})
to_picture(result.images[:1]).save("inversion.png")
''')
    words = f"{say(moment)}{beside} {' · '.join(figures)}"
    files, face = {"face.png": png_bytes(drawn.face)}, write_codes(kept.inversion)
    return Made("Invert", kept.method, words, code, "inversion.png", files, exact, face=face)


def _gallery(kept: Kept) -> gr.Gallery:
    """Pictures on the way, and further ones of the same run, each with its name; nothing where there are none."""
    result = kept.result
    table = result.tables.get("steps")
    told = {f"step {row[0]}": f"step {row[0]} · LPIPS {row[2]:.3f}" for row in table.rows} if table else {}
    named = [(to_picture(image), told.get(name, name)) for name, image in result.stages.items()]
    further = [(to_picture(image[None]), f"variant {index}") for index, image in enumerate(kept.images[1:], 1)]
    shown = [(small(picture), name) for picture, name in named + further]
    return gr.Gallery(shown, visible=bool(shown))


def _is_by_small_network(session: Session, kept: Kept) -> bool:
    """Whether networks alone answered, all of which were trained for this project on a CPU."""
    return any(engine.one_pass and engine.card.title == kept.method for engine in session.offered(engines.invert))


def _table(kept: Kept, *, by_small_network: bool) -> str:
    inversion = kept.inversion
    space = {"w": "W, 1 vector", "w_plus": "W+, 16 vectors"}.get(inversion.latent.space, inversion.latent.space)
    if "grid" in inversion.features:
        space += " and a stylemap of {2} x {3}".format(*inversion.features["grid"].shape)
    if inversion.tuning:
        space += ", tuned weights" + (f" shared with {len(kept.beside)} of the shelf" if kept.beside else "")
    known = {name: row for name, row in METRICS.items() if name in kept.figures}
    rows = [f"| {explained(title)} | **{form.format(kept.figures[name])}** | {meaning} |" for name, (title, form, meaning) in known.items()]
    small_network = f"{SMALL_NETWORK}\n\n" if by_small_network else ""
    head = f"**{kept.method}** · {kept.seconds:.1f} s · {space}\n\n{small_network}| figure | value | reading |\n|---|---|---|\n"
    return head + "\n".join(rows)


def snippet(generator: str, chosen: type[AnyEngine], knobs: Any) -> str:
    """The lines of Python that run the chosen method with these knobs."""
    return program(f'''
generator = load_generator("{generator}")
photo = read_image(Path("photo.jpg"))
target = to_tensor(align(photo, find_faces(photo)[0].alignment))
result = create("{chosen.card.name}", generator)(InvertRequest(image=target){knob_arguments(knobs)})
to_picture(result.images).save("inversion.png")
''')
