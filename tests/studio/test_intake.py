"""What a browser or a program sends: files are uploads of this page, values are of their kind, and every refusal is a sentence."""

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import gradio as gr
import httpx
import pytest
from PIL import Image as Pil

from engines.core.errors import StudioError
from studio.serving.disk import disk
from studio.ui.intake import NO_SUCH_UPLOAD, WENT_WRONG, Page, checked_path, field_names, files_of


@pytest.fixture
def uploads(tmp_path: Path) -> Iterator[Path]:
    (tmp_path / "private.png").write_bytes(b"private")
    folder = disk.new_upload("ann")
    (folder / "face.png").write_bytes(b"face")
    with disk.serving("ann"):
        yield folder
    disk.forget("ann")


def test_an_upload_is_let_through_in_one_form(uploads: Path) -> None:
    assert checked_path(str(uploads / ".." / uploads.name / "face.png")) == str(uploads / "face.png")


def test_nothing_else_is_and_the_sentence_tells_nothing(uploads: Path, tmp_path: Path) -> None:
    os.mkfifo(uploads / "pipe")
    (uploads / "link.png").symlink_to(tmp_path / "private.png")
    (uploads / "device").symlink_to("/dev/zero")
    others = disk.new_upload("ben") / "face.png"
    others.write_bytes(b"another's")
    outside = [tmp_path / "private.png", "/dev/zero", "/etc/passwd", tmp_path / "absent.png", tmp_path, disk.root, others]
    inside = [uploads, uploads / "pipe", uploads / "link.png", uploads / "device", uploads / "absent.png"]
    dotted = [
        f"{uploads}/../../../../private.png",
        "private.png",
        "..",
        "",
        "\0",
        "x" * 5000,
        "http://127.0.0.1/a.png",
        "file:///etc/passwd",
    ]
    sentences = set()
    for path in [*map(str, [*outside, *inside]), *dotted, None, 5, ["a"], {"path": "b"}, b"bytes"]:
        with pytest.raises(StudioError) as caught:
            checked_path(path)
        sentences.add(str(caught.value))
    disk.forget("ben")
    assert sentences == {NO_SUCH_UPLOAD}


def test_files_are_found_wherever_they_hide() -> None:
    value = {"a": [{"b": {"path": 1}}], "url": "x", "c": ({"path": 2},)}
    assert [file.get("path") for file in files_of(value)] == [None, 1]  # JSON knows no tuples
    deep: Any = "end"
    for _ in range(100):
        deep = [deep]
    with pytest.raises(StudioError, match="nested"):
        list(files_of(deep))


def answer(url: str, name: str, data: list[Any]) -> str:
    """What an endpoint says."""
    body = json.dumps({"data": data})
    joined = httpx.post(f"{url}gradio_api/call/{name}", content=body, headers={"content-type": "application/json"})
    if joined.status_code == 400:
        return json.dumps({"error": joined.json()["detail"]})
    event = joined.json()["event_id"]
    text = httpx.get(f"{url}gradio_api/call/{name}/{event}", timeout=60).text
    return text.strip().rsplit("data: ", 1)[-1]


@pytest.mark.parametrize(
    ("name", "data", "words"),
    [
        ("random_face", ["x", 0.7], "seed: 'x' came, and a whole number"),
        ("random_face", [None, 0.7], "seed: None came"),
        ("random_face", [0.5, 0.7], "seed: 0.5 came, and a whole number"),
        ("random_face", [True, 0.7], "seed: True came"),
        ("random_face", [10**400, 0.7], "beyond 1e308"),
        ("random_face", [[1], {"a": 1}], "seed: "),
        ("random_face", [3], "1 values came; 2 are wanted"),
        ("random_face", [3, 0.7, 1], "3 values came; 2 are wanted"),
        ("edit_face", [3, 0.7, "x"], "settings: 'x' came, and a JSON object"),
        ("edit_face", [3, 0.7, [1]], "settings: [1] came, and a JSON object"),
        ("edit_face", [3, 0.7, {"path": "/etc/passwd"}], "not among the uploads"),
        ("list_directions", [5], "name: 5 came, and text"),
        ("align", ["photo.jpg"], "photo: 'photo.jpg' came, and an uploaded file"),
        ("align", [{}], "photo: {} came, and an uploaded file"),
        ("align", [{"url": "data:image/png;base64,@@"}], ""),
        ("invert", [None, "projector", 7], "settings: 7 came, and a JSON object"),
        ("invert", [None, None, None], "name: None came, and text"),
    ],
)
def test_a_value_of_a_wrong_kind_is_refused_with_its_field(toy_url: str, name: str, data: list[Any], words: str) -> None:
    said = json.loads(answer(toy_url, name, data))
    assert words in said["error"] and said["error"] not in (None, WENT_WRONG)


@pytest.mark.parametrize(
    "extra", [{}, {"meta": {"_type": "gradio.FileData"}}, {"meta": {"_type": "gradio.Other"}}, {"url": "http://127.0.0.1/"}]
)
def test_a_file_of_the_machine_is_no_photo_in_any_form(toy_url: str, tmp_path: Path, extra: dict[str, Any]) -> None:
    Pil.new("RGB", (64, 64)).save(tmp_path / "private.png")
    for path in (str(tmp_path / "private.png"), str(tmp_path / "absent.png"), "/dev/zero", str(tmp_path)):
        assert json.loads(answer(toy_url, "align", [{"path": path} | extra]))["error"] == f"photo: {NO_SUCH_UPLOAD}"


def test_fields_are_named_for_programs_and_for_people(page: gr.Blocks) -> None:
    events = {event.api_name: event for event in page.fns.values() if event.api_visibility == "public"}
    assert field_names(events["invert"]) == ["photo", "name", "settings"]
    assert field_names(events["mix_photos"]) == ["photo", "second", "part", "painted", "settings"]
    for event in page.fns.values():
        assert len(field_names(event)) == len(event.inputs)


def test_an_exception_that_nobody_foresaw_is_told_and_logged(caplog: pytest.LogCaptureFixture) -> None:
    with Page(analytics_enabled=False) as page:
        number = gr.Number(label="Number")
        gr.Button().click(lambda number: 1 / 0, number, number, api_name="fail")
    _, url, _ = page.launch(prevent_thread_lock=True, quiet=True, show_error=False, _frontend=False)
    try:
        assert json.loads(answer(url, "fail", [1]))["error"] == WENT_WRONG
    finally:
        page.close()
    assert "ZeroDivisionError" in caplog.text
