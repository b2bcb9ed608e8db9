"""What the comparison's events are answered with: methods run one after another, rows measured, edited and put on the shelf."""

import io
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import gradio as gr

from engines import InvertRequest, Result
from engines.comparison import Judge, inverters, reader, space_of, values_of
from engines.contract import Engine
from engines.core.errors import FaceError, StudioError
from engines.core.images import to_picture, to_tensor
from engines.core.memory import give_back
from engines.core.shapes import Image
from engines.spaces.directions import Edit
from studio.compared import Comparison, Row, closed, opened
from studio.events import STOPPED, moments, offer, say, spoken
from studio.library import Library
from studio.pages.compare.parts import Parts
from studio.pages.compare.table import points, strip, table_html
from studio.photo import preview
from studio.plots import csv_bytes
from studio.running import Going, Stopper, Updates
from studio.session import Session
from studio.shelf import Desk
from studio.strip import Strip

MOST_SIGMA = 4.0


class Answers:
    """The order of arguments is that of the inputs in `build`."""

    def __init__(self, session: Session, library: Library, shelf: Strip, parts: Parts) -> None:
        self.session, self.library, self.shelf, self.parts = session, library, shelf, parts
        self.methods: dict[str, type[Engine[Any, Any]]] = {engine.card.name: engine for engine in inverters(session.generator)}
        self.runs = Stopper(parts.buttons, self.desk)
        self._judge: Judge | None = None

    def desk(self, request: gr.Request) -> Desk:
        return self.session.visitors.desk(request.session_hash)

    @property
    def judge(self) -> Judge:
        """The instrument, made at the first comparison."""
        if self._judge is None:
            session = self.session
            self._judge = Judge(session.generator, session.reconstruction, reader(session.generator, session.engine))
        return self._judge

    @property
    def reader(self) -> str | None:
        """Title of the encoder that reads edited pictures again."""
        reads = self.judge.reads
        return reads.card.title if isinstance(reads, Engine) else None

    @spoken
    def claim(self, request: gr.Request, names: Sequence[str]) -> str:
        """Reserve the visitor's one run, or say why not."""
        desk = self.desk(request)
        if desk.target is None:
            raise FaceError("There is no aligned face yet. Choose a photo in the first cell, or click an example.")
        if not names:
            raise StudioError("No method is ticked. Tick two or more, so that there is something to compare.")
        return self.runs.claim(desk)

    @spoken
    def claim_edit(self, request: gr.Request) -> str:
        """The same, to edit what is there once more."""
        desk = self.desk(request)
        if desk.comparison is None or not desk.comparison.rows:
            raise StudioError("There is nothing to edit yet. Tick some methods and press Compare.")
        return self.runs.claim(desk)

    @spoken
    def run(self, request: gr.Request, names: Sequence[str], attribute: str, strength: float) -> Iterator[Updates]:
        """Run the ticked methods on the aligned photo, one after another; each ends as a row."""
        yield from self.runs.going(request, self._compared(self.desk(request), names, attribute, strength))

    @spoken
    def edit(self, request: gr.Request, attribute: str, strength: float) -> Iterator[Updates]:
        """Another edit for every row, without inverting again."""
        yield from self.runs.going(request, self._edited_again(self.desk(request), attribute, strength))

    def _compared(self, desk: Desk, names: Sequence[str], attribute: str, strength: float) -> Going:
        try:
            edit, words = self._edit(desk, attribute, strength)
            comparison = self._comparison(desk)
            yield from self._again(desk, comparison, edit, words)
            chosen = [name for name in self.methods if name in set(names)]
            left = self.session.settings.run_seconds
            for number, name in enumerate(chosen, start=1):
                if desk.stopping:
                    return self._stopped(desk)
                start = time.perf_counter()
                yield from self._one(desk, comparison, name, f"{number} of {len(chosen)}", edit, max(1.0, left))
                left -= time.perf_counter() - start
                if left <= 0 and number < len(chosen):
                    gr.Warning(f"The time for one comparison is used up; {len(chosen) - number} methods were left out.", duration=12)
                    break
            return self._stopped(desk) if desk.stopping else self.shown(desk, f"Done: {len(comparison.rows)} methods compared.")
        finally:
            give_back()

    def _edited_again(self, desk: Desk, attribute: str, strength: float) -> Going:
        try:
            edit, words = self._edit(desk, attribute, strength)
            assert desk.comparison is not None
            yield from self._again(desk, desk.comparison, edit, words)
            return self._stopped(desk) if desk.stopping else self.shown(desk, f"Edited: {words}.")
        finally:
            give_back()

    def _stopped(self, desk: Desk) -> Updates:
        """What is done stays."""
        done = 0 if desk.comparison is None else len(desk.comparison.rows)
        return self.shown(desk, f"{STOPPED} {done} finished method{'' if done == 1 else 's'} in the table.")

    @spoken
    def clear(self, request: gr.Request) -> Updates:
        """An empty table."""
        desk = self.desk(request)
        if desk.running:
            raise StudioError("A run is still going. Wait for it, or press Stop first.")
        desk.comparison = None
        return self.shown(desk, "")

    @spoken
    def put(self, request: gr.Request, event: gr.EventData) -> list[Any]:
        """A row on the shelf."""
        desk = self.desk(request)
        name = getattr(event, "name", None)
        row = None if desk.comparison is None or not isinstance(name, str) else desk.comparison.rows.get(name)
        if desk.comparison is None or row is None or row.inversion is None:
            raise StudioError("That inversion is not kept any more. Run its method again.")
        item = desk.put(row.title, opened(row.picture), row.inversion, to_picture(desk.comparison.target))
        gr.Success(f"{row.title} is on the shelf. The tab Edit directions picks it up.")
        return self.shelf.show(desk, item.key)

    def shown(self, desk: Desk, words: str) -> Updates:
        """Everything that a finished comparison fills, downloads included."""
        comparison, parts = desk.comparison, self.parts
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

    def _comparison(self, desk: Desk) -> Comparison:
        """The visitor's table; a new one for another photo."""
        target = desk.target
        assert target is not None
        if desk.comparison is None or desk.comparison.target is not target:
            desk.comparison = Comparison(target, desk.budget)
        return desk.comparison

    def _edit(self, desk: Desk, attribute: str, strength: float) -> tuple[Edit, str]:
        """The edit that was chosen, and its words.

        Raises:
            StudioError: No such attribute, or too strong.
        """
        if attribute not in self.library.titles:
            raise StudioError(f"There is no edit {attribute!r}. Choose one of {', '.join(self.library.titles.values())}.")
        if not 0 < abs(strength) <= MOST_SIGMA:
            raise StudioError(f"A strength of {strength:g} came; wanted is one from {-MOST_SIGMA:g} to {MOST_SIGMA:g} that is not 0.")
        direction = self.library.get(f"interfacegan/{attribute}", desk)
        return (direction, float(strength)), f"{self.library.titles[attribute]} {strength:+g} sigma"

    def _again(self, desk: Desk, comparison: Comparison, edit: Edit, words: str) -> Iterator[Updates]:
        """Rows that were edited otherwise, edited as the new ones will be: all points of the plot share one edit."""
        if comparison.edit == words:
            return
        comparison.edit = words
        for row in list(comparison.rows.values()):
            comparison.put(replace(row, edited=None, changed={}))
        for row in list(comparison.rows.values()):
            if desk.stopping:
                return
            yield {self.parts.buttons.status: f"Editing {row.title} …"}
            if row.inversion is not None:
                comparison.put(self._edited(row, to_tensor(opened(row.picture)), comparison.target, edit))
                yield self._rows(comparison)

    def _one(self, desk: Desk, comparison: Comparison, name: str, place: str, edit: Edit, limit: float) -> Iterator[Updates]:
        """One method from its start to its row, which a stopped one does not get; what goes wrong in it stops no other."""
        title, status = self.methods[name].card.title, self.parts.buttons.status
        try:
            yield {status: f"{place} · {title} · getting ready …"}
            engine = self.session.engine(name)
            run = engine.run(InvertRequest(image=comparison.target), engine.knob_set())
            for moment in moments(run, lambda _: None, limit, desk.is_stopping):
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
        judge, inversion = self.judge, result.inversions[0]
        image = judge.draw(inversion)
        figures = judge.figures(image, photo.to(image)) | {"seconds": seconds, "values": values_of(inversion, self.session.generator)}
        row = Row(name, self.methods[name].card.title, closed(to_picture(image)), figures, space_of(inversion), inversion.to("cpu"))
        return self._edited(row, image, photo, edit)

    def _edited(self, row: Row, image: Image, photo: Image, edit: Edit) -> Row:
        """The row with the edit applied to its inversion."""
        assert row.inversion is not None
        device = self.session.generator.device
        found = self.judge.edited(row.inversion.to(device), image.to(device), photo.to(device), edit)
        return replace(row, edited=closed(to_picture(found.image)), changed=found.figures)


def _plain(photo: Image) -> bytes:
    """The aligned photo itself, which no model made."""
    buffer = io.BytesIO()
    to_picture(photo).save(buffer, "JPEG", quality=95)
    return buffer.getvalue()
