"""Every tab against the rules of axe-core, in both themes; what a finger presses is large, and what one types in has an edge."""

from collections.abc import Callable, Iterator

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import BrowserContext, Page, expect

from tests.browser.conftest import _UNFOLD, DESKTOP, PHONE
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


@pytest.fixture
def phone(context: BrowserContext, toy_url: str) -> Iterator[Page]:
    """The page under a finger, all cells unfolded."""
    assert context.browser is not None
    touched = context.browser.new_context(viewport=PHONE, has_touch=True, is_mobile=True, reduced_motion="reduce")  # type: ignore[arg-type]
    touched.add_init_script(_UNFOLD)
    page = touched.new_page()
    page.set_default_timeout(60_000)
    page.goto(toy_url)
    page.wait_for_selector(".cell:visible")
    yield page
    touched.close()


_TARGETS = """.contain :is(button, select, textarea, summary, label:has(> input:is([type=checkbox], [type=radio])),
  input:not([type=checkbox], [type=radio], [type=range], [type=file]))"""
_SMALL = """targets => [...document.querySelectorAll(targets)].filter(one => {
  if (!one.checkVisibility({visibilityProperty: true}) || one.closest('.visually-hidden, .modebar')) return false;
  const {width, height} = one.getBoundingClientRect();
  const least = one.matches('.icon-button') ? 32 : 44;  // up to three of these stand beside a picture's title
  return width > 1 && (height < 43.5 || width < least - 0.5);
}).map(one => `${one.closest('[id]')?.id}: ${one.tagName}.${one.className} ${one.offsetWidth}x${one.offsetHeight}`)"""


def test_a_finger_finds_everything_it_can_press(phone: Page) -> None:
    small = {}
    for title, name in TABS.items():
        tab(phone, title)
        phone.wait_for_selector(FILLED[name])
        phone.wait_for_timeout(1000)
        small[title] = phone.evaluate(_SMALL, _TARGETS)
        assert phone.evaluate("document.documentElement.scrollWidth") <= PHONE["width"] + 1
    assert small == {title: [] for title in TABS}


def test_a_button_and_its_sentence_are_below_each_other_where_it_is_narrow(visit: Visit, toy_url: str) -> None:
    page = visit(toy_url, DESKTOP)
    tab(page, "Edit directions")
    button, words = page.locator("#edit-bring"), page.locator("#edit-bring-status")
    expect(button).to_be_visible()
    one, two = button.bounding_box(), words.bounding_box()
    assert one is not None and two is not None and one["x"] + one["width"] <= two["x"] and one["width"] < DESKTOP["width"] / 3
    page.set_viewport_size(PHONE)
    one, two = button.bounding_box(), words.bounding_box()
    assert one is not None and two is not None and one["y"] + one["height"] <= two["y"] and two["width"] > 0.8 * PHONE["width"]


_LIGHT = """name => {
  const pen = document.createElement('canvas').getContext('2d');
  pen.fillStyle = getComputedStyle(document.querySelector('.gradio-container')).getPropertyValue(name);
  pen.fillRect(0, 0, 1, 1);
  const linear = value => value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
  const [r, g, b] = [...pen.getImageData(0, 0, 1, 1).data].map(value => linear(value / 255));
  return 0.2126 * r + 0.7152 * g + 0.0722 * b + 0.05;
}"""


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_inputs_have_an_edge_and_titles_are_no_buttons(visit: Visit, toy_url: str, theme: str) -> None:
    page = visit(f"{toy_url}?__theme={theme}")
    names = ("--block-background-fill", "--input-border-color", "--checkbox-border-color", "--slider-color")
    ground, *edges = (page.evaluate(_LIGHT, name) for name in names)
    assert all(max(edge, ground) / min(edge, ground) >= 3 for edge in edges)
    tab(page, "Edit directions")
    assert page.locator("#edit-seed input").evaluate("box => getComputedStyle(box).boxShadow").endswith("0px 0px 0px 1px inset")
    title, chosen = (page.evaluate(_LIGHT, name) for name in ("--block-title-background-fill", "--checkbox-label-background-fill-selected"))
    assert max(title, chosen) / min(title, chosen) >= 1.5
