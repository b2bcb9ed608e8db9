"""The tab Latent explorer in headless Chromium, on the toy generator."""

import csv
import json
import re
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image as Pil
from playwright.sync_api import Page, expect

from engines.contract import Progress, Run
from studio.tabs.explore.maps import Maps
from tests.browser.conftest import PHONE, set_number

pytestmark = pytest.mark.browser
Visit = Callable[..., Page]
PLOT = "document.querySelector('#explore-plot .plot')"


def opened(visit: Visit, url: str, *view: dict[str, int]) -> Page:
    """The tab with its first map, which comes by itself."""
    page = visit(url, *view)
    page.get_by_role("tab", name="Latent explorer").click()
    page.wait_for_function(f"{PLOT}.dataset.shown")
    page.locator("#explore-plot").scroll_into_view_if_needed()
    return page


def click_point(page: Page, index: int, trace: int) -> str:
    """Rest on a point until it is peeked at, then click it; returns its name. A map that is still settling is tried again."""
    for _ in range(10):
        page.evaluate("document.querySelector('#explore-plot').scrollIntoView({block: 'center'})")
        x, y, name = page.evaluate(
            f"""([index, trace]) => {{ const box = {PLOT}, at = box.getBoundingClientRect(), plan = box._fullLayout, data = box.data[trace];
            return [at.x + plan.xaxis._offset + plan.xaxis.l2p(data.x[index]), at.y + plan.yaxis._offset + plan.yaxis.l2p(data.y[index]),
                    data.ids[index]]; }}""",
            [index, trace],
        )
        page.mouse.move(x + 3, y)
        page.mouse.move(x, y)
        page.wait_for_timeout(700)
        if page.locator("#explore-plot .peek").is_visible():
            page.mouse.down()
            page.mouse.up()
            page.wait_for_timeout(2000)
        if page.locator("#explore-face img").count():
            return str(name)
    raise AssertionError("no click on the map was answered")


def choose(page: Page, selector: str, option: str) -> None:
    page.locator(f"{selector} input").click()
    page.locator(selector).get_by_role("option", name=option, exact=True).click()


def measured(page: Page) -> int:
    """The trace of measured faces."""
    return int(page.evaluate(f"{PLOT}.data.findIndex(trace => trace.name === 'faces')"))


def saved(page: Page, form: str, folder: Path) -> Path:
    with page.expect_download() as download:
        page.click(f"#explore-{form}")
    download.value.save_as(folder / f"map.{form}")
    return folder / f"map.{form}"


def test_a_point_is_peeked_at_clicked_walked_from_and_shelved(visit: Visit, toy_url: str) -> None:
    page = opened(visit, toy_url)
    name = click_point(page, 5, measured(page))
    expect(page.locator("#explore-place")).to_contain_text(re.compile("Most unusual"))
    page.wait_for_function(f"{PLOT}.data.some(trace => trace.name === 'chosen')")
    page.click("#walk-run")
    expect(page.locator("#walk-line img")).to_have_count(7)
    page.wait_for_function(f"{PLOT}.data.some(trace => trace.name === 'edit path' && trace.x.length === 7)")
    page.get_by_label("To a second face").check()
    page.click("#explore-take")
    page.locator("#explore-list input").fill("Face 99")
    page.keyboard.press("Enter")
    expect(page.locator("#explore-place")).to_contain_text("Face 99")
    page.click("#walk-run")
    expect(page.locator("#walk-z img")).to_have_count(7)
    ends = page.evaluate(
        f"{PLOT}.data.filter(trace => ['straight line', 'arc'].includes(trace.name)).map(trace => [trace.x[6], trace.y[6]])"
    )
    assert ends[0] == pytest.approx(ends[1], abs=1e-3)
    assert name.startswith("Face ")
    page.click("#explore-keep")
    expect(page.locator("#shelf-strip img")).to_have_count(1)
    page.click("#explore-run")
    page.wait_for_function(f"{PLOT}.data.some(trace => trace.name === 'your shelf')")
    assert page.evaluate(f"{PLOT}.data.some(trace => trace.name === 'arc in Z')")  # the ways stay on a new map of the same space


def test_the_view_turns_colours_and_filters_in_the_browser(visit: Visit, toy_url: str) -> None:
    page = opened(visit, toy_url)
    choose(page, "#explore-colour", "Warmth")
    page.wait_for_function(f"{PLOT}.data.some(trace => trace.marker.colorbar?.title.text.startsWith('Warmth'))")
    choose(page, "#explore-x", "PC 4")
    page.wait_for_function(f"{PLOT}.layout.xaxis.title.text.startsWith('PC 4')")
    choose(page, "#explore-only", "Warmth")
    page.wait_for_function(f"+{PLOT}.dataset.shown === 400")  # the measured ones
    low = page.locator("#explore-low input[type=range]")
    low.focus()
    for _ in range(3):
        page.keyboard.press("PageUp")
    page.wait_for_function(f"+{PLOT}.dataset.shown < 400")
    page.get_by_label("3-D", exact=True).check()
    page.wait_for_function(f"{PLOT}.data[0].type === 'scatter3d'")


@pytest.mark.parametrize("space", ["W+", "S"])
def test_other_spaces_have_maps_too(space: str, visit: Visit, toy_url: str) -> None:
    page = opened(visit, toy_url)
    before = page.evaluate(f"{PLOT}.layout.xaxis.title.text")
    page.get_by_label(space, exact=True).check()
    expect(page.locator("#explore-status")).to_contain_text("Done")
    if space == "S":
        page.wait_for_function(f"{PLOT}.layout.xaxis.title.text !== {json.dumps(before)}")
    expect(page.locator("#explore-variance svg")).to_be_visible()


def test_a_change_shows_both_faces_and_how_far_its_kind_agrees(visit: Visit, toy_url: str) -> None:
    page = opened(visit, toy_url)
    page.get_by_label("Changes (Δ): difference in W").check()
    expect(page.locator("#explore-groups")).to_contain_text("agreement")
    page.wait_for_function(f"{PLOT}.data[0].name === 'Brightness'")
    assert click_point(page, 3, 0) == "Change 4"
    expect(page.locator("#explore-place")).to_contain_text("→")
    choose(page, "#explore-arrows", "Warmth · InterFaceGAN, has a slider")
    page.wait_for_function(f"{PLOT}.layout.annotations?.some(note => note.text === 'Warmth · InterFaceGAN')")


def test_five_thousand_points_are_redrawn_in_a_second_and_saved(visit: Visit, toy_url: str, tmp_path: Path) -> None:
    page = opened(visit, toy_url)
    set_number(page, "#explore-shown", 5000)
    page.click("#explore-run")
    page.wait_for_function(f"+{PLOT}.dataset.shown === 5000")
    page.evaluate("window.latentMap.view({colour: 'pc_2'})")
    page.wait_for_function(f"{PLOT}.data[0].marker.colorbar?.title.text.startsWith('PC 2')")
    assert int(page.evaluate(f"{PLOT}.dataset.milliseconds")) < 5_000  # a second on a quiet machine

    with saved(page, "csv", tmp_path).open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 5000
    assert {"name", "pc_1", "pc_10", "brightness"} <= set(rows[0])
    width, height = Pil.open(saved(page, "png", tmp_path)).size
    assert width > height > 800
    svg = saved(page, "svg", tmp_path).read_text(encoding="utf-8")
    assert svg.startswith("<svg") and svg.count("<path") > 5000
    whole = saved(page, "html", tmp_path)
    alone = page.context.new_page()
    alone.goto(whole.as_uri())
    alone.wait_for_function("document.querySelector('#map')?._fullLayout")
    assert alone.evaluate("document.querySelector('#map').data[0].x.length") == 5000


def test_new_faces_are_measured_and_a_slider_answers_the_arrow_keys(visit: Visit, toy_url: str) -> None:
    page = opened(visit, toy_url)
    page.click("#explore-measure")
    page.wait_for_function(f"{PLOT}.data.find(trace => trace.name === 'faces').x.length === 424")  # the bank's and the new ones
    slider = page.locator("#explore-shown input[type=range]")
    slider.focus()
    page.keyboard.press("ArrowLeft")
    page.wait_for_function(f"+{PLOT}.dataset.shown === 1400")


def test_stop_ends_a_map_and_leaves_the_last_one(visit: Visit, toy_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    page = opened(visit, toy_url)
    closed: list[bool] = []

    def endless(*_: object) -> Run:
        try:
            for step in range(1, 400):
                time.sleep(0.05)
                yield Progress(step, 400)
        finally:
            closed.append(True)
        raise AssertionError("nobody stopped it")

    monkeypatch.setattr(Maps, "run", endless)
    page.click("#explore-run")
    expect(page.locator("#explore-status")).to_contain_text("of 400")
    page.click("#explore-stop")
    expect(page.locator("#explore-status")).to_have_text("Stopped.")
    for _ in range(100):  # the page cancels by event, not by run: what is pressed before that is done would be cancelled too
        page.wait_for_timeout(100)
        if closed:
            break
    monkeypatch.undo()
    assert int(page.evaluate(f"{PLOT}.dataset.shown")) == 1500
    page.click("#explore-run")
    expect(page.locator("#explore-status")).to_contain_text("Done")
    assert closed == [True]


def test_a_phone_shows_the_map_without_sideways_scroll(visit: Visit, toy_url: str) -> None:
    page = opened(visit, toy_url)
    page.set_viewport_size(PHONE)  # a phone folds the later tabs into a menu
    page.wait_for_timeout(1500)
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"] + 1


def test_learnt_changes_are_drawn_on_two_maps_and_a_frame_is_seen_on_both(visit: Visit, toy_url: str) -> None:
    page = opened(visit, toy_url)
    maps = page.locator("#changes-map")
    expect(maps.locator("svg")).to_have_count(2)
    expect(maps.locator("circle")).to_have_count(36)
    page.click("#changes-frames")
    expect(maps.locator("circle[data-picture]")).to_have_count(18)
    expect(page.locator("#changes-frames")).to_have_text("Draw the frames")
    name = maps.locator("circle").last.get_attribute("data-mark")
    maps.locator("circle").last.hover()
    for mark in maps.locator(f'[data-mark="{name}"]').all():
        expect(mark).to_have_class("near")
    assert [image.get_attribute("visibility") for image in maps.locator(".frame").all()] == ["visible", "visible"]
    page.locator("#changes-factor").get_by_label("Second", exact=True).check()
    expect(maps.locator("circle")).to_have_count(18)
    expect(maps).to_contain_text("Second: 1.00")
