"""The load benchmark drives a page as a browser does, and counts what was answered, refused and failed."""

import argparse
import asyncio
import io
import json
import time
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import gradio as gr
import httpx
import numpy as np
import pytest
from PIL import Image

from benchmarks import load, load_summary, load_table
from benchmarks.load_page import Page
from benchmarks.load_pictures import Album, mark_of, marked, prepare, thumb
from benchmarks.load_plan import Plan
from tests.waiting import done


@pytest.fixture(scope="module")
def small_page() -> gr.Blocks:
    """A page with one of each kind of event; its queue holds a single one."""
    with gr.Blocks() as page:
        number, total = gr.Number(1, elem_id="number"), gr.Number(0, elem_id="total")
        slow, told, count = gr.Button(elem_id="slow"), gr.Textbox("", elem_id="told"), gr.State(0)
        bad, steps = gr.Button(elem_id="bad"), gr.Button(elem_id="steps")
        again = gr.Textbox("", elem_id="again")

        def wait(value: float) -> float:
            time.sleep(0.4)
            return value

        def pause() -> None:
            time.sleep(0.4)

        def fail() -> None:
            raise gr.Error("This is refused in words.")

        def count_up() -> Iterator[Any]:
            for step in range(3):
                yield gr.Textbox(f"step {step}", label=f"{step} of 3")

        number.input(wait, number, total, trigger_mode="always_last", concurrency_limit=1)
        slow.click(pause, None, None, trigger_mode="multiple", concurrency_limit=1).success(lambda: 1, None, count)
        count.change(lambda value: f"counted {value}", count, told)
        failed = bad.click(fail)
        failed.success(lambda: "never", None, told)
        failed.failure(lambda: "failed", None, told, queue=False)
        steps.click(count_up, None, told)
        told.change(lambda text: f"heard {text}", told, again)
        page.load(lambda: 7, None, total)
    return page.queue(max_size=1)


@pytest.fixture(scope="module")
def url(small_page: gr.Blocks) -> Iterator[str]:
    _, address, _ = small_page.launch(prevent_thread_lock=True, quiet=True, _frontend=False)
    yield address
    small_page.close()


def visit(url: str, acts: Callable[[Page], Awaitable[None]]) -> Page:
    """What a visitor finds who opens the page and acts."""

    async def whole() -> Page:
        async with httpx.AsyncClient(base_url=url, timeout=30) as http:
            page = Page(http, (await http.get("config")).json())
            await (await page.open()).done(10)
            await acts(page)
            await page.leave()
            return page

    return done(whole())


def outcomes(page: Page, trigger: str) -> list[str]:
    return [record.outcome for record in page.records if record.trigger == trigger and not record.depth]


def test_the_page_opens_as_in_a_browser(url: str) -> None:
    async def nothing(_: Page) -> None:
        return

    page = visit(url, nothing)
    assert page.value("total") == 7
    assert outcomes(page, "load") == ["answered"]


def test_of_moves_during_an_answer_the_last_is_answered_and_none_is_refused(url: str) -> None:
    async def drag(page: Page) -> None:
        chains = []
        for value in range(5):
            page.put("number", value)
            chains.append(page.act("number", "input"))
            await asyncio.sleep(0.02)
        assert await chains[-1].answered(10)

    page = visit(url, drag)
    assert page.value("total") == 4
    assert outcomes(page, "number.input") == ["answered", "answered"]


def test_a_full_queue_is_counted_as_refusals(url: str) -> None:
    async def hurry(page: Page) -> None:
        chains = [page.act("slow", "click") for _ in range(6)]
        assert all([await chain.done(20) for chain in chains])

    found = load_summary.events([asdict(record) for record in visit(url, hurry).records])["other"]
    assert found["refused"] >= 3 and found["answered"] >= 1
    assert found["refused"] + found["answered"] == 6 and found["failed"] == found["unfinished"] == 0
    assert found["seconds"]["median"] >= 0.4


def test_what_follows_an_answer_starts_by_itself(url: str) -> None:
    async def once(page: Page) -> None:
        assert await page.act("slow", "click").done(10)

    page = visit(url, once)
    assert page.value("told") == "counted 1"  # by the change of a state, which only the server sees
    assert page.value("again") == "heard counted 1"  # by the change of a component, which only the page sees


def test_a_failure_starts_what_waits_for_failures_and_keeps_its_words(url: str) -> None:
    async def fail(page: Page) -> None:
        assert await page.act("bad", "click").done(10)

    page = visit(url, fail)
    assert page.value("told") == "failed"
    assert outcomes(page, "bad.click") == ["failed"]
    assert any("This is refused in words." in words for _, words in page.toasts)


def test_answers_that_come_in_steps_are_put_together(url: str) -> None:
    heard = []

    async def follow(page: Page) -> None:
        page.on_value = lambda name, value: heard.append((name, value))
        assert await page.act("steps", "click").done(10)
        assert page.property("told", "label") == "2 of 3"

    visit(url, follow)
    assert [value for name, value in heard if name == "told"] == ["step 0", "step 1", "step 2"]


@pytest.mark.parametrize("side", [300, 640, 900])
def test_a_photos_mark_is_read_at_any_size(side: int) -> None:
    for number in (0, 1, 29, 63):
        photo = marked(Image.new("RGB", (256, 256), (200, 120, 90)), number)
        assert mark_of(photo.resize((side, round(photo.height * side / photo.width)))) == number
    assert mark_of(Image.new("RGB", (640, 688))) is None


def test_a_picture_of_another_visitor_is_found() -> None:
    def face(level: int) -> bytes:
        return png(Image.new("RGB", (64, 64), (level, 90, 200 - level)))

    album = Album(np.stack([thumb(Image.new("RGB", (64, 64), (level, 90, 200 - level))) for level in (20, 120)]))
    for visitor, level in ((0, 20), (0, 22), (0, 24), (1, 120), (1, 122), (1, 118)):
        album.preview(visitor, face(level), at_rest=True)
    album.preview(1, face(25), at_rest=False)
    assert album.found()["previews"] == {"own": 6, "another's": 0, "visitors": 2, "of": [], "edited": 1}
    album.preview(1, face(24), at_rest=True)
    album.face(0, face(119))
    found = album.found()
    assert found["previews"]["another's"] == 1 and found["previews"]["of"] == [1]
    assert found["aligned"] == {"own": 0, "another's": 1}
    assert found["same_to_two_visitors"] == 1


def png(picture: Image.Image) -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, "PNG")
    return buffer.getvalue()


def run(outcome: str, seconds: float | None, *said: tuple[float, str]) -> dict[str, Any]:
    return {"clicked": 100.0, "said": [[100 + at, text] for at, text in said], "started": None, "outcome": outcome} | {
        "ended": None if seconds is None else 100 + seconds
    }


def test_who_waits_is_told_a_place_or_counted() -> None:
    visitors = [
        [run("answered", 1.5, (0.1, "Waiting for its turn …"), (0.3, "Step 1 of 1 · 0.2 s"))],
        [run("answered", 40, (0.5, "Place 3 in line, about 30 s."), (35, "Step 1 of 1 · 0.2 s"))],
        [run("unfinished", None, (0.1, "Waiting for its turn …"))],
        [run("refused", 0.1)],
    ]
    found = load_summary.runs([{"runs": runs} for runs in visitors])
    assert (found["clicked"], found["waited"], found["told_place"], found["told_place_soon"]) == (4, 2, 1, 1)
    assert found["neither_ended_nor_told"] == 2
    assert found["estimate_over_real"]["median"] == pytest.approx(30 / 39.5, abs=1e-3)


@pytest.fixture(scope="module")
def seen(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """Two visitors and one who makes four runs at once, on a toy studio, until each has done four things with the sliders."""
    folder = tmp_path_factory.mktemp("load")
    prepare(folder, 2)
    asked = load.Class(2, 1, greedy=4, after=1, settings={"generator": "toy"})
    plan = Plan("", ("class", "a-password"), 2, 400, 1, "e4e", str(folder), "", 4, 0.01, 2, 4, (0.1, 0.5))
    return load.attended(asked, plan, folder / "visit", {"begun": 0.0, "visitors": []})[0] | {
        "machine": load.facts(),
        "commit": "abc",
        "asked": asdict(asked),
    }


def test_a_short_visit_comes_to_its_end(seen: dict[str, Any]) -> None:
    assert seen["troubles"] == []
    assert seen["events"]["photo"]["answered"] == seen["runs"]["visitors_with_a_run"] == 2
    assert seen["events"]["shelf"]["answered"] >= 2
    previews = seen["events"][load_summary.PREVIEW]
    assert previews["answered"] > 0 and previews["seconds"]["median"] > 0
    assert sum(previews[outcome] for outcome in ("answered", "refused", "failed", "dropped", "unfinished")) == previews["asked"]


def test_each_visitor_sees_the_own_photo(seen: dict[str, Any]) -> None:
    assert seen["pictures"]["overlays"] == {"own": 2, "another's": 0, "unreadable": 0}
    assert seen["pictures"]["aligned"] == {"own": 2, "another's": 0}


def test_the_studio_is_watched(seen: dict[str, Any]) -> None:
    assert seen["studio"]["rss_mib"]["most"] > 100 and seen["studio"]["processor"] > 0
    assert seen["studio"]["disk_growth_mb"] > 0
    assert seen["visitors_processor"] > 0


def test_calls_at_once_are_counted_apart(seen: dict[str, Any]) -> None:
    assert seen["greedy"]["calls"] == 4 == sum(seen["greedy"]["outcomes"].values())
    assert not any(name.startswith("api.") for name in seen["events"])


def test_previews_beside_calls_stand_beside_those_of_the_same_seconds_without_them() -> None:
    def visit(begun: float, took: dict[float, float]) -> dict[str, Any]:
        given = {"trigger": "edit-slider-1.release", "depth": 0, "outcome": "answered", "shown": 0.0}
        records = [given | {"asked": begun + at, "ended": begun + at + seconds} for at, seconds in took.items()]
        return {"begun": begun, "visitors": [{"records": records, "runs": []}], "greedy": []}

    call = {"outcome": "answered", "asked": 110.0, "ended": 120.0, "words": ""}
    beside, alone = visit(100, {5: 0.5, 11: 3.0, 25: 9.0}) | {"greedy": [call]}, visit(1000, {2: 8.0, 12: 2.0, 21: 8.0})
    found = load_summary.greedy(beside, alone)
    assert found is not None and found["previews"]["ratio"] == 1.5
    assert found["previews"]["meanwhile"]["count"] == found["previews"]["without"]["count"] == 1
    assert load_summary.greedy(alone, beside) is None


def test_promises_are_judged_by_the_figures(seen: dict[str, Any]) -> None:
    assert seen["kept"]["nobody sees another's picture"] is True
    kinds = seen["events"] | {load_summary.PREVIEW: seen["events"][load_summary.PREVIEW] | {"refused": 5}}
    worse = seen | {"events": kinds, "after_leaving": {"disk_growth_mb": 0.1}, "studio": {"rss_growth_after_minute_1": 0.2}}
    assert sum(load_summary.kept(worse).values()) <= 3
    better = seen | {"after_leaving": {"disk_growth_mb": 0.0}, "studio": {"rss_growth_after_minute_1": 0.1}}
    assert (
        load_summary.kept(better)["nothing is left on disk"] and load_summary.kept(better)["memory grows by at most a tenth after minute 1"]
    )


@pytest.mark.parametrize(("text", "value"), [("grace_seconds=30", 30), ("generator=toy", "toy"), ("login_brake=false", False)])
def test_settings_are_read(text: str, value: object) -> None:
    assert load.setting(text)[1] == value


def test_a_setting_without_a_value_is_refused() -> None:
    with pytest.raises(argparse.ArgumentTypeError, match="NAME=VALUE"):
        load.setting("grace_seconds")


def test_the_table_shows_what_was_counted(seen: dict[str, Any], tmp_path: Path) -> None:
    kept = json.loads(json.dumps({"class": seen, "greedy": seen}))
    text = load_table.rendered(kept)
    assert f"| preview after a slider was let go | {seen['events'][load_summary.PREVIEW]['answered']} |" in text
    assert "one who asks for 4 runs at once" in text
