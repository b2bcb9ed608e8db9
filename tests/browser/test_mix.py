"""The tab Local mixing in headless Chromium: paint, mix, undo, keep, download, and a phone's width."""

import io
import time
from collections.abc import Callable, Iterator

import numpy as np
import pytest
from PIL import Image as Pil
from playwright.sync_api import Page, expect

from engines.contract import Run
from engines.core.weights import assets
from studio.state.moments import Moment, moments
from studio.tabs.mix import upload
from tests.browser.conftest import DESKTOP, PHONE, set_number

pytestmark = pytest.mark.browser
Visit = Callable[..., Page]
ASTRONAUT = assets() / "examples" / "astronaut.jpg"


def opened(visit: Visit, url: str, viewport: dict[str, int] = DESKTOP) -> Page:
    page = visit(url, viewport)
    page.get_by_role("tab", name="Local mixing").click()
    expect(page.locator("#mix-live img")).to_be_visible()
    expect(page.locator("#mix-words")).to_contain_text("Nothing is painted yet")
    return page


def says(page: Page, words: str) -> None:
    expect(page.locator("#mix-words")).to_contain_text(words)


def stroke(page: Page, canvas: str = "#mix-source-canvas", height: float = 0.5) -> None:
    """One stroke of the brush across the middle of a canvas."""
    surface = page.locator(f"{canvas} canvas").first
    surface.scroll_into_view_if_needed()
    box = surface.bounding_box()
    assert box is not None
    x, y, width = box["x"] + 0.35 * box["width"], box["y"] + height * box["height"], 0.3 * box["width"]
    page.mouse.move(x, y)
    page.mouse.down()
    for step in range(1, 11):
        page.mouse.move(x + width * step / 10, y)
    page.mouse.up()


def downloaded(page: Page, button: str) -> Pil.Image:
    expect(page.locator(button)).to_be_enabled()
    with page.expect_download() as download:
        page.click(button)
    return Pil.open(io.BytesIO(download.value.path().read_bytes())).convert("RGB")


def settled(page: Page, words: str) -> None:
    lines = page.locator("#mix-code")
    if not lines.is_visible():
        page.get_by_role("button", name="The same in Python").locator("visible=true").first.click()
    expect(lines).to_contain_text(words)


def test_a_stroke_mixes_and_picture_and_mask_are_downloaded(visit: Visit, toy_url: str) -> None:
    page = opened(visit, toy_url)
    settled(page, "random_w(generator, 13")
    before = downloaded(page, "#mix-download")
    stroke(page)
    says(page, "of the picture is painted")
    expect(page.locator("#mix-film img")).to_have_count(5)
    mask = np.asarray(downloaded(page, "#mix-download-mask"))[..., 0]
    assert mask.max() == 255 and 0 < (mask > 127).mean() < 0.3
    rows = (mask > 127).any(1).nonzero()[0]
    assert 0.3 < rows.mean() / len(mask) < 0.7
    after = downloaded(page, "#mix-download")
    assert np.asarray(after).shape == np.asarray(before).shape == (64, 64, 3)
    assert np.abs(np.asarray(after, int) - np.asarray(before, int)).max() > 10


def test_ready_made_parts_swap_undo_and_clear(visit: Visit, toy_url: str) -> None:
    page = opened(visit, toy_url)
    settled(page, "random_w(generator, 13")
    page.locator("#mix-parts").get_by_label("left half").check()
    says(page, "50% of the picture is painted")
    expect(page.locator("#mix-film img")).to_have_count(5)
    page.click("#mix-swap")
    expect(page.locator("#mix-source-seed input")).to_have_value("19")
    settled(page, 'source = Inversion(Latent("w", random_w(generator, 19')
    page.click("#mix-undo")
    expect(page.locator("#mix-source-seed input")).to_have_value("13")
    settled(page, 'source = Inversion(Latent("w", random_w(generator, 13')
    page.click("#mix-clear")
    says(page, "Nothing is painted yet")


def test_sliders_layers_and_methods_by_keyboard(visit: Visit, toy_url: str) -> None:
    page = opened(visit, toy_url)
    page.locator("#mix-parts").get_by_label("right half").check()
    says(page, "50% of the picture is painted")
    page.locator("#mix-right input[type=range]").focus()
    for _ in range(10):
        page.keyboard.press("ArrowLeft")
    page.locator("#mix-layers").get_by_text("texture", exact=True).click()
    settled(page, 'shift=(-0.1, 0.0), layers=layer_slots(generator.slots, "texture")')
    page.click("#mix-compare-run")
    expect(page.locator("#mix-methods img")).to_have_count(4)
    expect(page.locator("#mix-methods")).to_contain_text("pasted pixels")
    page.locator("#mix-layers").get_by_text("all", exact=True).click()
    expect(page.locator("#mix-methods")).not_to_be_visible()  # it is of the mixture before


def test_stylemapgans_own_networks_mix_by_the_same_mask(visit: Visit, toy_url: str) -> None:
    page = opened(visit, toy_url)
    page.locator("#mix-parts").get_by_label("right half").check()
    says(page, "50% of the picture is painted")
    page.click("#mix-own-run")
    expect(page.locator("#mix-own img").first).to_be_visible()
    expect(page.locator("#mix-own")).to_contain_text("mixed in W+")
    expect(page.locator("#mix-own")).to_contain_text("fine levels")
    again = page.locator("#mix-own img").nth(1).get_attribute("src")
    page.locator("#mix-own-cells").get_by_text("8", exact=True).click()
    expect(page.locator("#mix-own img").nth(1)).not_to_have_attribute("src", str(again))


def test_stylemapgans_own_networks_push_copy_and_draw_strangers(visit: Visit, toy_url: str) -> None:
    page = opened(visit, toy_url)
    gallery = page.locator("#mix-own")
    page.click("#mix-own-run")
    expect(gallery).to_contain_text("pushed everywhere")
    assert "mixed in W+" not in gallery.inner_text() and "rectangle copied" not in gallery.inner_text(), "nothing is painted"
    expect(page.locator("#mix-own-stale")).not_to_contain_text("changed since")
    page.locator("#mix-parts").get_by_label("left half").check()
    says(page, "50% of the picture is painted")
    expect(page.locator("#mix-own-stale")).to_contain_text("changed since")
    page.click("#mix-own-run")
    expect(gallery).to_contain_text("rectangle copied")
    expect(page.locator("#mix-own-stale")).not_to_contain_text("changed since")

    def picture(caption: str) -> str:
        return str(gallery.locator("button", has=page.get_by_text(caption, exact=True)).locator("img").first.get_attribute("src"))

    def redrawn(caption: str, turn: Callable[[], object], other: str = "source again") -> None:
        """Turning one control changes the picture it is for, and not another one."""
        before, same = picture(caption), picture(other)
        turn()
        shown = gallery.locator("button", has=page.get_by_text(caption, exact=True)).locator("img").first
        expect(shown).not_to_have_attribute("src", before)
        assert picture(other) == same

    def pressed(slider: str, key: str) -> None:
        page.locator(f"{slider} input[type=range]").focus()
        page.keyboard.press(key)

    redrawn("pushed inside the mask", lambda: pressed("#mix-own-amount", "Home"))
    redrawn("rectangle copied", lambda: pressed("#mix-own-right", "End"))
    redrawn("rectangle copied", lambda: page.locator("#mix-own-keep input").check())
    redrawn("between both, at your share", lambda: pressed("#mix-own-share", "Home"), "50% of the way")
    redrawn("random face 1", lambda: pressed("#mix-own-truncation", "End"))
    page.locator("#mix-own-cells").get_by_text("4", exact=True).click()
    expect(page.locator("#mix-own-right input[type=range]")).to_have_attribute("max", "3")
    expect(page.locator("#mix-own-right input[type=range]")).to_have_value("3")
    wrap = gallery.locator(".grid-wrap")
    assert wrap.evaluate("box => box.scrollHeight <= box.clientHeight + 1"), "no row is hidden in an inner scroll"


def test_an_edit_inside_the_mask(visit: Visit, toy_url: str) -> None:
    page = opened(visit, toy_url)
    stroke(page, "#mix-reference-canvas")
    says(page, "of the picture is painted")
    page.locator("#mix-content").get_by_text("an edit of this face").click()
    expect(page.locator("#mix-edit")).to_be_visible()
    settled(page, "reference = apply_directions(source, [(direction, 2)], generator)")


def test_a_mixture_becomes_the_next_source(visit: Visit, toy_url: str) -> None:
    page = opened(visit, toy_url)
    page.locator("#mix-parts").get_by_label("left half").check()
    says(page, "50% of the picture is painted")
    page.click("#mix-onward")
    expect(page.locator("#shelf-strip img")).to_have_count(1)
    expect(page.locator("#mix-source-kind input[value=Shelf]")).to_be_checked()
    says(page, "Nothing is painted yet")
    page.get_by_role("tab", name="Edit directions").click()
    page.locator("#shelf-strip button").first.click()
    expect(page.locator("#edit-kind input[value=Shelf]")).to_be_checked()


def test_a_phone_shows_no_sideways_scroll_and_takes_strokes(visit: Visit, toy_url: str) -> None:
    page = opened(visit, toy_url)
    page.set_viewport_size(PHONE)  # a phone folds the later tabs into a menu
    stroke(page)
    says(page, "of the picture is painted")
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"] + 1


def test_a_second_part_of_another_reference_goes_over_the_first(visit: Visit, toy_url: str) -> None:
    page = opened(visit, toy_url)
    page.locator("#mix-parts").get_by_label("left half").check()
    says(page, "50% of the picture is painted")
    page.click("#mix-another-part")
    says(page, "it goes over the one laid aside")
    expect(page.locator("#mix-below")).to_contain_text("1. seed 19")
    expect(page.locator("#mix-parts").get_by_label("left half")).not_to_be_checked()
    page.click("#mix-reference-another")
    expect(page.locator("#mix-reference-seed input")).to_have_value("20")
    page.locator("#mix-parts").get_by_label("right half").check()
    says(page, "50% of the picture is painted for this part")
    settled(page, "parts=(part_1, part_2)")
    page.click("#mix-up")
    expect(page.locator("#mix-below")).to_contain_text("1. seed 20")
    expect(page.locator("#mix-reference-seed input")).to_have_value("19")
    page.click("#mix-off")
    says(page, "50% of the picture is painted.")


def test_a_hole_is_filled_and_the_picture_goes_on_the_shelf(visit: Visit, toy_url: str) -> None:
    page = opened(visit, toy_url)
    stroke(page)
    says(page, "of the picture is painted")
    page.locator("#search-use").get_by_label("Follow a scribble").check()
    expect(page.locator("#search-canvas canvas").first).to_be_visible()
    page.locator("#search-use").get_by_label("Fill in what is painted").check()
    expect(page.locator("#search-canvas")).not_to_be_visible()
    page.locator("#search-knobs > button").click()
    for name in ("quick_steps", "steps", "noise_steps"):
        set_number(page, f"#search-{name}", 2)
    page.click("#search-run")
    expect(page.locator("#search-status")).to_contain_text("Done in")
    expect(page.locator("#search-figures")).to_contain_text("Outside the mask")
    assert downloaded(page, "#search-download").size == (64, 64)
    page.click("#search-keep")
    expect(page.locator("#shelf-strip")).to_contain_text("Searched")


def test_a_stroke_is_sent_once_and_the_eraser_takes_away(visit: Visit, toy_url: str) -> None:
    page = opened(visit, toy_url)
    settled(page, "random_w(generator, 13")
    page.wait_for_timeout(1_500)  # what follows the tab's first look
    sent: list[tuple[str, str]] = []
    page.on("request", lambda request: sent.append((request.url, request.post_data or "")) if request.method == "POST" else None)
    surface = page.locator("#mix-source-canvas canvas").first
    surface.scroll_into_view_if_needed()
    box = surface.bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + 0.3 * box["width"], box["y"] + 0.5 * box["height"])
    page.mouse.down()
    page.mouse.move(box["x"] + 0.6 * box["width"], box["y"] + 0.5 * box["height"], steps=20)
    page.wait_for_timeout(300)
    assert not sent  # nothing while the pen is down
    page.mouse.up()
    says(page, "of the picture is painted")
    assert not [url for url, _ in sent if "upload" in url]
    assert sum("data:image/png" in body for _, body in sent) == 1
    page.locator("#mix-source-canvas").get_by_role("button", name="Eraser").click()
    page.locator("#mix-source-canvas input[type=range]").fill("120")
    stroke(page)
    says(page, "Nothing is painted yet")


def test_a_scribble_steps_back_and_clears_on_its_canvas(visit: Visit, toy_url: str) -> None:
    page = opened(visit, toy_url)
    page.locator("#search-use").get_by_label("Follow a scribble").check()
    surface = page.locator("#search-canvas canvas").first
    expect(surface).to_be_visible()
    painted = """surface => surface.getContext('2d').getImageData(0, 0, surface.width, surface.height)
        .data.filter((value, i) => i % 4 === 3 && value).length"""
    page.locator("#search-canvas").get_by_role("button", name="Colour 5").click()
    stroke(page, "#search-canvas", 0.4)
    once = surface.evaluate(painted)
    stroke(page, "#search-canvas", 0.6)
    assert surface.evaluate(painted) > 1.5 * once > 0
    page.locator("#search-canvas").get_by_role("button", name="Undo").click()
    page.wait_for_timeout(300)
    assert surface.evaluate(painted) == once
    page.locator("#search-canvas").get_by_role("button", name="Clear").click()
    assert surface.evaluate(painted) == 0


def test_a_part_is_dragged_and_the_sliders_say_how_far(visit: Visit, toy_url: str) -> None:
    page = opened(visit, toy_url)
    stroke(page)
    says(page, "of the picture is painted")
    settled(page, "part = Part(reference, mask, strength=1)")
    page.locator("#mix-source-canvas").get_by_role("button", name="Move").click()
    surface = page.locator("#mix-source-canvas canvas").first
    box = surface.bounding_box()
    assert box is not None
    x, y = box["x"] + 0.5 * box["width"], box["y"] + 0.5 * box["height"]
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + 0.2 * box["width"], y - 0.1 * box["width"], steps=8)
    page.mouse.up()
    settled(page, "shift=(0.2, -0.1")
    expect(page.locator("#mix-right input[type=number]")).to_have_value("20")
    moved = surface.bounding_box()
    assert moved is not None and moved["x"] - box["x"] == pytest.approx(0.2 * box["width"], abs=2)
    page.click("#mix-undo")
    expect(page.locator("#mix-right input[type=number]")).to_have_value("0")
    page.wait_for_timeout(300)
    back = surface.bounding_box()
    assert back is not None and back["x"] == pytest.approx(box["x"], abs=1)


def until_stopped(run: Run, limit: float, stopped: Callable[[], bool]) -> Iterator[Moment]:
    """A run that goes on until somebody stops it, however quick the machine."""
    for moment in moments(run, limit, stopped):
        yield moment
        begun = time.monotonic()
        while moment.progress.preview is not None and not stopped() and time.monotonic() < begun + 30:
            time.sleep(0.05)


def test_a_photo_is_brought_in_and_stop_leaves_the_faces_as_they_are(visit: Visit, toy_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    page = opened(visit, toy_url)
    settled(page, "random_w(generator, 13")
    page.locator("#mix-bring > button").click()
    page.locator("#mix-photo input[type=file]").set_input_files(ASTRONAUT)
    expect(page.locator("#mix-photo img")).to_be_visible()
    with monkeypatch.context() as patch:
        patch.setattr(upload, "moments", until_stopped)
        page.click("#mix-bring-run")
        expect(page.locator("#mix-bring-status")).to_contain_text("Step")
        page.click("#mix-bring-stop")
        expect(page.locator("#mix-bring-status")).to_contain_text("The faces stay as they are")
    expect(page.locator("#shelf-strip img")).to_have_count(0)
    settled(page, "random_w(generator, 13")
    page.locator("#mix-role").get_by_label("reference").check()
    page.click("#mix-bring-run")
    expect(page.locator("#mix-bring-status")).to_contain_text("It is on the shelf and is the reference.", timeout=60_000)
    expect(page.locator("#shelf-strip img")).to_have_count(1)
    settled(page, 'reference = Inversion(Latent("w_plus"')


def test_undo_takes_a_ready_made_part_back_and_redo_brings_it(visit: Visit, toy_url: str) -> None:
    page = opened(visit, toy_url)
    settled(page, "random_w(generator, 13")
    page.locator("#mix-parts").get_by_label("left half").check()
    says(page, "50% of the picture is painted")
    expect(page.locator("#mix-film img")).to_have_count(5)  # it comes after the step that undo takes back
    page.click("#mix-undo")
    says(page, "Nothing is painted yet")
    expect(page.locator("#mix-parts").get_by_label("left half")).not_to_be_checked()
    page.click("#mix-redo")
    says(page, "50% of the picture is painted")
    expect(page.locator("#mix-parts").get_by_label("left half")).to_be_checked()


def test_the_first_face_kept_here_says_so_without_an_error(visit: Visit, toy_url: str) -> None:
    page = opened(visit, toy_url)
    page.locator("#mix-parts").get_by_label("left half").check()
    says(page, "50% of the picture is painted")
    page.click("#mix-keep")
    expect(page.locator("#shelf-strip img")).to_have_count(1)
    expect(page.locator(".toast-wrap")).to_contain_text("On the shelf")
    page.wait_for_timeout(1_500)
    expect(page.locator(".toast-body.error")).to_have_count(0)
    page.get_by_role("tab", name="Edit directions").click()
    expect(page.locator("#edit-kind input[value=Seed]")).to_be_checked()


def test_any_direction_is_an_edit_inside_the_mask(visit: Visit, toy_url: str) -> None:
    page = opened(visit, toy_url)
    page.locator("#mix-parts").get_by_label("left half").check()
    says(page, "50% of the picture is painted")
    page.locator("#mix-content").get_by_text("an edit of this face").click()
    page.locator("#mix-edit-shelf input").click()
    page.get_by_role("option", name="GANSpace", exact=True).click()
    settled(page, 'create("ganspace", generator)(BankRequest(bank=bank)).directions[0]')


def test_an_empty_shelf_says_how_to_fill_it(visit: Visit, toy_url: str) -> None:
    page = opened(visit, toy_url)
    page.locator("#mix-source-kind").get_by_label("Shelf").check()
    expect(page.locator(".toast-wrap")).to_contain_text("The shelf is empty")
    expect(page.locator("#mix-source-kind input[value=Seed]")).to_be_checked()


def test_nothing_painted_is_nothing_to_compare(visit: Visit, toy_url: str) -> None:
    page = opened(visit, toy_url)
    page.click("#mix-compare-run")
    expect(page.locator(".toast-wrap")).to_contain_text("Nothing is painted yet")
    expect(page.locator("#mix-methods")).not_to_be_visible()


def test_a_scribble_lies_on_the_source_that_is_chosen(visit: Visit, toy_url: str) -> None:
    page = opened(visit, toy_url)
    page.locator("#search-use").get_by_label("Follow a scribble").check()
    under = page.locator("#search-canvas img.under")
    expect(under).to_be_visible()
    stroke(page, "#search-canvas")
    before = str(under.get_attribute("src"))
    page.click("#mix-source-another")
    expect(under).not_to_have_attribute("src", before)
    marks = "layer => layer.getContext('2d').getImageData(0, 0, layer.width, layer.height).data.some(Boolean)"
    assert page.locator("#search-canvas canvas").first.evaluate(marks), "what is drawn stays"
