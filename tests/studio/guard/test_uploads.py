"""Files of visitors, and uploads."""

from pathlib import Path

import httpx
import pytest

from studio.serving import disk as files
from studio.serving.guard import VISITOR_COOKIE
from tests.studio.guard.served import answer_of


def test_a_visitors_files_are_the_visitors(url: str, browser: httpx.Client) -> None:
    path = browser.post("/gradio_api/upload", files={"files": ("a.png", b"x", "image/png")}).json()[0]
    assert Path(path).is_file() and browser.get(f"/gradio_api/file={path}").status_code == 200
    with httpx.Client(base_url=url) as other:
        other.get("/")
        assert other.get(f"/gradio_api/file={path}").status_code == 403
    assert httpx.get(f"{url}/gradio_api/file={path}").status_code == 403
    files.disk.forget(browser.cookies[VISITOR_COOKIE])
    assert not Path(path).exists() and browser.get(f"/gradio_api/file={path}").status_code == 403


def test_what_an_event_shows_lies_with_its_visitor(browser: httpx.Client) -> None:
    shown = answer_of(browser, "show", [])["data"][0]["path"]
    assert files.disk.owns(browser.cookies[VISITOR_COOKIE], Path(shown))


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (b"", "multipart/form-data; boundary=x"),
        (b"", "multipart/form-data"),
        (b"{}", "application/json"),
        (b"--x\r\n\r\n", "multipart/form-data; boundary=x"),
        (b'--x\r\nContent-Disposition: form-data; name="files"\r\n\r\nno file\r\n--x--\r\n', "multipart/form-data; boundary=x"),
    ],
)
def test_an_upload_of_another_form_gets_a_sentence_and_leaves_nothing(browser: httpx.Client, content: bytes, kind: str) -> None:
    answer = browser.post("/gradio_api/upload?upload_id=u1", content=content, headers={"content-type": kind})
    assert answer.status_code in (200, 400) and (answer.status_code == 400 or answer.json() == [])
    assert files.size_of(files.disk.folder(browser.cookies[VISITOR_COOKIE])) == 0


def test_too_large_an_upload_gets_a_sentence_and_leaves_nothing(guest: httpx.Client) -> None:
    answer = guest.post("/gradio_api/upload", files={"files": ("a.png", bytes(33 * 2**20), "image/png")})
    assert answer.status_code == 413 and answer.text == "Files of at most 32 MB are taken."
    assert files.size_of(files.disk.folder(guest.cookies[VISITOR_COOKIE])) == 0


def test_an_upload_to_a_full_disk_gets_a_sentence_and_leaves_nothing(browser: httpx.Client, monkeypatch: pytest.MonkeyPatch) -> None:
    photo = {"files": ("a.png", bytes(1000), "image/png")}

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device", "/secret")

    with monkeypatch.context() as patch:
        patch.setattr("gradio.route_utils.os.rename", full)
        patch.setattr("shutil.move", full)
        patch.setattr("gradio.route_utils.GradioUploadFile.write", full)
        answer = browser.post("/gradio_api/upload", files=photo)
    assert answer.status_code == 507 and answer.text == files.DISK_IS_FULL
    with monkeypatch.context() as patch:
        patch.setattr(files.shutil, "disk_usage", lambda _: type("Usage", (), {"free": 2**20}))
        assert browser.post("/gradio_api/upload", files=photo).status_code == 507
    assert files.size_of(files.disk.folder(browser.cookies[VISITOR_COOKIE])) == 0
    assert browser.post("/gradio_api/upload", files=photo).status_code == 200
