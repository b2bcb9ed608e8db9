"""The workshop, films and tables of the tab Edit directions, in headless Chromium on the toy generator."""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image as Pil
from playwright.sync_api import Page, expect

from engines import Inversion, Latent
from engines.edit.codes import write_codes
from engines.generators import FfhqGenerator
from engines.generators.incremental import IncrementalRenderer
from engines.generators.toy import WIDTH
from engines.spaces.statistics import statistics
from studio.media import animation
from tests.browser.conftest import PHONE, set_number

pytestmark = pytest.mark.browser
Visit = Callable[..., Page]


def opened(visit: Visit, url: str, *viewport: dict[str, int]) -> Page:
    page = visit(url, *viewport)
    page.get_by_role("tab", name="Edit directions").click()
    expect(page.locator("#teach-faces .faces button")).to_have_count(24)
    return page


def mine(page: Page) -> None:
    page.locator("#workshop-tabs").get_by_role("tab", name="Yours").click()


def test_a_direction_is_clicked_together_and_used_at_once(visit: Visit, toy_url: str) -> None:
    page = opened(visit, toy_url)
    tiles = page.locator("#teach-faces .faces button")
    for index in range(10):
        for _ in range(1 + index % 2):
            tiles.nth(index).click()
    tiles.nth(10).focus()
    for key in ("y", "n", "y", "ArrowLeft", "Delete"):
        page.keyboard.press(key)
    expect(page.locator("#teach-faces .tally")).to_have_text("6 yes, 6 no")
    page.locator("#teach-name").locator("input, textarea").fill("wavy <b>hair</b>")
    page.click("#teach-run")
    expect(page.locator("#teach-status")).to_contain_text("learnt from 6 yes and 6 no")
    expect(page.locator("#teach-strip img")).to_have_count(5)
    expect(page.get_by_text("wavy b hair b · mine").first).to_be_visible()
    mine(page)
    expect(page.locator("#mine-table")).to_contain_text("wavy b hair b")
    page.get_by_label("★★★", exact=True).check()
    expect(page.locator("#mine-table")).to_contain_text("★★★")


def test_too_few_answers_are_a_sentence(visit: Visit, toy_url: str) -> None:
    page = opened(visit, toy_url)
    page.locator("#teach-faces .faces button").first.click()
    page.locator("#teach-name").locator("input, textarea").fill("x")
    page.click("#teach-run")
    expect(page.locator(".toast-body").first).to_contain_text("1 yes and 0 no came")


def test_a_published_file_comes_in_and_a_shared_one_goes_out(visit: Visit, toy_url: str, tmp_path: Path) -> None:
    np.save(tmp_path / "published.npy", np.eye(3, WIDTH, dtype=np.float32))
    page = opened(visit, toy_url)
    page.locator("#workshop-tabs").get_by_role("tab", name="File").click()
    page.set_input_files("#file-input input[type=file]", str(tmp_path / "published.npy"))
    expect(page.locator("#file-status")).to_contain_text("3 directions found")
    page.click("#file-take")
    expect(page.locator("#file-status")).to_contain_text("1 taken")
    mine(page)
    expect(page.locator("#mine-table")).to_contain_text("published 1")
    page.get_by_label("npy", exact=True).check()
    expect(page.locator("#mine-share")).to_be_enabled()
    with page.expect_download() as download:
        page.click("#mine-share")
    download.value.save_as(tmp_path / "shared.npy")
    assert download.value.suggested_filename.endswith((".npy", ".safetensors"))


def test_an_import_of_what_is_there_says_so_and_a_saved_code_comes_back(
    visit: Visit, toy_url: str, toy: FfhqGenerator, tmp_path: Path
) -> None:
    np.save(tmp_path / "one", np.eye(1, WIDTH, dtype=np.float32))
    (tmp_path / "one.npy").rename(tmp_path / "one")  # the content decides, not the name
    page = opened(visit, toy_url)
    page.locator("#workshop-tabs").get_by_role("tab", name="File").click()
    page.set_input_files("#file-input input[type=file]", str(tmp_path / "one"))
    page.click("#file-take")
    expect(page.locator("#file-status")).to_contain_text("1 taken; one has a slider now.")
    expect(page.get_by_text("one · mine").first).to_be_visible()
    page.click("#file-take")
    expect(page.locator("#file-status")).to_contain_text("That one is among yours already; one has its slider already.")
    expect(page.locator(".toast-body")).to_have_count(0)
    (tmp_path / "inversion.safetensors").write_bytes(write_codes(Inversion(Latent("w", statistics(toy).bank[:1]))))
    with page.expect_file_chooser() as chooser:
        page.click("#edit-bring")
    chooser.value.set_files(str(tmp_path / "inversion.safetensors"))
    expect(page.locator("#edit-bring-status")).to_contain_text("A face's code of W is on the shelf")
    expect(page.get_by_label("Shelf", exact=True)).to_be_checked()


class Unhurried(IncrementalRenderer):
    """Draws slowly enough that a hand, and a browser on a busy machine, can stop it."""

    def draw(self, *asked: Any) -> Any:
        time.sleep(0.15)
        return super().draw(*asked)


def test_a_short_film_is_made_and_a_long_one_stopped(visit: Visit, toy_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    page = opened(visit, toy_url)
    set_number(page, "#motion-frames", 8)
    page.click("#motion-run")
    expect(page.locator("#motion-status")).to_contain_text("8 frames in")
    page.wait_for_function("document.querySelector('#motion-video video')?.videoWidth === 64")
    with page.expect_download() as download:
        page.click("#motion-gif")
    download.value.save_as(tmp_path / "film.gif")
    assert Pil.open(tmp_path / "film.gif").n_frames == 8
    monkeypatch.setattr(animation, "IncrementalRenderer", Unhurried)
    set_number(page, "#motion-frames", 240)
    page.get_by_label("From this face to another").check()
    page.click("#motion-run")
    expect(page.locator("#motion-status")).to_contain_text("Frame")
    page.click("#motion-stop")
    expect(page.locator("#motion-status")).to_contain_text("Stopped; the video has")
    page.wait_for_function("document.querySelector('#motion-video video')?.videoWidth === 64")


def test_a_grid_and_a_table_on_a_phone(visit: Visit, toy_url: str) -> None:
    page = opened(visit, toy_url, PHONE)
    page.get_by_role("tab", name="Grid of two directions").click()
    page.get_by_label("3", exact=True).check()
    page.click("#motion-grid-run")
    expect(page.locator("#motion-grid-status")).to_contain_text("9 faces")
    expect(page.locator("#motion-png")).to_be_enabled()
    page.click("#measure-run")
    expect(page.locator("#measure-table")).to_contain_text("Identity distance")
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"] + 1
