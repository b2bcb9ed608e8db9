"""The comparison: rows, their bounds, what is shown of them, and the answers that make them."""

import io
import time
import zipfile
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import gradio as gr
import pytest
import torch
from PIL import Image as Pil

from engines import Inversion, InvertRequest, Latent
from engines.contract import Run
from engines.core.errors import WeightsError
from engines.spaces.statistics import random_w
from studio.services.direction_library import Library
from studio.settings import Settings
from studio.state.comparison import MOST_ROWS, Comparison, Row, closed, opened
from studio.state.session import Session
from studio.tabs.invert.compare_components import parts
from studio.tabs.invert.compare_handlers import CompareHandlers
from studio.tabs.invert.compare_table import points, strip, table_html
from studio.ui.plots import csv_bytes
from studio.ui.shelf_strip import strip as shelf_strip

VISITOR: Any = SimpleNamespace(session_hash="visitor")
PICTURE = closed(Pil.new("RGB", (64, 64), "teal"))
FIGURES = {"lpips": 0.1, "mse": 0.02, "psnr": 20.0, "ms_ssim": 0.8, "identity_distance": 0.4, "seconds": 3.0, "values": 512}


def row(name: str = "m", **changes: Any) -> Row:
    inversion = Inversion(Latent("w", torch.zeros(1, 32)))
    return replace(Row(name, name.upper(), PICTURE, FIGURES, "W", inversion), **changes)


def comparison(*rows: Row, budget: int = 2**20) -> Comparison:
    found = Comparison(torch.zeros(1, 3, 64, 64), budget, edit="Smile +2 sigma")
    for one in rows:
        found.put(one)
    return found


def test_a_method_has_one_row_and_rows_are_bounded() -> None:
    found = comparison(row("a"), row("b"), row("a"))
    assert list(found.rows) == ["a", "b"]
    for number in range(2 * MOST_ROWS):
        found.put(row(str(number)))
    assert len(found.rows) == MOST_ROWS


def test_beyond_its_budget_a_row_keeps_figures_and_pictures_only() -> None:
    heavy = Inversion(Latent("w", torch.zeros(1, 32)), {"weights": torch.zeros(5_000)})
    found = comparison(row("a"), row("b", inversion=heavy), budget=10_000)
    assert found.rows["a"].inversion is not None
    assert found.rows["b"].inversion is None and found.rows["b"].figures == FIGURES
    assert "disabled" in table_html(found, None)


def test_the_table_escapes_and_marks_the_best_of_each_column() -> None:
    better = row("b", title="<b>B</b>", figures=FIGURES | {"lpips": 0.05, "psnr": 25.0})
    text = table_html(comparison(row("a"), better), None)
    assert "<b>B</b>" not in text and "&lt;b&gt;B" in text
    assert "<b>0.050</b>" in text and "<b>0.100</b>" not in text
    assert "<b>25.0 dB</b>" in text and "<b>20.0 dB</b>" not in text
    assert "data-row='b'" in text
    assert table_html(comparison(), None) == ""


def test_consistency_is_shown_where_an_encoder_reads_and_else_left_out() -> None:
    changed = {"identity_after": 0.5, "consistency": 12.0}
    found = comparison(row("a", edited=PICTURE, changed=changed), row("b"))
    assert "e4e re-encodes each picture" in table_html(found, "e4e") and "12.0" in table_html(found, "e4e")
    alone = table_html(found, None)
    assert "identity alone" in alone and "12.0" not in alone


def test_the_plot_and_the_strip_have_what_was_edited() -> None:
    found = comparison(row("a", edited=PICTURE, changed={"identity_after": 0.5}), row("b"))
    assert [point["title"] for point in points(found, None)["points"]] == ["A"]
    assert points(found, None)["points"][0]["consistency"] is None
    assert points(comparison(row("c", edited=PICTURE, changed={"change": float("nan")})), None)["points"][0]["change"] is None
    [(picture, words)] = strip(found)
    assert picture.size == (64, 64) and words == "A · identity 0.50"


def test_the_spreadsheet_and_the_archive_hold_every_row() -> None:
    found = comparison(row("a", title="=A", edited=PICTURE, changed={"identity_after": 0.5}), row("b"))
    lines = csv_bytes(found.table()).decode().splitlines()
    assert lines[0].startswith("method,lpips,mse,psnr,ms_ssim,identity_distance,seconds,space,values,edit,identity_after")
    assert lines[1].startswith("'=A,0.1,") and len(lines) == 3
    names = zipfile.ZipFile(io.BytesIO(found.archive(b"photo"))).namelist()
    assert names == ["photo.jpg", "a.jpg", "a-edited.jpg", "b.jpg"]


def test_kept_pictures_say_that_a_model_made_them() -> None:
    assert "generative model" in Pil.open(io.BytesIO(PICTURE)).getexif()[0x131]
    assert opened(PICTURE).mode == "RGB"


@pytest.fixture(scope="module")
def session() -> Session:
    return Session(Settings(generator="toy"))


class Quick:
    """An engine at two steps, or so many, whatever it is asked for."""

    def __init__(self, engine: Any, steps: int = 2) -> None:
        self.engine, self.steps = engine, steps

    def __getattr__(self, name: str) -> Any:
        return getattr(self.engine, name)

    def run(self, request: InvertRequest, _: Any) -> Run:
        known = {declared.name for declared in self.engine.knob_set.declared()}
        quick = {name: value for name, value in {"steps": self.steps, "quick_steps": 1}.items() if name in known}
        run = self.engine.run(request, self.engine.knob_set.of(quick))
        return run if self.steps <= 2 else slowly(run)


def slowly(run: Run) -> Run:
    """A run that a page has the time to stop, however fast the machine."""
    try:
        while True:
            try:
                progress = next(run)
            except StopIteration as stop:
                return stop.value
            time.sleep(0.05)
            yield progress
    finally:
        run.close()


@pytest.fixture
def answers(session: Session, monkeypatch: pytest.MonkeyPatch) -> CompareHandlers:
    """Over a new visitor, with every method that inverts at two steps."""
    session.visitors.end(VISITOR)
    with gr.Blocks():
        library = Library(session)
        found = CompareHandlers(session, library, shelf_strip(session), parts({}, library))
    build = session.engine
    monkeypatch.setattr(session, "engine", lambda name: Quick(build(name)) if name in found.methods else build(name))
    return found


def photo(answers: CompareHandlers, seed: int = 3) -> Any:
    visitor = answers.visitor(VISITOR)
    visitor.target = answers.session.generator.synthesize(random_w(answers.session.generator, seed)).clamp(-1, 1)
    return visitor


def test_methods_become_rows_one_after_another(answers: CompareHandlers) -> None:
    visitor, said = photo(answers), []
    assert answers.claim(VISITOR, ["projector"]) and visitor.running
    for changes in answers.run(VISITOR, ["image2stylegan", "projector", "nobody"], "brightness", 2.0):
        said.append(changes.get(answers.parts.buttons.status, ""))
    assert list(visitor.comparison.rows) == ["image2stylegan", "projector"] and not visitor.running
    assert any("2 of 2 · StyleGAN2 projector" in words for words in said) and said[-1].startswith("Done: 2 methods")
    for found in visitor.comparison.rows.values():
        assert found.figures["seconds"] > 0 and found.changed["identity_after"] > 0 and found.edited is not None
    assert visitor.comparison.rows["projector"].space == "W" and visitor.comparison.rows["projector"].figures["values"] == 32
    assert answers.parts.csv in changes and answers.parts.archive in changes


def test_another_edit_is_applied_to_all_rows_without_inverting_again(answers: CompareHandlers) -> None:
    visitor = photo(answers)
    list(answers.run(VISITOR, ["projector"], "brightness", 2.0))
    before = visitor.comparison.rows["projector"]
    answers.claim_edit(VISITOR)
    list(answers.edit(VISITOR, "warmth", -1.5))
    after = visitor.comparison.rows["projector"]
    assert visitor.comparison.edit == "Warmth -1.5 sigma" and not visitor.running
    assert after.picture == before.picture and after.figures == before.figures and after.edited != before.edited


def test_what_is_done_stays_when_the_run_is_closed(answers: CompareHandlers) -> None:
    visitor = photo(answers)
    answers.claim(VISITOR, ["projector"])
    running = answers.run(VISITOR, ["image2stylegan", "projector"], "brightness", 2.0)
    for _ in running:
        if visitor.comparison is not None and visitor.comparison.rows:
            break
    running.close()
    assert not visitor.running and list(visitor.comparison.rows) == ["image2stylegan"]


def test_stop_leaves_the_rows_that_are_done(answers: CompareHandlers) -> None:
    visitor, said = photo(answers), []
    answers.claim(VISITOR, ["projector"])
    for changes in answers.run(VISITOR, ["image2stylegan", "projector"], "brightness", 2.0):
        said.append(changes.get(answers.parts.buttons.status, ""))
        if "2 of 2" in said[-1]:
            assert answers.runs.stop(VISITOR)
    assert said[-1] == "Stopped. 1 finished method in the table." and list(visitor.comparison.rows) == ["image2stylegan"]
    assert answers.parts.csv in changes
    assert not visitor.running and not answers.runs.stop(VISITOR)


def test_another_photo_begins_another_table(answers: CompareHandlers) -> None:
    visitor = photo(answers)
    list(answers.run(VISITOR, ["projector"], "brightness", 2.0))
    first = visitor.comparison
    photo(answers, seed=4)
    list(answers.run(VISITOR, ["projector"], "brightness", 2.0))
    assert visitor.comparison is not first and list(visitor.comparison.rows) == ["projector"]


def test_one_method_that_fails_stops_no_other(answers: CompareHandlers, monkeypatch: pytest.MonkeyPatch) -> None:
    visitor, warned = photo(answers), []
    build = answers.session.engine

    def broken(name: str) -> Any:
        if name == "image2stylegan":
            raise WeightsError("Its weights are altered.")
        return build(name)

    monkeypatch.setattr(answers.session, "engine", broken)
    monkeypatch.setattr(gr, "Warning", lambda words, **_: warned.append(words))
    list(answers.run(VISITOR, ["image2stylegan", "projector"], "brightness", 2.0))
    assert list(visitor.comparison.rows) == ["projector"]
    assert warned == ["Image2StyleGAN (W+): Its weights are altered."]


def test_when_the_time_is_used_up_the_rest_is_left_out(answers: CompareHandlers, monkeypatch: pytest.MonkeyPatch) -> None:
    visitor, warned = photo(answers), []
    monkeypatch.setattr(Settings, "run_seconds", property(lambda _: 0.0))
    monkeypatch.setattr(gr, "Warning", lambda words, **_: warned.append(words))
    list(answers.run(VISITOR, ["image2stylegan", "projector"], "brightness", 2.0))
    assert list(visitor.comparison.rows) == ["image2stylegan"]
    assert "1 methods were left out" in warned[0]


def test_a_row_goes_to_the_shelf_and_an_unknown_one_does_not(answers: CompareHandlers) -> None:
    visitor = photo(answers)
    list(answers.run(VISITOR, ["projector"], "brightness", 2.0))
    answers.put(VISITOR, SimpleNamespace(name="projector"))
    assert [item.title for item in visitor.shelf.values()] == ["StyleGAN2 projector (W)"]
    for name in ("nobody", None, ["projector"]):
        with pytest.raises(gr.Error, match="not kept any more"):
            answers.put(VISITOR, SimpleNamespace(name=name))
    answers.clear(VISITOR)
    with pytest.raises(gr.Error, match="not kept any more"):
        answers.put(VISITOR, SimpleNamespace(name="projector"))


@pytest.mark.parametrize(
    ("attribute", "strength", "sentence"),
    [("moustache", 2.0, "no edit 'moustache'"), ("brightness", 0.0, "that is not 0"), ("brightness", 9.0, "from -4 to 4")],
)
def test_an_edit_that_is_not_offered_gets_a_sentence(attribute: str, strength: float, sentence: str, answers: CompareHandlers) -> None:
    visitor = photo(answers)
    with pytest.raises(gr.Error, match=sentence):
        list(answers.run(VISITOR, ["projector"], attribute, strength))
    assert not visitor.running


def test_what_is_missing_is_said_first(answers: CompareHandlers) -> None:
    with pytest.raises(gr.Error, match="no aligned face"):
        answers.claim(VISITOR, ["projector"])
    visitor = photo(answers)
    with pytest.raises(gr.Error, match="No method is ticked"):
        answers.claim(VISITOR, [])
    with pytest.raises(gr.Error, match="nothing to edit yet"):
        answers.claim_edit(VISITOR)
    answers.runs.claim(visitor)
    for refused in (lambda: answers.claim(VISITOR, ["projector"]), lambda: answers.clear(VISITOR)):
        with pytest.raises(gr.Error, match="still going"):
            refused()


@pytest.fixture(autouse=True)
def no_toasts(monkeypatch: pytest.MonkeyPatch) -> None:
    for toast in ("Warning", "Success"):
        monkeypatch.setattr(gr, toast, lambda *_, **__: None)
