"""Saved pictures that are brought back in headless Chromium: the tab that made one goes on with it, whichever button it came by."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import DESKTOP, set_number
from tests.browser.test_mix import opened, says, settled, stroke
from tests.browser.test_pages import aligned, choose_method

pytestmark = pytest.mark.browser
Visit = Callable[..., Page]


def saved(page: Page, button: str, path: Path) -> bytes:
    """A download, kept as a file to bring back."""
    expect(page.locator(button)).to_be_enabled()
    with page.expect_download() as download:
        page.click(button)
    download.value.save_as(path)
    return path.read_bytes()


def brought(page: Page, button: str, path: Path) -> None:
    with page.expect_file_chooser() as chooser:
        page.click(button)
    chooser.value.set_files(path)


def drawn(page: Page, words: str) -> None:
    """The full picture has followed: its download is there with it."""
    settled(page, words)
    expect(page.locator("#mix-film img")).to_have_count(5)


def test_a_mixture_is_repeated_from_its_picture_and_by_a_link(visit: Visit, toy_url: str, tmp_path: Path) -> None:
    page = opened(visit, toy_url)
    page.locator("#mix-parts").get_by_label("left half").check()
    says(page, "50% of the picture is painted")
    drawn(page, "part = Part")
    page.click("#mix-link")
    address = page.locator("#mix-address").locator("input, textarea").first
    expect(address).to_have_value(re.compile(r"^http://127.*\?recipe=[\w-]+$"))
    link = address.input_value()
    before = page.locator("#mix-live img").get_attribute("src")
    stroke(page, height=0.3)
    stroke(page, "#mix-reference-canvas", height=0.7)
    expect(page.locator("#mix-live img")).not_to_have_attribute("src", before or "")
    expect(page.locator("#mix-words")).not_to_contain_text("50% ")
    page.locator("#mix-strength input[type=number]").fill("60")
    page.locator("#mix-strength input[type=number]").press("Enter")
    drawn(page, "strength=0.6")
    whole = saved(page, "#mix-download", tmp_path / "mixed.png")
    assert b"Latent Studio recipe" in whole

    other = visit(toy_url, DESKTOP)
    other.get_by_role("tab", name="Edit directions").click()
    expect(other.locator("#edit-live img")).to_be_visible()
    brought(other, "#edit-repeat", tmp_path / "mixed.png")
    expect(other.locator("#mix-live img")).to_be_in_viewport(timeout=60_000)
    expect(other.locator("#mix-strength input[type=number]")).to_have_value("60")
    expect(other.locator("#mix-parts").get_by_label("left half")).to_be_checked()
    drawn(other, "strength=0.6")
    assert saved(other, "#mix-download", tmp_path / "repeated.png") == whole
    other.close()

    linked = visit(link, DESKTOP)
    expect(linked.locator("#mix-live img")).to_be_in_viewport(timeout=60_000)
    says(linked, "50% of the picture is painted")
    expect(linked.locator("#mix-parts").get_by_label("left half")).to_be_checked()
    drawn(linked, "part = Part")  # only what has settled is a step to go back to
    brought(linked, "#mix-repeat", tmp_path / "mixed.png")
    drawn(linked, "strength=0.6")
    linked.click("#mix-undo")
    says(linked, "50% of the picture is painted")


def test_a_picture_without_a_recipe_is_told(visit: Visit, toy_url: str, tmp_path: Path) -> None:
    page = opened(visit, toy_url)
    settled(page, "random_w(generator, 13")
    saved(page, "#mix-download-mask", tmp_path / "mask.png")
    brought(page, "#mix-repeat", tmp_path / "mask.png")
    expect(page.locator(".toast-body")).to_contain_text("This file carries no recipe")


def test_an_inversion_sets_its_method_and_asks_for_its_photo(visit: Visit, toy_url: str, tmp_path: Path) -> None:
    page = visit(toy_url, DESKTOP)
    aligned(page)
    choose_method(page, "Image2StyleGAN (W+)")
    set_number(page, "#invert-image2stylegan-steps", 3)
    set_number(page, "#invert-image2stylegan-quick_steps", 1)
    page.click("#invert-run")
    expect(page.locator("#invert-status")).to_contain_text("Done", timeout=60_000)
    whole = saved(page, "#invert-download", tmp_path / "inversion.png")
    brought(page, "#invert-repeat", tmp_path / "inversion.png")
    expect(page.locator("#invert-status")).to_contain_text("Its photo is the one at hand: Run repeats it.")

    other = visit(toy_url, DESKTOP)
    choose_method(other, "Image2StyleGAN (W+)")
    set_number(other, "#invert-image2stylegan-steps", 9)
    other.get_by_role("tab", name="Local mixing").click()
    expect(other.locator("#mix-live img")).to_be_visible()
    brought(other, "#mix-repeat", tmp_path / "inversion.png")
    expect(other.locator("#invert-status")).to_contain_text("Its photo is not inside the file: choose the same one", timeout=60_000)
    expect(other.locator("#invert-run")).to_be_in_viewport()
    expect(other.locator("#invert-method").get_by_label("Image2StyleGAN (W+)", exact=True)).to_be_checked()
    expect(other.locator("#invert-image2stylegan-steps input[type=number]")).to_have_value("3")
    expect(other.locator("#invert-image2stylegan-quick_steps input[type=number]")).to_have_value("1")
    choose_method(other, "PTI (pivotal tuning)")
    expect(other.locator("#invert-pti-steps")).to_be_visible()
    aligned(other)
    brought(other, "#invert-repeat", tmp_path / "inversion.png")
    expect(other.locator("#invert-status")).to_contain_text("Run repeats it.")
    expect(other.locator("#invert-image2stylegan-steps input[type=number]")).to_have_value("3")
    other.click("#invert-run")
    expect(other.locator("#invert-status")).to_contain_text("Done", timeout=60_000)
    assert saved(other, "#invert-download", tmp_path / "again.png") == whole
