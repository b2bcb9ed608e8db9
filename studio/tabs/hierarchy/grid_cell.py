"""The cell of grids: one code for every row, one for every column, and a click that adopts what it shows."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import gradio as gr
from PIL import Image as Pil

from engines.core.errors import StudioError
from engines.core.images import png_bytes, to_picture
from engines.generators.finegan import FineCodes
from studio.media.animation import Sheet
from studio.services.finegan_sampler import BACKGROUND, CHILD, PARENT, SEED, Pick
from studio.state.moments import STOPPED, moments
from studio.tabs.hierarchy.handlers import SamplerHandlers, Steps
from studio.ui.afresh import afresh
from studio.ui.cell import Runner, cell, runner
from studio.ui.lanes import IN_TURN
from studio.ui.run_control import Going, Stopper, Updates, connect_stop, own_slots
from studio.ui.run_events import offer, spoken

_CODES = {"shape (parent)": PARENT, "appearance (child)": CHILD, "background": BACKGROUND, "z (seed)": SEED}
_COUNTS = {"4": 4, "6": 6, "8": 8}
_TILE = 96
_PROSE = (
    "Vary two codes and keep the others as they are picked above: the same shape in other plumage, the same bird in other poses. "
    "A code that is varied is free of its tie. Click a picture to adopt its codes."
)


@dataclass(frozen=True, eq=False)
class _Grid:
    down: gr.Radio
    across: gr.Radio
    count: gr.Radio
    buttons: Runner
    gallery: gr.Gallery
    png: gr.DownloadButton


def grid_cell(handlers: SamplerHandlers) -> None:
    """The cell and its events."""
    with cell("Grid of two factors", _PROSE, folded=True):
        grid, cells = _parts(), gr.State(tuple[FineCodes, ...]())
    runs = Stopper(grid.buttons, own_slots(handlers.sampler.session.visitors), handlers.sampler.session.lines)

    def laid(request: gr.Request, pick: Pick, down: str, across: str, count: str) -> Going:
        chosen = [_chosen(name, _CODES) for name in (down, across)]
        columns, rows, codes = handlers.sampler.laid(pick, chosen[1], chosen[0], _chosen(count, _COUNTS))
        sheet = Sheet(across, down, [str(value) for value in columns], [str(value) for value in rows], _TILE)
        pictures, limit = list[Pil.Image](), handlers.sampler.session.settings.run_seconds
        run = moments(handlers.sampler.drawing(codes), limit, runs.slot(request).is_stopping)
        for moment in run:
            yield {grid.buttons.status: f"Picture {moment.progress.step} of {moment.progress.total}"}
        if moment.result is None:
            return {grid.buttons.status: STOPPED}
        pictures = [to_picture(image) for image in moment.result.images.split(1)]
        for index, picture in enumerate(pictures):
            sheet.place(*divmod(index, len(columns)), picture)
        captions = [f"{down} {y}, {across} {x}" for y in rows for x in columns]
        return {
            grid.buttons.status: f"{len(pictures)} pictures in {moment.seconds:.1f} s.",
            grid.gallery: gr.Gallery(list(zip(pictures, captions, strict=False)), columns=len(columns), selected_index=None, visible=True),
            grid.png: gr.DownloadButton(value=offer("grid.png", png_bytes(sheet.picture)), interactive=True),
            cells: tuple(codes[: len(pictures)]),
        }

    @spoken
    def lay(request: gr.Request, *values: Any) -> Iterator[Updates]:
        """Draw the grid."""
        yield from runs.going(request, afresh([grid.gallery, grid.png, cells], laid(request, *values)))

    @spoken
    def adopt(pick: Pick, history: Steps, codes: tuple[FineCodes, ...], event: gr.SelectData) -> list[Any]:
        """The codes of the picture that was clicked."""
        there = isinstance(event.index, int) and 0 <= event.index < len(codes)
        return handlers.adopt(pick, history, codes[event.index]) if there else handlers.unchanged()

    inputs = [handlers.told[0], grid.down, grid.across, grid.count]
    runs.connect(lay, inputs, [grid.buttons.status, grid.gallery, grid.png, cells])
    connect_stop(runs)
    grid.gallery.select(adopt, [*handlers.told, cells], handlers.shown, **IN_TURN)


def _parts() -> _Grid:
    names = list(_CODES)
    with gr.Row():
        with gr.Column(scale=1, min_width=280):
            down = gr.Radio(names, value=names[0], label="Down", elem_id="hier-grid-down")
            across = gr.Radio(names, value=names[1], label="Across", elem_id="hier-grid-across")
            count = gr.Radio(list(_COUNTS), value="8", label="Pictures a side, at most", elem_id="hier-grid-count")
            buttons = runner("hier-grid", "Draw the grid")
            png = gr.DownloadButton("Download the grid (PNG)", interactive=False, elem_id="hier-grid-download")
        with gr.Column(scale=2, min_width=300):
            gallery = gr.Gallery(
                columns=8,
                height="auto",
                allow_preview=False,
                interactive=False,
                show_label=False,
                buttons=[],
                object_fit="cover",
                visible=False,
                elem_id="hier-grid",
            )
    return _Grid(down, across, count, buttons, gallery, png)


def _chosen(name: str, offered: dict[str, Any]) -> Any:
    if name not in offered:
        raise StudioError(f"Choose one of {', '.join(offered)}.")
    return offered[name]
