"""One visitor at a time in headless Chromium: every tab, the awkward moments, and the whole path on the real generator."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image as Pil
from playwright.sync_api import Page, expect

from engines.core.weights import assets
from tests.browser.conftest import PHONE, set_number

pytestmark = pytest.mark.browser
ASTRONAUT = assets() / "examples" / "astronaut.jpg"
Visit = Callable[..., Page]


def upload(page: Page, path: Path) -> None:
    page.set_input_files("#photo input[type=file]", str(path))


def tab(page: Page, name: str) -> None:
    """Go to a tab; those that a narrow page has no room for are in a menu."""
    if not page.get_by_role("tab", name=name).is_visible():
        page.get_by_label("More tabs").first.click()
        page.locator(".overflow-dropdown button", has_text=name).first.click()
        return
    page.get_by_role("tab", name=name).click()


def aligned(page: Page) -> None:
    upload(page, ASTRONAUT)
    expect(page.locator("#photo-sentence")).to_contain_text("aligned")
    page.locator("#photo-sentence").scroll_into_view_if_needed()  # a picture far below a phone's screen is not fetched yet
    expect(page.locator("#photo-aligned img")).to_be_visible()


def choose_method(page: Page, title: str) -> None:
    page.locator("#invert-method").get_by_label(title, exact=True).check()


def invert(page: Page, steps: int, finishing: int) -> None:
    choose_method(page, "Image2StyleGAN (W+)")
    set_number(page, "#invert-image2stylegan-steps", steps)
    set_number(page, "#invert-image2stylegan-quick_steps", finishing)
    page.click("#invert-run")


def settled(page: Page, edits: str) -> None:
    """The lines of Python come with the full picture, once the sliders rest."""
    if not page.locator("#edit-code").is_visible():
        page.get_by_role("button", name="The same in Python").locator("visible=true").first.click()
    expect(page.locator("#edit-code")).to_contain_text(edits)


def test_the_whole_path_on_the_real_generator(visit: Visit, ffhq_url: str, tmp_path: Path) -> None:
    page = visit(ffhq_url)
    aligned(page)
    invert(page, 15, 4)
    expect(page.locator("#invert-curve svg")).to_be_visible()
    expect(page.locator("#invert-metrics")).to_contain_text("LPIPS", timeout=120_000)
    lpips = float(re.search(r"LPIPS\s+([\d.]+)", page.inner_text("#invert-metrics")).group(1))
    assert lpips < 0.45  # the average face stands at about 0.5

    with page.expect_download() as download:
        page.click("#invert-download")
    download.value.save_as(tmp_path / "inversion.png")
    assert Pil.open(tmp_path / "inversion.png").size == (1024, 1024)
    with page.expect_download() as download:
        page.click("#invert-download-pasted")
    download.value.save_as(tmp_path / "pasted.jpg")
    assert Pil.open(tmp_path / "pasted.jpg").size == Pil.open(ASTRONAUT).size

    page.click("#invert-keep")
    expect(page.locator("#shelf-strip img")).to_have_count(1)
    tab(page, "Edit directions")
    page.locator("#shelf-strip button").first.click()
    expect(page.locator("#edit-kind input[value=Shelf]")).to_be_checked()
    slider = page.locator("#edit-slider-2 input[type=range]")
    slider.focus()
    for _ in range(10):
        page.keyboard.press("ArrowRight")
    expect(page.locator("#edit-summary")).to_contain_text("+1.0")
    settled(page, "(direction_1, 1)")
    with page.expect_download() as download:
        page.click("#edit-download")
    download.value.save_as(tmp_path / "edited.png")
    edited = Pil.open(tmp_path / "edited.png")
    assert edited.size == (1024, 1024) and edited.tobytes() != Pil.open(tmp_path / "inversion.png").tobytes()


def test_views_switch_by_keyboard(visit: Visit, toy_url: str) -> None:
    page = visit(toy_url)
    aligned(page)
    invert(page, 2, 1)
    expect(page.locator("#invert-metrics")).to_contain_text("LPIPS")
    page.locator("#invert-view input").nth(3).focus()
    page.keyboard.press("Space")
    expect(page.locator("#invert-picture img")).to_be_visible()
    page.locator("#invert-view input").first.focus()
    page.keyboard.press("Space")
    expect(page.locator("#invert-slider")).to_be_visible()


def test_stop_keeps_the_best_and_a_second_run_is_refused(visit: Visit, toy_url: str) -> None:
    page = visit(toy_url)
    aligned(page)
    invert(page, 1000, 1000)
    expect(page.locator("#invert-status")).to_contain_text("Step")
    page.click("#invert-run")
    expect(page.locator(".toast-body, .toast-wrap").first).to_contain_text("still going")
    page.click("#invert-stop")
    expect(page.locator("#invert-status")).to_contain_text("best so far", timeout=5_000)
    page.click("#invert-keep")
    expect(page.locator("#shelf-strip img")).to_have_count(1)
    invert(page, 2, 1)
    expect(page.locator("#invert-status")).to_contain_text("Done")


def test_run_without_a_photo_says_what_to_do(visit: Visit, toy_url: str) -> None:
    page = visit(toy_url)
    page.click("#invert-run")
    expect(page.locator(".toast-body, .toast-wrap").first).to_contain_text("Choose a photo")


def test_bad_uploads_get_a_sentence_and_the_shelf_stays(visit: Visit, toy_url: str, tmp_path: Path) -> None:
    page = visit(toy_url)
    aligned(page)
    invert(page, 2, 1)
    expect(page.locator("#invert-metrics")).to_contain_text("LPIPS")
    page.click("#invert-keep")
    expect(page.locator("#shelf-strip img")).to_have_count(1)
    for name, data, words in (("words.jpg", b"these are words", "not a picture"), ("empty.png", b"", "empty")):
        (tmp_path / name).write_bytes(data)
        page.get_by_label("Remove Image").first.click()
        upload(page, tmp_path / name)
        expect(page.locator("#photo-sentence")).to_contain_text(words)
    expect(page.locator("#shelf-strip img")).to_have_count(1)


def test_no_face_offers_a_box_by_hand(visit: Visit, toy_url: str, tmp_path: Path) -> None:
    Pil.effect_noise((300, 200), 80).convert("RGB").save(tmp_path / "noise.png")
    page = visit(toy_url)
    upload(page, tmp_path / "noise.png")
    expect(page.locator("#photo-sentence")).to_contain_text("No face was found")
    slider = page.locator("#box-x input[type=range]")
    expect(slider).to_be_visible()
    slider.focus()
    page.keyboard.press("ArrowRight")
    expect(page.locator("#photo-sentence")).to_contain_text("by hand")


def test_two_visitors_do_not_share_a_shelf(visit: Visit, toy_url: str) -> None:
    one, two = visit(toy_url), visit(toy_url)
    tab(one, "Edit directions")
    expect(one.locator("#edit-live img")).to_be_visible()
    one.click("#edit-keep")
    expect(one.locator("#shelf-strip img")).to_have_count(1)
    tab(two, "Edit directions")
    two.click("#edit-another")
    expect(two.locator("#shelf-strip img")).to_have_count(0)


def test_a_phone_shows_no_sideways_scroll(visit: Visit, toy_url: str) -> None:
    page = visit(toy_url, PHONE)
    for name in ("Invert", "Edit directions", "Latent explorer", "Local mixing"):
        tab(page, name)
        page.wait_for_timeout(500)
        assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"] + 1


@pytest.mark.parametrize(("name", "form"), [("noext", "PNG"), ("scan.jp2", "JPEG2000"), ("photo.bin", "JPEG")])
def test_a_picture_is_taken_whatever_its_name_says(visit: Visit, toy_url: str, tmp_path: Path, name: str, form: str) -> None:
    page = visit(toy_url)
    with Pil.open(ASTRONAUT) as picture:
        picture.save(tmp_path / name, format=form)
    upload(page, tmp_path / name)
    expect(page.locator("#photo-sentence")).to_contain_text("aligned")


def test_a_file_that_is_no_picture_is_refused_by_its_name(visit: Visit, toy_url: str, tmp_path: Path) -> None:
    page = visit(toy_url)
    (tmp_path / "notes").write_text("no picture")
    upload(page, tmp_path / "notes")
    expect(page.get_by_text("Invalid file type: notes")).to_be_visible()
