"""The tab Edit directions in headless Chromium: sliders, cards, layers, what must stay, steps back, and a phone's width."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.conftest import DESKTOP, PHONE
from tests.browser.test_pages import ASTRONAUT, aligned, invert

pytestmark = pytest.mark.browser
Visit = Callable[..., Page]


def opened(visit: Visit, url: str, viewport: dict[str, int] = DESKTOP) -> Page:
    page = visit(url, viewport)
    page.get_by_role("tab", name="Edit directions").click()
    expect(page.locator("#edit-live img")).to_be_visible()
    return page


def slider(page: Page, number: int) -> Locator:
    return page.locator(f"#edit-slider-{number} input[type=range]")


def press(page: Page, number: int, times: int, key: str = "ArrowRight") -> None:
    slider(page, number).focus()
    for _ in range(times):
        page.keyboard.press(key)


def says(page: Page, words: str) -> None:
    expect(page.locator("#edit-summary")).to_contain_text(words)


def settled(page: Page, words: str) -> None:
    """The lines of Python come with the full picture, once the sliders rest."""
    lines = page.locator("#edit-code")
    if not lines.is_visible():
        page.get_by_role("button", name="The same in Python").locator("visible=true").first.click()
    expect(lines).to_contain_text(words)


def picture(page: Page) -> str:
    return page.locator("#edit-live img").get_attribute("src") or ""


def test_a_visitor_finds_sliders_ready_and_moving_one_changes_all_that_follows(visit: Visit, toy_url: str) -> None:
    page = opened(visit, toy_url)
    expect(page.locator("#edit-slider-3")).to_contain_text("InterFaceGAN")
    expect(page.locator("#edit-cards img")).to_have_count(3)
    expect(page.locator("#edit-strip img")).to_have_count(5)
    first = picture(page)
    press(page, 1, 20)
    says(page, "Brightness +2.0")
    settled(page, "(direction_1, 2)")
    assert picture(page) != first
    expect(page.locator("#edit-meter .own")).to_contain_text("Brightness")
    expect(page.locator("#edit-aside-1")).to_contain_text("moves most")
    expect(page.locator("#edit-aside-1 .gauge")).to_be_visible()
    expect(page.locator("#edit-aside-2")).to_contain_text("score")
    expect(page.locator("#edit-aside-2")).not_to_contain_text("moves most")
    expect(page.locator("#edit-cards")).to_contain_text("sigma)")
    with page.expect_download() as download:
        page.click("#edit-download")
    assert download.value.suggested_filename == "edited.png"


def test_edits_undo_redo_and_never_end_on_a_stale_preview(visit: Visit, toy_url: str) -> None:
    page = opened(visit, toy_url)
    press(page, 1, 25)
    settled(page, "(direction_1, 2.5)")
    page.click("#edit-reset")
    says(page, "No edit")
    settled(page, "apply_directions(code, [], generator)")
    press(page, 2, 1, "End")
    says(page, "Warmth +5.0")
    settled(page, "(direction_1, 5)")
    page.click("#edit-undo")
    says(page, "No edit")
    expect(slider(page, 2)).to_have_value("0")
    page.click("#edit-redo")
    says(page, "Warmth +5.0")
    expect(slider(page, 2)).to_have_value("5")


def test_a_card_gets_a_slider_and_a_slider_is_taken_away(visit: Visit, toy_url: str) -> None:
    page = opened(visit, toy_url)
    page.locator("#edit-method").get_by_text("SeFa").click()
    page.locator("#edit-part").get_by_text("fine").click()
    expect(page.locator("#edit-cards")).to_contain_text("fine 6")
    page.locator("#edit-cards button").nth(1).click()
    expect(page.locator("#edit-slider-4")).to_contain_text("fine 2 · SeFa")
    press(page, 4, 1, "End")
    says(page, "fine 2 +5.0")
    page.click("#edit-remove-1")
    expect(page.locator("#edit-slider-3")).to_contain_text("fine 2 · SeFa")
    expect(page.locator("#edit-slider-4")).to_have_count(0)
    says(page, "fine 2 +5.0")
    page.click("#edit-undo")
    expect(page.locator("#edit-slider-1")).to_contain_text("Brightness")


def test_layers_and_what_must_stay(visit: Visit, toy_url: str) -> None:
    page = opened(visit, toy_url)
    press(page, 1, 1, "End")
    page.locator("#edit-layers").get_by_text("coarse", exact=True).click()
    says(page, "Brightness +5.0 (coarse)")
    page.locator("#edit-layers").get_by_text("from … to").click()
    says(page, "Brightness +5.0 (1-8)")
    page.locator("#edit-keep-these").get_by_text("Contrast").click()
    says(page, "Kept: Contrast")
    settled(page, "conditional_direction(direction_1")
    page.click("#edit-undo")
    expect(page.locator("#edit-keep-these").get_by_label("Contrast")).not_to_be_checked()


def test_another_face_and_a_shelf_without_a_choice(visit: Visit, toy_url: str) -> None:
    page = opened(visit, toy_url)
    page.click("#edit-another")
    settled(page, "random_w(generator, 8")
    page.locator("#edit-kind").get_by_text("Shelf").click()
    expect(page.locator(".toast-body, .toast-wrap").first).to_contain_text("Nothing on the shelf is chosen")
    page.click("#edit-another")
    settled(page, "random_w(generator, 9")
    page.click("#edit-keep")
    page.locator("#shelf-strip button").first.click()
    expect(page.locator("#edit-kind input[value=Shelf]")).to_be_checked()
    settled(page, "load_file")


def test_a_phone_keeps_the_picture_in_sight_and_shows_no_sideways_scroll(visit: Visit, toy_url: str) -> None:
    page = opened(visit, toy_url, PHONE)
    expect(page.locator("#edit-cards img")).to_have_count(3)
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"] + 1
    slider(page, 3).scroll_into_view_if_needed()
    press(page, 3, 3)
    says(page, "Contrast +0.3")
    box = page.locator("#edit-live").bounding_box()
    assert box is not None and box["y"] >= 0 and box["y"] + box["height"] <= PHONE["height"]


def test_what_another_tab_puts_on_the_shelf_is_edited_next(visit: Visit, toy_url: str) -> None:
    page = opened(visit, toy_url)
    page.get_by_role("tab", name="Invert").click()
    aligned(page)
    invert(page, 2, 1)
    expect(page.locator("#invert-metrics")).to_contain_text("LPIPS")
    page.click("#invert-keep")
    expect(page.locator("#shelf-strip img")).to_have_count(1)
    page.get_by_role("tab", name="Edit directions").click()
    expect(page.locator("#edit-kind input[value=Shelf]")).to_be_checked()
    settled(page, "load_file")


def test_the_picture_to_keep_is_there_before_any_slider_moves(visit: Visit, toy_url: str) -> None:
    page = opened(visit, toy_url)
    handle = page.locator("#edit-compare [role=none]").first
    page.wait_for_function("document.querySelector('#edit-compare img')?.getBoundingClientRect().width > 100")
    middle = "(() => { const all = document.querySelector('#edit-compare').getBoundingClientRect(); return all.x + all.width / 2 })()"
    expect(handle).to_be_visible()
    page.wait_for_timeout(500)
    box = handle.bounding_box()
    assert box is not None and box["x"] <= page.evaluate(middle) <= box["x"] + box["width"]


def test_an_upload_is_inverted_shelved_and_edited_at_once(visit: Visit, toy_url: str) -> None:
    page = opened(visit, toy_url)
    page.locator("#edit-kind").get_by_text("Upload").click()
    expect(page.locator("#edit-seed")).to_be_hidden()
    page.set_input_files("#edit-photo input[type=file]", str(ASTRONAUT))
    expect(page.locator("#edit-photo-status")).to_contain_text("Step")
    expect(page.locator("#edit-kind input[value=Shelf]")).to_be_checked(timeout=180_000)  # the upload's part is gone with its status
    expect(page.locator("#shelf-strip img")).to_have_count(1)
    settled(page, "load_file")
    press(page, 1, 10)
    says(page, "Brightness +1.0")


def test_a_learnt_change_has_cards_a_slider_of_its_own_reach_and_lines_of_python(visit: Visit, toy_url: str) -> None:
    page = opened(visit, toy_url)
    page.locator("#edit-method").get_by_label("Learnt change (Δ)").check()
    expect(page.locator("#edit-cards-status")).to_contain_text("of the change")
    expect(page.locator("#edit-cards img")).to_have_count(2)
    page.locator("#edit-cards button").first.click()
    expect(page.locator("#edit-slider-4")).to_contain_text("First · Learnt change (Δ)")
    assert slider(page, 4).get_attribute("max") == "2"
    press(page, 4, 10)
    says(page, "First +1.0")
    settled(page, 'learnt_change(generator, "first")')
