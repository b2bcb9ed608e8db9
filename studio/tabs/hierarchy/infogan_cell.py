"""The first lesson: InfoGAN on digits. Codes with meaning beside codes without, and a Q head that anyone may try."""

from dataclasses import dataclass
from typing import Any

import gradio as gr

from engines.core.images import png_bytes
from engines.generators.infogan import REACH, WEIGHTS, InfoCodes
from studio.services.finegan_sampler import MOST_SEED, large, whole
from studio.services.snippets import program
from studio.state.session import Session
from studio.tabs.hierarchy.digit_encoder_cell import reading_cell
from studio.tabs.hierarchy.infogan import AXES, DigitLesson, codes_file, held, read_codes
from studio.ui.cell import cell, code, lesson
from studio.ui.lanes import IN_TURN, LANE
from studio.ui.run_events import offer, spoken

_PROSE = (
    "Before birds, digits: one code with ten values, two continuous ones, and noise z for all the rest. No label was ever seen. Pick a "
    "category, move the sliders, and say in a word what each does. Behind each category stands the digit that it turned out to be."
)
_GRIDS = "Each row is one value of one code, each column one draw of everything else. {} What do the pictures of a row have in common?"
_BESIDE = "On the left the picture must give its codes away, on the right is the ablation, trained without that term."
_ALONE = "The picture must give its codes away. (The ablation, trained without that term, is in the source tree only.)"
_ROWS = {"category": "the category", "first": "the first code", "second": "the second code"}


@dataclass(frozen=True, eq=False)
class InfoganControls:
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
    bring: gr.UploadButton
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


def lesson_cells(session: Session, tab: gr.Tab) -> None:
    """The lesson's cells, from a number on, and their events."""
    digits = DigitLesson(session)
    if not digits.is_there:
        return
    codes, opened = gr.State(InfoCodes(0)), gr.State(False)
    controls = _parts(digits)

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
            return [gr.skip()] * (2 + len(controls.shown) + len(controls.laid))
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
            return [gr.skip()] * (5 + len(controls.shown))
        return [read.category, *read.continuous, read.seed, *answered(read)]

    @spoken
    def bring(data: bytes | None) -> list[Any]:
        """Codes of a file that was saved here."""
        return adopt(InfoCodes(0), None if data is None else read_codes(data, digits.gan.form.categories))

    sliding: dict[str, Any] = {"trigger_mode": "always_last"} | LANE
    one, many = [codes, *controls.shown], [codes, controls.vary]
    tab.select(open_, [opened, codes, controls.vary], [opened, *one, *controls.laid], **LANE)
    moved = [controls.first.input, controls.second.input, controls.first.release, controls.second.release]
    gr.on(moved, choose, [codes, *controls.controls], one, **sliding)
    gr.on([controls.first.release, controls.second.release], lay, many, controls.laid, **sliding)
    picked = gr.on([controls.category.input, controls.seed.submit, controls.seed.blur], choose, [codes, *controls.controls], one, **IN_TURN)
    picked.success(lay, many, controls.laid, **LANE)
    controls.another.click(another, codes, [controls.seed, *one], **IN_TURN).success(lay, many, controls.laid, **LANE)
    back = controls.bring.upload(bring, controls.bring, [*controls.controls, *one], **IN_TURN)
    back.success(lay, many, controls.laid, **LANE)
    controls.vary.input(lay, many, controls.laid, **LANE)
    take, read = reading_cell(digits, tab)
    take.click(adopt, [codes, read], [*controls.controls, *one], **IN_TURN).success(lay, many, controls.laid, **LANE)


def _parts(digits: DigitLesson) -> InfoganControls:
    with cell("InfoGAN on digits", _PROSE, folded=True), gr.Row():
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
                seed = gr.Number(
                    0,
                    label="Seed of z",
                    info="Whatever else varies.",
                    step=1,
                    elem_id="info-seed",
                    elem_classes=["seed", "with-button"],
                    min_width=130,
                )
                another = gr.Button("New seed", elem_id="info-another", min_width=90)
            with gr.Row(elem_classes="saves"):
                picture = gr.DownloadButton("Download the digit (PNG)", interactive=False, elem_id="info-download")
                file = gr.DownloadButton("Download the codes (JSON)", interactive=False, elem_id="info-download-codes")
                bring = gr.UploadButton("Upload codes (JSON)", file_types=[".json"], type="binary", elem_id="info-bring")
            snippet = code("info")
            lesson("infogan")
    with cell("Latent traversals", _GRIDS.format(_BESIDE if digits.plain else _ALONE), folded=True):
        vary = gr.Radio(list(_ROWS.values()), value=_ROWS["category"], label="Down the rows", elem_id="info-vary")
        with gr.Row():
            whole_, plain = (
                gr.Image(
                    label=label, interactive=False, show_label=False, format="png", buttons=[], elem_id=name, min_width=300, visible=there
                )
                for label, name, there in (
                    ("InfoGAN", "info-grid", True),
                    ("Its ablation without the information term", "info-plain", digits.plain is not None),
                )
            )
        with gr.Row(elem_classes="saves"):
            grids = (
                gr.DownloadButton("Download InfoGAN's grid (PNG)", interactive=False, elem_id="info-download-grid"),
                gr.DownloadButton(
                    "Download the ablation's grid (PNG)", interactive=False, elem_id="info-download-plain", visible=digits.plain is not None
                ),
            )
    return InfoganControls(live, category, first, second, seed, another, vary, whole_, plain, picture, grids, file, bring, snippet)


def _snippet(codes: InfoCodes) -> str:
    first, second = codes.continuous
    return program(
        f'sampler = create("infogan", load_generator("{WEIGHTS}"))\n'
        f"settings = dict(category={codes.category}, first={first:g}, second={second:g})\n"
        f'digit = sampler(Request(seed={codes.seed}), vary="nothing", columns=1, **settings).images  # (1,3,28,28) in [-1, 1]\n'
        f'grid = sampler(Request(seed={codes.seed}), vary="category", **settings).images  # a category a row: (100,3,28,28)\n'
    )
