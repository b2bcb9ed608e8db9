"""Requests of another form than the page's, told in sentences."""

import json
from collections.abc import Iterator
from uuid import uuid4

import httpx
import pytest

from tests.studio.guard.served import JOIN, index_of


def _good(client: httpx.Client) -> dict:
    return {"fn_index": index_of(client, "tell"), "data": [1], "session_hash": uuid4().hex}


@pytest.mark.parametrize(
    "change",
    [
        {"fn_index": -1},
        {"fn_index": 10**9},
        {"fn_index": 10**30},
        {"fn_index": "0"},
        {"fn_index": True},
        {"fn_index": None},
        {"fn_index": 0.5},
        {"data": None},
        {"data": {}},
        {"data": "x"},
        {"data": []},
        {"data": [1, 2]},
        {"session_hash": None},
        {"session_hash": 5},
        {"session_hash": ""},
        {"session_hash": "x" * 65},
        {"session_hash": "../x"},
        {"trigger_id": "x"},
        {"trigger_id": True},
        {"event_id": 5},
        {"batched": True},
        {"surplus": 1},
        {"data": [json.loads("[" * 60 + "]" * 60)]},
        {"simple_format": "yes"},
    ],
)
def test_a_request_of_another_form_gets_a_sentence(browser: httpx.Client, change: dict) -> None:
    answer = browser.post(JOIN, json=_good(browser) | change)
    assert answer.status_code in (400, 404) and len(answer.json()["detail"]) > 20, answer.text
    assert browser.post(JOIN, json=_good(browser)).status_code == 200


def test_an_event_that_is_no_object_gets_a_sentence(browser: httpx.Client) -> None:
    call = {"fn_index": index_of(browser, "pick"), "data": [], "session_hash": uuid4().hex}
    for event in (None, 5, "x", []):
        assert "an object is wanted" in browser.post(JOIN, json=call | {"event_data": event}).json()["detail"]


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        b"5",
        b'{"data": [NaN]}',
        b'{"data": [1e400]}',
        b'{"data": [-Infinity]}',
        b'{"data": ["\\ud800"]}',
        b"\xff\xfe{",
        b"[" * 100_000,
        b'{"data": [' + b"9" * 5000 + b"]}",
        b'{"a":' * 5000,
    ],
)
@pytest.mark.parametrize(
    "path",
    [
        JOIN,
        "/gradio_api/run/divide",
        "/gradio_api/call/tell",
        "/gradio_api/call/v2/tell",
        "/gradio_api/cancel",
        "/gradio_api/component_server/",
        "/gradio_api/reset",
    ],
)
def test_what_is_no_plain_json_gets_a_sentence(browser: httpx.Client, path: str, body: bytes) -> None:
    answer = browser.post(path, content=body, headers={"content-type": "application/json"})
    assert answer.status_code in (400, 404, 413) and len(answer.json()["detail"]) > 20, answer.text


def test_a_request_is_bounded_as_it_comes(guest: httpx.Client) -> None:
    def endless() -> Iterator[bytes]:
        yield b'{"data": ["'
        for _ in range(9):
            yield b"x" * 2**20

    answer = guest.post(JOIN, content=endless(), headers={"content-type": "application/json"})
    assert answer.status_code == 413 and "8 MB" in answer.json()["detail"]
    largest = _good(guest) | {"data": ["x" * 7 * 2**20]}
    assert guest.post(JOIN, json=largest).status_code == 200
    assert guest.post(JOIN, json=_good(guest) | {"data": [[0] * 100_001]}).status_code == 413


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("call/nothing", {"data": []}, 404),
        ("call/hidden", {"data": []}, 404),
        ("call/v2/nothing", {}, 404),
        ("call/v2/tell", {"m": 1}, 400),
        ("run/nothing", {"data": []}, 404),
        ("run/divide", {"data": [0]}, 400),
        ("run/divide", {"data": ["x"]}, 400),
        ("component_server", {"session_hash": "used-by-programs-only", "component_id": -5, "fn_name": "x", "data": 1}, 404),
        ("component_server", {"session_hash": "used-by-programs-only", "component_id": 1, "fn_name": "__init__", "data": 1}, 404),
        ("component_server", {"session_hash": "used-by-programs-only", "component_id": True, "fn_name": "x", "data": 1}, 400),
        ("cancel", {"session_hash": "used-by-programs-only", "fn_index": "x", "event_id": "y"}, 400),
        ("cancel", {}, 400),
    ],
)
def test_no_request_ends_in_a_fault_of_the_server(url: str, path: str, body: dict, status: int) -> None:
    answer = httpx.post(f"{url}/gradio_api/{path}", json=body)
    assert answer.status_code == status and len(answer.json()["detail"]) > 20


def test_a_part_of_the_page_that_fails_answers_in_a_sentence(browser: httpx.Client) -> None:
    served = next(part["id"] for part in browser.get("/config").json()["components"] if part["props"].get("elem_id") == "served")
    call = {"session_hash": uuid4().hex, "component_id": served, "fn_name": "_divide", "data": 2}
    assert browser.post("/gradio_api/component_server/", json=call).json() == "0.5"
    answer = browser.post("/gradio_api/component_server/", json=call | {"data": "x"})
    assert answer.status_code == 400 and "Traceback" not in answer.text and "could not be used" in answer.text


@pytest.mark.parametrize("path", ["/?page=x", "/?deep_link=x", "/?page=../x&__theme=dark", "/config?page=x", "/config?deep_link=../../x"])
def test_a_query_names_no_othersmall_page(browser: httpx.Client, path: str) -> None:
    assert browser.get(path).status_code == 200
