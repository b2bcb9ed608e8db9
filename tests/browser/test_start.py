"""The beginning of the page, the shelf's drawer, and what leads on from a result."""

import re
import zipfile
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from engines import load_generator
from engines.edit.codes import read_codes
from tests.browser.conftest import set_number
from tests.browser.test_pages import ASTRONAUT, aligned, invert, settled, tab

pytestmark = pytest.mark.browser
Visit = Callable[..., Page]
LAPTOP = {"width": 1366, "height": 900}


def in_sight(page: Page, selector: str) -> bool:
    """Whether something is seen whole without scrolling."""
    box = page.locator(selector).bounding_box()
    height = page.viewport_size["height"]  # type: ignore[index]
    return box is not None and box["y"] >= 0 and box["y"] + box["height"] <= height


def test_the_first_edited_face_takes_one_drag_and_goes_on_in_its_tab(visit: Visit, toy_url: str) -> None:
    page = visit(toy_url, LAPTOP)
    face = page.locator("#start-face img")
    expect(face).to_be_visible()
    assert in_sight(page, "#start-face") and in_sight(page, "#start-slider-1") and in_sight(page, "#start-doors")
    expect(page.locator("#shelf")).to_be_hidden()
    first, thumb = face.get_attribute("src"), page.locator("#start-slider-1 input[type=range]")
    box = thumb.bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    page.mouse.down()
    page.mouse.move(box["x"] + 0.75 * box["width"], box["y"] + box["height"] / 2, steps=4)
    page.mouse.up()
    expect(face).not_to_have_attribute("src", first or "")
    strength = float(page.locator("#start-slider-1 input[type=number]").input_value())
    assert 1 < strength < 2 and page.evaluate("scrollY") == 0
    page.click("#start-further")
    expect(page.locator("#edit-summary")).to_contain_text(f"+{strength:.1f}")
    expect(page.locator("#edit-slider-1 input[type=number]")).to_have_value(f"{strength:g}")
    expect(page.locator("#start-face")).to_be_hidden()
    page.wait_for_function("document.getElementById('edit-live').getBoundingClientRect().top >= 0")
    expect(page.locator("#edit-live img")).to_be_in_viewport()


def test_a_result_leads_on_and_lies_on_the_shelf(visit: Visit, toy_url: str, tmp_path_factory: pytest.TempPathFactory) -> None:
    page = visit(toy_url, LAPTOP)
    aligned(page)
    expect(page.locator("#invert-edit")).to_be_disabled()
    invert(page, 2, 1)
    expect(page.locator("#invert-metrics")).to_contain_text("LPIPS", timeout=120_000)
    page.click("#invert-edit")
    expect(page.locator("#edit-kind input[value=Shelf]")).to_be_checked()
    expect(page.locator("#edit-live img")).to_be_in_viewport()
    assert page.locator("#shelf").bounding_box()["height"] <= 64  # type: ignore[index]

    tab(page, "Invert")
    page.click("#invert-mix")
    expect(page.locator("#mix-source-kind input[value=Shelf]")).to_be_checked()
    expect(page.locator("#mix-live img")).to_be_in_viewport()
    expect(page.locator("#shelf-strip img")).to_have_count(1)

    tab(page, "Invert")
    page.click("#invert-map")
    expect(page.locator("#explore-face")).to_be_visible()
    expect(page.locator("#explore-place")).to_contain_text("Image2StyleGAN (W+)", timeout=120_000)

    tab(page, "FineGAN hierarchy sampler")
    expect(page.locator("#shelf")).to_be_hidden()
    tab(page, "Edit directions")
    page.click("#shelf-more")
    page.locator("#shelf-strip button").first.click()
    name = page.locator("#shelf-name").locator("input, textarea").first
    expect(name).to_have_value("Image2StyleGAN (W+)")
    name.fill("A face of mine")
    name.press("Enter")
    expect(page.locator("#shelf-strip")).to_contain_text("A face of mine")
    with page.expect_download() as download:
        page.click("#shelf-archive")
    path = tmp_path_factory.mktemp("shelf") / "shelf.zip"
    download.value.save_as(path)
    with zipfile.ZipFile(path) as archive:
        (member,) = archive.namelist()
        codes = read_codes(archive.read(member), member, load_generator("toy"))
    assert member == "01-a-face-of-mine.safetensors" and codes[0].latent.space == "w_plus"
    page.click("#shelf-remove")
    expect(page.locator("#shelf")).to_be_hidden()


def test_a_photo_of_ones_own_is_three_clicks_from_a_slider_that_moves(visit: Visit, toy_url: str) -> None:
    page = visit(toy_url, LAPTOP)
    expect(page.locator("#start-face img")).to_be_visible()
    with page.expect_file_chooser() as chooser:
        page.click("#start-photo")  # 1
    chooser.value.set_files(str(ASTRONAUT))
    expect(page.locator("#photo-sentence")).to_contain_text("aligned")
    page.click("#invert-run")  # 2
    expect(page.locator("#invert-edit")).to_be_enabled(timeout=120_000)
    page.click("#invert-edit")  # 3
    expect(page.locator("#edit-kind input[value=Shelf]")).to_be_checked()
    expect(page.locator("#edit-live img")).to_be_in_viewport()
    before = page.locator("#edit-live img").get_attribute("src")
    set_number(page, "#edit-slider-1", 2)
    expect(page.locator("#edit-live img")).not_to_have_attribute("src", before or "")


def test_an_edit_is_handed_out_by_a_link_and_repeated_from_its_picture(
    visit: Visit, toy_url: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    page = visit(toy_url, LAPTOP)
    tab(page, "Edit directions")
    expect(page.locator("#edit-live img")).to_be_visible()
    set_number(page, "#edit-slider-2", 1.5)
    settled(page, "(direction_1, 1.5)")
    saved = tmp_path_factory.mktemp("edit")
    with page.expect_download() as download:
        page.click("#edit-download")
    download.value.save_as(saved / "edited.png")
    page.click("#edit-link")
    address = page.locator("#edit-address").locator("input, textarea").first
    expect(address).to_have_value(re.compile(r"^http://127.*\?recipe=[\w-]+$"))

    other = visit(address.input_value(), LAPTOP)
    expect(other.locator("#edit-slider-2 input[type=number]")).to_have_value("1.5", timeout=60_000)
    expect(other.locator("#edit-live img")).to_be_in_viewport()
    settled(other, "(direction_1, 1.5)")
    set_number(other, "#edit-slider-2", 0)
    expect(other.locator("#edit-code")).not_to_contain_text("direction_1", timeout=60_000)
    with other.expect_file_chooser() as chooser:
        other.click("#edit-repeat")
    chooser.value.set_files(str(saved / "edited.png"))
    settled(other, "(direction_1, 1.5)")
    with other.expect_download() as download:
        other.click("#edit-download")
    download.value.save_as(saved / "repeated.png")
    assert (saved / "repeated.png").read_bytes() == (saved / "edited.png").read_bytes()
    other.close()

    strange = visit(f"{toy_url}?recipe=damaged", LAPTOP)
    expect(strange.locator(".toast-body")).to_contain_text("recipe")
    expect(strange.locator("#start-face img")).to_be_visible()
