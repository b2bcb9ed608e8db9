"""Cells fold by mouse and keyboard, remember it, have addresses, a list and a state; what a tab opens with stays small."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.conftest import PHONE, set_number
from tests.browser.test_pages import aligned, choose_method, invert, settled, tab

pytestmark = pytest.mark.browser
Visit = Callable[..., Page]
LAPTOP, WIDE = {"width": 1366, "height": 900}, {"width": 1600, "height": 900}
TABS = {
    "Invert": "invert",
    "Edit directions": "edit",
    "Latent explorer": "explore",
    "Local mixing": "mix",
    "FineGAN hierarchy sampler": "hierarchy",
}
FILLED = {
    "invert": "#photo",
    "edit": "#edit-live img",
    "explore": "#explore-plot .main-svg",
    "mix": "#mix-live img",
    "hierarchy": "#hier-stages img >> nth=8",
}
"""What is there once a tab has drawn what it opens with."""
MOST_PIXELS = {"laptop": 2250, "phone": 3376}
MOST_CONTROLS = {"invert": 25, "edit": 25, "explore": 25, "mix": 25, "hierarchy": 25}
"""Beside headings of cells, folds and accordions, a gallery's thumbnails counted as one. A slider in Edit is four of them."""

_CONTROLS = """name => {
  const shown = element => element.getClientRects().length && element.getBoundingClientRect().width > 1;
  const controls = [...document.querySelectorAll(`#${name} :is(button, input, select, textarea)`)].filter(shown);
  const alone = controls.filter(element => !element.matches('.cell-head, .fold-head, .label-wrap, .thumbnail-item'));
  const galleries = new Set(controls.filter(element => element.matches('.thumbnail-item')).map(element => element.closest('.block')));
  return alone.length + galleries.size;
}"""


def head(page: Page, cell: str) -> Locator:
    return page.locator(f"#{cell} > .heading .cell-head")


def test_a_cell_folds_by_mouse_and_keyboard_and_a_reload_keeps_it(visit: Visit, toy_url: str) -> None:
    page = visit(toy_url, unfolded=False)
    heading, run = head(page, "cell-invert-invert"), page.locator("#invert-run")
    expect(run).to_be_visible()
    heading.click()
    expect(run).to_be_hidden()
    expect(heading).to_have_attribute("aria-expanded", "false")
    compare = head(page, "cell-invert-compare-methods")
    expect(page.locator("#compare-run")).to_be_hidden()
    compare.focus()
    page.keyboard.press("Enter")
    expect(page.locator("#compare-run")).to_be_visible()
    page.keyboard.press("Space")
    expect(page.locator("#compare-run")).to_be_hidden()
    page.keyboard.press("Space")
    page.reload()
    expect(page.locator("#compare-run")).to_be_visible()
    expect(run).to_be_hidden()
    heading.click()
    expect(run).to_be_visible()


def test_folded_settings_count_all_the_same(visit: Visit, toy_url: str) -> None:
    page = visit(toy_url, unfolded=False)
    page.get_by_label("Image2StyleGAN (W+)").first.check()
    expect(page.locator("#invert-image2stylegan-steps")).to_be_hidden()
    page.get_by_role("button", name="Settings of the method").click()
    expect(page.locator("#invert-image2stylegan-steps")).to_be_visible()


def test_an_address_selects_the_tab_unfolds_the_cell_and_goes_there(visit: Visit, toy_url: str) -> None:
    page = visit(f"{toy_url}#cell-explore-latent-traversal", unfolded=False)
    expect(page.locator("#walk-run")).to_be_visible()
    expect(page.get_by_role("tab", name="Latent explorer")).to_have_attribute("aria-selected", "true")
    expect(head(page, "cell-explore-latent-traversal")).to_be_in_viewport()
    expect(head(page, "cell-explore-latent-traversal")).to_be_focused()
    page.locator("#cell-explore-truncation .anchor").click()
    expect(page.locator("#truncation-psi")).to_be_visible()
    assert page.url.endswith("#cell-explore-truncation")


def test_an_address_finds_a_tab_that_a_phone_has_no_room_for(visit: Visit, toy_url: str) -> None:
    page = visit(f"{toy_url}#cell-mix-stylemapgan", PHONE, unfolded=False)
    expect(page.locator("#mix-own-run")).to_be_visible()


@pytest.mark.parametrize(("kind", "viewport"), [("laptop", LAPTOP), ("phone", PHONE)])
def test_a_tab_opens_with_little(visit: Visit, toy_url: str, kind: str, viewport: dict[str, int]) -> None:
    page = visit(toy_url, viewport, unfolded=False)
    figures = {}
    for title, name in TABS.items():
        tab(page, title)
        page.wait_for_selector(FILLED[name])
        page.wait_for_timeout(1000)
        figures[name] = (page.evaluate("document.documentElement.scrollHeight"), page.evaluate(_CONTROLS, f"tab-{name}"))
    assert {name: pixels for name, (pixels, _) in figures.items() if pixels > MOST_PIXELS[kind]} == {}
    assert {name: count for name, (_, count) in figures.items() if count > MOST_CONTROLS[name]} == {}


def test_ctrl_enter_runs_the_cell_of_the_box_one_is_in(visit: Visit, toy_url: str) -> None:
    page = visit(toy_url)
    aligned(page)
    state = page.locator("#cell-invert-invert .state")
    expect(state).to_have_text("not run")
    choose_method(page, "Image2StyleGAN (W+)")
    set_number(page, "#invert-image2stylegan-quick_steps", 1)
    box = page.locator("#invert-image2stylegan-steps input[type=number]")
    box.fill("2")
    box.press("Control+Enter")
    expect(state).to_contain_text("done", timeout=60_000)
    page.locator("#cell-invert-result").get_by_role("button", name="The same in Python").click()
    expect(page.locator("#invert-code")).to_contain_text("steps=2")
    box.fill("3")
    expect(state).to_have_text("out of date")
    box.press("Control+Enter")
    expect(state).to_contain_text("done", timeout=60_000)


def test_a_run_unfolds_its_cell_once_and_the_heading_says_how_it_stands(visit: Visit, toy_url: str) -> None:
    page = visit(toy_url)
    aligned(page)
    heading, state, run = head(page, "cell-invert-invert"), page.locator("#cell-invert-invert .state"), page.locator("#invert-run")
    choose_method(page, "Image2StyleGAN (W+)")
    set_number(page, "#invert-image2stylegan-steps", 1000)
    heading.click()
    expect(run).to_be_hidden()
    run.dispatch_event("click")  # as another part of the page would
    expect(run).to_be_visible()
    expect(state).to_have_text("running")
    heading.click()
    expect(page.locator("#invert-status")).to_contain_text("Step")
    expect(run).to_be_hidden()
    page.locator("#invert-stop").dispatch_event("click")
    expect(state).to_have_text("stopped")
    expect(run).to_be_hidden()


def test_the_list_goes_to_cells_and_folds_them_all(visit: Visit, toy_url: str) -> None:
    page = visit(toy_url, WIDE, unfolded=False)
    cells = page.locator("#cell-list")
    expect(cells.locator("li")).to_have_count(5)
    cells.get_by_role("button", name="Fold all", exact=True).click()
    expect(page.locator("#photo")).to_be_hidden()
    cells.get_by_role("link", name="Compare methods").click()
    expect(page.locator("#compare-run")).to_be_visible()
    cells.get_by_role("button", name="Unfold all").click()
    expect(page.locator("#diffuse-run")).to_be_visible()
    tab(page, "Edit directions")
    expect(cells.locator("li")).to_have_count(7)


def test_on_a_narrow_page_the_list_is_a_sheet_and_question_mark_lists_the_keys(visit: Visit, toy_url: str) -> None:
    page = visit(toy_url, PHONE, unfolded=False)
    sheet, opener = page.locator("#cell-list .sheet"), page.locator("#cell-list .opener")
    expect(sheet).to_be_hidden()
    opener.click()
    expect(sheet).to_be_visible()
    page.keyboard.press("Escape")
    expect(sheet).to_be_hidden()
    expect(opener).to_be_focused()
    page.keyboard.press("?")
    expect(page.locator("#key-list")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator("#key-list")).to_be_hidden()


def test_one_button_shows_all_code_and_one_runs_all_above(visit: Visit, toy_url: str) -> None:
    page = visit(toy_url, WIDE)
    aligned(page)
    choose_method(page, "Image2StyleGAN (W+)")
    set_number(page, "#invert-image2stylegan-steps", 2)
    set_number(page, "#invert-image2stylegan-quick_steps", 1)
    head(page, "cell-invert-result").focus()
    page.locator("#cell-list").get_by_role("button", name="Run all above").click()
    expect(page.locator("#cell-invert-invert .state")).to_contain_text("done", timeout=60_000)
    expect(page.locator("#invert-code")).to_be_hidden()
    page.locator("#cell-list").get_by_role("button", name="Show code").click()
    expect(page.locator("#invert-code")).to_contain_text("steps=2")
    expect(page.locator("#compare-code")).to_be_visible()
    page.locator("#cell-list").get_by_role("button", name="Hide code").click()
    expect(page.locator("#invert-code")).to_be_hidden()


def test_boxes_wait_unseen_for_their_pictures(visit: Visit, toy_url: str) -> None:
    page = visit(toy_url)
    expect(page.locator("#invert-run")).to_be_visible()
    for name in ("photo-aligned", "invert-preview", "invert-slider", "diffuse-slider"):
        expect(page.locator(f"#{name}")).to_be_hidden()
    aligned(page)
    invert(page, 2, 1)
    expect(page.locator("#invert-slider img").first).to_be_visible()
    assert page.locator("#invert-slider").bounding_box()["height"] > 200


def test_ctrl_z_undoes_in_the_tab_one_is_in(visit: Visit, toy_url: str) -> None:
    page = visit(toy_url)
    tab(page, "Edit directions")
    expect(page.locator("#start-face")).to_be_hidden()  # who chose a tab has begun
    expect(page.locator("#edit-live img")).to_be_visible()
    set_number(page, "#edit-slider-1", 2)
    settled(page, "(direction_1, 2)")
    page.locator("#edit-slider-1 input[type=range]").focus()
    page.keyboard.press("Control+z")
    expect(page.locator("#edit-summary")).to_contain_text("No edit yet")
    page.keyboard.press("Control+Shift+z")
    expect(page.locator("#edit-summary")).to_contain_text("+2.0")
