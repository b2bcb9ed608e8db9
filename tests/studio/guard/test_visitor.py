"""The visitor's cookie, and the sessions that belong to it."""

import re

import httpx
import pytest

from studio.serving.guard import VISITOR_COOKIE
from tests.studio.guard.served import JOIN, OURS, answer_of, index_of


def test_a_browser_gets_its_cookie_with_the_page_and_keeps_it(url: str) -> None:
    with httpx.Client(base_url=url) as browser:
        first = browser.get("/")
        name = browser.cookies[VISITOR_COOKIE]
        assert re.fullmatch(OURS, name)
        assert {"HttpOnly", "SameSite=Lax", "Path=/", "Max-Age=604800"} <= set(first.headers["set-cookie"].split("; "))
        assert "Secure" not in first.headers["set-cookie"]
        browser.get("/")
        assert browser.cookies[VISITOR_COOKIE] == name
        assert "set-cookie" not in browser.get("/config").headers
        assert answer_of(browser, "who", [])["data"] == [name]
    assert httpx.get(url, headers={"x-forwarded-proto": "https"}).headers["set-cookie"].endswith("; Secure")


def test_a_program_without_cookies_isserved(url: str) -> None:
    with httpx.Client(base_url=url) as program:
        assert answer_of(program, "who", [])["data"] == ["None"]


@pytest.mark.parametrize("value", ["", "short", "x" * 33, "x" * 31 + "/", "x" * 31 + "é", "../" * 11])
def test_a_cookie_that_was_not_made_here_is_replaced(url: str, value: str) -> None:
    answer = httpx.get(url, headers={"cookie": f"{VISITOR_COOKIE}={value}".encode("latin-1")})
    assert re.fullmatch(OURS, answer.cookies[VISITOR_COOKIE])


def test_a_session_belongs_to_the_browser_that_used_it_first(url: str, browser: httpx.Client) -> None:
    assert answer_of(browser, "tell", [1], "mine")["data"] == ["1"]
    with httpx.Client(base_url=url) as other:
        other.get("/")
        body = {"fn_index": index_of(other, "tell"), "data": [1], "session_hash": "mine"}
        for answer in (
            other.post(JOIN, json=body),
            other.get("/gradio_api/queue/data?session_hash=mine"),
            other.get("/gradio_api/heartbeat/mine"),
            httpx.get(f"{url}/gradio_api/heartbeat/mine"),
        ):
            assert answer.status_code == 403 and "another browser" in answer.json()["detail"]
