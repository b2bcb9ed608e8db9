"""The tab Invert: a photo becomes a code, while one watches."""

import io
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import gradio as gr
import torch
from PIL import Image as Pil
from safetensors.torch import save

import engines.invert
from engines import Inversion, InvertRequest, Result
from engines.core.errors import FaceError, StudioError
from engines.core.images import png_bytes, to_picture
from engines.faces import alignment_from_box, paste_back
from engines.spaces.statistics import statistics
from studio.cell import cell, code, lesson, runner
from studio.controls import Panel, panel
from studio.events import QUICK, RUN_LANE, Moment, moments, offer, say, spoken
from studio.inputs import photo_input
from studio.photo import overlay, place, use
from studio.plots import error_map, loss_curve
from studio.session import Session, examples
from studio.shelf import Desk, Kept
from studio.strip import Strip

VIEWS = ("Before and after", "Photo", "Inversion", "Error map")
_METRICS = {
    "lpips": ("LPIPS", "{:.3f}", "perceptual distance: 0 is equal, lower is better"),
    "mse": ("MSE", "{:.4f}", "mean squared error on [-1, 1], lower is better"),
    "psnr": ("PSNR", "{:.1f} dB", "higher is better"),
    "ms_ssim": ("MS-SSIM", "{:.3f}", "structure kept: 1 is equal"),
    "identity_distance": ("Identity distance", "{:.2f}", "same person below about 0.55"),
    "drift": ("Drift", "{:.2f}", "how far the layers' codes differ, in W's deviations: small ones edit better"),
}


@dataclass(frozen=True, eq=False)
class _Outputs:
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


def build(session: Session, strip: Strip) -> None:
    """The tab's cells and events."""
    with cell(1, "A photo", "Choose a portrait. It is read on this machine, aligned as the generator's training faces were, and forgotten when you leave."):
        _photo_cell(session)
    with cell(2, "Invert it", "Pick a method and press Run: the code moves step by step until the generator redraws the face. Stop keeps the best so far."):
        panels, method, buttons, preview, curve = _method_cell(session)
    with cell(3, "Look at it", "Drag the divider, or choose a view (Tab and Space do it too). Then put the inversion on the shelf: the other tabs edit it."):
        out = _result_cell(preview, curve)
    _connect(session, strip, panels, method, buttons, out)


def _photo_cell(session: Session) -> None:
    with gr.Row():
        with gr.Column():
            photo = photo_input(label="Photo", height=320, elem_id="photo", buttons=[])
            gr.Markdown("Use photos of people who agree to it.", elem_classes="status")
            gr.Examples([[str(path)] for path in examples()], [photo], label="Examples", elem_id="photo-examples", api_visibility="private")
        with gr.Column():
            found = gr.Image(label="What was found", height=320, interactive=False, elem_id="photo-found", format="jpeg", buttons=["fullscreen"])
            sentence = gr.Markdown("", elem_id="photo-sentence", elem_classes="status")
            which = gr.Radio([], label="Which face", visible=False, elem_id="photo-which")
            with gr.Accordion("Place the crop by hand", open=False, elem_id="photo-box") as box:
                x = gr.Slider(0, 1, 0.5, step=0.01, label="Middle, from the left", elem_id="box-x")
                y = gr.Slider(0, 1, 0.45, step=0.01, label="Middle, from the top", elem_id="box-y")
                side = gr.Slider(0.05, 1.5, 0.8, step=0.01, label="Side, as a share of the photo's shorter side", elem_id="box-side")
        with gr.Column():
            aligned = gr.Image(label="Aligned", height=320, interactive=False, elem_id="photo-aligned", format="jpeg", buttons=["fullscreen"])

    outputs = [found, sentence, which, box, aligned]

    def choose_photo(path: str | None, request: gr.Request) -> list[Any]:
        """Read, find faces, align the largest."""
        desk = session.visitors.desk(request.session_hash)
        if path is None:
            return [None, "", gr.Radio(visible=False), gr.skip(), None]
        try:
            words = place(session, desk, path)
        except StudioError as error:
            gr.Warning(str(error), duration=12)
            return [None, f"⚠️ {error}", gr.Radio(visible=False), gr.skip(), None]
        names = [f"Face {index + 1}" for index in range(len(desk.faces))]
        radio = gr.Radio(names, value=names[0] if names else None, visible=len(names) > 1)
        return [overlay(desk), words, radio, gr.Accordion(open=not names), _small(desk)]

    @spoken
    def choose_face(name: str | None, request: gr.Request) -> list[Any]:
        """Align another of the faces found."""
        desk = session.visitors.desk(request.session_hash)
        index = int((name or "Face 1").removeprefix("Face ")) - 1
        if not 0 <= index < len(desk.faces):
            raise FaceError("That face is no longer there. Choose the photo again.")
        use(session, desk, desk.faces[index].alignment)
        return [overlay(desk), desk.faces[index].warning or f"{name} is aligned.", _small(desk)]

    @spoken
    def choose_box(x: float, y: float, side: float, request: gr.Request) -> list[Any]:
        """Align by the box placed by hand."""
        desk = session.visitors.desk(request.session_hash)
        if desk.photo is None:
            raise FaceError("There is no photo yet. Choose one, or click an example.")
        use(session, desk, alignment_from_box(desk.photo.size, x, y, side))
        return [overlay(desk), "Aligned by hand.", _small(desk)]

    photo.change(choose_photo, photo, outputs, concurrency_id="photo", concurrency_limit=1, api_visibility="private", show_progress_on=[found])
    which.input(choose_face, which, [found, sentence, aligned], **QUICK)
    gr.on(
        [slider.input for slider in (x, y, side)],
        choose_box,
        [x, y, side],
        [found, sentence, aligned],
        trigger_mode="always_last",
        show_progress="hidden",
        concurrency_id="photo",
        api_visibility="private",
    )


def _small(desk: Desk) -> Pil.Image | None:
    return None if desk.target is None else to_picture(desk.target).resize((512, 512), Pil.Resampling.LANCZOS)


def _method_cell(session: Session) -> tuple[list[Panel], gr.Radio, Any, gr.Image, gr.HTML]:
    offered = session.offered(engines.invert)
    titles = [(engine.card.title, engine.card.name) for engine in offered]
    default = "image2stylegan" if "image2stylegan" in dict(map(reversed, titles)) else titles[0][1]  # type: ignore[call-overload]
    with gr.Row():
        with gr.Column(scale=2):
            method = gr.Radio(titles, value=default, label="Method", elem_id="invert-method")
            panels, groups = [], []
            for engine in offered:
                with gr.Column(visible=engine.card.name == default, elem_classes="knobs") as group:
                    panels.append(panel(engine, f"invert-{engine.card.name}"))
                groups.append(group)
            lesson(*[engine.card.name for engine in offered])
        with gr.Column(scale=1, min_width=300):
            buttons = runner("invert")
            preview = gr.Image(label="The picture so far", height=300, interactive=False, format="jpeg", elem_id="invert-preview", buttons=[])
            curve = gr.HTML("", elem_id="invert-curve")
    method.change(
        lambda name: [gr.Column(visible=engine.card.name == name) for engine in offered], method, groups, queue=False, api_visibility="private"
    )
    return panels, method, buttons, preview, curve


def _result_cell(preview: gr.Image, curve: gr.HTML) -> _Outputs:
    with gr.Row():
        with gr.Column(scale=2):
            view = gr.Radio(list(VIEWS), value=VIEWS[0], label="View", elem_id="invert-view", visible=False)
            slider = gr.ImageSlider(label="Photo | inversion", height=560, max_height=560, interactive=False, elem_id="invert-slider", format="webp")
            picture = gr.Image(height=560, interactive=False, visible=False, elem_id="invert-picture", format="webp", show_label=False)
        with gr.Column(scale=1, min_width=280):
            metrics = gr.Markdown("Figures appear here after a run.", elem_id="invert-metrics")
            keep = gr.Button("Put on the shelf", variant="primary", interactive=False, elem_id="invert-keep")
            inversion_file = gr.DownloadButton("Download the inversion (PNG, 1024 px)", interactive=False, elem_id="invert-download")
            pasted_file = gr.DownloadButton("Download it pasted back into the photo", interactive=False, elem_id="invert-download-pasted")
            code_file = gr.DownloadButton("Download the code (safetensors)", interactive=False, elem_id="invert-download-code")
    snippet = code("invert")
    return _Outputs(preview, curve, slider, picture, view, metrics, inversion_file, pasted_file, code_file, keep, snippet)


def _connect(session: Session, strip: Strip, panels: list[Panel], method: gr.Radio, buttons: Any, out: _Outputs) -> None:
    controls = [control for panel in panels for control in panel.controls]
    finished = [out.slider, out.picture, out.view, out.metrics, out.inversion_file, out.pasted_file, out.code_file, out.keep, out.code]

    @spoken
    def claim(request: gr.Request) -> str:
        """Reserve the visitor's one run, or say why not."""
        desk = session.visitors.desk(request.session_hash)
        if desk.target is None:
            raise FaceError("There is no aligned face yet. Choose a photo in the first cell, or click an example.")
        if desk.running:
            raise StudioError("Your last run is still going. Wait for it, or press Stop first.")
        desk.running = True
        return "Waiting for its turn …"

    @spoken
    def run_method(request: gr.Request, name: str, *values: Any) -> Iterator[dict[Any, Any]]:
        """Run the chosen method on the aligned photo."""
        desk = session.visitors.desk(request.session_hash)
        try:
            chosen, knobs = _chosen(panels, name, values)
            engine = session.engine(name)
            start = time.perf_counter()

            def keep(result: Result) -> None:
                desk.kept = Kept(result, target, alignment, photo, chosen.engine.card.title, time.perf_counter() - start)

            target, alignment, photo = desk.target, desk.alignment, desk.photo
            assert target is not None and alignment is not None and photo is not None
            run = engine.run(InvertRequest(image=target), knobs)
            for moment in moments(run, keep, session.settings.run_seconds):
                yield _live(moment, buttons, out)
            yield _conclusion(session, desk, out) | {out.code: _snippet(chosen, knobs)}
        finally:
            desk.running = False

    @spoken
    def stop(request: gr.Request) -> dict[Any, Any]:
        """What Stop leaves: the best so far, drawn in full and measured."""
        desk = session.visitors.desk(request.session_hash)
        was_running, desk.running = desk.running, False
        if desk.kept is None or not was_running:
            return {buttons.status: "Stopped." if was_running else "Nothing is running."}
        words = f"Stopped after {desk.kept.seconds:.1f} s; the best so far is below."
        return {buttons.status: words} | _conclusion(session, desk, out)

    def release(request: gr.Request) -> None:
        """After a run that could not start or went wrong."""
        session.visitors.desk(request.session_hash).running = False

    @spoken
    def show(name: str, request: gr.Request) -> list[Any]:
        """Switch the view."""
        kept = session.visitors.desk(request.session_hash).kept
        if kept is None:
            return [gr.skip(), gr.skip()]
        pictures = {VIEWS[1]: lambda: to_picture(kept.target), VIEWS[2]: lambda: to_picture(kept.result.images), VIEWS[3]: lambda: error_map(kept.result.images, kept.target.to(kept.result.images))}
        picture = pictures[name]() if name in pictures else None
        return [gr.ImageSlider(visible=picture is None), gr.Image(picture, visible=picture is not None)]

    @spoken
    def put_on_shelf(request: gr.Request) -> list[Any]:
        """Keep the inversion for the other tabs."""
        desk = session.visitors.desk(request.session_hash)
        if desk.kept is None or desk.running:
            raise StudioError("There is nothing to put on the shelf yet. Press Run first, and wait for its end or press Stop.")
        item = desk.put(f"{desk.kept.method}", to_picture(desk.kept.result.images), desk.kept.result.inversions[0])
        gr.Success("On the shelf. The tab Edit directions picks it up.")
        return strip.show(desk, item.key)

    claimed = buttons.run.click(claim, None, buttons.status, show_progress="hidden", **QUICK)
    running = claimed.success(
        run_method,
        [method, *controls],
        [buttons.status, out.preview, out.curve, *finished],
        concurrency_id=RUN_LANE,
        concurrency_limit=1,
        show_progress="hidden",
        api_visibility="private",
    )
    running.failure(release, None, None, queue=False, api_visibility="private")
    buttons.stop.click(stop, None, [buttons.status, *finished], cancels=[running], queue=False, api_visibility="private")
    out.view.change(show, out.view, [out.slider, out.picture], show_progress="hidden", **QUICK)
    out.keep.click(put_on_shelf, None, strip.outputs, **QUICK)


def _chosen(panels: list[Panel], name: str, values: tuple[Any, ...]) -> tuple[Panel, Any]:
    """The chosen engine's panel and its knobs, out of the values of all panels side by side."""
    position = 0
    for panel in panels:
        count = len(panel.controls)
        if panel.engine.card.name == name:
            return panel, panel.knobs(values[position : position + count])
        position += count
    raise StudioError(f"There is no method {name!r} here. Choose one of the list.")


def _live(moment: Moment, buttons: Any, out: _Outputs) -> dict[Any, Any]:
    changes: dict[Any, Any] = {buttons.status: say(moment)}
    if moment.history:
        changes[out.curve] = loss_curve(moment.history)
    if moment.progress.preview is not None and moment.result is None:
        changes[out.preview] = _preview(moment.progress.preview)
    return changes


def _preview(image: torch.Tensor) -> Pil.Image:
    picture = to_picture(image)
    return picture if picture.width <= 384 else picture.resize((384, 384), Pil.Resampling.BILINEAR)


def _conclusion(session: Session, desk: Desk, out: _Outputs) -> dict[Any, Any]:
    """Draw what is kept in full, measure it, and offer it for download."""
    assert desk.kept is not None
    kept = _in_full(session, desk.kept)
    desk.kept = kept
    inversion, target = kept.result.inversions[0], kept.target.to(session.generator.device)
    figures = session.reconstruction(kept.result.images, target)
    figures["drift"] = statistics(session.generator).drift(inversion.latent.codes)
    picture = to_picture(kept.result.images)
    pasted = paste_back(kept.photo, picture, kept.alignment)
    return {
        out.slider: gr.ImageSlider((to_picture(kept.target), picture), visible=True),
        out.picture: gr.Image(visible=False),
        out.view: gr.Radio(value=VIEWS[0], visible=True),
        out.metrics: _table(figures, kept),
        out.inversion_file: gr.DownloadButton(value=offer("inversion.png", png_bytes(picture)), interactive=True),
        out.pasted_file: gr.DownloadButton(value=offer("photo-with-inversion.jpg", _jpeg(pasted)), interactive=True),
        out.code_file: gr.DownloadButton(value=offer("inversion.safetensors", _code_bytes(inversion)), interactive=True),
        out.keep: gr.Button(interactive=True),
    }


def _in_full(session: Session, kept: Kept) -> Kept:
    """The same with the full picture, where only a preview was at hand."""
    if kept.result.images.shape[-1] == session.generator.resolution:
        return kept
    inversion = kept.result.inversions[0]
    with torch.no_grad():
        image = session.generator.synthesize(inversion.latent, tuning=inversion.tuning, features=inversion.features)
    return Kept(Result(image, (inversion,)), kept.target, kept.alignment, kept.photo, kept.method, kept.seconds)


def _table(figures: dict[str, float], kept: Kept) -> str:
    space = {"w": "W, 1 vector", "w_plus": "W+, 16 vectors"}.get(kept.result.inversions[0].latent.space, kept.result.inversions[0].latent.space)
    rows = [f"| {title} | **{form.format(figures[name])}** | {meaning} |" for name, (title, form, meaning) in _METRICS.items()]
    head = f"**{kept.method}** · {kept.seconds:.1f} s · {space}\n\n| figure | value | reading |\n|---|---|---|\n"
    return head + "\n".join(rows)


def _jpeg(picture: Pil.Image) -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, format="JPEG", quality=95)
    return buffer.getvalue()


def _code_bytes(inversion: Inversion) -> bytes:
    tensors = {"codes": inversion.latent.codes.contiguous()} | {name: value.contiguous() for name, value in inversion.features.items()}
    return save(tensors, {"space": inversion.latent.space})


def _snippet(chosen: Panel, knobs: Any) -> str:
    defaults = type(knobs)()
    changed = "".join(f", {d.name}={getattr(knobs, d.name)!r}" for d in knobs.declared() if getattr(knobs, d.name) != getattr(defaults, d.name))
    return f'''from pathlib import Path

from engines import InvertRequest, create, load_generator
from engines.core.images import read_image, to_picture, to_tensor
from engines.faces import align, find_faces

generator = load_generator("ffhq")
photo = read_image(Path("photo.jpg"))
target = to_tensor(align(photo, find_faces(photo)[0].alignment))
result = create("{chosen.engine.card.name}", generator)(InvertRequest(image=target){changed})
to_picture(result.images).save("inversion.png")
'''
