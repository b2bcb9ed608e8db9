"""The tab Invert: a photo becomes a code, while one watches."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import gradio as gr

from engines.core.errors import FaceError, StudioError
from engines.core.images import to_picture
from engines.faces import alignment_from_box, pick_face
from studio.services import joint_tuning
from studio.services.inversion_recipe import of_inversion, read_inversion, said
from studio.services.photo_pipeline import (
    BOX,
    BOX_ENDS,
    NO_FACE,
    READING,
    aligned_face,
    box_of,
    digest,
    face_names,
    face_number,
    forget,
    inverting,
    overlay,
    place,
    preview,
    use,
)
from studio.services.photo_pipeline import aligned as aligned_of
from studio.services.recipe_text import INVERSION
from studio.serving.lines import PHOTO, RUN
from studio.state.moments import Moment, say
from studio.state.session import Session, examples
from studio.state.visitor import Visitor
from studio.tabs.invert import checkpoint, compare_cell, part_transfer
from studio.tabs.invert.method_cell import Chooser, method_cell
from studio.tabs.invert.result import Outputs, finished, made, result_cell, shown, snippet, viewed
from studio.tabs.tab import Tab, TabContext
from studio.ui import menus
from studio.ui.afresh import READY, afresh
from studio.ui.cell import Runner, cell
from studio.ui.inputs import photo_input
from studio.ui.lanes import AT_ONCE, PRIVATE
from studio.ui.plots import loss_curve
from studio.ui.run_control import Going, Stopper, Updates, connect_stop
from studio.ui.run_events import QUICK, spoken
from studio.ui.ways import EDIT, INVERT, MAP, MIX


def build(context: TabContext, tab: gr.Tab) -> None:
    """The tab's cells and events; what a visitor left before is shown again when the page opens."""
    session = context.session
    kept = "kept here, for you alone, with what you make of it" if session.settings.remembers else "forgotten when you leave"
    with cell("Photo", f"Choose a portrait. It is read on this machine, aligned as the generator's training faces were, and {kept}."):
        faced = _photo_cell(session, context.arrived)
    with cell(
        "Invert",
        "Pick a method and press Run: the code moves step by step until the generator redraws the face. Stop keeps the best so far.",
    ):
        chooser, buttons, preview, curve = method_cell(session)
        published = checkpoint.accordion(session)
    with cell(
        "Result",
        "Drag the divider, or choose a view (Tab and Space do it too). Then put the inversion on the shelf: the other tabs edit it.",
    ):
        out = result_cell(session, preview, curve)
    _connect(context, chooser, buttons, out)
    checkpoint.connect(session, published, out)
    compare_cell.build(session, context.shelf, context.library)
    part_transfer.build(session, context.shelf, faced)


TAB = Tab(INVERT, "Invert", "photo", build)


def _photo_cell(session: Session, arrived: Any) -> list[Any]:
    """The cell and its events; returns those after which another face is aligned, or none."""
    with gr.Row():
        with gr.Column(min_width=260):
            photo = photo_input(label="Photo", height=320, elem_id="photo", buttons=[])
            gr.Markdown("Use photos of people who agree to it.", elem_classes="status")
            gr.Examples([[str(path)] for path in examples()], [photo], label="Examples", elem_id="photo-examples", api_visibility="private")
        with gr.Column(min_width=260):
            found = gr.Image(
                label="What was found", height=320, interactive=False, elem_id="photo-found", format="jpeg", buttons=["fullscreen"]
            )
            sentence = gr.Markdown("", elem_id="photo-sentence", elem_classes="status")
            which = menus.radio([], label="Which face", visible=False, elem_id="photo-which")
            with gr.Accordion("Place the crop by hand", open=False, elem_id="photo-box") as fold:
                labels = ("Middle, from the left", "Middle, from the top", "Side, as a share of the photo's shorter side")
                box = [
                    gr.Slider(low, high, value, step=0.01, label=label, elem_id=f"box-{name}")
                    for name, (low, high), value, label in zip(("x", "y", "side"), BOX_ENDS, BOX, labels, strict=True)
                ]
                take = gr.Button("Use the box as it stands", visible=False, size="sm", elem_id="box-use")
        with gr.Column(min_width=260):
            aligned = gr.Image(
                label="Aligned", height=320, interactive=False, elem_id="photo-aligned", format="jpeg", buttons=["fullscreen"]
            )

    seen = [found, sentence, aligned]
    placed = [*seen, which, fold, *box, take]

    def told(visitor: Visitor, words: str) -> Updates:
        """What the photo shows by now."""
        return {found: overlay(visitor), sentence: words, aligned: aligned_of(visitor)}

    def boxed(visitor: Visitor) -> Updates:
        """The box by hand, where the crop lies."""
        return dict(zip(box, box_of(visitor), strict=True))

    def choose_photo(path: str | None, request: gr.Request) -> Updates:
        """Read, find faces, align the largest; whatever became of the photo before is forgotten, also where this one cannot be read."""
        visitor, words = session.visitors.visitor(request), ""
        if path is not None and visitor.photo is not None and digest(path) == visitor.upload:
            return standing(visitor)  # the page was opened again, and shows the photo that is here already
        forget(visitor)
        if path is not None:
            try:
                words = place(session, visitor, path)
            except StudioError as error:
                gr.Warning(str(error), duration=12)
                words = f"⚠️ {error}"
        return arranged(visitor, words)

    def arranged(visitor: Visitor, words: str) -> Updates:
        """All of the cell but the photo itself."""
        names = face_names(len(visitor.faces))
        used = next((name for name, face in zip(names, visitor.faces, strict=True) if face.alignment is visitor.alignment), None)
        radio = gr.Radio(names, value=used, visible=len(names) > 1)
        unplaced = visitor.photo is not None and not names and visitor.target is None
        choices = {which: radio, fold: gr.Accordion(open=unplaced), take: gr.Button(visible=unplaced)}
        return told(visitor, words) | choices | boxed(visitor)

    def standing(visitor: Visitor) -> Updates:
        """A photo that was placed before."""
        return arranged(visitor, NO_FACE if visitor.target is None else "Your photo is still here, aligned as you left it.")

    def come_back(request: gr.Request) -> Updates:
        """The photo of a visitor who opens the page again."""
        visitor = session.visitors.visitor(request)
        if visitor.photo is None:
            return {photo: gr.skip()}
        return {photo: visitor.path if Path(visitor.path).is_file() else gr.skip()} | standing(visitor)

    @spoken
    def choose_face(name: str | None, request: gr.Request) -> Updates:
        """Align another of the faces found."""
        visitor = session.visitors.visitor(request)
        face = pick_face(visitor.faces, face_number(name))
        use(session, visitor, face.alignment)
        return told(visitor, face.warning or f"{name} is aligned.") | boxed(visitor)

    @spoken
    def choose_box(x: float, y: float, side: float, request: gr.Request) -> Updates:
        """Align by the box placed by hand."""
        visitor = session.visitors.visitor(request)
        if visitor.photo is None:
            raise FaceError("There is no photo yet. Choose one, or click an example.")
        use(session, visitor, alignment_from_box(visitor.photo.size, x, y, side))
        return told(visitor, "Aligned by hand.") | {take: gr.Button(visible=False)}

    reading: dict[str, Any] = {"concurrency_id": "photo", "concurrency_limit": 1} | PRIVATE
    photo.change(None, photo, sentence, js=READING, **AT_ONCE)
    placing = [slider.input for slider in box]
    arrived.success(come_back, None, [photo, *placed], **reading)
    return [
        photo.change(choose_photo, photo, placed, **reading),
        which.input(choose_face, which, [*seen, *box], **QUICK | PRIVATE),
        gr.on([*placing, take.click], choose_box, box, [*seen, take], trigger_mode="always_last", **reading),
    ]


def _connect(context: TabContext, chooser: Chooser, buttons: Runner, out: Outputs) -> None:
    session, strip, form = context.session, context.shelf, chooser.form

    def visitor_at(request: gr.Request) -> Visitor:
        return session.visitors.visitor(request)

    runs = Stopper(buttons, visitor_at, session.lines)

    @spoken
    def claim(request: gr.Request) -> str:
        """Reserve the visitor's one run, or say why not."""
        visitor = visitor_at(request)
        aligned_face(visitor)
        return runs.claim(visitor)

    def inverted(visitor: Visitor, name: str, together: bool, settings: Any) -> Going:
        """The chosen method on the aligned photo, then its result drawn in full and measured."""
        chosen, knobs = form.engine(name), form.knobs(name, settings)
        others = visitor.others(to_picture(visitor.target)) if together and chosen.tunes_along and visitor.target is not None else []
        aligned_face(visitor)
        photo, visitor.results.inverted = visitor.upload, None
        yield {buttons.status: READY}
        for moment, kept in inverting(session, visitor, chosen, knobs, others):
            visitor.results.inverted = kept
            yield (last := _live(moment, buttons, out))
        if kept is None:
            return last
        recipe = of_inversion(session, kept, photo, chosen, knobs, whole=moment.is_whole)
        drawn = finished(session, kept, recipe)
        visitor.results.inverted = drawn.kept
        visitor.book.note(made(session, drawn, chosen, knobs, moment), drawn.picture)
        return {buttons.status: say(moment), out.code: snippet(session.generator.name, chosen, knobs)} | shown(session, drawn, out)

    def choose(request: gr.Request, name: str, *_: Any) -> tuple[str, str]:
        """In which line the chosen method waits."""
        return session.line_of(name) if name in form.engines else RUN, name

    @spoken
    def run_method(request: gr.Request, name: str, together: bool, settings: Any) -> Iterator[Updates]:
        """Run the chosen method."""
        yield from runs.going(request, afresh(out.results, inverted(visitor_at(request), name, together, settings)))

    @spoken
    def show(name: str, request: gr.Request) -> list[Any]:
        """Switch the view."""
        kept = visitor_at(request).results.inverted
        if kept is None:
            return [gr.skip(), gr.skip()]
        picture = viewed(kept, name)
        return [gr.ImageSlider(visible=picture is None), gr.Image(picture, visible=picture is not None)]

    @spoken
    def put_on_shelf(request: gr.Request) -> Updates:
        """Keep the inversion for the other tabs."""
        visitor = visitor_at(request)
        kept = visitor.results.inverted
        if kept is None or visitor.running:
            raise StudioError("There is nothing to put on the shelf yet. Press Run first, and wait for its end or press Stop.")
        item = joint_tuning.shelve(session, visitor, kept)
        return strip.show(visitor, item.key)

    def told(request: gr.Request) -> Updates:
        """The same where the page stays."""
        updates = put_on_shelf(request)
        gr.Success("On the shelf, where every tab finds it.")
        return updates

    def come_back(request: gr.Request) -> Updates:
        """The last result of a visitor who opens the page again, unless its run still goes."""
        visitor = visitor_at(request)
        kept = visitor.results.inverted
        if kept is None or visitor.running:
            return {out.view: gr.skip()}
        drawn = finished(session, kept)
        visitor.results.inverted = drawn.kept
        return shown(session, drawn, out)

    @spoken
    def set_as_told(told: tuple[int, str] | None, value: Any, request: gr.Request) -> Updates:
        """Method and knobs as a recipe says, and whether Run repeats its inversion."""
        if told is None:
            return {buttons.status: gr.skip()}
        recipe = read_inversion(told[1], session)
        following = chooser.following(recipe.method, form.set(recipe.method, recipe.knobs, value))
        return {chooser.method: recipe.method, buttons.status: said(recipe, session, visitor_at(request))} | following

    def take_up(event: Any, told: gr.State) -> None:
        """The recipe in the state: nothing of it is left with the visitor, since method and knobs stand on their page."""
        event.success(set_as_told, [told, form.component], [chooser.method, *chooser.follows, buttons.status], **QUICK | PRIVATE)

    context.repeats.taken_by(INVERT, INVERSION, lambda text, _: read_inversion(text, session), take_up)
    context.repeats.brought_by(out.repeat)
    context.arrived.success(come_back, None, out.results, concurrency_id=PHOTO, **PRIVATE)
    runs.connect(run_method, [chooser.method, chooser.company, form.component], [buttons.status, *out.results], claim, choose=choose)
    connect_stop(runs)
    out.view.change(show, out.view, [out.slider, out.picture], show_progress="hidden", **QUICK)
    out.keep.click(told, None, strip.outputs, **QUICK | PRIVATE)
    for button, name in ((out.edit, EDIT), (out.mix, MIX), (out.map, MAP)):
        context.ways.lead(button.click(put_on_shelf, None, strip.outputs, **QUICK | PRIVATE), name, takes=name != EDIT)


def _live(moment: Moment, buttons: Runner, out: Outputs) -> dict[Any, Any]:
    changes: dict[Any, Any] = {buttons.status: say(moment)}
    if moment.history:
        changes[out.curve] = loss_curve(moment.history)
    if moment.progress.preview is not None and moment.result is None:
        changes[out.preview] = preview(moment.progress.preview)
    return changes
