"""Faults that a newcomer met on the page, each as the rule it broke."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image as Pil
from playwright.sync_api import Locator, Page, expect

from tests.browser.conftest import set_number
from tests.browser.test_explore import PLOT, click_point, measured
from tests.browser.test_explore import opened as explored
from tests.browser.test_pages import ASTRONAUT, aligned, choose_method, invert, tab, upload

pytestmark = pytest.mark.browser
Visit = Callable[..., Page]

WATCH = """() => {
  window.leaks = [];
  new MutationObserver(() => {
    const said = document.body.innerText.match(/(processing|queue: [0-9]+\\/[0-9]+)[ |]|not in the list of choices/i);
    if (said) window.leaks.push(said[0]);
  }).observe(document.body, {subtree: true, childList: true, characterData: true});
}"""
"""Gradio's own words for a wait, and for a choice that it does not know."""


def toast(page: Page) -> Locator:
    return page.locator(".toast-body, .toast-wrap").first


def remove(page: Page, photo: str) -> None:
    page.locator(photo).get_by_label("Remove Image").click()
    expect(page.locator(f"{photo} img")).to_have_count(0)


@pytest.fixture
def noise(tmp_path: Path) -> Path:
    Pil.effect_noise((300, 200), 80).convert("RGB").save(tmp_path / "noise.png")
    return tmp_path / "noise.png"


def test_methods_browsed_quickly_end_with_the_last_one_and_no_word_of_gradios(visit: Visit, toy_url: str) -> None:
    page = visit(toy_url)
    page.evaluate(WATCH)
    tab(page, "Edit directions")
    expect(page.locator("#edit-cards-status")).to_contain_text("Each card")
    for title in ("SeFa", "StyleSpace", "InterFaceGAN in W", "SeFa", "GANSpace", "StyleSpace", "SeFa"):
        page.locator("#edit-method").get_by_label(title, exact=True).check()
        page.wait_for_timeout(250)
    page.locator("#edit-part").get_by_label("fine", exact=True).check()
    expect(page.locator("#edit-cards")).to_contain_text("fine 1")
    expect(page.locator("#edit-cards-status")).to_contain_text("Each card")
    expect(page.locator(".toast-body")).to_have_count(0)
    page.locator("#edit-cards button").first.click()
    expect(page.locator("#edit-slider-4")).to_contain_text("fine 1 · SeFa")
    assert page.evaluate("window.leaks") == []


def test_a_removed_photo_is_gone_and_a_run_already_made_stays(visit: Visit, toy_url: str) -> None:
    page = visit(toy_url)
    aligned(page)
    invert(page, 2, 1)
    expect(page.locator("#invert-metrics")).to_contain_text("LPIPS")
    remove(page, "#photo")
    expect(page.locator("#photo-aligned img")).to_have_count(0)
    expect(page.locator("#photo-sentence")).to_have_text("")
    page.click("#invert-run")
    expect(toast(page)).to_contain_text("no aligned face yet")
    expect(page.locator("#invert-metrics")).to_contain_text("LPIPS")
    expect(page.locator("#invert-download")).to_be_enabled()


def test_a_photo_removed_in_any_other_cell_is_gone_too(visit: Visit, toy_url: str) -> None:
    page = visit(toy_url)
    aligned(page)
    page.set_input_files("#diffuse-photo input[type=file]", str(ASTRONAUT))
    expect(page.locator("#diffuse-pasted img")).to_have_count(1)
    remove(page, "#diffuse-photo")
    expect(page.locator("#diffuse-pasted img")).to_have_count(0)
    page.click("#diffuse-run")
    expect(toast(page)).to_contain_text("Two faces are needed")
    page.click("#diffuse-generated")
    expect(page.locator("#diffuse-pasted img")).to_have_count(1)
    remove(page, "#photo")  # what receives is gone, and with it the copy
    expect(page.locator("#diffuse-sentence")).to_contain_text("Now choose the target")

    tab(page, "Local mixing")
    page.get_by_role("button", name="Upload a photo of your own").click()
    page.set_input_files("#mix-photo input[type=file]", str(ASTRONAUT))
    remove(page, "#mix-photo")
    page.click("#mix-bring-run")
    expect(page.get_by_text("There is no photo yet. Choose one first.")).to_be_visible()

    tab(page, "FineGAN hierarchy sampler")
    if page.locator("#hier-upload").count():
        page.set_input_files("#hier-upload input[type=file]", str(ASTRONAUT))
        expect(page.locator("#hier-target img")).to_have_count(1)
        remove(page, "#hier-upload")
        expect(page.locator("#hier-target img")).to_have_count(0)
        page.click("#hier-find-run")
        expect(page.get_by_text("There is no picture yet.")).to_be_visible()


def test_without_a_face_run_waits_until_a_person_placed_the_box(visit: Visit, toy_url: str, noise: Path) -> None:
    page = visit(toy_url)
    upload(page, noise)
    expect(page.locator("#photo-sentence")).to_contain_text("No face was found")
    expect(page.locator("#photo-aligned img")).to_have_count(0)
    page.click("#invert-run")
    expect(toast(page)).to_contain_text("its box was not placed yet")
    page.click("#box-use")
    expect(page.locator("#photo-aligned img")).to_be_visible()
    expect(page.locator("#box-use")).to_be_hidden()
    invert(page, 2, 1)
    expect(page.locator("#invert-status")).to_contain_text("Done")


def test_nothing_of_the_last_run_stays_beside_the_next(visit: Visit, toy_url: str) -> None:
    page = visit(toy_url)
    aligned(page)
    invert(page, 2, 1)
    expect(page.locator("#invert-metrics")).to_contain_text("LPIPS")
    expect(page.locator("#invert-curve polyline")).not_to_have_count(0)
    invert(page, 1000, 1000)
    expect(page.locator("#invert-metrics")).to_contain_text("Figures appear here")
    expect(page.locator("#invert-download")).to_be_disabled()
    page.click("#invert-stop")
    expect(page.locator("#invert-status")).to_contain_text("Stopped after")
    expect(page.locator("#invert-curve polyline")).not_to_have_count(0)
    choose_method(page, "e4e")
    page.click("#invert-run")
    expect(page.locator("#invert-metrics")).to_contain_text("e4e", timeout=120_000)
    expect(page.locator("#invert-curve polyline")).to_have_count(0)
    expect(page.locator("#invert-download")).to_be_enabled()


def test_curves_are_told_apart_and_stand_on_scales(visit: Visit, toy_url: str) -> None:
    page = visit(toy_url)
    aligned(page)
    invert(page, 6, 4)
    expect(page.locator("#invert-status")).to_contain_text("Done")
    strokes = page.evaluate("[...document.querySelectorAll('#invert-curve polyline')].map(line => line.getAttribute('stroke'))")
    assert len(strokes) > 2 and len(set(strokes)) == len(strokes)
    across = page.locator("#invert-curve .across span").all_inner_texts()
    assert across[0] == "1" and across[-1] == "10"
    heights = [float(text) for text in page.locator("#invert-curve .up span").all_inner_texts()]
    assert heights == sorted(heights) and len(heights) > 1


def test_a_knob_is_shown_while_it_counts(visit: Visit, toy_url: str) -> None:
    page = visit(toy_url)
    steps, start = page.locator("#invert-recommended-quick_steps"), page.locator("#invert-recommended-start select")
    with_projector = start.input_value() == "projector"
    expect(steps).to_be_visible(visible=with_projector)
    for value in ("projector", "psp"):
        start.select_option(value)
        expect(steps).to_be_visible(visible=value == "projector")


def test_knobs_are_kept_beside_another_method_and_go_back_to_their_defaults(visit: Visit, toy_url: str) -> None:
    page = visit(toy_url)
    choose_method(page, "Image2StyleGAN (W+)")
    set_number(page, "#invert-image2stylegan-steps", 7)
    page.locator("#invert-image2stylegan-steps input[type=range]").press("ArrowRight")
    expect(page.locator("#invert-image2stylegan-steps input[type=number]")).to_have_value("8")
    choose_method(page, "PTI (pivotal tuning)")
    expect(page.locator("#invert-pti-steps")).to_be_visible()
    choose_method(page, "Image2StyleGAN (W+)")
    steps = page.locator("#invert-image2stylegan-steps input[type=number]")
    expect(steps).to_have_value("8")
    steps.fill("999999")
    steps.press("Enter")
    expect(steps).not_to_have_value("999999")  # the nearest end
    page.locator("#invert-knob-form .reset").click()
    expect(page.locator("#invert-knob-form .reset")).to_be_hidden()
    expect(steps).not_to_have_value("8")


def test_the_chosen_point_and_the_shown_face_agree(visit: Visit, toy_url: str) -> None:
    page = explored(visit, toy_url)
    name = click_point(page, 5, measured(page))
    expect(page.locator("#explore-place")).to_contain_text(name)
    page.locator("#explore-space").get_by_label("W+", exact=True).check()  # the same faces lie there
    page.wait_for_function(f"{PLOT}.layout.xaxis.title.text && {PLOT}.data.some(trace => trace.name === 'chosen')")
    expect(page.locator("#explore-list input")).to_have_value(re.compile(name))
    expect(page.locator("#explore-place")).to_contain_text(name)
    page.locator("#explore-space").get_by_label("Changes (Δ): difference in W", exact=True).check()
    expect(page.locator("#explore-place")).to_contain_text("Click a point")
    expect(page.locator("#explore-face img")).to_have_count(0)
    expect(page.locator("#explore-list input")).to_have_value("")
    expect(page.locator("#explore-keep")).to_be_disabled()
    page.locator("#explore-space").get_by_label("W", exact=True).check()
    page.locator("#explore-list input").fill("Face 12")
    page.keyboard.press("Enter")
    expect(page.locator("#explore-place")).to_contain_text("Face 12.")
    page.locator("#explore-list input").fill("Face 99999")
    page.keyboard.press("Enter")
    expect(page.locator("#explore-place")).to_contain_text("Click a point")
    expect(page.locator("#explore-face img")).to_have_count(0)
    expect(page.locator("#explore-list input")).to_have_value("")


def test_what_a_point_says_and_its_picture_do_not_cover_each_other(visit: Visit, toy_url: str) -> None:
    page = explored(visit, toy_url)
    click_point(page, 5, measured(page))
    page.mouse.move(5, 5)
    page.wait_for_timeout(300)
    click_point(page, 7, measured(page))
    words, picture = page.locator("#explore-plot .peek p"), page.locator("#explore-plot .peek img").first
    expect(words).to_contain_text("Face 8")
    above, below = words.bounding_box(), picture.bounding_box()
    assert above is not None and below is not None and above["y"] + above["height"] <= below["y"] + 1
    assert not page.locator("#explore-plot .hoverlayer .hovertext").count()
    ends = page.evaluate("""() => [...document.querySelectorAll('[role=combobox]')].filter(input => input.checkVisibility()).map(input => {
      const arrow = input.parentElement.querySelector('.icon-wrap')?.getBoundingClientRect().left ?? 1e9;
      return [input.getBoundingClientRect().right - parseFloat(getComputedStyle(input).paddingRight), arrow];
    })""")
    assert ends and all(words <= arrow + 1 for words, arrow in ends)
    bar = page.evaluate("getComputedStyle(document.querySelector('#explore-plot .modebar-group')).backgroundColor")
    assert bar in ("rgba(0, 0, 0, 0)", "transparent")


def test_no_label_covers_a_thumbnail(visit: Visit, toy_url: str) -> None:
    page = visit(toy_url)
    tab(page, "FineGAN hierarchy sampler")
    expect(page.locator("#info-tests img").first).to_be_visible()
    set_number(page, "#hier-seed", 1) if page.locator("#hier-seed").count() else None
    covered = page.evaluate("""() => [...document.querySelectorAll('.block:has(> .gallery-container)')].filter(block => {
      const label = block.querySelector(':scope > label'), first = block.querySelector('.thumbnail-item');
      if (!label?.checkVisibility() || !first?.checkVisibility()) return false;
      return label.getBoundingClientRect().bottom > first.getBoundingClientRect().top + 1;
    }).map(block => block.id)""")
    assert covered == []
    assert page.locator(".block:has(> .gallery-container):visible > label:visible").count() > 1
