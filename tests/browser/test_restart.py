"""A server that is killed and started again: the browser finds everything it made; with `--no-history`, nothing is kept."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import Page, expect

from engines.generators.toy import WIDTH
from tests.browser.conftest import set_number
from tests.browser.test_pages import Visit, aligned, invert, tab

pytestmark = pytest.mark.browser
PATIENCE = 120.0


class Server:
    """The program as a person starts it, with a data folder and a port of its own.

    Args:
        folder: Where its data and its log lie.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}/"

    def start(self, *options: str) -> None:
        words = [sys.executable, "-m", "studio", "--generator", "toy", "--port", str(self.port), *options]
        with (self.folder / "log").open("a") as log:
            self.process = subprocess.Popen(words, env=os.environ | {"XDG_DATA_HOME": str(self.folder)}, stdout=log, stderr=log)
        end = time.monotonic() + PATIENCE
        while "Latent Studio is at" not in self.log[self.log.rfind("started again") + 1 :]:
            assert self.process.poll() is None and time.monotonic() < end, self.log
            time.sleep(0.1)

    def kill(self) -> None:
        """As `kill -9` does."""
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()
        with (self.folder / "log").open("a") as log:
            log.write("started again\n")

    @property
    def log(self) -> str:
        return (self.folder / "log").read_text()

    @property
    def saved(self) -> list[Path]:
        return sorted((self.folder / "latent-studio").rglob("*.zip"))


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    (tmp_path / "served").mkdir()
    server = Server(tmp_path / "served")
    yield server
    server.process.kill()
    server.process.wait()


def pick(page: Page, menu: str, choice: str) -> None:
    """Tick a choice, and wait for the page to show that: right after its first drawing, it may take a moment."""
    box = page.locator(menu).get_by_label(choice, exact=True)
    box.click()
    expect(box).to_be_checked()


def a_direction(page: Page, file: Path) -> None:
    """One of one's own, out of a file."""
    np.save(file, np.eye(1, WIDTH, dtype=np.float32))
    page.locator("#workshop-tabs").get_by_role("tab", name="File").click()
    page.set_input_files("#file-input input[type=file]", str(file))
    expect(page.locator("#file-take")).to_be_enabled()
    page.click("#file-take")
    expect(page.locator("#file-status")).to_contain_text("1 taken")


def everything(page: Page, folder: Path) -> None:
    """A photo and its inversion, on the shelf too, an edit of it, a direction and a mixture."""
    aligned(page)
    invert(page, 2, 1)
    expect(page.locator("#invert-edit")).to_be_enabled()
    page.click("#invert-edit")
    expect(page.locator("#edit-live img")).to_be_visible()
    set_number(page, "#edit-slider-1", 2.5)
    expect(page.locator("#edit-summary")).to_contain_text("+2.5")
    a_direction(page, folder / "published.npy")
    tab(page, "Local mixing")
    expect(page.locator("#mix-live img")).to_be_visible()
    pick(page, "#mix-parts", "mouth")
    set_number(page, "#mix-strength", 60)
    expect(page.locator("#mix-words")).to_contain_text("painted")


def all_there(page: Page) -> None:
    expect(page.locator("#shelf")).to_contain_text("1 on the shelf")
    tab(page, "Invert")
    expect(page.locator("#photo-sentence")).to_contain_text("still here")
    for picture in ("#photo img", "#photo-aligned img", "#invert-slider img"):
        page.locator(picture.partition(" ")[0]).scroll_into_view_if_needed()  # one far below the screen is not fetched yet
        expect(page.locator(picture).first).to_be_visible()
    expect(page.locator("#invert-metrics")).to_contain_text("Image2StyleGAN")
    expect(page.locator("#invert-keep")).to_be_enabled()
    expect(page.locator("#invert-run")).to_be_enabled()
    tab(page, "Edit directions")
    expect(page.locator("#edit-summary")).to_contain_text("+2.5")
    expect(page.locator("#edit-live img")).to_be_visible()
    page.locator("#workshop-tabs").get_by_role("tab", name="Yours").click()
    expect(page.locator("#mine-table")).to_contain_text("published")
    tab(page, "Local mixing")
    expect(page.locator("#mix-strength input[type=number]")).to_have_value("60")
    expect(page.locator("#mix-parts").get_by_label("mouth", exact=True)).to_be_checked()
    page.locator("#book > button, #book .label-wrap").first.click()
    for made in ("Image2StyleGAN", "Edited face", "Mixed faces"):
        expect(page.locator("#book-entries .caption-label", has_text=made)).to_be_visible()
    expect(page.locator(".toast-body")).to_have_count(0)


def test_a_killed_server_started_again_has_everything(visit: Visit, server: Server, tmp_path: Path) -> None:
    server.start()
    page = visit(server.url)
    everything(page, tmp_path)
    tab(page, "Invert")
    set_number(page, "#invert-image2stylegan-steps", 1000)
    page.click("#invert-run")
    expect(page.locator("#invert-preview img")).to_be_visible()
    page.wait_for_timeout(3_000)  # two looks for what changed
    page.evaluate("window.before = true")
    server.kill()  # in the middle of a run
    server.start()
    page.wait_for_function("!window.before")  # the page opens itself again once the server answers
    page.wait_for_selector("#photo")
    all_there(page)
    page.close()
    page = visit(server.url)  # as a browser does that is closed and opened
    all_there(page)
    assert "Traceback" not in server.log


def test_without_history_nothing_is_kept(visit: Visit, server: Server) -> None:
    server.start("--no-history")
    page = visit(server.url)
    tab(page, "Edit directions")
    expect(page.locator("#edit-live img")).to_be_visible()
    page.click("#edit-keep")
    expect(page.locator("#shelf")).to_contain_text("1 on the shelf")
    page.wait_for_timeout(2_500)
    server.process.send_signal(signal.SIGTERM)  # what there is, is written at the latest then
    server.process.wait()
    assert not server.saved
