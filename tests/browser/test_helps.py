"""What stands beside controls: a die and a way back at every seed, groups, pictures and seconds at the methods."""

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import PHONE
from tests.browser.test_pages import aligned, choose_method

pytestmark = pytest.mark.browser
Visit = Callable[..., Page]
SECONDS = re.compile(r"^[\d.]+ s$")


@pytest.mark.parametrize("viewport", [None, PHONE], ids=["desktop", "phone"])
def test_the_seed_before_comes_back_with_its_face(viewport: dict[str, int] | None, visit: Visit, toy_url: str) -> None:
    page = visit(toy_url, viewport) if viewport else visit(toy_url)
    page.get_by_role("tab", name="Edit directions").click()
    box, live = page.locator("#edit-seed input"), page.locator("#edit-live img")
    expect(live).to_be_visible()
    first, seed = live.get_attribute("src") or "", box.input_value()
    page.click("#edit-another")
    expect(box).not_to_have_value(seed)
    expect(live).not_to_have_attribute("src", first)
    second = live.get_attribute("src") or ""
    page.locator("#edit-seed").get_by_role("button", name="The seed before this one").click()
    expect(box).to_have_value(seed)
    expect(live).not_to_have_attribute("src", second)


def test_a_die_draws_a_seed_within_its_ends(visit: Visit, toy_url: str) -> None:
    page = visit(toy_url)
    page.get_by_role("tab", name="FineGAN hierarchy").click()
    box = page.locator("#hier-draw-seed")
    expect(box).to_be_visible()
    seen = {box.locator("input").input_value()}
    for _ in range(3):
        box.get_by_role("button", name="A random seed").click()
        seen.add(box.locator("input").input_value())
    assert len(seen) == 4 and all(0 <= int(value) < 2**31 for value in seen)
    box.get_by_role("button", name="The seed before this one").click()
    assert box.locator("input").input_value() in seen


def test_methods_stand_in_groups_and_remember_how_long_they_took(visit: Visit, toy_url: str) -> None:
    page = visit(toy_url)
    groups = page.locator("#invert-method .group")
    expect(groups).to_have_count(3)
    assert [text.split(":")[0] for text in groups.all_inner_texts()] == ["Faithful", "In a second", "Easy to edit"]
    aligned(page)
    choose_method(page, "pSp")
    page.click("#invert-run")
    label = page.locator("#invert-method label", has_text="pSp")
    expect(label).to_have_attribute("data-took", SECONDS, timeout=60_000)
    page.reload()
    expect(page.locator("#invert-method label", has_text="pSp")).to_have_attribute("data-took", SECONDS)
