"""The guard in front of Gradio, on a small page that is served as the studio is."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import gradio as gr
import httpx
import pytest
from PIL import Image as Pil

from studio.server import launch_options
from studio.serving import disk as files
from studio.serving.guard import VISITOR_COOKIE
from studio.serving.guard.login import FREE_TRIES, LONGEST_WAIT, PER_ADDRESS, PER_SERVER, Brake
from studio.settings import Settings

OURS = r"[A-Za-z0-9_-]{32}"
RIGHT, WRONG = {"username": "guest", "password": "a-password"}, {"username": "guest", "password": "hello"}
JOIN = "/gradio_api/queue/join"
PUBLIC = Settings(host="0.0.0.0", generator="toy")


def _page() -> gr.Blocks:
    with gr.Blocks() as page:
        number, said, picture, button = gr.Number(), gr.Textbox(), gr.Image(type="pil"), gr.Button()
        gr.HTML("", server_functions=[_divide], elem_id="served")

        def who(request: gr.Request) -> str:
            return str(request.cookies.get(VISITOR_COOKIE))

        button.click(lambda n: f"{n}", number, said, api_name="tell")
        button.click(_divide, number, said, api_name="divide", queue=False)
        button.click(who, None, said, api_name="who")
        button.click(lambda: Pil.new("RGB", (8, 8)), None, picture, api_name="show")
        button.click(lambda: None, None, None, api_name="hidden", api_visibility="private")
        gr.Dropdown(["a"]).select(_pick, None, said, api_name="pick")
    return page


def _pick(event: gr.SelectData) -> str:
    return str(event.index)


def _divide(n: float) -> str:
    return str(1 / n)


def _served(settings: Settings) -> Iterator[str]:
    page = _page()
    options = launch_options(page, settings) | {"server_name": "127.0.0.1"}
    options["auth"] = ("guest", "a-password") if settings.public else None
    _, url, _ = page.launch(**options)
    yield url.rstrip("/")
    page.close()


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    """A page of this machine only."""
    yield from _served(Settings(generator="toy"))


@pytest.fixture(scope="module")
def public_url() -> Iterator[str]:
    """A page that others can reach, with a login."""
    yield from _served(PUBLIC)


@pytest.fixture
def browser(url: str) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=url) as client:
        client.get("/")
        yield client


@pytest.fixture
def guest(public_url: str) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=public_url) as client:
        client.get("/")
        assert client.post("/login", data=RIGHT).status_code == 200
        yield client


def _index(client: httpx.Client, name: str) -> int:
    return next(entry["id"] for entry in client.get("/config").json()["dependencies"] if entry["api_name"] == name)


def _answer(client: httpx.Client, name: str, data: list, session: str = "") -> dict:
    """What an event of the page ends with."""
    session = session or uuid4().hex
    body = {"fn_index": _index(client, name), "data": data, "session_hash": session}
    assert client.post(JOIN, json=body).status_code == 200
    with client.stream("GET", f"/gradio_api/queue/data?session_hash={session}", timeout=60) as stream:
        messages = [json.loads(line[6:]) for line in stream.iter_lines() if line.startswith("data: ")]
    return next(message["output"] for message in messages if message["msg"] == "process_completed")


# the visitor's cookie


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
        assert _answer(browser, "who", [])["data"] == [name]
    assert httpx.get(url, headers={"x-forwarded-proto": "https"}).headers["set-cookie"].endswith("; Secure")


def test_a_program_without_cookies_is_served(url: str) -> None:
    with httpx.Client(base_url=url) as program:
        assert _answer(program, "who", [])["data"] == ["None"]


@pytest.mark.parametrize("value", ["", "short", "x" * 33, "x" * 31 + "/", "x" * 31 + "é", "../" * 11])
def test_a_cookie_that_was_not_made_here_is_replaced(url: str, value: str) -> None:
    answer = httpx.get(url, headers={"cookie": f"{VISITOR_COOKIE}={value}".encode("latin-1")})
    assert re.fullmatch(OURS, answer.cookies[VISITOR_COOKIE])


def test_a_session_belongs_to_the_browser_that_used_it_first(url: str, browser: httpx.Client) -> None:
    assert _answer(browser, "tell", [1], "mine")["data"] == ["1"]
    with httpx.Client(base_url=url) as other:
        other.get("/")
        body = {"fn_index": _index(other, "tell"), "data": [1], "session_hash": "mine"}
        for answer in (
            other.post(JOIN, json=body),
            other.get("/gradio_api/queue/data?session_hash=mine"),
            other.get("/gradio_api/heartbeat/mine"),
            httpx.get(f"{url}/gradio_api/heartbeat/mine"),
        ):
            assert answer.status_code == 403 and "another browser" in answer.json()["detail"]


# login and logout


def test_a_logout_ends_the_callers_visit_only(public_url: str) -> None:
    visitors = [httpx.Client(base_url=public_url) for _ in range(2)]
    for visitor in visitors:
        assert visitor.post("/login", data=RIGHT).status_code == 200
    foreign = {"sec-fetch-site": "cross-site"}, {"origin": "https://evil.example"}, {"referer": "https://evil.example/page"}
    assert [visitors[0].get("/logout", headers=headers).status_code for headers in foreign] == [403] * 3
    assert [visitor.get("/config").status_code for visitor in visitors] == [200, 200]
    answer = visitors[0].get("/logout")
    assert answer.status_code == 303 and answer.headers["location"] == "./"
    assert [visitor.get("/config").status_code for visitor in visitors] == [401, 200]
    assert httpx.post(f"{public_url}/logout").status_code == 303


def test_a_logins_cookies_are_no_other_sites(public_url: str) -> None:
    answer = httpx.post(f"{public_url}/login", data=RIGHT)
    cookies = [value for name, value in answer.headers.multi_items() if name == "set-cookie"]
    assert len(cookies) == 2 and all("HttpOnly" in cookie and cookie.endswith("SameSite=Lax") for cookie in cookies)


def test_after_five_wrong_passwords_a_browser_waits_and_others_do_not(public_url: str) -> None:
    with httpx.Client(base_url=public_url) as guesser, httpx.Client(base_url=public_url) as pupil:
        guesser.get("/")
        assert [guesser.post("/login", data=WRONG).status_code for _ in range(FREE_TRIES)] == [400] * FREE_TRIES
        answer = guesser.post("/login", data=RIGHT)
        assert answer.status_code == 429 and answer.headers["retry-after"] == "1" and "Wait 1 s" in answer.json()["detail"]
        pupil.get("/")
        assert pupil.post("/login", data=RIGHT).status_code == 200
        assert "login-wait" in guesser.get("/").text and "login-wait" not in pupil.get("/").text
    assert httpx.post(f"{public_url}/login", content=b"x" * 5000).status_code == 413


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def test_the_wait_doubles_up_to_a_minute() -> None:
    clock, waits = Clock(), list[float]()
    brake = Brake(clock)
    for _ in range(FREE_TRIES + 9):
        waits.append(brake.wait("10.0.0.1", "a"))
        clock.now += waits[-1]
        if waits[-1]:
            assert brake.wait("10.0.0.1", "a") == 0
    assert waits[: FREE_TRIES + 8] == [0] * FREE_TRIES + [1, 2, 4, 8, 16, 32, LONGEST_WAIT, LONGEST_WAIT]


@pytest.mark.parametrize(("addresses", "bound"), [(1, PER_ADDRESS), (1000, PER_SERVER)])
def test_guesses_are_bounded_however_many_cookies_and_addresses_come(addresses: int, bound: tuple[int, float]) -> None:
    clock, taken = Clock(), 0
    brake = Brake(clock)
    for guess in range(20_000):
        clock.now += 0.01
        taken += brake.wait(f"10.0.0.{guess % addresses}", str(guess)) == 0
    assert taken <= bound[0] + 200 * bound[1] + 1


def test_a_class_behind_one_address_logs_in_at_once_and_is_not_locked_out() -> None:
    clock = Clock()
    brake = Brake(clock)
    for pupil in range(200):
        assert brake.wait("10.0.0.1", f"pupil {pupil}") == 0
        brake.passed("10.0.0.1", f"pupil {pupil}")
    for guess in range(500):
        brake.wait("10.0.0.1", f"guess {guess}")
    assert brake.wait("10.0.0.1", "guess 501") > 0
    assert [brake.wait("10.0.0.1", f"pupil {pupil}") for pupil in range(200)] == [0] * 200
    assert brake.wait("10.0.0.2", "from another address") == 0


def test_a_class_of_programs_without_cookies_logs_in_at_once() -> None:
    brake = Brake(Clock())
    assert [brake.wait("10.0.0.1", "") for _ in range(30)] == [0] * 30
    for _ in range(1000):
        brake.wait("10.0.0.1", "")
    assert brake.wait("10.0.0.1", "") > 0


# what is open, and to whom


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


def test_no_request_of_another_site_is_served(browser: httpx.Client) -> None:
    body = {"fn_index": _index(browser, "tell"), "data": [1], "session_hash": uuid4().hex}
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
    page = _page()
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


# headers and size


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


# bodies


def _good(client: httpx.Client) -> dict:
    return {"fn_index": _index(client, "tell"), "data": [1], "session_hash": uuid4().hex}


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
    call = {"fn_index": _index(browser, "pick"), "data": [], "session_hash": uuid4().hex}
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
def test_a_query_names_no_other_page(browser: httpx.Client, path: str) -> None:
    assert browser.get(path).status_code == 200


# files


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
    shown = _answer(browser, "show", [])["data"][0]["path"]
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
