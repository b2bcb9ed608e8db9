"""The cell that moves: a direction swept from end to end, the way from one face to another, and grids of two directions."""

from typing import Any

import gradio as gr

from studio.services.snippets import program
from studio.state.edits import STYLES
from studio.tabs.edit.animation_handlers import (
    ARC,
    GIF_SIDE,
    MORPH,
    MOST_FRAMES,
    STRAIGHT,
    SWEEP,
    AnimationHandlers,
    FilmParts,
    GridParts,
    sizes,
    tile_sizes,
)
from studio.tabs.edit.context import EditContext
from studio.tabs.edit.menus import menu
from studio.ui import menus
from studio.ui.cell import cell, code, runner
from studio.ui.inputs import seed_input
from studio.ui.lanes import AT_ONCE
from studio.ui.run_control import connect_stop

PROSE = (
    "A video or a grid shows at once what a slider shows bit by bit. It starts from the face and the sliders above; "
    "what is drawn when you press Stop is kept."
)
_FAR, _FARTHER = "As far as, in sigma to both sides", f"Directions of StyleSpace go {STYLES.times:g} times as far."


def build(context: EditContext) -> None:
    """The cell and its events."""
    with cell("Animate", PROSE, folded=True):
        with gr.Tabs():
            with gr.Tab("Video", elem_id="motion-tab-video"):
                film = _film(context)
            with gr.Tab("Grid of two directions", elem_id="motion-tab-grid"):
                grid = _grid(context)
        code("motion", _SNIPPET)
    handlers = AnimationHandlers(context, film, grid)
    edited = [context.face, context.edits]
    handlers.filming.connect(handlers.record, [*edited, *film.inputs], [film.buttons.status, *film.results])
    connect_stop(handlers.filming)
    handlers.laying.connect(handlers.lay, [*edited, *grid.inputs], [grid.buttons.status, grid.picture, grid.png])
    connect_stop(handlers.laying)


def _film(context: EditContext) -> FilmParts:
    with gr.Row():
        with gr.Column(scale=1, min_width=300):
            what = gr.Radio([SWEEP, MORPH], value=SWEEP, label="What moves", elem_id="motion-what")
            with gr.Column() as sweeping:
                direction = menu(context, "Direction", "motion-direction")
                reach = gr.Slider(0.5, 5, 3, step=0.1, label=_FAR, info=_FARTHER, elem_id="motion-reach")
            with gr.Column(visible=False) as morphing:
                other = gr.Radio(["Seed", "Shelf"], value="Seed", label="The other face", elem_id="motion-other")
                seed = seed_input(11, "motion-seed", label="Its seed")
                item = menus.dropdown([], label="The shelf's faces", visible=False, elem_id="motion-item")
                way = gr.Radio([ARC, STRAIGHT], value=ARC, label="Way", elem_id="motion-way")
            back = gr.Checkbox(True, label="There and back, in an endless loop", elem_id="motion-back")
            offered = sizes(context)
            with gr.Row():
                frames = gr.Number(60, precision=0, minimum=2, maximum=MOST_FRAMES, label="Frames", min_width=80, elem_id="motion-frames")
                fps = gr.Number(24, precision=0, minimum=1, maximum=60, label="Frames a second", min_width=80, elem_id="motion-fps")
            nearest = min(offered, key=lambda size: abs(size - 512))
            size = gr.Radio([str(each) for each in offered], value=str(nearest), label="Size, px", elem_id="motion-size")
            buttons = runner("motion", "Make the video")
        with gr.Column(scale=1, min_width=300):
            preview = gr.Image(
                label="The frame being drawn",
                interactive=False,
                format="jpeg",
                height=300,
                elem_id="motion-preview",
                buttons=[],
                visible=False,
            )
            video = gr.Video(label="Video", interactive=False, autoplay=True, loop=True, height=420, elem_id="motion-video", visible=False)
            with gr.Row():
                mp4 = gr.DownloadButton("Download MP4", interactive=False, elem_id="motion-mp4", min_width=120)
                gif = gr.DownloadButton(f"Download GIF ({GIF_SIDE} px)", interactive=False, elem_id="motion-gif", min_width=120)
    what.change(lambda value: [gr.Column(visible=value == SWEEP), gr.Column(visible=value == MORPH)], what, [sweeping, morphing], **AT_ONCE)
    _other_face(context, other, seed, item)
    inputs = [what, direction, reach, other, seed, item, way, back, frames, size, fps]
    return FilmParts(inputs, buttons, preview, video, mp4, gif)


def _other_face(context: EditContext, other: gr.Radio, seed: gr.Number, item: gr.Dropdown) -> None:
    """The menu of the shelf's faces, filled when it is asked for and when the shelf changes."""

    def follow(kind: str, key: str | None, request: gr.Request) -> list[Any]:
        shelf = context.visitor(request).shelf
        choices = [(f"{index + 1}: {one.title}", one.key) for index, one in enumerate(shelf.values())]
        there = key if key in shelf else next(reversed(shelf), None)
        return [gr.Number(visible=kind == "Seed"), gr.Dropdown(choices, value=there, visible=kind == "Shelf")]

    gr.on([other.change, context.strip.hint.change], follow, [other, item], [seed, item], **AT_ONCE)


def _grid(context: EditContext) -> GridParts:
    offered = tile_sizes(context)
    with gr.Row():
        with gr.Column(scale=1, min_width=300):
            across = menu(context, "Across", "motion-across")
            down = menu(context, "Down", "motion-down", at=1)
            reach = gr.Slider(0.5, 5, 3, step=0.1, label=_FAR, info=_FARTHER, elem_id="motion-grid-reach")
            count = gr.Radio(["3", "5", "7"], value="5", label="Faces a side", elem_id="motion-count")
            size = gr.Radio([str(each) for each in offered], value=str(offered[0]), label="Size of a face, px", elem_id="motion-tile")
            buttons = runner("motion-grid", "Draw the grid")
            png = gr.DownloadButton("Download the grid (PNG)", interactive=False, elem_id="motion-png")
        with gr.Column(scale=2, min_width=320):
            picture = gr.Image(
                label="The grid",
                interactive=False,
                format="webp",
                elem_id="motion-grid",
                buttons=["fullscreen"],
                height=640,
                visible=False,
            )
    return GridParts([across, down, reach, count, size], buttons, picture, png)


_SNIPPET = program("""
generator = load_generator("ffhq")
request = FitRequest(bank=face_bank(generator), attribute="smile")
smile = create("interfacegan", generator)(request).directions[0]
face, sketch = Latent("z", z_codes(1, 512, seed=7)), IncrementalRenderer(generator)
strengths = [6 * frame / 29 - 3 for frame in range(30)]
moved = [apply_directions(face, [(smile, strength)], generator, truncation=0.7) for strength in strengths + strengths[::-1]]
frames = [to_picture(sketch.draw(code, 512)) for code in moved]
frames[0].save("smile.gif", save_all=True, append_images=frames[1:], duration=40, loop=0)
""")
