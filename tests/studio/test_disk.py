import errno
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import gradio as gr
import httpx
import pytest
from gradio.blocks import Block
from PIL import Image as Pil

from engines.core.errors import StudioError
from studio.serving import disk as module
from studio.serving.disk import PREFIX, Bounds, Disk, size_of, sweep
from studio.ui.intake import Page
from tests.waiting import done

VISITOR, OTHER = "a" * 32, "b" * 32


@pytest.fixture
def disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Disk:
    monkeypatch.setattr(module.tempfile, "tempdir", str(tmp_path))
    return Disk(Bounds(shown=100, uploaded=100, total=1000))


def write(path: Path, size: int, age: float = 0) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(bytes(size))
    for changed in (path, path.parent):
        os.utime(changed, (time.time() - age,) * 2)
    return path


def test_what_is_written_for_a_visitor_is_theirs_and_goes_with_them(disk: Disk) -> None:
    with disk.serving(VISITOR):
        mine = write(disk.here() / "hash" / "image.webp", 10)
    with disk.serving(OTHER):
        theirs = write(disk.here() / "hash" / "image.webp", 10)
    shared = write(disk.here() / "hash" / "example.jpg", 10)
    assert oct(disk.root.stat().st_mode & 0o777) == "0o700"
    assert disk.owns(VISITOR, mine) and disk.owns(VISITOR, shared) and not disk.owns(VISITOR, theirs)
    assert disk.is_anothers(VISITOR, theirs) and disk.is_anothers(None, theirs) and not disk.is_anothers(None, shared)
    assert not disk.owns(VISITOR, Path("/etc/hosts")) and not disk.owns(VISITOR, mine / ".." / ".." / ".." / theirs.parent.parent.name)
    disk.forget(VISITOR)
    assert not mine.exists() and theirs.exists() and shared.exists()
    disk.close()
    assert not disk.root.exists()


PICTURE = Pil.effect_noise((9, 9), 50)
SHOWN: dict[type[Block], Any] = {
    gr.Image: PICTURE,
    gr.Gallery: [(PICTURE, "one"), PICTURE.rotate(90)],
    gr.ImageSlider: (PICTURE, PICTURE.rotate(180)),
}
"""What a component shows that draws pictures."""


def test_every_component_s_pictures_lie_with_the_visitor_they_are_drawn_for(page: gr.Blocks) -> None:
    """Also where Gradio writes them on threads of its own: what lies with nobody stays, and anybody may read it."""
    drawing = [block for block in page.blocks.values() if type(block) in SHOWN]
    assert {type(block) for block in drawing} == set(SHOWN)
    nobodys = set(module.disk.here().rglob("*"))
    for block in drawing:
        with module.disk.serving("session:somebody"):
            block.postprocess(SHOWN[type(block)])
            assert any(path.is_file() for path in module.disk.here().rglob("*")), block.elem_id
        module.disk.forget("session:somebody")
    assert set(module.disk.here().rglob("*")) == nobodys


def test_what_is_written_for_someone_who_left_goes_later(disk: Disk) -> None:
    disk.forget(VISITOR)
    files = []
    for visitor in (VISITOR, OTHER):
        with disk.serving(visitor):
            files.append(write(disk.here() / "hash" / "image.webp", 10))
    shared = write(disk.here() / "hash" / "example.jpg", 10)
    disk.tidy({OTHER}, 60)
    assert all(path.exists() for path in files)
    disk.tidy({OTHER}, -1)
    assert not files[0].exists() and files[1].exists() and shared.exists()


def test_a_link_out_of_a_folder_is_not_the_visitors(disk: Disk, tmp_path: Path) -> None:
    outside = write(tmp_path / "private.jpg", 5)
    link = disk.folder(VISITOR) / "link.jpg"
    link.symlink_to(outside)
    assert not disk.owns(VISITOR, link)


def test_old_pictures_go_while_a_visitor_stays_and_new_ones_uploads_and_downloads_do_not(disk: Disk) -> None:
    with disk.serving(VISITOR):
        place = disk.here()
        upload = write(disk.new_upload(VISITOR) / "hash" / "photo.jpg", 80, age=900)
        kept = disk.keep("face.png", bytes(80), 3, 500)
        old = [write(place / f"old{n}" / "image.webp", 40, age=600 - n) for n in range(4)]
        new = [write(place / f"new{n}" / "image.webp", 90) for n in range(2)]
        disk._places[VISITOR].trimmed = 0
        disk.here()
    assert not any(path.exists() for path in old)
    assert all(path.exists() for path in (*new, upload, kept))


def test_an_upload_costs_the_visitors_own_oldest(disk: Disk) -> None:
    first, second = disk.new_upload(VISITOR), disk.new_upload(VISITOR)
    write(first / "hash" / "a.png", 60, age=50)
    write(second / "hash" / "b.png", 60)
    disk.trim_uploads(second)
    assert not first.exists() and second.exists()


def test_room_is_made_at_the_cost_of_who_was_away_longest(disk: Disk, monkeypatch: pytest.MonkeyPatch) -> None:
    for visitor, away in ((VISITOR, 500), (OTHER, 300)):
        write(disk.folder(visitor) / "x" / "y", 450)
        disk._places[visitor].used = time.monotonic() - away
    disk.make_room(200)
    assert VISITOR not in disk._places and size_of(disk.folder(OTHER)) == 450
    with pytest.raises(StudioError, match="as many files as it may"):
        disk.make_room(900)
    monkeypatch.setattr(module.shutil, "disk_usage", lambda _: type("Usage", (), {"free": 2**20}))
    with pytest.raises(StudioError, match="disk is full"):
        disk.make_room(1)


def test_files_of_who_left_no_sign_go_in_time(disk: Disk) -> None:
    write(disk.folder(VISITOR) / "x" / "y", 5)
    disk.folder(OTHER)
    disk._places[VISITOR].used -= 100
    disk.forget_idle(50)
    assert list(disk._places) == [OTHER]
    disk.touch(VISITOR)
    assert list(disk._places) == [OTHER]


def test_nobodys_uploads_go_with_the_last_program_that_named_them_or_unnamed_in_time(disk: Disk) -> None:
    named, unnamed, fresh = (disk.new_upload(None) for _ in range(3))
    files = [write(folder / "hash" / "a.png", 60, age=900) for folder in (named, unnamed)]
    for folder in (named, unnamed):
        os.utime(folder, (time.time() - 900,) * 2)
    for program in (VISITOR, OTHER):
        disk.adopt(program, [str(files[0]), str(fresh / ".." / ".." / "x"), f"{fresh.parent}/../../x", "/etc/passwd", 7, None])
    disk.tidy({VISITOR, OTHER}, 600)
    assert named.is_dir() and fresh.is_dir() and not unnamed.exists()
    disk.forget(VISITOR)
    assert named.is_dir()
    disk.forget(OTHER)
    assert not named.exists() and fresh.parent.is_dir()


def test_an_event_makes_the_uploads_it_names_its_callers(monkeypatch: pytest.MonkeyPatch, disk: Disk) -> None:
    monkeypatch.setattr("studio.ui.intake.disk", disk)
    folder = disk.new_upload(None)
    file = write(folder / "hash" / "note.txt", 5)
    with Page(analytics_enabled=False) as page:
        box = gr.JSON()
        box.change(lambda value: None, box)
    done(page.process_api(block_fn=0, inputs=[{"here": [{"path": str(file)}]}], session_hash="program"))
    disk.forget("session:program")
    assert not folder.exists()


def test_a_full_disk_is_a_sentence_in_an_event(monkeypatch: pytest.MonkeyPatch) -> None:
    def full() -> None:
        raise OSError(errno.ENOSPC, "No space left on device", "/secret/place")

    with Page(analytics_enabled=False) as page:
        button = gr.Button()
        button.click(full)
    with pytest.raises(gr.Error, match="The studio's disk is full"):
        done(page.process_api(block_fn=0, inputs=[]))


_SMALL = """
import sys
import gradio as gr
from studio import server
from studio.settings import Settings

def small(session, autosave=None):
    with gr.Blocks() as page:
        gr.Image()
    return page

server.build = small
try:
    server.serve(Settings(generator="toy", port=int(sys.argv[1])))
except KeyboardInterrupt:
    sys.exit(130)
"""
"""The studio with a page that is built quickly; all that serves it is the real one."""


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def _started(temporary: Path) -> tuple[subprocess.Popen[str], str]:
    port = _free_port()
    command = [sys.executable, "-c", _SMALL, str(port)]
    environment = os.environ | {"TMPDIR": str(temporary)}
    return subprocess.Popen(
        command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ), f"http://127.0.0.1:{port}/"


def _is_up(server: subprocess.Popen[str], url: str) -> None:
    for _ in range(3000):
        assert server.poll() is None, server.stdout.read() if server.stdout else ""
        try:
            if httpx.get(url, timeout=5).status_code == 200:
                return
        except httpx.TransportError:
            time.sleep(0.1)
    raise AssertionError("the server did not come up")


def _uploaded(url: str) -> Path:
    with httpx.Client(base_url=url, timeout=60) as browser:
        browser.get("/")
        return Path(browser.post("gradio_api/upload", files={"files": ("a.png", b"x", "image/png")}).json()[0])


def test_however_a_server_ends_nothing_of_its_visitors_stays(tmp_path: Path) -> None:
    servers = [_started(tmp_path) for _ in range(3)]
    try:
        for (server, url), number in zip(servers, (signal.SIGTERM, signal.SIGINT, signal.SIGKILL), strict=True):
            _is_up(server, url)
            upload = _uploaded(url)
            assert upload.is_relative_to(tmp_path) and upload.exists()
            server.send_signal(number)
            output, _ = server.communicate(timeout=60)
            assert upload.exists() == (number == signal.SIGKILL)
            assert "Traceback" not in output and "a.png" not in output
        left = list(tmp_path.glob(f"{PREFIX}*"))
        assert len(left) == 1
    finally:
        for server, _ in servers:
            server.kill()
    live = tmp_path / f"{PREFIX}live"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module.tempfile, "tempdir", str(tmp_path))
        running = Disk()
        live.mkdir()
        assert sweep() == 1
    assert not left[0].exists() and running.root.exists() and live.exists()
    running.close()
