"""The tab Edit directions: turn directions on any code with sliders."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import gradio as gr
import torch
from PIL import Image as Pil

from engines import Direction, Inversion, Latent, Request
from engines.core.errors import StudioError
from engines.core.images import png_bytes, to_picture
from engines.spaces.directions import apply
from engines.spaces.statistics import random_w
from studio.cell import cell, code, lesson
from studio.events import PREVIEW_LANE, offer, spoken
from studio.session import Session
from studio.shelf import Desk
from studio.strip import Strip

LAYERS = ("coarse", "middle", "fine", "all")
COUNT = 6
REACH = 5.0
STRIP = (-4.0, -2.0, 0.0, 2.0, 4.0)
REST_SECONDS = 0.4
Strengths = dict[str, float]
"""Strength in sigma by direction, such as {"coarse 1": 2.0}: all that undo needs to remember."""


@dataclass(frozen=True, eq=False)
class _Source:
    """Where the code to edit comes from: the chosen item of the shelf, or a seed."""

    kind: gr.Radio
    seed: gr.Number
    truncation: gr.Slider
    chosen: gr.State

    @property
    def inputs(self) -> list[Any]:
        return [self.kind, self.seed, self.truncation, self.chosen]


class Editor:
    """What the tab computes: directions by layer group, and pictures of edited codes."""

    def __init__(self, session: Session) -> None:
        self.session = session
        self._directions: dict[str, tuple[Direction, ...]] = {}

    def directions(self, layers: str) -> tuple[Direction, ...]:
        """SeFa's first directions for a layer group, found at the first look.

        Raises:
            StudioError: No such group.
        """
        if layers not in LAYERS:
            raise StudioError(f"There is no layer group {layers!r}. Choose one of {', '.join(LAYERS)}.")
        if layers not in self._directions:
            self._directions[layers] = self.session.engine("sefa")(Request(), layers=layers, count=COUNT).directions
        return self._directions[layers]

    def code(self, desk: Desk, kind: str, seed: float | None, truncation: float, chosen: str | None) -> Inversion:
        """The code to edit.

        Raises:
            StudioError: The shelf was asked for and nothing on it is chosen.
        """
        if kind == "Seed":
            if seed is None or not 0 <= seed < 2**31:
                raise StudioError("The seed is a whole number from 0 to 2147483647.")
            return Inversion(Latent("w", random_w(self.session.generator, int(seed), truncation)))
        item = desk.shelf.get(chosen or "")
        if item is None:
            raise StudioError("Nothing on the shelf is chosen. Click one of its pictures above, or edit a random face by seed.")
        return item.inversion.to(self.session.generator.device)

    def edits(self, strengths: Strengths) -> list[tuple[Direction, float]]:
        """Directions with their strengths, out of their names."""
        found = []
        for name, strength in strengths.items():
            layers, number = name.rsplit(" ", 1)
            found.append((self.directions(layers)[int(number) - 1], strength))
        return found

    @torch.no_grad()
    def draw(self, inversion: Inversion, strengths: Strengths, size: int | None = None) -> Pil.Image:
        """The edited picture, at an exit or in full."""
        generator = self.session.generator
        latent = apply(inversion.latent, self.edits(strengths), generator.slots)
        return to_picture(generator.synthesize(latent, tuning=inversion.tuning, features=inversion.features, size=size))


def build(session: Session, strip: Strip, page: gr.Blocks) -> None:
    """The tab's cells and events."""
    editor = Editor(session)
    with cell(1, "A face to edit", "Take the picture chosen on the shelf, or a face that a seed stands for."), gr.Row():
        kind = gr.Radio(["Seed", "Shelf"], value="Seed", label="Edit", elem_id="edit-kind")
        seed = gr.Number(7, precision=0, minimum=0, maximum=2**31 - 1, label="Seed", elem_id="edit-seed")
        truncation = gr.Slider(0.0, 1.0, 0.7, step=0.05, label="Truncation: 0 is the average face, 1 the full variety", elem_id="edit-truncation")
        another = gr.Button("Another face", elem_id="edit-another")
    source = _Source(kind, seed, truncation, strip.chosen)
    with cell(2, "Turn directions", "SeFa reads them off the generator's weights; nobody named them, so look at what each one does. Sliders are in sigma, the spread of faces along a direction."), gr.Row():
        with gr.Column(scale=1, min_width=300):
            layers = gr.Radio(list(LAYERS), value="coarse", label="Layers: coarse for pose and shape, middle for features, fine for colour", elem_id="edit-layers")
            sliders = [
                gr.Slider(-REACH, REACH, 0, step=0.1, label=f"coarse {index + 1}", elem_id=f"edit-slider-{index + 1}", buttons=["reset"]) for index in range(COUNT)
            ]
            with gr.Row():
                undo = gr.Button("Undo", elem_id="edit-undo", min_width=70)
                redo = gr.Button("Redo", elem_id="edit-redo", min_width=70)
                reset = gr.Button("Reset all", elem_id="edit-reset", min_width=70)
            summary = gr.Markdown("No edit yet.", elem_id="edit-summary", elem_classes="status")
        with gr.Column(scale=2, min_width=320):
            live = gr.Image(label="Live preview", interactive=False, format="jpeg", elem_id="edit-live", height=560, buttons=["fullscreen"])
    with cell(3, "Keep it", "The full picture follows when the sliders rest."), gr.Row():
        with gr.Column(scale=2):
            compare = gr.ImageSlider(label="Before | after, 1024 px", interactive=False, height=520, max_height=520, elem_id="edit-compare")
        with gr.Column(scale=1, min_width=260):
            download = gr.DownloadButton("Download the edited picture (PNG)", interactive=False, elem_id="edit-download")
            keep = gr.Button("Put the edited face on the shelf", elem_id="edit-keep")
    with cell(4, "One direction, five strengths", "Pick a direction of the layer group above and see it from one end to the other."):
        which = gr.Radio([str(index + 1) for index in range(COUNT)], value="1", label="Direction", elem_id="edit-which")
        row = gr.Gallery(columns=5, height=260, allow_preview=True, show_label=False, elem_id="edit-strip", interactive=False, buttons=["download"], format="jpeg")
        lesson("sefa")
    snippet = code("edit", _snippet({}))
    _connect(page, editor, strip, source, another, layers, sliders, (undo, redo, reset), summary, live, compare, download, keep, which, row, snippet)


def _connect(
    page: gr.Blocks,
    editor: Editor,
    strip: Strip,
    source: _Source,
    another: gr.Button,
    layers: gr.Radio,
    sliders: Sequence[gr.Slider],
    history_buttons: tuple[gr.Button, gr.Button, gr.Button],
    summary: gr.Markdown,
    live: gr.Image,
    compare: gr.ImageSlider,
    download: gr.DownloadButton,
    keep: gr.Button,
    which: gr.Radio,
    row: gr.Gallery,
    snippet: gr.Code,
) -> None:
    session = editor.session
    past, future, now = gr.State([{}]), gr.State([]), gr.State({})
    size = session.live_size

    def desk_of(request: gr.Request) -> Desk:
        return session.visitors.desk(request.session_hash)

    def with_sliders(strengths: Strengths, group: str, values: Sequence[float]) -> Strengths:
        own = {f"{group} {index + 1}": round(float(value), 2) for index, value in enumerate(values)}
        return {name: value for name, value in (strengths | own).items() if value}

    @spoken
    def preview(request: gr.Request, kind: str, seed: float, truncation: float, chosen: str | None, strengths: Strengths, group: str, *values: float) -> list[Any]:
        """The live picture after a slider moved."""
        desk = desk_of(request)
        desk.revision += 1
        strengths = with_sliders(strengths, group, values)
        picture = editor.draw(editor.code(desk, kind, seed, truncation, chosen), strengths, size)
        return [picture, strengths, desk.revision, _words(strengths)]

    async def rest(revision: int) -> int:
        """Wait a moment, so that only a hand at rest asks for the full picture."""
        await asyncio.sleep(REST_SECONDS)
        return revision

    @spoken
    def settle(kind: str, seed: float, truncation: float, chosen: str | None, strengths: Strengths, past: list[Strengths], revision: int, request: gr.Request) -> list[Any]:
        """The full picture, and a step to undo, unless a newer move is under way."""
        desk = desk_of(request)
        if revision != desk.revision:
            return [gr.skip() for _ in range(6)]
        inversion = editor.code(desk, kind, seed, truncation, chosen)
        before, after = editor.draw(inversion, {}), editor.draw(inversion, strengths)
        steps = past if past and past[-1] == strengths else [*past, strengths][-50:]
        file = gr.DownloadButton(value=offer("edited.png", png_bytes(after)), interactive=True)
        return [after, (before, after), file, steps, [] if steps is not past else gr.skip(), _snippet(strengths)]

    @spoken
    def show(kind: str, seed: float, truncation: float, chosen: str | None, strengths: Strengths, group: str, request: gr.Request) -> list[Any]:
        """Everything anew: another face, another layer group, undo, redo or reset."""
        desk = desk_of(request)
        desk.revision += 1
        names = [f"{group} {index + 1}" for index in range(COUNT)]
        values = [gr.Slider(value=strengths.get(name, 0.0), label=name) for name in names]
        picture = editor.draw(editor.code(desk, kind, seed, truncation, chosen), strengths, size)
        return [picture, desk.revision, _words(strengths), *values]

    @spoken
    def five(kind: str, seed: float, truncation: float, chosen: str | None, strengths: Strengths, group: str, number: str, request: gr.Request) -> list[Any]:
        """One direction at five strengths, the other sliders as they are."""
        inversion = editor.code(desk_of(request), kind, seed, truncation, chosen)
        name = f"{group} {int(number)}"
        return [(editor.draw(inversion, strengths | {name: strength}, size), f"{name} at {strength:+g}") for strength in STRIP]

    @spoken
    def put(kind: str, seed: float, truncation: float, chosen: str | None, strengths: Strengths, request: gr.Request) -> list[Any]:
        """The edited code on the shelf."""
        desk = desk_of(request)
        inversion = editor.code(desk, kind, seed, truncation, chosen)
        latent = apply(inversion.latent, editor.edits(strengths), session.generator.slots)
        picture = editor.draw(inversion, strengths, size)
        title = f"Seed {int(seed)}" if kind == "Seed" else "Edited"
        item = desk.put(f"{title}{', edited' if strengths and kind == 'Seed' else ''}", picture, Inversion(latent.detached(), inversion.tuning, inversion.features))
        return strip.show(desk, item.key)

    revision = gr.State(0)
    state = [*source.inputs, now]
    shown = [live, revision, summary, *sliders]
    settled = [live, compare, download, past, future, snippet]
    private: dict[str, Any] = {"api_visibility": "private", "show_progress": "hidden"}
    lane: dict[str, Any] = {"concurrency_id": PREVIEW_LANE, "concurrency_limit": 1} | private

    def settle_after(event: Any) -> None:
        # "multiple": a newer move must get its own rest while an older one still waits
        rested = event.success(rest, revision, revision, concurrency_limit=None, trigger_mode="multiple", **private)
        rested.success(settle, [*source.inputs, now, past, revision], settled, trigger_mode="multiple", **lane)

    moved = gr.on([slider.input for slider in sliders], preview, [*state, layers, *sliders], [live, now, revision, summary], trigger_mode="always_last", **lane)
    settle_after(moved)
    released = gr.on([slider.release for slider in sliders], preview, [*state, layers, *sliders], [live, now, revision, summary], trigger_mode="always_last", **lane)
    settle_after(released)

    def draw_after(event: Any) -> None:
        drawn = event.success(show, [*state, layers], shown, trigger_mode="multiple", **lane)
        settle_after(drawn)
        drawn.success(five, [*state, layers, which], row, trigger_mode="multiple", **lane)

    undo, redo, reset = history_buttons

    def back(past: list[Strengths], future: list[Strengths]) -> list[Any]:
        return [past[:-1], [past[-1], *future], past[-2]] if len(past) > 1 else [past, future, past[-1] if past else {}]

    def forth(past: list[Strengths], future: list[Strengths]) -> list[Any]:
        return [[*past, future[0]], future[1:], future[0]] if future else [past, future, past[-1] if past else {}]

    draw_after(undo.click(back, [past, future], [past, future, now], queue=False, **private))
    draw_after(redo.click(forth, [past, future], [past, future, now], queue=False, **private))
    draw_after(reset.click(dict, None, now, queue=False, **private))
    draw_after(another.click(lambda seed: ["Seed", (int(seed or 0) + 1) % 2**31], source.seed, [source.kind, source.seed], queue=False, **private))
    draw_after(gr.on([source.kind.input, source.seed.input, source.truncation.input, layers.input], lambda: None, trigger_mode="always_last", queue=False, **private))
    draw_after(strip.gallery.select(lambda: "Shelf", None, source.kind, queue=False, **private))
    which.input(five, [*state, layers, which], row, **lane)
    keep.click(put, [*source.inputs, now], strip.outputs, **lane)
    draw_after(page.load(lambda: None, queue=False, **private))


def _words(strengths: Strengths) -> str:
    return "Edits: " + ", ".join(f"{name} {strength:+.1f}" for name, strength in strengths.items()) if strengths else "No edit yet."


def _snippet(strengths: Strengths) -> str:
    groups = sorted({name.rsplit(" ", 1)[0] for name in strengths}) or ["coarse"]
    found = "\n".join(f'{group} = create("sefa", generator)(Request(), layers="{group}").directions' for group in groups)
    edits = ", ".join(f"({name.rsplit(' ', 1)[0]}[{int(name.rsplit(' ', 1)[1]) - 1}], {strength})" for name, strength in strengths.items())
    edits = edits or f"({groups[0]}[0], 2.0)"
    return f'''from engines import Latent, Request, create, load_generator
from engines.core.images import to_picture
from engines.spaces.directions import apply
from engines.spaces.statistics import random_w

generator = load_generator("ffhq")
{found}
latent = apply(Latent("w", random_w(generator, seed=7)), [{edits}], generator.slots)
to_picture(generator.synthesize(latent)).save("edited.png")
'''
