"""A tuned face in headless Chromium: from the Invert tab over the shelf, weakened there, to the Edit tab."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import set_number
from tests.browser.test_pages import aligned, choose_method, tab

pytestmark = pytest.mark.browser
Visit = Callable[..., Page]


def test_a_tuned_face_goes_to_the_shelf_and_its_strength_can_be_turned(visit: Visit, toy_url: str) -> None:
    page = visit(toy_url)
    aligned(page)
    expect(page.locator("#invert-method").get_by_label("Recommended", exact=True)).to_be_checked()
    expect(page.locator("#invert-along")).to_be_hidden()
    choose_method(page, "PTI (pivotal tuning)")
    expect(page.locator("#invert-along")).to_be_visible()
    set_number(page, "#invert-pti-steps", 3)
    page.click("#invert-run")
    expect(page.locator("#invert-metrics")).to_contain_text("Weight change", timeout=120_000)
    page.click("#invert-keep")
    expect(page.locator("#shelf-strip")).to_contain_text("tuned")
    page.click("#shelf-more")
    expect(page.locator("#shelf-strength")).to_be_visible()
    set_number(page, "#shelf-strength", 0)
    expect(page.locator("#shelf-strip")).to_contain_text("at 0.00")
    tab(page, "Edit directions")
    expect(page.locator("#edit-kind input[value=Shelf]")).to_be_checked()
    set_number(page, "#shelf-strength", 1)
    expect(page.locator("#shelf-strip")).not_to_contain_text("at 0.00")
