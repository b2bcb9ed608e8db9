"""Headers that every answer has, and its size."""

import re
from uuid import uuid4

import httpx
import pytest

from tests.studio.guard.served import JOIN


def test_every_answer_says_what_a_browser_is_to_refuse(url: str, browser: httpx.Client) -> None:
    for path in ("/", "/config", "/nothing", "/theme.css", JOIN):
        headers = browser.get(path).headers
        assert "frame-ancestors 'none'" in headers["content-security-policy"] and "object-src 'none'" in headers["content-security-policy"]
        assert headers["x-frame-options"] == "DENY" and headers["x-content-type-options"] == "nosniff"
        assert "camera=(self)" in headers["permissions-policy"] and headers["referrer-policy"] == "same-origin"
    asset = re.findall(r'"\./(assets/index-[^"]+\.js)"', browser.get("/").text)[0]
    assert "immutable" in browser.get(f"/{asset}").headers["cache-control"]
    upload = browser.post("/gradio_api/upload", files={"files": ("a.html", b"<script>", "text/html")}).json()[0]
    answer = browser.get(f"/gradio_api/file={upload}")
    assert "attachment" in answer.headers["content-disposition"] and "sandbox" in answer.headers["content-security-policy"]


@pytest.mark.parametrize("coding", ["br", "gzip"])
def test_the_page_is_compressed_and_streams_are_not(browser: httpx.Client, coding: str) -> None:
    headers = {"accept-encoding": coding}
    with browser.stream("GET", "/", headers=headers) as answer:
        packed = len(b"".join(answer.iter_raw()))
    assert answer.headers["content-encoding"] == coding and packed < len(browser.get("/").content) / 3
    with browser.stream("GET", f"/gradio_api/heartbeat/{uuid4().hex}", headers=headers) as stream:
        assert "content-encoding" not in stream.headers and next(stream.iter_raw()).startswith(b"data: ALIVE")
