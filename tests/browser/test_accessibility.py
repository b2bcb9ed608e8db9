"""Every tab against the rules of axe-core, in both themes: nothing serious may be left."""

from collections.abc import Callable

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

from tests.browser.test_cells import FILLED, TABS
from tests.browser.test_pages import tab

pytestmark = pytest.mark.browser
Visit = Callable[..., Page]


def faults(page: Page) -> list[str]:
    """What is serious or worse, with the places."""
    found = Axe().run(page, options={"resultTypes": ["violations"]}).response["violations"]
    return [f"{one['id']}: {node['target']}" for one in found if one["impact"] in ("serious", "critical") for node in one["nodes"]]


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_finds_nothing_serious_on_any_tab(visit: Visit, toy_url: str, theme: str) -> None:
    page, found = visit(f"{toy_url}?__theme={theme}"), {}
    for title, name in TABS.items():
        tab(page, title)
        page.wait_for_selector(FILLED[name])
        page.wait_for_timeout(2000)  # buttons that become free change their colour slowly
        found[title] = faults(page)
    assert found == {title: [] for title in TABS}
