"""The first lesson on the hierarchy tab in headless Chromium: codes, grids, Q on a test digit and on a drawn one, and a phone's width."""

import io
import json
from collections.abc import Callable

import numpy as np
import pytest
from PIL import Image as Pil
from playwright.sync_api import Page, expect

from tests.browser.conftest import PHONE

pytestmark = pytest.mark.browser
Visit = Callable[..., Page]


def opened(visit: Visit, url: str) -> Page:
    page = visit(url)
    page.get_by_role("tab", name="FineGAN hierarchy sampler").click()
    page.locator("#info-live").scroll_into_view_if_needed()
    expect(page.locator("#info-live img")).to_be_visible()
    return page


def downloaded(page: Page, button: str) -> bytes:
    expect(page.locator(button)).to_be_enabled()
    with page.expect_download() as download:
        page.click(button)
    return download.value.path().read_bytes()


def pixels(data: bytes) -> np.ndarray:
    return np.asarray(Pil.open(io.BytesIO(data)).convert("RGB")).astype(int)


def source(page: Page, picture: str) -> str:
    return page.locator(f"{picture} img").first.get_attribute("src") or ""


def renewed(page: Page, picture: str, before: str) -> None:
    """Wait until another picture is shown."""
    page.wait_for_function("([where, old]) => document.querySelector(where + ' img')?.src !== old", arg=[picture, before])


def test_a_category_is_drawn_and_its_grid_is_laid_out(visit: Visit, toy_url: str) -> None:
    page = opened(visit, toy_url)
    before, grid, picture = source(page, "#info-live"), source(page, "#info-grid"), pixels(downloaded(page, "#info-download"))
    page.locator("#info-category").get_by_label("3: “3”").check()
    renewed(page, "#info-live", before)
    assert np.abs(pixels(downloaded(page, "#info-download")) - picture).mean() > 1
    assert json.loads(downloaded(page, "#info-download-codes"))["category"] == 3
    page.locator("#info-vary").get_by_label("the second code").check()
    renewed(page, "#info-grid", grid)
    whole, plain = (pixels(downloaded(page, f"#info-download-{name}")) for name in ("grid", "plain"))
    assert whole.shape == plain.shape and np.abs(whole - plain).mean() > 1
    page.click("#info-another")
    expect(page.locator("#info-seed input")).to_have_value("1")


def test_a_seed_that_is_none_gets_a_sentence(visit: Visit, toy_url: str) -> None:
    page = opened(visit, toy_url)
    page.locator("#info-seed input").fill("-4")
    page.locator("#info-seed input").press("Enter")
    expect(page.get_by_text("a whole number from 0 to").first).to_be_visible()


def test_q_reads_a_test_digit_and_its_codes_are_taken_over(visit: Visit, toy_url: str) -> None:
    page = opened(visit, toy_url)
    page.locator("#info-tests").scroll_into_view_if_needed()
    page.locator("#info-tests button").nth(9).click()
    expect(page.locator("#info-words")).to_contain_text("Its label, which nobody asked, is 4.")
    expect(page.locator("#info-shares")).to_contain_text("%")
    words = page.locator("#info-words").inner_text()
    category = words.split("Category ")[1][0]
    live = source(page, "#info-live")
    page.click("#info-take")
    if category != "0":
        renewed(page, "#info-live", live)
        assert json.loads(downloaded(page, "#info-download-codes"))["category"] == int(category)
    page.click("#info-others")
    page.locator("#info-tests button").nth(0).click()
    expect(page.locator("#info-words")).to_contain_text("is 0.")


def test_q_reads_a_drawing_and_asks_for_one_where_there_is_none(visit: Visit, toy_url: str) -> None:
    page = opened(visit, toy_url)
    surface = page.locator("#info-canvas canvas").first
    surface.scroll_into_view_if_needed()
    page.click("#info-draw")
    expect(page.get_by_text("Nothing is drawn yet").first).to_be_visible()
    box = surface.bounding_box()
    assert box is not None
    x, y = box["x"] + box["width"] / 2, box["y"] + 0.3 * box["height"]
    page.mouse.move(x, y)
    page.mouse.down()
    for step in range(1, 11):
        page.mouse.move(x, y + 0.4 * box["height"] * step / 10)
    page.mouse.up()
    page.click("#info-draw")
    expect(page.locator("#info-words")).to_contain_text("Your own digit")
    page.locator("#info-seen").scroll_into_view_if_needed()
    expect(page.locator("#info-seen img")).to_be_visible()


def test_the_lesson_fits_a_phone(visit: Visit, toy_url: str) -> None:
    page = opened(visit, toy_url)
    page.set_viewport_size(PHONE)
    for part in ("#info-live", "#info-grid", "#info-canvas"):
        page.locator(part).scroll_into_view_if_needed()
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"] + 1
