"""The lab book in headless Chromium: every tab writes into it, what it exports makes the same pictures, and a session comes back."""

import json
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import nbclient
import nbformat
import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import DESKTOP, PHONE
from tests.browser.test_pages import aligned, invert, settled, tab

pytestmark = pytest.mark.browser
Visit = Callable[..., Page]


def opened(page: Page) -> None:
    page.locator("#book > button, #book .label-wrap").first.click()


def entries(page: Page) -> list[str]:
    return [text.strip() for text in page.locator("#book-entries .caption-label").all_inner_texts()]


def saved(page: Page, button: str, folder: Path) -> Path:
    with page.expect_download() as download:
        page.click(button)
    path = folder / download.value.suggested_filename
    download.value.save_as(path)
    return path


def used_every_tab(page: Page) -> None:
    """One thing of each tab."""
    aligned(page)
    invert(page, 2, 1)
    expect(page.locator("#invert-metrics")).to_contain_text("LPIPS")
    page.click("#invert-edit")
    expect(page.locator("#edit-live img")).to_be_visible()
    page.locator("#edit-slider-1 input[type=range]").focus()
    for _ in range(5):
        page.keyboard.press("ArrowRight")
    settled(page, "(direction_1, 0.5)")
    tab(page, "Latent explorer")
    point = page.locator("#explore-list input")
    expect(point).to_be_enabled()
    point.fill("Face 3")
    point.press("Enter")
    page.click("#explore-keep")
    tab(page, "Local mixing")
    page.locator("#mix-parts").get_by_label("left half").check()
    cell = page.locator(".cell").filter(has=page.locator("#mix-download"))
    cell.get_by_role("button", name="The same in Python").first.click()
    expect(page.locator("#mix-code")).to_contain_text("mask")
    tab(page, "FineGAN hierarchy sampler")
    expect(page.locator("#hier-stages img")).to_have_count(9)
    page.locator("#hier-childs button.thumbnail-lg").nth(5).click()
    expect(page.locator("#hier-words")).to_contain_text("c 5")


def test_what_every_tab_made_is_made_again_by_the_notebook_and_the_script(visit: Visit, toy_url: str, tmp_path: Path) -> None:
    page = visit(toy_url, DESKTOP)
    used_every_tab(page)
    opened(page)
    expect(page.locator("#book-entries img")).to_have_count(5)
    assert [text.split(" · ")[0] for text in entries(page)] == ["5", "4", "3", "2", "1"]

    told = nbformat.read(saved(page, "#book-notebook", tmp_path), as_version=4)
    nbformat.validate(told)
    nbclient.NotebookClient(told, timeout=120, resources={"metadata": {"path": str(tmp_path)}}).execute()
    outputs = [output for cell in told.cells for output in cell.get("outputs", ())]
    printed = "".join(output.text for output in outputs if output.output_type == "stream" and output.name == "stdout")
    assert re.findall(r"^(\d\d)-\S+ (.*)$", printed, re.MULTILINE) == [(f"{number:02}", "as on the page") for number in range(1, 6)]
    assert sum("image/png" in output.get("data", ()) for output in outputs) == 5

    script = saved(page, "#book-script", tmp_path)
    again = tmp_path / "again"
    again.mkdir()
    ran = subprocess.run([sys.executable, str(script)], cwd=again, capture_output=True, text=True, timeout=120, check=False)
    assert ran.returncode == 0 and ran.stdout.count("as on the page") == 5, ran.stdout + ran.stderr


def test_entries_are_searched_taken_up_again_and_deleted_and_a_session_comes_back(visit: Visit, toy_url: str, tmp_path: Path) -> None:
    page = visit(toy_url, DESKTOP)
    page.click("#start-further")
    expect(page.locator("#edit-live img")).to_be_visible()
    page.locator("#edit-slider-1 input[type=range]").focus()
    for _ in range(7):
        page.keyboard.press("ArrowRight")
    settled(page, "(direction_1, 0.7)")
    opened(page)
    expect(page.locator("#book-entries img")).to_have_count(1)
    page.locator("#edit-reset").click()
    expect(page.locator("#edit-summary")).to_contain_text("No edit yet")
    box = page.locator("#book-search input, #book-search textarea")
    box.press_sequentially("inverted")
    expect(page.locator("#book-hint")).to_contain_text("Nothing of that")
    box.clear()
    box.press_sequentially("edit")
    page.locator("#book-entries button.thumbnail-lg").first.click()
    expect(page.locator("#book-code")).to_contain_text("load_generator")
    page.click("#book-again")
    expect(page.locator("#edit-slider-1 input[type=number]")).to_have_value("0.7")
    expect(page.locator("#edit-summary")).to_contain_text("+0.7")

    session = saved(page, "#book-save", tmp_path)
    page.click("#book-remove")
    expect(page.locator("#book-entries")).to_be_hidden()
    other = visit(toy_url, PHONE)
    opened(other)
    with other.expect_file_chooser() as chooser:
        other.click("#book-open")
    chooser.value.set_files({"name": "other.zip", "mimeType": "application/zip", "buffer": b"PK" + bytes(100)})
    expect(other.locator(".toast-body").first).to_contain_text("no session")
    with other.expect_file_chooser() as chooser:
        other.click("#book-open")
    chooser.value.set_files(session)
    expect(other.locator("#book-entries img")).to_have_count(1)
    assert other.evaluate("document.documentElement.scrollWidth") <= PHONE["width"] + 1
    tab(other, "Edit directions")
    expect(other.locator("#edit-slider-1 input[type=number]")).to_have_value("0.7")


def test_nothing_to_export_is_told(visit: Visit, toy_url: str) -> None:
    page = visit(toy_url, DESKTOP)
    opened(page)
    expect(page.locator("#book-hint")).to_contain_text("Nothing yet")
    for button in ("#book-notebook", "#book-script", "#book-save"):
        page.click(button)
        expect(page.locator(".toast-body").last).to_contain_text("nothing to")
    assert json.loads(page.evaluate("JSON.stringify(document.querySelectorAll('#book-entries img').length)")) == 0
