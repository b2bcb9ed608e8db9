"""The tab FineGAN hierarchy sampler in headless Chromium: pick codes, see stages, lay out a grid, adopt, film, find, discover, download."""

import io
import json
from collections.abc import Callable

import numpy as np
import pytest
from PIL import Image as Pil
from playwright.sync_api import Page, expect

from tests.browser.conftest import DESKTOP, PHONE, set_number

pytestmark = pytest.mark.browser
Visit = Callable[..., Page]


def opened(visit: Visit, url: str, viewport: dict[str, int] = DESKTOP) -> Page:
    page = visit(url, viewport)
    page.get_by_role("tab", name="FineGAN hierarchy sampler").click()
    expect(page.locator("#hier-stages img")).to_have_count(9)
    says(page, "c 0 · p 0 (tied to c) · b 0 (tied to c) · z of seed 0.")
    return page


def says(page: Page, words: str) -> None:
    expect(page.locator("#hier-words")).to_contain_text(words)


def thumbnail(page: Page, gallery: str, index: int) -> None:
    page.locator(f"#hier-{gallery} button.thumbnail-lg").nth(index).click()


def downloaded(page: Page, button: str) -> bytes:
    expect(page.locator(button)).to_be_enabled()
    with page.expect_download() as download:
        page.click(button)
    return download.value.path().read_bytes()


def picture(page: Page, button: str = "#hier-download") -> np.ndarray:
    return np.asarray(Pil.open(io.BytesIO(downloaded(page, button))).convert("RGB"), int)


def test_codes_are_picked_by_thumbnail_and_number_and_steps_taken_back(visit: Visit, toy_url: str) -> None:
    page = opened(visit, toy_url)
    before = picture(page)
    thumbnail(page, "childs", 5)
    says(page, "c 5 · p 2 (tied to c) · b 5 (tied to c)")
    assert np.abs(picture(page) - before).max() > 10
    thumbnail(page, "backgrounds", 1)
    says(page, "c 5 · p 2 (tied to c) · b 1 (free)")
    expect(page.locator("#hier-tie-place input")).not_to_be_checked()
    page.locator("#hier-tie-shape").get_by_text("The child decides").click()
    says(page, "p 2 (free)")
    set_number(page, "#hier-parent", 3)
    says(page, "c 5 · p 3 (free) · b 1 (free)")
    page.click("#hier-undo")
    says(page, "c 5 · p 2 (free) · b 1 (free)")
    page.click("#hier-redo")
    says(page, "c 5 · p 3 (free) · b 1 (free)")
    page.locator("#hier-tie-shape").get_by_text("The child decides").click()
    says(page, "c 5 · p 2 (tied to c)")


def test_numbers_that_are_no_codes_get_a_sentence(visit: Visit, toy_url: str) -> None:
    page = opened(visit, toy_url)
    wrong = {"child": ("8", "a whole number from 0 to 7"), "parent": ("1.5", "1.5 came"), "seed": ("-1", "from 0 to 2147483647")}
    for name, (value, words) in wrong.items():
        set_number(page, f"#hier-{name}", value)
        expect(page.locator(".toast-body").filter(has_text=words).first).to_be_visible()
    says(page, "c 0 · p 0 (tied to c) · b 0 (tied to c) · z of seed 0.")


def test_z_by_seed_and_by_keyboard_and_all_stages_to_take_home(visit: Visit, toy_url: str) -> None:
    page = opened(visit, toy_url)
    page.click("#hier-another")
    says(page, "z of seed 1.")
    page.locator("#hier-slider-1 input[type=range]").focus()
    for _ in range(5):
        page.keyboard.press("ArrowRight")
    says(page, "1 of its components moved")
    page.get_by_role("button", name="The same in Python").locator("visible=true").first.click()
    expect(page.locator("#hier-code")).to_contain_text("shifts=(0.5,")
    assert picture(page, "#hier-download-stages").shape == (32, 9 * 32, 3)
    codes = json.loads(downloaded(page, "#hier-download-codes"))
    assert codes["seed"] == 1 and codes["shifts"][0] == pytest.approx(0.5)
    page.click("#hier-reset")
    says(page, "z of seed 1.")
    with page.expect_file_chooser() as chooser:
        page.click("#hier-bring")
    changed = json.dumps(codes | {"child": 3, "parent": 0}).encode()
    chooser.value.set_files([{"name": "codes.json", "mimeType": "application/json", "buffer": changed}])
    says(page, "c 3 · p 0 (free) · b 0 (free) · z of seed 1, 1 of its components moved.")


def test_a_grid_is_laid_out_adopted_and_downloaded(visit: Visit, toy_url: str) -> None:
    page = opened(visit, toy_url)
    page.locator("#hier-grid-count").get_by_text("4", exact=True).click()
    page.click("#hier-grid-run")
    expect(page.locator("#hier-grid-status")).to_contain_text("16 pictures in")
    expect(page.locator("#hier-grid img")).to_have_count(16)
    thumbnail(page, "grid", 6)
    says(page, "c 4 · p 1 (free) · b 4 (tied to c)")
    sheet = picture(page, "#hier-grid-download")
    assert sheet.shape[0] == sheet.shape[1] > 4 * 96


def test_a_film_between_two_kept_birds(visit: Visit, toy_url: str) -> None:
    page = opened(visit, toy_url)
    page.click("#hier-film-run")
    expect(page.locator(".toast-body").first).to_contain_text("A way has two ends")
    page.click("#hier-keep-first")
    expect(page.locator("#hier-film-first img")).to_be_visible()
    thumbnail(page, "childs", 7)
    says(page, "c 7 · p 3")
    page.click("#hier-keep-last")
    expect(page.locator("#hier-film-last img")).to_be_visible()
    set_number(page, "#hier-film-frames", 12)
    page.click("#hier-film-run")
    expect(page.locator("#hier-film-status")).to_contain_text("12 frames in")
    assert downloaded(page, "#hier-mp4")[4:8] == b"ftyp"
    assert downloaded(page, "#hier-gif")[:4] == b"GIF8"


def test_the_codes_of_a_drawn_bird_are_found_stopped_and_adopted(visit: Visit, toy_url: str) -> None:
    page = opened(visit, toy_url)
    page.click("#hier-draw")
    expect(page.locator("#hier-truth")).to_contain_text("Drawn: a")
    page.locator("#hier-find-knobs > button").click()
    set_number(page, "#hier-find-steps", 400)
    page.click("#hier-find-run")
    expect(page.locator("#hier-preview img")).to_be_visible()
    page.click("#hier-find-stop")
    expect(page.locator("#hier-find-status")).to_contain_text("with the best so far")
    expect(page.locator("#hier-figures")).to_contain_text("squared error")
    page.click("#hier-adopt")
    says(page, "a z of its own, found from a picture")
    set_number(page, "#hier-seed", 0)
    says(page, "z of seed 0")


def test_kinds_are_discovered_held_against_each_factor_and_downloaded(visit: Visit, toy_url: str) -> None:
    page = opened(visit, toy_url)
    for name, value, words in (
        ("drawings", "99", "99 came; a whole number from 100"),
        ("clusters", "51", "51 came; a whole number from 2 to 50"),
    ):
        usual = page.locator(f"#hier-discover-{name} input").input_value()
        set_number(page, f"#hier-discover-{name}", value)
        page.click("#hier-discover-run")
        expect(page.locator(".toast-body").filter(has_text=words).first).to_be_visible()
        set_number(page, f"#hier-discover-{name}", usual)
    set_number(page, "#hier-discover-drawings", 100)
    set_number(page, "#hier-discover-clusters", 4)
    page.click("#hier-discover-run")
    expect(page.locator("#hier-discover-status")).to_contain_text("Done in")
    expect(page.locator("#hier-discover-rows li img")).to_have_count(4)
    expect(page.locator("#hier-discover-words")).to_contain_text("The classifier is ahead of pixels on")
    expect(page.locator("#hier-discover-figures tbody tr")).to_have_count(4)
    heads = page.locator("#hier-discover-against thead th")
    expect(heads).to_have_count(1 + 10)
    page.locator("#hier-discover-factor").get_by_text("Place").click()
    expect(heads).to_have_count(1 + 6)
    before = page.locator("#hier-discover-rows").inner_html()
    page.locator("#hier-discover-way").get_by_text("Plain pixels").click()
    page.wait_for_function("old => document.querySelector('#hier-discover-rows').innerHTML !== old", arg=before)
    rows = downloaded(page, "#hier-discover-csv").decode().splitlines()
    assert rows[0] == "seed,drawing,shape,texture,place,cluster_reader,cluster_pixels" and len(rows) == 101
    shown = page.locator("#hier-discover-against tbody td").all_inner_texts()
    assert sum(map(int, shown)) == 100
    assert picture(page, "#hier-discover-png").shape[1] > 8 * 96
    page.set_viewport_size(PHONE)
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"] + 1


def test_a_phone_shows_no_sideways_scroll(visit: Visit, toy_url: str) -> None:
    page = opened(visit, toy_url)
    page.set_viewport_size(PHONE)  # a phone folds the later tabs into a menu
    thumbnail(page, "parents", 2)
    says(page, "c 4 · p 2 (tied to c)")
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"] + 1


def test_a_network_learns_before_ones_eyes_until_it_is_stopped(visit: Visit, toy_url: str) -> None:
    page = opened(visit, toy_url)
    page.click("#hier-train-run")
    expect(page.locator("#hier-train-picture img")).to_be_visible()
    expect(page.locator("#hier-train-figures")).to_contain_text("shape code unread")
    page.click("#hier-train-stop")
    expect(page.locator("#hier-train-status")).to_contain_text("Stopped after")
    assert Pil.open(io.BytesIO(downloaded(page, "#hier-train-download"))).size == (6 * 32 * 4, 4 * 32 * 4)
