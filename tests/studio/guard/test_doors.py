"""What is open, and to whom."""

import json
import re
from uuid import uuid4

import httpx
import pytest

from studio.server import launch_options
from studio.settings import Settings
from tests.studio.guard.served import JOIN, index_of, small_page


@pytest.mark.parametrize(
    "path",
    [
        "openapi.json",
        "docs",
        "config",
        "monitoring",
        "gradio_api/app_id",
        "gradio_api/startup-events",
        "gradio_api/heartbeat/x",
        "gradio_api/info",
        "gradio_api/openapi.json",
        "gradio_api/user",
        "gradio_api/token",
        "gradio_api/queue/data?session_hash=x",
        "gradio_api/file=/etc/hostname",
        "gradio_api/upload_progress?upload_id=x",
        "gradio_api/dev/reload",
        "pwa_icon/64",
    ],
)
def test_without_a_login_nothing_but_the_login_is_open(public_url: str, path: str) -> None:
    assert httpx.get(f"{public_url}/{path}").status_code in (401, 404)


def test_what_the_login_page_needs_is_open(public_url: str) -> None:
    html = httpx.get(public_url).text
    for path in ("theme.css", "favicon.ico", "manifest.json", *re.findall(r'"\./(assets/index-[^"]+)"', html)):
        assert httpx.get(f"{public_url}/{path}").status_code == 200, path


@pytest.mark.parametrize(
    "path",
    [
        "gradio_api/proxy=https://x.hf.space/",
        "gradio_api/file=https://example.org/",
        "gradio_api/file=http://127.0.0.1:1/",
        "gradio_api/deep_link?session_hash=x",
        "monitoring/summary",
        "gradio_api/runs",
        "gradio_api/run-history/records",
        "gradio_api/vibe-code/",
        "gradio_api/custom_component/a/client/b/c",
        "gradio_api/stream/a/b/1/playlist.m3u8",
        "gradio_api/file/etc/hostname",
        "svelte/x.js",
        "gradio_api/mcp/schema",
        "assets/../routes.py",
        "assets/%00",
        "gradio_api/file=/%00",
    ],
)
def test_what_the_page_does_not_use_does_not_exist(guest: httpx.Client, path: str) -> None:
    assert guest.get(f"/{path}").status_code in (403, 404)


def test_no_request_of_another_site_isserved(browser: httpx.Client) -> None:
    body = {"fn_index": index_of(browser, "tell"), "data": [1], "session_hash": uuid4().hex}
    for headers in (
        {"origin": "https://evil.example"},
        {"origin": "null"},
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site"},
    ):
        assert browser.post(JOIN, json=body, headers=headers).status_code == 403
        assert browser.post("/gradio_api/upload", files={"files": ("a", b"x")}, headers=headers).status_code == 403
        assert browser.get("/", headers=headers).status_code == 200
    own = str(browser.base_url).rstrip("/")
    assert browser.post(JOIN, json=body, headers={"origin": own}).status_code == 200
    assert browser.post(JOIN, content=json.dumps(body), headers={"content-type": "text/plain"}).status_code == 415


def test_no_header_makes_up_the_pages_address(url: str) -> None:
    for name in ("x-forwarded-host", "x-gradio-server", "forwarded", "x-forwarded-prefix"):
        assert "evil.example" not in httpx.get(url, headers={name: "http://evil.example"}).text
    assert httpx.get(url, headers={"host": "evil.example"}).status_code == 403
    assert httpx.get(url, headers={"host": url.removeprefix("http://").replace("127.0.0.1", "localhost")}).status_code == 200


def test_behind_the_relay_the_page_has_the_address_that_the_relay_gave(url: str) -> None:
    page = small_page()
    options = launch_options(page, Settings(share=True, auth=("a", "b")))
    _, local, _ = page.launch(**options | {"server_name": "127.0.0.1", "share": False, "auth": None})
    page.share_url = "https://abc.gradio.live"
    try:
        for headers in ({"host": "abc.gradio.live"}, {"x-forwarded-host": "abc.gradio.live"}, {"x-forwarded-for": "1.2.3.4"}):
            text = httpx.get(local, headers=headers).text
            assert '"root":"https://abc.gradio.live"' in text
        assert "evil" not in httpx.get(local, headers={"x-forwarded-host": "evil.example", "x-forwarded-for": "1.2.3.4"}).text
    finally:
        page.close()
