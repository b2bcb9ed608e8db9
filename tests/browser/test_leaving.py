"""On a page that forgets, who leaves with something unsaved is asked first."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import BrowserContext, Dialog, Page, expect

from studio.app import build
from studio.server import launch_options
from studio.settings import Settings
from studio.state.session import Session
from tests.browser.conftest import set_number
from tests.browser.test_pages import Visit, tab

pytestmark = pytest.mark.browser

_ASKS = "() => { const leaving = new Event('beforeunload', {cancelable: true}); dispatchEvent(leaving); return leaving.defaultPrevented; }"
LOGIN = ("guest", "a-password")


@pytest.fixture
def public_url(context: BrowserContext) -> Iterator[str]:
    """A page that others can reach, served on this machine's own address, with the browser logged in."""
    settings = Settings(generator="toy", host="0.0.0.0", auth=LOGIN)
    session = Session(settings)
    page = build(session)
    _, url, _ = page.launch(**launch_options(page, settings) | {"server_name": "127.0.0.1"})
    context.request.post(f"{url}login", form=dict(zip(("username", "password"), LOGIN, strict=True)))
    yield url
    page.close()


def shelved(page: Page) -> None:
    """A face that was put on the shelf."""
    tab(page, "Edit directions")
    expect(page.locator("#edit-live img")).to_be_visible()
    page.click("#edit-keep")
    expect(page.locator("#shelf")).to_contain_text("1 on the shelf")


def test_with_something_unsaved_a_public_page_asks(visit: Visit, public_url: str) -> None:
    page = visit(public_url)
    shelved(page)
    assert page.evaluate(_ASKS)


def test_who_is_asked_and_stays_goes_on_where_they_were(visit: Visit, public_url: str) -> None:
    page, asked = visit(public_url), []
    shelved(page)
    before = page.locator("#edit-live img").get_attribute("src")
    page.evaluate("window.here = true")

    def stay(dialog: Dialog) -> None:
        asked.append(dialog.type)
        dialog.dismiss()

    page.on("dialog", stay)
    page.close(run_before_unload=True)
    page.wait_for_timeout(6_000)  # a page whose connections were ended opens itself anew within three
    assert asked == ["beforeunload"]
    assert page.evaluate("window.here") and page.get_by_role("tab", name="Edit directions").get_attribute("aria-selected") == "true"
    set_number(page, "#edit-seed", 11)
    expect(page.locator("#edit-live img")).not_to_have_attribute("src", before or "")
    assert page.evaluate("window.here")


def test_with_everything_saved_it_does_not(visit: Visit, public_url: str) -> None:
    page = visit(public_url)
    shelved(page)
    page.get_by_role("button", name="Lab book").click()
    with page.expect_download():
        page.click("#book-save")
    assert not page.evaluate(_ASKS)


def test_with_nothing_made_it_does_not(visit: Visit, public_url: str) -> None:
    assert not visit(public_url).evaluate(_ASKS)


def test_a_page_that_remembers_does_not(visit: Visit, toy_url: str) -> None:
    page = visit(toy_url)
    shelved(page)
    assert not page.evaluate(_ASKS)
