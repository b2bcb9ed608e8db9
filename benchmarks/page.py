"""How quickly the page answers: start, opening in a browser, a random face, a slider's preview, Stop, and the memory that it all takes.

Times are what a program on the same machine sees between sending an event and its answer being complete, so they include the queue and
the encoding of pictures. The server is a process of its own, started as a person would start it. The explorer's redraws and the answers to
brush strokes are what headless Chromium takes for them, from a person's move to the finished picture, without a graphics card.
"""

import importlib.util
import json
import os
import socket
import statistics
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
from gradio_client import Client, handle_file

from benchmarks.machine import facts
from engines.core.weights import assets
from studio.state.edits import MOST
from studio.tabs.explore.components import POINTS

_PATIENCE, _PLOT = 120.0, "document.querySelector('#explore-plot .plot')"
_VIEWS: dict[str, tuple[dict[str, Any], ...]] = {
    "other colours": ({"colour": "smile"}, {"colour": "age"}),
    "other axes": ({"x": 2}, {"x": 0}),
    "filtered": ({"only": "age", "low": 40, "high": 100}, {"only": ""}),
    "in 3-D again": ({"dimensions": 3, "colour": "smile"}, {"dimensions": 3, "colour": "age"}),
}


def measure(quick: bool) -> dict[str, Any]:
    """Start a server, use it, and watch its memory."""
    machine, moves = facts(), 5 if quick else 50
    with server() as (url, process, start):
        page = _Page(url)
        idle = _memory(process.pid)
        client = Client(url, verbose=False)
        first = _timed(lambda: client.predict(1, 0.7, api_name="/random_face"))
        later = [_timed(lambda seed=seed: client.predict(seed, 0.7, api_name="/random_face")) for seed in range(2, 5 if quick else 12)]
        slider = {layers: _slider(page, layers, moves) for layers in ("coarse", "fine")}
        opening = _opening(url, 1 if quick else 5)
        explorer = _explorer(url, 1 if quick else 5)
        strokes = _strokes(url, 2 if quick else 10)
        photo = handle_file(str(assets() / "examples" / "astronaut.jpg"))
        settings = {"quick_steps": 2, "steps": 2} if quick else {}
        begun = time.perf_counter()
        _, figures = client.predict(photo, "image2stylegan", settings, api_name="/invert")
        seconds = time.perf_counter() - begun
        most = _memory(process.pid, "VmHWM")
        time.sleep(2)
        after = _memory(process.pid)
        client.close()
    return {
        "machine": machine,
        "start_seconds": start,
        "random_face_seconds": {"first": first, "median": statistics.median(later)},
        "slider_seconds": slider,
        "opening": opening | {"components": len(page.config["components"]), "events": len(page.config["dependencies"])},
        "explorer": explorer,
        "strokes": strokes,
        "inversion": {"method": "image2stylegan", "photo": "astronaut.jpg", "seconds": seconds} | figures,
        "memory_mib": {"idle": idle, "peak": most, "after": after},
    }


@contextmanager
def server() -> Iterator[tuple[str, "subprocess.Popen[bytes]", float]]:
    """The studio as a person would start it: its address, its process, and the seconds until it answered."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    url, begun = f"http://127.0.0.1:{port}/", time.perf_counter()
    process = subprocess.Popen([sys.executable, "-m", "studio.cli", "--port", str(port)], stdout=subprocess.DEVNULL, env=os.environ.copy())
    try:
        while True:
            try:
                if httpx.get(url, timeout=5).status_code == 200:
                    break
            except httpx.TransportError:
                time.sleep(0.05)
        yield url, process, time.perf_counter() - begun
    finally:
        process.terminate()
        process.wait(30)


class _Page:
    """A visitor that sends events as the browser does."""

    def __init__(self, url: str) -> None:
        self.url, self.session = url, uuid.uuid4().hex[:10]
        self.http = httpx.Client(timeout=_PATIENCE)
        self.config = self.http.get(f"{url}config").json()

    def event(self, name: str) -> dict[str, Any]:
        """The first event whose endpoint is called `name`."""
        return next(event for event in self.config["dependencies"] if event["api_name"] == name)

    def send(self, event: dict[str, Any], data: list[Any]) -> float:
        """Seconds from sending an event to its complete answer."""
        body = {"data": data, "fn_index": event["id"], "session_hash": self.session, "trigger_id": None}
        begun = time.perf_counter()
        self.http.post(f"{self.url}gradio_api/queue/join", json=body).raise_for_status()
        with self.http.stream("GET", f"{self.url}gradio_api/queue/data", params={"session_hash": self.session}) as answer:
            for line in answer.iter_lines():
                message = json.loads(line.removeprefix("data:")) if line.startswith("data:") else {}
                if message.get("msg") == "process_completed":
                    if not message["success"]:
                        raise RuntimeError(f"the event failed: {message['output']}")
                    return time.perf_counter() - begun
        raise RuntimeError("the answer ended early")


def _slider(page: _Page, layers: str, moves: int) -> dict[str, float]:
    """Previews of the first slider on the first face, in one layer group, a different strength each time."""
    # the face and the edits are states of the visit: whatever is sent in their places is ignored
    page.send(page.event("reach"), [None, "interfacegan/yaw", layers, 1, 1])
    event = page.event("preview")
    times = []
    for move in range(moves + 2):
        values = [round(-4 + 8 * move / (moves + 2), 2), *[0] * (MOST - 1)]
        times.append(page.send(event, [None, None, *values]))
    warm = sorted(times[2:])
    return {"median": statistics.median(warm), "slowest": warm[-1], "moves": moves}


@contextmanager
def browsed(url: str, *, unfolded: bool = True) -> Iterator[Any]:
    """The page in headless Chromium, 1280 px wide; None where there is none.

    Args:
        url: Of the page.
        unfolded: Whether every cell is; otherwise as a visitor first finds them.
    """
    program = Path(os.environ.get("STUDIO_CHROMIUM", "/usr/bin/chromium"))
    if not program.is_file() or importlib.util.find_spec("playwright") is None:
        yield None
        return
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=str(program), args=["--no-sandbox", "--disable-gpu"])
        page = browser.new_page(viewport={"width": 1280, "height": 1000})
        page.set_default_timeout(_PATIENCE * 1000)
        if unfolded:
            page.add_init_script("sessionStorage.setItem('latent-studio-folds', '{\"*\": true}')")
        page.goto(url)
        yield page
        browser.close()


_SKIPPED = {"skipped": "not measured: it wants Chromium (or STUDIO_CHROMIUM) and the package playwright"}


def _opening(url: str, repeats: int) -> dict[str, Any]:
    """Seconds until who opens the page again sees the first cell, and until a tab that is then chosen is drawn."""
    with browsed(url) as page:
        if page is None:
            return _SKIPPED
        opened, drawn = list[float](), list[float]()
        for _ in range(repeats):
            begun = time.perf_counter()
            page.goto(url)
            page.wait_for_selector(".cell:visible")
            opened.append(time.perf_counter() - begun)
            page.wait_for_timeout(3_000)
            begun = time.perf_counter()
            page.get_by_role("tab", name="Edit directions").click()
            page.wait_for_selector("#edit-live img")
            drawn.append(time.perf_counter() - begun)
    return {"seconds": statistics.median(opened), "tab_seconds": statistics.median(drawn), "times": repeats}


def _explorer(url: str, repeats: int) -> dict[str, Any]:
    """Seconds that the map of 5 000 faces takes to be redrawn, medians; a sentence where no browser is at hand."""
    with browsed(url) as page:
        if page is None:
            return _SKIPPED
        page.get_by_role("tab", name="Latent explorer").click()
        page.wait_for_function(f"{_PLOT}.dataset.shown")
        page.locator("#explore-shown input[type=number]").fill(str(POINTS))
        page.locator("#explore-shown input[type=number]").blur()
        page.wait_for_function(f"+{_PLOT}.dataset.shown === {POINTS}")
        seconds = {"first view in 3-D": _redrawn(page, {"dimensions": 3}), "back in 2-D": _redrawn(page, {"dimensions": 2})}
        for what, views in _VIEWS.items():
            seconds[what] = statistics.median(_redrawn(page, view) for view in list(views) * repeats)
    return {"points": POINTS, "seconds": seconds}


def _strokes(url: str, count: int) -> dict[str, Any]:
    """Seconds from the end of a brush stroke on the mixing tab to its live preview; a sentence where no browser is at hand."""
    with browsed(url) as page:
        if page is None:
            return _SKIPPED
        page.get_by_role("tab", name="Local mixing").click()
        page.locator("#mix-live img").wait_for()
        canvas = page.locator("#mix-source-canvas canvas").first
        canvas.scroll_into_view_if_needed()
        page.wait_for_timeout(3_000)
        seconds = [_stroke(page, canvas.bounding_box(), 0.3 + 0.4 * number / count) for number in range(count + 1)][1:]
    return {"strokes": count, "median": statistics.median(seconds), "most": max(seconds)}


def _stroke(page: Any, box: dict[str, float], height: float) -> float:
    """Seconds of one stroke; then the hand rests until the full picture is there."""
    page.evaluate(
        """() => {
          const shown = () => document.querySelector('#mix-live img'), frame = () => new Promise(done => requestAnimationFrame(done));
          window.strokeShown = new Promise(done => addEventListener('pointerup', async () => {
            const begun = performance.now(), before = shown()?.src;
            while (!shown()?.complete || shown().src === before) await frame();
            done(performance.now() - begun);
          }, { once: true, capture: true }));
        }"""
    )
    x, y, width = box["x"] + 0.35 * box["width"], box["y"] + height * box["height"], 0.3 * box["width"]
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + width, y, steps=10)
    page.mouse.up()
    seconds = float(page.evaluate("window.strokeShown")) / 1000
    page.wait_for_timeout(3_000)
    return seconds


def _redrawn(page: Any, view: dict[str, Any]) -> float:
    """Seconds until the map shows a view, drawn in full."""
    script = f"""async view => {{
      const box = {_PLOT}, frame = () => new Promise(done => requestAnimationFrame(done));
      await frame();
      delete box.dataset.milliseconds;
      const begun = performance.now();
      window.latentMap.view(view);
      while (!box.dataset.milliseconds) await frame();
      await frame();
      return performance.now() - begun;
    }}"""
    return float(page.evaluate(script, view)) / 1000


def _timed(call: Any) -> float:
    begun = time.perf_counter()
    call()
    return time.perf_counter() - begun


def _memory(process: int, line: str = "VmRSS") -> float:
    """A line of the process's status in MiB."""
    text = Path(f"/proc/{process}/status").read_text(encoding="utf-8")
    return round(int(next(row for row in text.splitlines() if row.startswith(line)).split()[1]) / 1024, 1)
