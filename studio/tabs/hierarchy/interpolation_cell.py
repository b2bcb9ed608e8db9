"""The cell of interpolation: from one set of codes to another, as a video."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import gradio as gr

from engines.core.errors import StudioError
from engines.core.images import to_picture
from engines.generators.finegan import FineCodes
from studio.media.animation import record
from studio.media.video import Film
from studio.services.finegan_sampler import Pick, large, whole
from studio.state.moments import STOPPED, moments
from studio.tabs.hierarchy.handlers import SamplerHandlers
from studio.ui.afresh import afresh
from studio.ui.cell import Runner, cell, runner
from studio.ui.lanes import LANE
from studio.ui.run_control import Going, Stopper, Updates, connect_stop, own_slots
from studio.ui.run_events import offer, spoken

_FRAMES, _FPS, _GIF_SIDE = 48, 24, 256
_MOST_FRAMES, _MOST_FPS = 240, 60
_PROSE = (
    "Keep two sets of codes, then watch one become the other. z is interpolated by slerp, the codes linearly: "
    "nobody trained the network on a bird that is half one child and half another."
)


@dataclass(frozen=True, eq=False)
class _Way:
    keeps: tuple[gr.Button, gr.Button]
    pictures: tuple[gr.Image, gr.Image]
    back: gr.Checkbox
    frames: gr.Number
    fps: gr.Number
    buttons: Runner
    video: gr.Video
    mp4: gr.DownloadButton
    gif: gr.DownloadButton


def film_cell(handlers: SamplerHandlers) -> None:
    """The cell and its events."""
    with cell("Interpolation", _PROSE, folded=True):
        way, ends = _parts(), (gr.State(None), gr.State(None))
    runs = Stopper(way.buttons, own_slots(handlers.sampler.session.visitors), handlers.sampler.session.lines)
    session = handlers.sampler.session

    @spoken
    def keep(pick: Pick) -> list[Any]:
        """The picked codes as one end of the way."""
        return [pick.codes, large(to_picture(handlers.sampler.draw(pick.codes).images))]

    def filmed(
        request: gr.Request, start: FineCodes | None, end: FineCodes | None, back: bool, frames: float | None, fps: float | None
    ) -> Going:
        if start is None or end is None:
            raise StudioError(
                "A way has two ends: pick codes above and press “Keep as the first”, pick others and press “Keep as the last”."
            )
        count, speed = whole(frames, _MOST_FRAMES + 1, "Frames", 2), whole(fps, _MOST_FPS + 1, "Frames a second", 1)
        film, codes = Film(speed, _GIF_SIDE), (start, end, start) if back else (start, end)
        run = record(handlers.sampler.drawing(codes, count), film, large)
        for moment in moments(run, session.settings.run_seconds, runs.slot(request).is_stopping):
            yield {way.buttons.status: f"Frame {film.count} of {count} · {moment.seconds:.1f} s"}
        if not film.count:
            return {way.buttons.status: STOPPED}
        path = offer("finegan.mp4", film.mp4())
        words = f"Stopped; the video has {film.count} frames." if moment.stopped else f"{film.count} frames in {moment.seconds:.1f} s."
        return {
            way.buttons.status: words,
            way.video: gr.Video(path, visible=True),
            way.mp4: gr.DownloadButton(value=path, interactive=True),
            way.gif: gr.DownloadButton(value=offer("finegan.gif", film.gif()), interactive=True),
        }

    @spoken
    def shoot(request: gr.Request, *values: Any) -> Iterator[Updates]:
        """Draw the video."""
        yield from runs.going(request, afresh([way.video, way.mp4, way.gif], filmed(request, *values)))

    for button, end, picture in zip(way.keeps, ends, way.pictures, strict=True):
        button.click(keep, handlers.told[0], [end, picture], **LANE)
    inputs = [*ends, way.back, way.frames, way.fps]
    runs.connect(shoot, inputs, [way.buttons.status, way.video, way.mp4, way.gif])
    connect_stop(runs)


def _parts() -> _Way:
    with gr.Row():
        with gr.Column(scale=1, min_width=300):
            with gr.Row():
                ends = [_end("first", "A"), _end("last", "B")]
            back = gr.Checkbox(True, label="There and back, in an endless loop", elem_id="hier-film-back")
            with gr.Row():
                frames = gr.Number(
                    _FRAMES, minimum=2, maximum=_MOST_FRAMES, step=1, label="Frames", elem_id="hier-film-frames", min_width=90
                )
                fps = gr.Number(_FPS, minimum=1, maximum=_MOST_FPS, step=1, label="Frames a second", elem_id="hier-film-fps", min_width=90)
            buttons = runner("hier-film", "Make the video")
        with gr.Column(scale=1, min_width=300):
            video = gr.Video(label="Video", interactive=False, autoplay=True, loop=True, height=384, elem_id="hier-video", visible=False)
            with gr.Row(elem_classes="saves"):
                mp4 = gr.DownloadButton("Download MP4", interactive=False, elem_id="hier-mp4")
                gif = gr.DownloadButton("Download GIF", interactive=False, elem_id="hier-gif")
    (keep_a, a), (keep_b, b) = ends
    return _Way((keep_a, keep_b), (a, b), back, frames, fps, buttons, video, mp4, gif)


def _number(value: int, label: str, name: str) -> gr.Number:
    return gr.Number(value, step=1, label=label, elem_id=name, min_width=90)


def _end(name: str, letter: str) -> tuple[gr.Button, gr.Image]:
    with gr.Column(min_width=130):
        picture = gr.Image(label=letter, interactive=False, height=170, format="png", buttons=[], elem_id=f"hier-film-{name}")
        return gr.Button(f"Keep as the {name}", elem_id=f"hier-keep-{name}", size="sm"), picture
