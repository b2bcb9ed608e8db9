"""The tab Edit directions: turn directions on any code with sliders."""

import asyncio
from dataclasses import dataclass
from typing import Any

import gradio as gr

from engines.core.images import png_bytes
from studio.cell import cell, code, lesson
from studio.editor import COUNT, LAYERS, Editor, Strengths, merged, names, snippet, words
from studio.events import PREVIEW_LANE, offer, spoken
from studio.session import Session
from studio.shelf import Desk
from studio.strip import Strip

REACH = 5.0
STRIP = (-4.0, -2.0, 0.0, 2.0, 4.0)
REST_SECONDS = 0.4
_PRIVATE: dict[str, Any] = {"api_visibility": "private", "show_progress": "hidden"}
_AT_ONCE: dict[str, Any] = {"queue": False} | _PRIVATE
_LANE: dict[str, Any] = {"concurrency_id": PREVIEW_LANE, "concurrency_limit": 1} | _PRIVATE


@dataclass(frozen=True, eq=False)
class _Source:
    """Where the code to edit comes from: the chosen item of the shelf, or a seed."""

    kind: gr.Radio
    seed: gr.Number
    truncation: gr.Slider
    another: gr.Button
    chosen: gr.State

    @property
    def inputs(self) -> list[Any]:
        return [self.kind, self.seed, self.truncation, self.chosen]


@dataclass(frozen=True, eq=False)
class _Turning:
    """Sliders of one layer group, the buttons that take moves back, and the live picture."""

    layers: gr.Radio
    sliders: list[gr.Slider]
    undo: gr.Button
    redo: gr.Button
    reset: gr.Button
    summary: gr.Markdown
    live: gr.Image


@dataclass(frozen=True, eq=False)
class _Keeping:
    """What the full picture fills, and the five strengths of one direction."""

    compare: gr.ImageSlider
    download: gr.DownloadButton
    keep: gr.Button
    which: gr.Radio
    row: gr.Gallery
    snippet: gr.Code


@dataclass(frozen=True, eq=False)
class _Memory:
    """The edits as they are, and the steps before and after them."""

    now: gr.State
    past: gr.State
    future: gr.State


def build(session: Session, strip: Strip, page: gr.Blocks) -> None:
    """The tab's cells and events."""
    with cell(1, "A face to edit", "Take the picture chosen on the shelf, or a face that a seed stands for."), gr.Row():
        source = _source(strip)
    prose = "SeFa reads them off the generator's weights; nobody named them, so look at what each one does. "
    with cell(2, "Turn directions", prose + "Sliders are in sigma, the spread of faces along a direction."), gr.Row():
        turning = _turning()
    with cell(3, "Keep it", "The full picture follows when the sliders rest."), gr.Row():
        with gr.Column(scale=2):
            label = f"Before | after, {session.generator.resolution} px"
            compare = gr.ImageSlider(label=label, interactive=False, height=520, max_height=520, elem_id="edit-compare")
        with gr.Column(scale=1, min_width=260):
            download = gr.DownloadButton("Download the edited picture (PNG)", interactive=False, elem_id="edit-download")
            keep = gr.Button("Put the edited face on the shelf", elem_id="edit-keep")
    with cell(4, "One direction, five strengths", "Pick a direction of the layer group above and see it from one end to the other."):
        which = gr.Radio([str(index + 1) for index in range(COUNT)], value="1", label="Direction", elem_id="edit-which")
        row = gr.Gallery(
            columns=5,
            height=260,
            allow_preview=True,
            show_label=False,
            elem_id="edit-strip",
            interactive=False,
            buttons=["download"],
            format="jpeg",
        )
        lesson("sefa")
    keeping = _Keeping(compare, download, keep, which, row, code("edit", snippet({})))
    memory = _Memory(gr.State({}), gr.State([{}]), gr.State([]))
    _connect(page, strip, _Answers(Editor(session), strip), source, turning, keeping, memory)


def _source(strip: Strip) -> _Source:
    kind = gr.Radio(["Seed", "Shelf"], value="Seed", label="Edit", elem_id="edit-kind")
    seed = gr.Number(7, precision=0, minimum=0, maximum=2**31 - 1, label="Seed", elem_id="edit-seed")
    truncation = gr.Slider(
        0.0, 1.0, 0.7, step=0.05, label="Truncation", info="0 is the average face, 1 the full variety", elem_id="edit-truncation"
    )
    another = gr.Button("Another face", elem_id="edit-another", min_width=120)
    return _Source(kind, seed, truncation, another, strip.chosen)


def _turning() -> _Turning:
    with gr.Column(scale=1, min_width=300):
        info = "coarse for pose and shape, middle for features, fine for colour"
        layers = gr.Radio(list(LAYERS), value="coarse", label="Layers", info=info, elem_id="edit-layers")
        sliders = [
            gr.Slider(-REACH, REACH, 0, step=0.1, label=name, elem_id=f"edit-slider-{index + 1}", buttons=["reset"])
            for index, name in enumerate(names("coarse"))
        ]
        with gr.Row():
            undo = gr.Button("Undo", elem_id="edit-undo", min_width=70)
            redo = gr.Button("Redo", elem_id="edit-redo", min_width=70)
            reset = gr.Button("Reset", elem_id="edit-reset", min_width=70)
        summary = gr.Markdown(words({}), elem_id="edit-summary", elem_classes="status")
    with gr.Column(scale=2, min_width=320, elem_classes="watched"):
        live = gr.Image(label="Live preview", interactive=False, format="jpeg", elem_id="edit-live", height=560, buttons=["fullscreen"])
    return _Turning(layers, sliders, undo, redo, reset, summary, live)


class _Answers:
    """What the tab's events are answered with; the order of arguments is that of `_connect`'s inputs."""

    def __init__(self, editor: Editor, strip: Strip) -> None:
        self.editor = editor
        self.strip = strip
        self.size = editor.session.live_size

    def desk(self, request: gr.Request) -> Desk:
        return self.editor.session.visitors.desk(request.session_hash)

    @spoken
    def preview(
        self,
        request: gr.Request,
        kind: str,
        seed: float,
        truncation: float,
        chosen: str | None,
        strengths: Strengths,
        group: str,
        *values: float,
    ) -> list[Any]:
        """The live picture after a slider moved."""
        desk = self.desk(request)
        desk.move()
        strengths = merged(strengths, group, values)
        picture = self.editor.draw(self.editor.code(desk, kind, seed, truncation, chosen), strengths, self.size)
        return [picture, strengths, words(strengths)]

    async def rest(self) -> None:
        """Wait a moment, so that only a hand at rest asks for the full picture."""
        await asyncio.sleep(REST_SECONDS * 1.1)  # a little more than `settle` asks for: the last move's wait must never count as too short

    @spoken
    def settle(
        self,
        kind: str,
        seed: float,
        truncation: float,
        chosen: str | None,
        strengths: Strengths,
        past: list[Strengths],
        request: gr.Request,
    ) -> list[Any]:
        """The full picture, and a step to undo, unless a newer move is under way."""
        desk = self.desk(request)
        if not desk.rested(REST_SECONDS):
            return [gr.skip() for _ in range(6)]
        desk.drawn = desk.moves
        inversion = self.editor.code(desk, kind, seed, truncation, chosen)
        before, after = self.editor.draw(inversion, {}), self.editor.draw(inversion, strengths)
        steps = past if past and past[-1] == strengths else [*past, strengths][-50:]
        file = gr.DownloadButton(value=offer("edited.png", png_bytes(after)), interactive=True)
        return [after, (before, after), file, steps, [] if steps is not past else gr.skip(), snippet(strengths)]

    @spoken
    def redraw(self, kind: str, seed: float, truncation: float, chosen: str | None, strengths: Strengths, request: gr.Request) -> list[Any]:
        """The same edits on another face; the sliders are left alone, since a hand may be moving them by now."""
        desk = self.desk(request)
        desk.move()
        picture = self.editor.draw(self.editor.code(desk, kind, seed, truncation, chosen), strengths, self.size)
        return [picture, words(strengths)]

    @spoken
    def reset(
        self,
        kind: str,
        seed: float,
        truncation: float,
        chosen: str | None,
        strengths: Strengths,
        group: str,
        request: gr.Request,
    ) -> list[Any]:
        """Other edits or another layer group, so the sliders follow: undo, redo, reset."""
        sliders = [gr.Slider(value=strengths.get(name, 0.0), label=name) for name in names(group)]
        return [*self.redraw(kind, seed, truncation, chosen, strengths, request), *sliders]

    @spoken
    def five(
        self,
        kind: str,
        seed: float,
        truncation: float,
        chosen: str | None,
        strengths: Strengths,
        group: str,
        number: str,
        request: gr.Request,
    ) -> list[Any]:
        """One direction at five strengths, the other sliders as they are."""
        inversion = self.editor.code(self.desk(request), kind, seed, truncation, chosen)
        name = f"{group} {int(number)}"
        return [(self.editor.draw(inversion, strengths | {name: at}, self.size), f"{at:+g} sigma") for at in STRIP]

    @spoken
    def put(self, kind: str, seed: float, truncation: float, chosen: str | None, strengths: Strengths, request: gr.Request) -> list[Any]:
        """The edited code on the shelf."""
        desk = self.desk(request)
        inversion = self.editor.code(desk, kind, seed, truncation, chosen)
        picture = self.editor.draw(inversion, strengths, self.size)
        title = "Edited" if kind != "Seed" else f"Seed {int(seed)}, edited" if strengths else f"Seed {int(seed)}"
        return self.strip.show(desk, desk.put(title, picture, self.editor.edited(inversion, strengths)).key)


def _connect(
    page: gr.Blocks, strip: Strip, answers: _Answers, source: _Source, turning: _Turning, keeping: _Keeping, memory: _Memory
) -> None:
    state = [*source.inputs, memory.now]
    shown = [turning.live, turning.summary]
    settled = [turning.live, keeping.compare, keeping.download, memory.past, memory.future, keeping.snippet]

    def settle_after(event: Any) -> None:
        # "multiple": a newer move must get its own rest while an older one still waits
        rested = event.success(answers.rest, None, None, concurrency_limit=None, trigger_mode="multiple", **_PRIVATE)
        rested.success(answers.settle, [*state, memory.past], settled, trigger_mode="multiple", **_LANE)

    def finish(drawn: Any) -> None:
        settle_after(drawn)
        drawn.success(answers.five, [*state, turning.layers, keeping.which], keeping.row, trigger_mode="multiple", **_LANE)

    def redraw_after(event: Any) -> None:
        finish(event.success(answers.redraw, state, shown, trigger_mode="multiple", **_LANE))

    def reset_after(event: Any) -> None:
        finish(event.success(answers.reset, [*state, turning.layers], [*shown, *turning.sliders], trigger_mode="multiple", **_LANE))

    moves = [*state, turning.layers, *turning.sliders]
    moved = [turning.live, memory.now, turning.summary]
    for events in ([slider.input for slider in turning.sliders], [slider.release for slider in turning.sliders]):
        settle_after(gr.on(events, answers.preview, moves, moved, trigger_mode="always_last", **_LANE))

    steps, stepped = [memory.past, memory.future], [memory.past, memory.future, memory.now]
    reset_after(turning.undo.click(_back, steps, stepped, **_AT_ONCE))
    reset_after(turning.redo.click(_forth, steps, stepped, **_AT_ONCE))
    reset_after(turning.reset.click(dict, None, memory.now, **_AT_ONCE))
    redraw_after(source.another.click(_next_seed, source.seed, [source.kind, source.seed], **_AT_ONCE))
    reset_after(turning.layers.input(lambda: None, trigger_mode="always_last", **_AT_ONCE))
    changed = [source.kind.input, source.seed.input, source.truncation.input]
    redraw_after(gr.on(changed, lambda: None, trigger_mode="always_last", **_AT_ONCE))
    redraw_after(strip.gallery.select(lambda: "Shelf", None, source.kind, **_AT_ONCE))
    keeping.which.input(answers.five, [*state, turning.layers, keeping.which], keeping.row, **_LANE)
    keeping.keep.click(answers.put, state, strip.outputs, **_LANE)
    redraw_after(page.load(lambda: None, **_AT_ONCE))


def _back(past: list[Strengths], future: list[Strengths]) -> list[Any]:
    return [past[:-1], [past[-1], *future], past[-2]] if len(past) > 1 else [past, future, past[-1] if past else {}]


def _forth(past: list[Strengths], future: list[Strengths]) -> list[Any]:
    return [[*past, future[0]], future[1:], future[0]] if future else [past, future, past[-1] if past else {}]


def _next_seed(seed: float | None) -> list[Any]:
    return ["Seed", (int(seed or 0) + 1) % 2**31]
