"""The cells where codes are picked and where every stage is seen: their components, and what they show of a pick."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import gradio as gr

from engines import Result
from engines.core.images import png_bytes, to_picture
from studio.services.finegan_sampler import BACKGROUND, CHILD, PARENT, Pick, Sampler, Thumbnails, codes_file, large
from studio.services.snippets import program
from studio.ui.cell import cell, code, fold, lesson
from studio.ui.run_events import offer

KINDS = (PARENT, CHILD, BACKGROUND)
"""In the order in which they are picked."""

_TITLES = {PARENT: "Shape: parent p", CHILD: "Appearance: child c", BACKGROUND: "Background b"}
_CAPTIONS = (
    "1 · Background B, from b and z",
    "2 · Parent mask Mp, from p and z",
    "3 · Parent foreground Fp, from p and z",
    "4 · Mp·Fp: from it the paper's Dp predicts p; ours from Mp alone, augmented",
    "5 · Stitched: P = Mp·Fp + (1 - Mp)·B",
    "6 · Child mask Mc, from c on the parent's features",
    "7 · Child foreground Fc, from c on the parent's features",
    "8 · Mc·Fc: from it Dc predicts c, under augmentation",
    "9 · Finished: C = Mc·Fc + (1 - Mc)·P",
)
_PICKING = (
    "Three codes and a z draw each bird. Pick by thumbnail or by number; Tab and Enter do, too. While the ties are on, codes go "
    "together as the paper trains them: a child brings its own parent and background. Untick them to mix freely."
)
_STAGES = "The same picture from its first stage to its last. Each stage depends on one code more; white in a mask is what covers."


@dataclass(frozen=True, eq=False)
class CodePicker:
    """Components of the first two cells; `galleries` and `numbers` in the order of `KINDS`."""

    live: gr.Image
    words: gr.Markdown
    galleries: tuple[gr.Gallery, ...]
    numbers: tuple[gr.Number, ...]
    shape_tied: gr.Checkbox
    place_tied: gr.Checkbox
    seed: gr.Number
    another: gr.Button
    sliders: tuple[gr.Slider, ...]
    reset: gr.Button
    undo: gr.Button
    redo: gr.Button
    stages: gr.Gallery
    picture: gr.DownloadButton
    staged: gr.DownloadButton
    file: gr.DownloadButton
    bring: gr.UploadButton
    snippet: gr.Code

    @property
    def drawn(self) -> list[Any]:
        """What `show` fills."""
        return [self.live, self.words, self.stages, self.picture, self.staged, self.file, self.snippet]

    @property
    def controls(self) -> list[Any]:
        """What `arrange` fills."""
        return [*self.galleries, *self.numbers, self.shape_tied, self.place_tied, self.seed, *self.sliders]


def board_cells(sampler: Sampler, first: Pick) -> CodePicker:
    """Build the components of both cells."""
    with cell("Codes", _PICKING), gr.Row():
        with gr.Column(scale=2, min_width=280, elem_classes="watched", elem_id="hier-seen"):
            live = gr.Image(label="Finished picture", interactive=False, height=330, format="png", elem_id="hier-live", buttons=[])
            words = gr.Markdown("", elem_id="hier-words", elem_classes="status")
            with gr.Row():
                undo = gr.Button("Undo", elem_id="hier-undo", min_width=70, size="sm")
                redo = gr.Button("Redo", elem_id="hier-redo", min_width=70, size="sm")
        with gr.Column(scale=3, min_width=300):
            rows = {CHILD: _chooser(sampler, first, CHILD)}
            with fold("Shape and background of their own"):
                with gr.Row():
                    shape = gr.Checkbox(True, label="The child decides the shape", elem_id="hier-tie-shape", min_width=180)
                    place = gr.Checkbox(True, label="The child decides the background", elem_id="hier-tie-place", min_width=180)
                rows |= {kind: _chooser(sampler, first, kind) for kind in (PARENT, BACKGROUND)}
            with fold("Pose and place: z"):
                seed, another, sliders, reset = _z(sampler, first)
            lesson("finegan")
    with cell("Stages", _STAGES):
        stages = gr.Gallery(
            columns=9, height="auto", elem_id="hier-stages", elem_classes="walk", interactive=False, show_label=False, buttons=[]
        )
        with gr.Row(elem_classes="saves"):
            picture = gr.DownloadButton("Download the picture (PNG)", interactive=False, elem_id="hier-download")
            staged = gr.DownloadButton("Download all stages (PNG)", interactive=False, elem_id="hier-download-stages")
            file = gr.DownloadButton("Download the codes (JSON)", interactive=False, elem_id="hier-download-codes")
            back = gr.UploadButton("Codes (JSON, saved bird)", file_types=[".json", ".png"], type="binary", elem_id="hier-bring")
        snippet = code("hier")
    galleries, numbers = zip(*(rows[kind] for kind in KINDS), strict=True)
    return CodePicker(
        live,
        words,
        galleries,
        numbers,
        shape,
        place,
        seed,
        another,
        sliders,
        reset,
        undo,
        redo,
        stages,
        picture,
        staged,
        file,
        back,
        snippet,
    )


def _chooser(sampler: Sampler, first: Pick, kind: str) -> tuple[gr.Gallery, gr.Number]:
    """Thumbnails of one code, and its number."""
    last = sampler.count(kind) - 1
    with gr.Row(elem_classes="coded"):
        gallery = gr.Gallery(
            label=_TITLES[kind],
            columns=10,
            height=150 if kind == PARENT else 190,
            allow_preview=False,
            interactive=False,
            buttons=[],
            object_fit="cover",
            elem_id=f"hier-{kind}s",
            elem_classes="codes",
            min_width=220,
            scale=5,
        )
        label = f"0 to {last}"
        number = gr.Number(getattr(first.codes, kind), label=label, step=1, elem_id=f"hier-{kind}", min_width=80)
    return gallery, number


def _z(sampler: Sampler, first: Pick) -> tuple[gr.Number, gr.Button, tuple[gr.Slider, ...], gr.Button]:
    with gr.Row():
        info = "z is pose, place and whatever else varies."
        seed = gr.Number(
            first.codes.seed, label="Seed of z", info=info, step=1, elem_id="hier-seed", elem_classes=["seed", "with-button"], min_width=130
        )
        another = gr.Button("New seed", elem_id="hier-another", min_width=90)
    with gr.Row():
        sliders = tuple(
            gr.Slider(-4, 4, 0, step=0.1, label=f"Component {index + 1} of z", elem_id=f"hier-slider-{index + 1}", min_width=200)
            for index in range(sampler.sliders)
        )
    reset = gr.Button("All components back to 0", size="sm", elem_id="hier-reset")
    return seed, another, sliders, reset


def thumbnails(shown: Thumbnails) -> list[Any]:
    """The three galleries filled."""
    return [gr.Gallery([(picture, str(index)) for index, picture in enumerate(getattr(shown, kind))]) for kind in KINDS]


def arrange(board: CodePicker, pick: Pick) -> list[Any]:
    """All controls as a pick has them."""
    numbers = [getattr(pick.codes, kind) for kind in KINDS]
    galleries = [gr.Gallery(selected_index=number) for number in numbers]
    shifts = [*pick.codes.shifts, *(0.0 for _ in board.sliders)][: len(board.sliders)]
    return [*galleries, *numbers, pick.shape_tied, pick.place_tied, pick.codes.seed, *shifts]


def show(generator: str, pick: Pick, drawn: Result) -> list[Any]:
    """The picture in all its stages, in words, and to take home."""
    finished, stages = to_picture(drawn.images), [to_picture(image) for image in drawn.stages.values()]
    files = {
        "bird.png": png_bytes(finished, codes_file(pick.codes).decode()),
        "stages.png": png_bytes(_strip(stages)),
        "codes.json": codes_file(pick.codes),
    }
    return [
        large(finished),
        say(pick),
        gr.Gallery([(large(picture, 192), caption) for picture, caption in zip(stages, _CAPTIONS, strict=True)]),
        *(gr.DownloadButton(value=offer(name, data), interactive=True) for name, data in files.items()),
        recipe(generator, pick),
    ]


def _strip(pictures: Sequence[Any]) -> Any:
    """Pictures side by side."""
    side = pictures[0].width
    strip = pictures[0].resize((side * len(pictures), side))
    for index, picture in enumerate(pictures):
        strip.paste(picture, (index * side, 0))
    return strip


def say(pick: Pick) -> str:
    """A pick in words."""
    codes = pick.codes
    z = f"z of seed **{codes.seed}**" if codes.z is None else "a z of its own, found from a picture"
    moved = f", {sum(shift != 0 for shift in codes.shifts)} of its components moved" if codes.shifts else ""
    ties = {True: " (tied to c)", False: " (free)"}
    return (
        f"c **{codes.child}** · p **{codes.parent}**{ties[pick.shape_tied]} · b **{codes.background}**{ties[pick.place_tied]} · {z}{moved}."
    )


def recipe(generator: str, pick: Pick) -> str:
    """The lines of Python that do the same."""
    return program(f"""
codes = {pick.codes}
result = create("finegan", load_generator("{generator}"))(HierarchyRequest(codes=(codes,)))
to_picture(result.images).save("bird.png")
for name, image in result.stages.items():
    to_picture(image).save(f"{{name}}.png")
""")
