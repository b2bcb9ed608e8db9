"""What the comparison's events are answered with: methods run one after another, rows measured, edited and put on the shelf."""

import io
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import gradio as gr
import torch

from engines import InvertRequest, Result
from engines.comparison import InversionEvaluator, consistency_encoder, inverters, space_of, values_of
from engines.contract import Engine
from engines.core.errors import StudioError
from engines.core.images import to_picture, to_tensor
from engines.core.memory import give_back
from engines.core.shapes import Image
from engines.spaces.directions import Edit
from studio.services.direction_library import Library
from studio.services.photo_pipeline import aligned_face, preview
from studio.state.comparison import Comparison, Row, closed, opened
from studio.state.moments import STOPPED, moments, say
from studio.state.session import Session
from studio.state.visitor import Visitor
from studio.tabs.invert.compare_components import CompareParts
from studio.tabs.invert.compare_table import points, strip, table_html
from studio.ui.afresh import afresh
from studio.ui.plots import csv_bytes
from studio.ui.run_control import Going, Stopper, Updates
from studio.ui.run_events import offer, spoken
from studio.ui.shelf_strip import Strip

MOST_SIGMA = 4.0


class CompareHandlers:
    """The order of arguments is that of the inputs in `build`."""

    def __init__(self, session: Session, library: Library, shelf: Strip, parts: CompareParts) -> None:
        self.session, self.library, self.shelf, self.parts = session, library, shelf, parts
        self.methods: dict[str, type[Engine[Any, Any]]] = {engine.card.name: engine for engine in inverters(session.generator)}
        self.runs = Stopper(parts.buttons, self.visitor, session.lines)
        self._evaluator: InversionEvaluator | None = None

    def visitor(self, request: gr.Request) -> Visitor:
        return self.session.visitors.visitor(request)

    @property
    def evaluator(self) -> InversionEvaluator:
        """The instrument, made at the first comparison."""
        if self._evaluator is None:
            session = self.session
            self._evaluator = InversionEvaluator(
                session.generator, session.reconstruction, consistency_encoder(session.generator, session.engine)
            )
        return self._evaluator

    @property
    def reader(self) -> str | None:
        """Title of the encoder that reads edited pictures again."""
        encoder = self.evaluator.encoder
        return encoder.card.title if isinstance(encoder, Engine) else None

    @spoken
    def claim(self, request: gr.Request, names: Sequence[str]) -> str:
        """Reserve the visitor's one run, or say why not."""
        visitor = self.visitor(request)
        aligned_face(visitor)
        if not names:
            raise StudioError("No method is ticked. Tick two or more, so that there is something to compare.")
        return self.runs.claim(visitor)

    @spoken
    def claim_edit(self, request: gr.Request) -> str:
        """The same, to edit what is there once more."""
        visitor = self.visitor(request)
        if visitor.comparison is None or not visitor.comparison.rows:
            raise StudioError("There is nothing to edit yet. Tick some methods and press Compare.")
        return self.runs.claim(visitor)

    @spoken
    def run(self, request: gr.Request, names: Sequence[str], attribute: str, strength: float) -> Iterator[Updates]:
        """Run the ticked methods on the aligned photo, one after another; each ends as a row."""
        yield from self.runs.going(request, afresh(self._left, self._compared(self.visitor(request), names, attribute, strength)))

    @spoken
    def edit(self, request: gr.Request, attribute: str, strength: float) -> Iterator[Updates]:
        """Another edit for every row, without inverting again."""
        yield from self.runs.going(request, afresh(self._left, self._edited_again(self.visitor(request), attribute, strength)))

    @property
    def _left(self) -> list[Any]:
        """What the run before left and this one makes anew at its end; the rows of the same photo stay."""
        return [self.parts.preview, self.parts.csv, self.parts.archive]

    def _compared(self, visitor: Visitor, names: Sequence[str], attribute: str, strength: float) -> Going:
        try:
            edit, words = self._edit(visitor, attribute, strength)
            comparison = self._comparison(visitor)
            yield self._rows(comparison)  # none of another photo
            yield from self._again(visitor, comparison, edit, words)
            chosen = [name for name in self.methods if name in set(names)]
            left = self.session.settings.run_seconds
            for number, name in enumerate(chosen, start=1):
                if visitor.stopping:
                    return self._stopped(visitor)
                start = time.perf_counter()
                yield from self._one(visitor, comparison, name, f"{number} of {len(chosen)}", edit, max(1.0, left))
                left -= time.perf_counter() - start
                if left <= 0 and number < len(chosen):
                    gr.Warning(f"The time for one comparison is used up; {len(chosen) - number} methods were left out.", duration=12)
                    break
            return self._stopped(visitor) if visitor.stopping else self.shown(visitor, f"Done: {len(comparison.rows)} methods compared.")
        finally:
            give_back()

    def _edited_again(self, visitor: Visitor, attribute: str, strength: float) -> Going:
        try:
            edit, words = self._edit(visitor, attribute, strength)
            assert visitor.comparison is not None
            yield self._rows(visitor.comparison)
            yield from self._again(visitor, visitor.comparison, edit, words)
            return self._stopped(visitor) if visitor.stopping else self.shown(visitor, f"Edited: {words}.")
        finally:
            give_back()

    def _stopped(self, visitor: Visitor) -> Updates:
        """What is done stays."""
        done = 0 if visitor.comparison is None else len(visitor.comparison.rows)
        return self.shown(visitor, f"{STOPPED} {done} finished method{'' if done == 1 else 's'} in the table.")

    @spoken
    def clear(self, request: gr.Request) -> Updates:
        """An empty table."""
        visitor = self.visitor(request)
        if visitor.running:
            raise StudioError("A run is still going. Wait for it, or press Stop first.")
        visitor.comparison = None
        return self.shown(visitor, "")

    @spoken
    def put(self, request: gr.Request, event: gr.EventData) -> Updates:
        """A row on the shelf."""
        visitor = self.visitor(request)
        name = getattr(event, "name", None)
        row = None if visitor.comparison is None or not isinstance(name, str) else visitor.comparison.rows.get(name)
        if visitor.comparison is None or row is None or row.inversion is None:
            raise StudioError("That inversion is not kept any more. Run its method again.")
        item = visitor.put(row.title, opened(row.picture), row.inversion, to_picture(visitor.comparison.target))
        gr.Success(f"{row.title} is on the shelf. The tab Edit directions picks it up.")
        return self.shelf.show(visitor, item.key)

    def shown(self, visitor: Visitor, words: str) -> Updates:
        """Everything that a finished comparison fills, downloads included."""
        comparison, parts = visitor.comparison, self.parts
        if comparison is None or not comparison.rows:
            nothing = gr.DownloadButton(value=None, interactive=False)
            empty = {parts.table: "", parts.plot: None, parts.strip: gr.Gallery([], visible=False)}
            return {parts.buttons.status: words, parts.csv: nothing, parts.archive: nothing, **empty}
        csv = gr.DownloadButton(value=offer("methods.csv", csv_bytes(comparison.table())), interactive=True)
        archive = gr.DownloadButton(value=offer("methods.zip", comparison.archive(_plain(comparison.target))), interactive=True)
        return {parts.buttons.status: words, parts.csv: csv, parts.archive: archive} | self._rows(comparison)

    def _rows(self, comparison: Comparison) -> Updates:
        parts, pictures = self.parts, strip(comparison)
        return {
            parts.table: table_html(comparison, self.reader),
            parts.plot: points(comparison, self.reader),
            parts.strip: gr.Gallery(pictures, visible=bool(pictures), label=f"Edited: {comparison.edit}"),
        }

    def _comparison(self, visitor: Visitor) -> Comparison:
        """The visitor's table; a new one for another photo."""
        target = aligned_face(visitor)
        if visitor.comparison is None or not torch.equal(visitor.comparison.target, target):
            visitor.comparison = Comparison(target, visitor.budget)
        return visitor.comparison

    def _edit(self, visitor: Visitor, attribute: str, strength: float) -> tuple[Edit, str]:
        """The edit that was chosen, and its words.

        Raises:
            StudioError: No such attribute, or too strong.
        """
        if attribute not in self.library.titles:
            raise StudioError(f"There is no edit {attribute!r}. Choose one of {', '.join(self.library.titles.values())}.")
        if not 0 < abs(strength) <= MOST_SIGMA:
            raise StudioError(f"A strength of {strength:g} came; wanted is one from {-MOST_SIGMA:g} to {MOST_SIGMA:g} that is not 0.")
        direction = self.library.get(f"interfacegan/{attribute}", visitor)
        return (direction, float(strength)), f"{self.library.titles[attribute]} {strength:+g} sigma"

    def _again(self, visitor: Visitor, comparison: Comparison, edit: Edit, words: str) -> Iterator[Updates]:
        """Rows that were edited otherwise, edited as the new ones will be: all points of the plot share one edit."""
        if comparison.edit == words:
            return
        comparison.edit = words
        for row in list(comparison.rows.values()):
            comparison.put(replace(row, edited=None, changed={}))
        for row in list(comparison.rows.values()):
            if visitor.stopping:
                return
            yield {self.parts.buttons.status: f"Editing {row.title} …"}
            if row.inversion is not None:
                comparison.put(self._edited(row, to_tensor(opened(row.picture)), comparison.target, edit))
                yield self._rows(comparison)

    def _one(self, visitor: Visitor, comparison: Comparison, name: str, place: str, edit: Edit, limit: float) -> Iterator[Updates]:
        """One method from its start to its row, which a stopped one does not get; what goes wrong in it stops no other."""
        title, status = self.methods[name].card.title, self.parts.buttons.status
        try:
            yield {status: f"{place} · {title} · getting ready …"}
            engine = self.session.engine(name)
            run = engine.run(InvertRequest(image=comparison.target), engine.knob_set())
            for moment in moments(run, limit, visitor.is_stopping):
                changes: Updates = {status: f"{place} · {title} · {say(moment)}"}
                if moment.progress.preview is not None:
                    changes[self.parts.preview] = preview(moment.progress.preview)
                yield changes
            if moment.stopped or moment.result is None:
                return
            yield {status: f"{place} · {title} · measuring …"}
            comparison.put(self._row(name, moment.result, comparison.target, moment.seconds, edit))
            yield self._rows(comparison)
        except StudioError as error:
            gr.Warning(f"{title}: {error}", duration=12)

    def _row(self, name: str, result: Result, photo: Image, seconds: float, edit: Edit) -> Row:
        """A result measured and edited."""
        evaluator, inversion = self.evaluator, result.inversions[0]
        image = evaluator.draw(inversion)
        figures = evaluator.figures(image, photo.to(image)) | {"seconds": seconds, "values": values_of(inversion, self.session.generator)}
        row = Row(name, self.methods[name].card.title, closed(to_picture(image)), figures, space_of(inversion), inversion.to("cpu"))
        return self._edited(row, image, photo, edit)

    def _edited(self, row: Row, image: Image, photo: Image, edit: Edit) -> Row:
        """The row with the edit applied to its inversion."""
        assert row.inversion is not None
        device = self.session.generator.device
        found = self.evaluator.edited(row.inversion.to(device), image.to(device), photo.to(device), edit)
        return replace(row, edited=closed(to_picture(found.image)), changed=found.figures)


def _plain(photo: Image) -> bytes:
    """The aligned photo itself, which no model made."""
    buffer = io.BytesIO()
    to_picture(photo).save(buffer, "JPEG", quality=95)
    return buffer.getvalue()
