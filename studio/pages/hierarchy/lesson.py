"""The first lesson: InfoGAN on digits. Codes with meaning beside codes without, and a reader of codes that anyone may try."""

from dataclasses import dataclass
from typing import Any

import gradio as gr

from engines.core.images import png_bytes
from engines.generators.infogan import REACH, InfoCodes
from engines.hierarchy.infogan import WEIGHTS
from studio.cell import cell, code, lesson
from studio.digits import AXES, DigitLesson, codes_file, held
from studio.events import offer, spoken
from studio.pages.edit.context import IN_TURN, LANE
from studio.pages.hierarchy.reading import reading_cell
from studio.session import Session
from studio.staged import MOST_SEED, large, whole

_PROSE = (
    "Before birds, digits: one code with ten values, two that glide, and noise z for all the rest. No label was ever seen. Pick a "
    "category, move the sliders, and say in a word what each does. Behind each category stands the digit that it turned out to be."
)
_GRIDS = (
    "Each row is one value of one code, each column one draw of everything else. On the left the picture must give its codes away, on the "
    "right is the twin that was trained without that term. What do the pictures of a row have in common?"
)
_ROWS = {"category": "the category", "first": "the first code", "second": "the second code"}


@dataclass(frozen=True, eq=False)
class Desk:
    """Components of the cells in which codes are chosen and laid out."""

    live: gr.Image
    category: gr.Radio
    first: gr.Slider
    second: gr.Slider
    seed: gr.Number
    another: gr.Button
    vary: gr.Radio
    whole: gr.Image
    plain: gr.Image
    picture: gr.DownloadButton
    grids: tuple[gr.DownloadButton, gr.DownloadButton]
    file: gr.DownloadButton
    snippet: gr.Code

    @property
    def controls(self) -> list[Any]:
        """What says the codes."""
        return [self.category, self.first, self.second, self.seed]

    @property
    def shown(self) -> list[Any]:
        """What one picture fills."""
        return [self.live, self.picture, self.file, self.snippet]

    @property
    def laid(self) -> list[Any]:
        """What the grids fill."""
        return [self.whole, self.plain, *self.grids]


def lesson_cells(session: Session, number: int, tab: gr.Tab) -> None:
    """The lesson's cells, from a number on, and their events."""
    digits = DigitLesson(session)
    if not digits.is_there:
        return
    codes, opened = gr.State(InfoCodes(0)), gr.State(False)
    desk = _parts(digits, number)

    def answered(codes: InfoCodes) -> list[Any]:
        """The picture of codes, to see and to take home."""
        picture = large(digits.draw(codes))
        files = (offer("digit.png", png_bytes(picture)), offer("codes.json", codes_file(codes)))
        downloads = [gr.DownloadButton(value=file, interactive=True) for file in files]
        return [codes, picture, *downloads, _snippet(codes)]

    def grids(codes: InfoCodes, row: str) -> list[Any]:
        """Both networks' grids."""
        axis = next((axis for axis in AXES if row == _ROWS[axis]), AXES[0])
        laid = [digits.laid(codes, axis, plain).picture for plain in ((False, True) if digits.plain else (False,))]
        files = [gr.DownloadButton(value=offer(f"grid-{axis}.png", png_bytes(picture)), interactive=True) for picture in laid]
        rest = [gr.skip()] * (2 - len(laid))
        return [*laid, *rest, *files, *rest]

    @spoken
    def open_(opened: bool, codes: InfoCodes, row: str) -> list[Any]:
        """The cells at the tab's first look."""
        if opened:
            return [gr.skip()] * (2 + len(desk.shown) + len(desk.laid))
        return [True, *answered(codes), *grids(codes, row)]

    @spoken
    def choose(codes: InfoCodes, category: int, first: float, second: float, seed: float | None) -> list[Any]:
        """The picture as the controls stand."""
        number = whole(category, digits.gan.form.categories, "Category")
        z = whole(seed, MOST_SEED + 1, "Seed")
        return answered(held(codes, category=number, continuous=(first, second), seed=z))

    @spoken
    def another(codes: InfoCodes) -> list[Any]:
        """The next seed's z."""
        seed = (codes.seed + 1) % (MOST_SEED + 1)
        return [seed, *answered(held(codes, seed=seed))]

    @spoken
    def lay(codes: InfoCodes, row: str) -> list[Any]:
        """The grids around the codes."""
        return grids(codes, row)

    @spoken
    def adopt(codes: InfoCodes, read: InfoCodes | None) -> list[Any]:
        """Codes that Q read."""
        if read is None:
            return [gr.skip()] * (5 + len(desk.shown))
        return [read.category, *read.continuous, read.seed, *answered(read)]

    sliding: dict[str, Any] = {"trigger_mode": "always_last"} | LANE
    one, many = [codes, *desk.shown], [codes, desk.vary]
    tab.select(open_, [opened, codes, desk.vary], [opened, *one, *desk.laid], **LANE)
    moved = [desk.first.input, desk.second.input, desk.first.release, desk.second.release]
    gr.on(moved, choose, [codes, *desk.controls], one, **sliding)
    gr.on([desk.first.release, desk.second.release], lay, many, desk.laid, **sliding)
    picked = gr.on([desk.category.input, desk.seed.submit, desk.seed.blur], choose, [codes, *desk.controls], one, **IN_TURN)
    picked.success(lay, many, desk.laid, **LANE)
    desk.another.click(another, codes, [desk.seed, *one], **IN_TURN).success(lay, many, desk.laid, **LANE)
    desk.vary.input(lay, many, desk.laid, **LANE)
    take, read = reading_cell(digits, number + 2, tab)
    take.click(adopt, [codes, read], [*desk.controls, *one], **IN_TURN).success(lay, many, desk.laid, **LANE)


def _parts(digits: DigitLesson, number: int) -> Desk:
    with cell(number, "First lesson: InfoGAN on digits", _PROSE), gr.Row():
        with gr.Column(scale=2, min_width=260):
            live = gr.Image(label="Drawn from the codes", interactive=False, height=300, format="png", elem_id="info-live", buttons=[])
        with gr.Column(scale=3, min_width=300):
            choices = [(digits.name(at), at) for at in range(digits.gan.form.categories)]
            category = gr.Radio(choices, value=0, label="Category", elem_id="info-category")
            first, second = (
                gr.Slider(-REACH, REACH, 0, step=0.05, label=label, elem_id=f"info-{name}", info=info)
                for name, label, info in (
                    ("first", "First code", "Trained from -1 to 1; beyond, it has never been."),
                    ("second", "Second code", "The same. What is it about?"),
                )
            )
            with gr.Row():
                seed = gr.Number(0, label="Seed of z", info="Whatever else varies.", step=1, elem_id="info-seed", min_width=110)
                another = gr.Button("New seed", elem_id="info-another", min_width=90)
            with gr.Row(elem_classes="saves"):
                picture = gr.DownloadButton("Download the digit (PNG)", interactive=False, elem_id="info-download")
                file = gr.DownloadButton("Download the codes (JSON)", interactive=False, elem_id="info-download-codes")
            snippet = code("info")
            lesson("infogan")
    with cell(number + 1, "What a code is worth", _GRIDS):
        vary = gr.Radio(list(_ROWS.values()), value=_ROWS["category"], label="Down the rows", elem_id="info-vary")
        with gr.Row():
            whole_, plain = (
                gr.Image(
                    label=label, interactive=False, show_label=False, format="png", buttons=[], elem_id=name, min_width=300, visible=there
                )
                for label, name, there in (
                    ("InfoGAN", "info-grid", True),
                    ("Its twin without the information term", "info-plain", digits.plain is not None),
                )
            )
        with gr.Row(elem_classes="saves"):
            grids = (
                gr.DownloadButton("Download InfoGAN's grid (PNG)", interactive=False, elem_id="info-download-grid"),
                gr.DownloadButton(
                    "Download the twin's grid (PNG)", interactive=False, elem_id="info-download-plain", visible=digits.plain is not None
                ),
            )
    return Desk(live, category, first, second, seed, another, vary, whole_, plain, picture, grids, file, snippet)


def _snippet(codes: InfoCodes) -> str:
    first, second = codes.continuous
    return (
        "from engines import Request, create, load_generator\n\n"
        'sampler = create("infogan", load_generator("toy"))  # it brings its own network; the generator only says where to compute\n'
        f"settings = dict(category={codes.category}, first={first:g}, second={second:g})\n"
        f'digit = sampler(Request(seed={codes.seed}), vary="nothing", columns=1, **settings).images  # (1,3,28,28) in [-1, 1]\n'
        f'grid = sampler(Request(seed={codes.seed}), vary="category", **settings).images  # a category a row: (100,3,28,28); {WEIGHTS}\n'
    )
