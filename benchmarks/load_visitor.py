"""The visitors of the load benchmark, a process of their own: `python -m benchmarks.load_visitor PLAN`, which writes what came of it.

Each has an own login, own connections and an own photo, and does with human pauses what one does in a class: a photo, a run, the shelf,
sliders, now and then another run or a look at the map. Whoever is refused tries again after the next pause.
"""

import asyncio
import json
import random
import resource
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import httpx
import numpy as np

from benchmarks.load_chain import Chain, Record
from benchmarks.load_greedy import Greedy
from benchmarks.load_page import Page
from benchmarks.load_pictures import Album
from benchmarks.load_plan import RUN_PATIENCE, Plan, browser, config
from benchmarks.load_stream import ERRORS

PATIENCE = 15.0
"""Seconds that a visitor waits for an answer, before the hand moves on."""
ARRIVING, _OWN_AFTER = 2.5, 5.0
"""Longest pauses until all have come; seconds after which a preview shows the face that was just chosen."""


@dataclass(eq=False)
class Run:
    """One press on Run: what was said while it waited, and how it ended."""

    clicked: float
    said: list[tuple[float, str]] = field(default_factory=list)
    started: float | None = None
    ended: float | None = None
    outcome: str = "unfinished"


class Visitor:
    """One of them."""

    def __init__(self, number: int, plan: Plan, album: Album) -> None:
        self.number, self.plan, self.album = number, plan, album
        self.random = random.Random(f"{plan.seed}/{number}")
        self.runs: list[Run] = []
        self.opened: float | None = None
        self.page: Page | None = None
        self.trouble = ""
        self._own_since: float | None = None
        self._moved: float | None = None

    async def visit(self, begun: float) -> None:
        """From the login to the closed tab."""
        await asyncio.sleep(self.random.uniform(0, ARRIVING * self.plan.pauses[1]))
        end = begun + self.plan.seconds
        async with browser(self.plan) as http:
            try:
                page = await self._open(http)
                await self._work(page, lambda: end - time.monotonic())
            except ERRORS as error:
                self.trouble = f"{type(error).__name__}: {error}"
            finally:
                if self.page:
                    await self.page.leave()

    async def _open(self, http: httpx.AsyncClient) -> Page:
        asked = time.monotonic()
        page = self.page = Page(http, await config(http, self.plan))
        page.on_value, page.on_picture = self._value, self._picture
        await page.open()
        self.opened = time.monotonic() - asked
        return page

    async def _work(self, page: Page, left: Callable[[], float]) -> None:
        for step in (self._photo, lambda page: self._first_run(page, left), self._shelve, self._to_edit):
            while True:
                await self._pause(left)
                if left() <= 0:
                    return
                if await step(page):
                    break
        done = 0
        while left() > 0 and done != self.plan.acts:
            done += 1
            acts = (self._slide, self._reset, lambda page: self._again(page, left), self._explore, self._card)
            await self.random.choices(acts, (70, 10, 6, 8, 6))[0](page)
            await self._pause(left)

    async def _pause(self, left: Callable[[], float]) -> None:
        await asyncio.sleep(max(0.0, min(self.random.uniform(*self.plan.pauses), left())))

    async def _photo(self, page: Page) -> bool:
        data = (Path(self.plan.photos) / f"{self.number}.png").read_bytes()
        page.put("photo", await page.upload("photo.png", data))
        await page.act("photo", "upload", "change").done(60)
        return page.value("photo-aligned") is not None

    async def _first_run(self, page: Page, left: Callable[[], float]) -> bool:
        if page.value("invert-method") != self.plan.method:
            page.put("invert-method", self.plan.method)
            await page.act("invert-method", "input", "change").answered(PATIENCE)
            await asyncio.sleep(self.random.uniform(1, 2))
        return await self._run(page, left)

    async def _run(self, page: Page, left: Callable[[], float]) -> bool:
        """A run, waited for to its end: the page says that it waits, and where in the line."""
        run = Run(time.monotonic())
        self.runs.append(run)
        before = len(page.records)
        await page.act("invert-run", "click").done(max(RUN_PATIENCE, left()))
        own = [record for record in page.records[before:] if record.trigger == "invert-run.click" and record.depth < 2]
        made = [record for record in own if record.runs]
        run.started, run.ended = (made[-1].started, made[-1].ended) if made else (None, own[-1].ended if own else None)
        run.outcome = (made or own)[-1].outcome if own else "dropped"
        if not made and run.outcome == "answered":
            run.outcome = "unfinished"
        return run.outcome == "answered"

    async def _shelve(self, page: Page) -> bool:
        await self._first_answer(page.act("invert-keep", "click"))
        return bool(page.value("shelf-strip"))

    async def _to_edit(self, page: Page) -> bool:
        page.act("tab-edit", "select")
        return True

    async def _slide(self, page: Page) -> None:
        """Drag a slider: it says so while it moves, and once more when it is let go."""
        names = [name for name in page.ids if name.startswith("edit-slider-") and page.property(name, "visible") is not False]
        if not names:
            return
        name = self.random.choice(names)
        low, high = float(page.property(name, "minimum")), float(page.property(name, "maximum"))
        self._moved = time.monotonic()
        start, goal = float(page.value(name) or 0), self.random.uniform(0.8 * low, 0.8 * high)
        for step in (1, 2, 3):
            page.put(name, round(start + (goal - start) * step / 3, 1))
            page.act(name, "change", "input")
            await asyncio.sleep(0.12)
        await self._first_answer(page.act(name, "release"))

    async def _reset(self, page: Page) -> None:
        """All sliders back, which shows the face as it was inverted."""
        await self._first_answer(page.act("edit-reset", "click"))

    async def _again(self, page: Page, left: Callable[[], float]) -> None:
        """Another run of the same photo, and its result on the shelf."""
        page.act("tab-invert", "select")
        if await self._run(page, left):
            await asyncio.sleep(self.random.uniform(1, 3))
            await self._first_answer(page.act("invert-keep", "click"))
        page.act("tab-edit", "select")

    async def _explore(self, page: Page) -> None:
        """A look at the map, and a click on a point or two; back to the sliders where the map is long in coming."""
        if not await page.act("tab-explore", "select").done(PATIENCE):
            page.act("tab-edit", "select")
            return
        for _ in range(self.random.randint(1, 2)):
            await asyncio.sleep(self.random.uniform(1, 3))
            page.put("explore-list", f"Face {self.random.randrange(500)}")
            await self._first_answer(page.act("explore-list", "input"))
        page.act("tab-edit", "select")

    async def _card(self, page: Page) -> None:
        """A click on a card, which gives it a slider."""
        cards = page.value("edit-cards") or []
        if cards:
            await self._first_answer(page.act("edit-cards", "select", data={"index": self.random.randrange(len(cards)), "value": None}))

    async def _first_answer(self, chain: Chain) -> None:
        await chain.answered(PATIENCE)

    def _value(self, name: str, value: Any) -> None:
        if name == "invert-status" and self.runs and value:
            self.runs[-1].said.append((time.monotonic(), str(value)))
        if name == "edit-kind":
            self._own_since, self._moved = time.monotonic() if value == "Shelf" else None, None

    def _picture(self, name: str, data: bytes, record: Record) -> None:
        if name == "photo-found":
            self.album.overlay(self.number, data)
        elif name == "photo-aligned":
            self.album.face(self.number, data)
        elif name == "edit-live" and self._own_since is not None and record.asked > self._own_since + _OWN_AFTER:
            at_rest = self._moved is None or (record.trigger == "edit-reset.click" and record.asked > self._moved)
            self.album.preview(self.number, data, at_rest)


async def attend(plan: Plan) -> dict[str, Any]:
    """Let all of them visit at once; returns what each saw."""
    begun, album = time.monotonic(), Album(np.load(Path(plan.photos) / "looks.npy"))
    visitors, greedy = [Visitor(number, plan, album) for number in range(plan.visitors)], Greedy(plan)
    await asyncio.gather(*(visitor.visit(begun) for visitor in visitors), *([greedy.visit(begun)] if plan.greedy else []))
    used = resource.getrusage(resource.RUSAGE_SELF)
    return {
        "begun": begun,
        "ended": time.monotonic(),
        "cpu_seconds": used.ru_utime + used.ru_stime,
        "visitors": [
            {
                "records": [asdict(record) for record in (visitor.page.records if visitor.page else [])],
                "toasts": visitor.page.toasts if visitor.page else [],
                "runs": [asdict(run) for run in visitor.runs],
                "opened": visitor.opened,
                "trouble": visitor.trouble,
            }
            for visitor in visitors
        ],
        "greedy_trouble": greedy.trouble,
        "greedy": [asdict(record) for page in greedy.pages for record in page.records],
        "pictures": album.found(),
    }


def main() -> None:
    """Read the plan, visit, write."""
    given = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    plan = Plan(**given | {"login": tuple(given["login"]), "pauses": tuple(given["pauses"])})
    Path(plan.output).write_text(json.dumps(asyncio.run(attend(plan))), encoding="utf-8")


if __name__ == "__main__":
    main()
