"""The comparison as a person meets it: rows, plot, strip, shelf, downloads, Stop, and a phone."""

import re
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from engines import InvertRequest, catalogue
from engines.core.weights import assets
from studio.state.session import Session
from tests.browser.conftest import PHONE
from tests.studio.test_compare import Quick

pytestmark = pytest.mark.browser
Visit = Callable[..., Page]


@pytest.fixture
def steps(monkeypatch: pytest.MonkeyPatch) -> dict[str, int]:
    """Two steps for every method, or as many as a test writes here by name: the page itself runs methods at their defaults."""
    build, wanted = Session.engine, dict[str, int]()
    names = {name for name, engine in catalogue().items() if engine.accepts is InvertRequest}

    def engine(session: Session, name: str) -> Any:
        built = build(session, name)
        return Quick(built, wanted.get(name, 2)) if name in names else built

    monkeypatch.setattr(Session, "engine", engine)
    return wanted


def aligned(page: Page) -> None:
    page.set_input_files("#photo input[type=file]", str(assets() / "examples" / "hopper.jpg"))
    expect(page.locator("#photo-sentence")).to_contain_text("aligned")


def tick(page: Page, *titles: str) -> None:
    """Exactly these methods."""
    for label in page.locator("#compare-methods label").all():
        box, wanted = label.locator("input"), any(title in label.inner_text() for title in titles)
        if box.is_checked() != wanted:
            box.click()


def rows(page: Page, count: int) -> None:
    expect(page.locator("#compare-table tbody tr")).to_have_count(count, timeout=180_000)


def test_methods_side_by_side(visit: Visit, toy_url: str, tmp_path: Path, steps: dict[str, int]) -> None:
    page = visit(toy_url)
    aligned(page)
    tick(page, "projector", "Image2StyleGAN (W+)")
    page.click("#compare-run")
    expect(page.locator("#compare-status")).to_contain_text("methods compared", timeout=180_000)
    rows(page, 2)
    expect(page.locator("#compare-plot .points path").first).to_be_visible()
    expect(page.locator("#compare-strip img")).to_have_count(2)
    expect(page.locator("#compare-table")).to_contain_text(re.compile("identity alone|re-encodes each picture"))

    before = page.locator("#compare-plot .xtitle").text_content()
    page.locator("#compare-axis input").nth(1).check()
    expect(page.locator("#compare-plot .xtitle")).not_to_have_text(before or "")
    page.locator("#compare-edit input").nth(1).check()
    page.click("#compare-again")
    expect(page.locator("#compare-plot .words")).to_contain_text("Warmth +2 sigma", timeout=60_000)

    page.locator("#compare-table button[data-row=projector]").focus()
    page.keyboard.press("Enter")
    expect(page.locator("#shelf-strip img")).to_have_count(1)
    for button, name in (("#compare-csv", "methods.csv"), ("#compare-zip", "methods.zip")):
        with page.expect_download() as download:
            page.click(button)
        download.value.save_as(tmp_path / name)
    assert "projector" in (tmp_path / "methods.csv").read_text(encoding="utf-8")
    names = zipfile.ZipFile(tmp_path / "methods.zip").namelist()
    assert names[0] == "photo.jpg" and {"projector.jpg", "projector-edited.jpg"} < set(names) and len(names) == 5
    page.click("#compare-clear")
    rows(page, 0)


def test_stop_keeps_what_is_done(visit: Visit, toy_url: str, steps: dict[str, int]) -> None:
    page = visit(toy_url)
    steps["projector"] = 1000
    page.click("#compare-run")
    expect(page.locator(".toast-body, .toast-wrap").first).to_contain_text("Choose a photo")
    aligned(page)
    tick(page, "Image2StyleGAN (W+)", "projector")
    page.click("#compare-run")
    rows(page, 1)
    page.click("#compare-stop")
    expect(page.locator("#compare-status")).to_contain_text("finished method", timeout=10_000)
    rows(page, 1)
    steps["projector"] = 2
    tick(page, "projector")
    page.click("#compare-run")
    expect(page.locator("#compare-status")).to_contain_text("methods compared", timeout=180_000)
    rows(page, 2)


def test_the_table_scrolls_within_a_phone(visit: Visit, toy_url: str, steps: dict[str, int]) -> None:
    page = visit(toy_url, PHONE)
    aligned(page)
    tick(page, "projector")
    page.click("#compare-run")
    expect(page.locator("#compare-status")).to_contain_text("methods compared", timeout=180_000)
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    box = page.locator("#compare-table .table")
    assert box.evaluate("e => e.scrollWidth > e.clientWidth && e.getBoundingClientRect().right <= window.innerWidth")
    page.locator("#compare-table button[data-row]").click()
    expect(page.locator("#shelf-strip img")).to_have_count(1)


def test_a_checkpoint_that_does_not_fit_is_answered_on_the_page(visit: Visit, toy_url: str, tmp_path: Path) -> None:
    page = visit(toy_url)
    (tmp_path / "psp.pt").write_bytes(b"PK half a file")
    page.locator("#published button").first.click()
    page.set_input_files("#published-file input[type=file]", str(tmp_path / "psp.pt"))
    expect(page.locator("#published-status")).to_contain_text("is cut off")
    page.click("#published-run")
    expect(page.locator(".toast-body, .toast-wrap").last).to_contain_text("No checkpoint is loaded")
