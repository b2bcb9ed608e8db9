"""The visitor of the load benchmark who asks for many runs at once."""

import asyncio
import time
from pathlib import Path
from typing import Any

from benchmarks.load_page import Page
from benchmarks.load_plan import RUN_PATIENCE, Plan, browser, config
from benchmarks.load_stream import ERRORS


class Greedy:
    """A program that makes many runs at once, from several sessions with a connection each, under one login."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.pages: list[Page] = []
        self.trouble = ""

    async def visit(self, begun: float) -> None:
        """All calls at once; then wait for their answers."""
        await asyncio.sleep(max(0.0, begun + self.plan.greedy_at * self.plan.seconds - time.monotonic()))
        try:
            async with browser(self.plan) as first:
                known, cookies = await config(first, self.plan), dict(first.cookies)
            count = min(self.plan.sessions, self.plan.greedy)
            shares = [self.plan.greedy // count + (number < self.plan.greedy % count) for number in range(count)]
            await asyncio.gather(*(self._calls(known, cookies, share, begun) for share in shares))
        except ERRORS as error:
            self.trouble = f"{type(error).__name__}: {error}"

    async def _calls(self, known: dict[str, Any], cookies: dict[str, str], count: int, begun: float) -> None:
        async with browser(self.plan, cookies) as http:
            page = Page(http, known)
            self.pages.append(page)
            photo = await page.upload("photo.png", (Path(self.plan.photos) / "0.png").read_bytes())
            calls = [asyncio.ensure_future(page.call("invert", [photo, self.plan.method, {}])) for _ in range(count)]
            await asyncio.wait(calls, timeout=max(1.0, begun + self.plan.seconds + RUN_PATIENCE - time.monotonic()))
            for call in calls:
                call.cancel()
            await page.leave()
