"""A reload, a minute without network, and a phone that was locked keep photo, result, shelf and sliders."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import PHONE, set_number
from tests.browser.test_pages import Visit, aligned, invert, tab

pytestmark = pytest.mark.browser


def made(page: Page) -> None:
    """A photo, its inversion on the shelf, and a slider that was moved."""
    aligned(page)
    invert(page, 2, 1)
    expect(page.locator("#invert-keep")).to_be_enabled()
    page.click("#invert-keep")
    expect(page.locator("#shelf")).to_contain_text("1 on the shelf")
    tab(page, "Edit directions")
    expect(page.locator("#edit-live img")).to_be_visible()
    set_number(page, "#edit-slider-1", 2.5)
    expect(page.locator("#edit-summary")).to_contain_text("+2.5")


def kept(page: Page) -> None:
    """All of that, on the page as it is now."""
    expect(page.locator("#shelf")).to_contain_text("1 on the shelf")
    tab(page, "Invert")
    expect(page.locator("#photo-aligned img")).to_be_visible()
    expect(page.locator("#photo img")).to_be_visible()
    expect(page.locator("#photo-sentence")).to_contain_text("aligned")
    expect(page.locator("#invert-metrics")).to_contain_text("LPIPS")
    tab(page, "Edit directions")
    expect(page.locator("#edit-summary")).to_contain_text("+2.5")
    expect(page.locator("#edit-slider-1 input[type=number]")).to_have_value("2.5")
    page.locator("#edit-live").scroll_into_view_if_needed()  # a picture far below the screen is not fetched yet
    expect(page.locator("#edit-live img")).to_be_visible()


def mixed(page: Page) -> None:
    """A mixture of a ready-made part, and a bird of other codes."""
    tab(page, "Local mixing")
    page.locator("#mix-parts").get_by_label("mouth", exact=True).check()
    set_number(page, "#mix-source-seed", 21)
    set_number(page, "#mix-strength", 60)
    expect(page.locator("#mix-undo")).to_be_visible()
    tab(page, "FineGAN hierarchy sampler")
    set_number(page, "#hier-child", 5)
    expect(page.locator("#hier-words")).to_contain_text("c 5")


def still_mixed(page: Page) -> None:
    """The same, on the page as it is now."""
    tab(page, "Local mixing")
    expect(page.locator("#mix-source-seed input")).to_have_value("21")
    expect(page.locator("#mix-strength input[type=number]")).to_have_value("60")
    expect(page.locator("#mix-parts").get_by_label("mouth", exact=True)).to_be_checked()
    expect(page.locator("#mix-words")).not_to_contain_text("Nothing")
    tab(page, "FineGAN hierarchy sampler")
    expect(page.locator("#hier-words")).to_contain_text("c 5")
    expect(page.locator("#hier-child input")).to_have_value("5")
    page.click("#hier-undo")
    expect(page.locator("#hier-words")).not_to_contain_text("c 5")


def reloaded(page: Page) -> None:
    page.reload()
    page.wait_for_selector("#photo")


def without_network(page: Page) -> None:
    page.context.set_offline(True)
    page.wait_for_timeout(60_000)
    page.context.set_offline(False)
    page.wait_for_timeout(10_000)  # Gradio notices the network within some seconds, and opens the page again
    page.wait_for_selector("#photo")


def locked(page: Page) -> None:
    """A phone freezes the page and closes its connections; it goes on where it stood once it is looked at."""
    phone = page.context.new_cdp_session(page)
    phone.send("Page.setWebLifecycleState", {"state": "frozen"})
    page.context.set_offline(True)
    page.wait_for_timeout(20_000)
    page.context.set_offline(False)
    phone.send("Page.setWebLifecycleState", {"state": "active"})
    page.wait_for_timeout(10_000)
    page.wait_for_selector("#photo", state="attached")  # on whichever tab it goes on


@pytest.mark.parametrize("leave", [reloaded, without_network, locked])
def test_what_was_made_is_there_again(visit: Visit, toy_url: str, leave: Callable[[Page], None]) -> None:
    page = visit(toy_url, PHONE if leave is locked else {"width": 1280, "height": 1000})
    made(page)
    if leave is reloaded:
        mixed(page)
    leave(page)
    kept(page)
    if leave is reloaded:
        still_mixed(page)


def test_another_visitor_finds_nothing_of_it(visit: Visit, toy_url: str) -> None:
    page = visit(toy_url)
    made(page)
    page.context.clear_cookies()
    reloaded(page)
    expect(page.locator("#shelf")).to_contain_text("Nothing here yet")
    expect(page.locator("#photo-aligned img")).to_have_count(0)
