from collections.abc import Callable, Iterator
from urllib.parse import urlparse

import gradio as gr
import pytest
from gradio.state_holder import SessionState
from playwright.sync_api import BrowserContext, Page, expect, sync_playwright

from studio.app import build
from studio.server import launch_options
from studio.settings import Settings
from studio.state.session import Session
from studio.ui import menus
from tests.conftest import chromium

FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
expect.set_options(timeout=30_000)
DESKTOP, PHONE = {"width": 1280, "height": 1000}, {"width": 390, "height": 844}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """A test in the browser has a second try, which the summary lists: where two cores draw, serve and browse, a wait may not suffice."""
    for item in items:
        if item.get_closest_marker("browser"):
            item.add_marker(pytest.mark.flaky(reruns=1))


@pytest.fixture(scope="session")
def context() -> Iterator[BrowserContext]:
    """One for all visits, so that the page's scripts are fetched and compiled once; each page of it is a visitor of its own."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=str(chromium()), args=FLAGS)
        yield browser.new_context(accept_downloads=True, reduced_motion="reduce")
        browser.close()


def _served(generator: str) -> Iterator[str]:
    session = Session(Settings(generator=generator))
    session.warm()
    page = build(session)
    _, url, _ = page.launch(**launch_options(page, session.settings))
    yield url
    stale = sorted({name for visitor in page.app.state_holder.session_data.values() for name in _checked(page, visitor)})
    page.close()
    assert not stale, f"their choices or ends changed, so they must come from studio.ui.menus: {stale}"


def _checked(page: gr.Blocks, visitor: SessionState) -> Iterator[str]:
    """Menus and sliders that changed on a visitor's page, and that Gradio checks by what they are at the event's turn."""
    for key, first in page.blocks.items():  # a visitor's own have updates among them, too
        block = visitor.blocks_config.blocks.get(key)
        if isinstance(block, gr.Radio | gr.Dropdown | gr.CheckboxGroup | gr.Slider) and type(block).__module__ != menus.__name__:
            ends = ("minimum", "maximum", "choices")
            if any(getattr(block, end, None) != getattr(first, end, None) for end in ends):
                yield str(block.elem_id)


@pytest.fixture(scope="session")
def toy_url() -> Iterator[str]:
    yield from _served("toy")


@pytest.fixture(scope="session")
def ffhq_url() -> Iterator[str]:
    yield from _served("ffhq")


@pytest.fixture
def visit(context: BrowserContext) -> Iterator[Callable[..., Page]]:
    """Open the page as a new visitor with all cells unfolded; afterwards, nothing may have left the machine and no script have failed."""
    strangers, faults = [], []

    def open_page(url: str, viewport: dict[str, int] = DESKTOP, unfolded: bool = True) -> Page:
        page = context.new_page()
        if unfolded:
            page.add_init_script(_UNFOLD)
        page.set_viewport_size(viewport)
        page.set_default_timeout(60_000)
        page.on("request", lambda request: strangers.append(request.url) if _leaves(request.url) else None)
        page.on("pageerror", lambda error: faults.append(str(error)))
        page.goto(url)
        page.wait_for_selector(".cell:visible")
        return page

    yield open_page
    for page in context.pages:
        page.close()
    context.clear_cookies()
    assert not strangers, f"requests left the machine: {strangers}"
    assert not faults, f"scripts failed: {faults}"


_UNFOLD = "if (!sessionStorage.getItem('latent-studio-folds')) sessionStorage.setItem('latent-studio-folds', '{\"*\": true}');"
"""What a browser's tab remembers in which every cell was unfolded; what a test folds afterwards stays so."""


def _leaves(url: str) -> bool:
    address = urlparse(url)
    return address.scheme not in ("data", "blob") and address.hostname not in ("127.0.0.1", "localhost")


def set_number(page: Page, selector: str, value: float | str) -> None:
    """Type a number until it holds: a box that has just come into sight may still be given its first value."""
    box = page.locator(f"{selector} input[type=number]")
    for _ in range(10):
        box.fill(str(value))
        box.press("Enter")
        box.blur()
        page.wait_for_timeout(150)
        if box.input_value() == str(value):
            return
    expect(box).to_have_value(str(value))
