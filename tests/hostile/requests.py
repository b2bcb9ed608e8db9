"""Requests that no page makes: on the queue, on all routes, with odd headers."""

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Request:
    """A request byte by byte.

    Attributes:
        title: What is wrong with it.
        method: Its method.
        target: Its path and query, as sent.
        body: What it brings.
        headers: Its headers beside the cookies.
        refused: Whether anything but a refusal is a fault.
    """

    title: str
    method: str
    target: str
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)
    refused: bool = True


def _json(title: str, target: str, body: Any, refused: bool = True) -> Request:
    text = body if isinstance(body, bytes) else json.dumps(body).encode()
    return Request(title, "POST", target, text, {"Content-Type": "application/json"}, refused)


def _joins() -> list[Request]:
    join = "/gradio_api/queue/join"
    whole = {"data": [], "fn_index": 0, "session_hash": "abc"}
    numbers: list[Any] = [-1, 10**9, "x", None, [0], {}, 0.5, True, "0; import os", 2**70, "../../0"]
    found = [_json(f"event {number!r}", join, whole | {"fn_index": number}) for number in numbers if number is not None]
    found += [
        _json("event that is nothing", join, whole | {"fn_index": None}),
        _json("event that is no number", join, b'{"data": [], "fn_index": NaN, "session_hash": "abc"}'),
        _json("event of 5000 digits", join, b'{"data": [], "fn_index": ' + b"9" * 5000 + b', "session_hash": "abc"}'),
        _json("session that is a list", join, whole | {"session_hash": ["a"]}),
        _json("session that is a number", join, whole | {"session_hash": 5}),
        _json("session of a million letters", join, whole | {"session_hash": "a" * 10**6}, False),
        _json("session that climbs", join, whole | {"session_hash": "../../../etc"}, False),
        _json("session of zeros", join, whole | {"session_hash": "\0\r\n"}, False),
        _json("no session", join, {"data": [], "fn_index": 0}, False),
        _json("trigger that is text", join, whole | {"trigger_id": "x"}),
        _json("trigger that is not there", join, whole | {"trigger_id": 10**9}, False),
        _json("simple format that is text", join, whole | {"simple_format": "x"}),
        _json("endpoint by a name that is none", join, {"data": [], "api_name": "no_such", "session_hash": "a"}, False),
        _json("nothing", join, b""),
        _json("no JSON", join, b"{"),
        _json("list", join, []),
        _json("text", join, "x"),
        _json("lists in 100 000 lists", join, b"[" * 100_000),
        _json("values in 100 000 lists", join, b'{"data":' + b"[" * 100_000 + b"]" * 100_000 + b',"fn_index":0,"session_hash":"a"}'),
        _json("letters that are none", join, b'{"data": ["\xff\xfe"], "fn_index": 0}'),
        _json("half a letter", join, b'{"data": ["\\ud800"], "fn_index": 0, "session_hash": "a"}', False),
        _json("values of 12 MB", join, whole | {"data": ["x" * 12_000_000]}),
        _json("a million values", join, whole | {"data": [0] * 1_000_000}, False),
        _json("100 000 names", join, whole | {f"name{number}": 1 for number in range(100_000)}, False),
        Request("JSON said to be text", "POST", join, json.dumps(whole).encode(), {"Content-Type": "text/plain"}),
        Request("JSON said to be a form", "POST", join, b"data=1", {"Content-Type": "application/x-www-form-urlencoded"}),
        Request(
            "JSON said to be packed",
            "POST",
            join,
            b"\x1f\x8b" + bytes(99),
            {"Content-Type": "application/json", "Content-Encoding": "gzip"},
        ),
        Request("negative length", "POST", join, b"", {"Content-Type": "application/json", "Content-Length": "-5"}),
        Request("length of letters", "POST", join, b"", {"Content-Type": "application/json", "Content-Length": "x"}),
    ]
    return found


def _routes(private: Path, heard: str) -> list[Request]:
    quoted = str(private).replace("/", "%2F")
    paths = [
        f"file={private}",
        f"file={quoted}",
        f"file/{private}",
        "file=/etc/passwd",
        "file=../../../../../../etc/passwd",
        "file=..%2f..%2f..%2f..%2f..%2fetc%2fpasswd",
        "file=%2e%2e/%2e%2e/%2e%2e/%2e%2e/etc/passwd",
        "file=/etc/passwd%00.png",
        f"file={heard}",
        "file=file:///etc/passwd",
        "file=",
        "file=.",
        "file=/",
        "file=//etc/passwd",
        "file=/proc/self/environ",
        "file=/dev/zero",
        "file=~/.bashrc",
        "file=C:%5CWindows%5Cwin.ini",
        f"file={'a' * 5000}",
        f"proxy={heard}",
        "proxy=file:///etc/passwd",
        "proxy=http://169.254.169.254/latest",
        "proxy=",
        "stream/../../etc/passwd/0/1/playlist.m3u8",
        "stream/x/1/2/playlist.m3u8",
        "stream/x/1/2/playlist-file",
        "stream/x/1/2/segment.ts",
        "custom_component/x/client/component/../../../../etc/passwd",
        "custom_component/../client/component/x",
        "runs/../../etc/passwd",
        "run-history/records/x/../../etc/passwd",
        "monitoring/x",
        "mcp/schema",
        "mcp/",
        "dev/reload",
        "vibe-code/",
        "vibe-edit/",
    ]
    found = [Request(f"GET {path[:50]}", "GET", f"/gradio_api/{path}") for path in paths]
    plain = [
        "/static/../../../../etc/passwd",
        "/static/%2e%2e/%2e%2e/%2e%2e/etc/passwd",
        "/assets/../../../../../etc/passwd",
        "/svelte/../../etc/passwd",
        "/static//etc/passwd",
        "/assets//etc/passwd",
        "/..%2f..%2fetc%2fpasswd",
        "//etc/passwd",
        f"/file={private}",
        "/no-such-page",
        "/monitoring",
        "/gradio_api/mcp/sse",
        "/docs/x",
        "/redoc/x",
        "/.env",
        "/.git/config",
        "/config/../../etc/passwd",
    ]
    found += [Request(f"GET {path[:50]}", "GET", path) for path in plain]
    links = ["../../../etc/passwd", "..%2f..%2fetc%2fpasswd", "x" * 5000, "%00", "a/b", "<script>alert(1)</script>"]
    found += [Request(f"deep link {link[:30]}", "GET", f"/?deep_link={link}", refused=False) for link in links]
    found += [Request(f"settings of deep link {link[:30]}", "GET", f"/config?deep_link={link}", refused=False) for link in links]
    found += [
        Request(f"deep link of session {link[:30]}", "GET", f"/gradio_api/deep_link?session_hash={link}", refused=False) for link in links
    ]
    posts = ["queue/join", "upload", "cancel", "component_server", "run/random_face", "call/random_face", "api/random_face"]
    found += [
        Request(f"{method} on {path}", method, f"/gradio_api/{path}") for path in posts for method in ("GET", "PUT", "DELETE", "PATCH")
    ]
    found += [Request(f"{method} on the page", method, "/") for method in ("POST", "PUT", "DELETE", "TRACE", "CONNECT", "BREW")]
    return found


def _servers() -> list[Request]:
    """Requests of Gradio's own routes beside the queue."""
    server = {"data": [], "component_id": 1, "fn_name": "__class__", "session_hash": "a"}
    cancel = {"session_hash": "a", "fn_index": 0, "event_id": "x"}
    return [
        _json("function of a component by Python's name", "/gradio_api/component_server", server),
        _json("function of a component that is not there", "/gradio_api/component_server", server | {"component_id": 10**9}),
        _json("function of a component that is text", "/gradio_api/component_server", server | {"component_id": "x"}),
        _json("function of a component by nothing", "/gradio_api/component_server", {}),
        _json("cancelling another's event", "/gradio_api/cancel", cancel, False),
        _json("cancelling by a list", "/gradio_api/cancel", cancel | {"event_id": ["x"]}),
        _json("cancelling event -1", "/gradio_api/cancel", cancel | {"fn_index": -1}, False),
        _json("cancelling event of a billion", "/gradio_api/cancel", cancel | {"fn_index": 10**9}, False),
        _json("cancelling nothing", "/gradio_api/cancel", {}),
        _json("reset of a list", "/gradio_api/reset", {"event_id": ["x"]}, False),
        _json("stream of another", "/gradio_api/stream/x", {"data": [], "fn_index": 0}),
        _json("end of a stream that is none", "/gradio_api/stream/x/close", {}),
        _json("endpoint without the queue", "/gradio_api/run/random_face", {"data": [3, 0.7]}, False),
        _json("private event without the queue", "/gradio_api/run/choose_photo", {"data": [{"path": "/etc/passwd"}]}),
        _json("endpoint by its number without the queue", "/gradio_api/run/predict", {"data": [], "fn_index": 10**9}),
        _json("endpoint that is none", "/gradio_api/call/no_such", {"data": []}),
        _json("endpoint that climbs", "/gradio_api/call/..%2f..%2fetc", {"data": []}),
        _json("endpoint with text for values", "/gradio_api/call/random_face", {"data": "x"}),
        _json("endpoint by names, without names", "/gradio_api/call/v2/random_face", {}, False),
        _json("endpoint by names that are none", "/gradio_api/call/v2/random_face", {"no_such": 1, "session_hash": ["x"]}, False),
        _json("endpoint by names, a list", "/gradio_api/call/v2/random_face", []),
        Request("answer of an event that is none", "GET", "/gradio_api/call/random_face/no-such-event", refused=False),
        Request("progress of an upload that is none", "GET", "/gradio_api/upload_progress?upload_id=../../x"),
        Request("progress of no upload", "GET", "/gradio_api/upload_progress"),
        Request("stream of a session that is none", "GET", "/gradio_api/queue/data?session_hash=nobody", refused=False),
        Request("stream of no session", "GET", "/gradio_api/queue/data"),
    ]


def _heads() -> list[Request]:
    """Odd headers: what they name may not stand in the answer."""
    host = "evil.example"
    odd: dict[str, dict[str, str]] = {
        "another host": {"Host": "other.example"},
        "another forwarded host": {"X-Forwarded-Host": host},
        "another forwarded scheme": {"X-Forwarded-Proto": "javascript", "X-Forwarded-Host": host},
        "another forwarded way": {"Forwarded": f"host={host};proto=https"},
        "markup for a host": {"X-Forwarded-Host": 'x"><script>alert("evil.example")</script>'},
        "another path before": {"X-Forwarded-Prefix": f"//{host}", "X-Original-URL": f"//{host}"},
        "another referrer": {"Referer": f"https://{host}/", "X-Direct-Url": f"https://{host}/"},
    }
    found = [Request(f"{title}", "GET", path, headers=head, refused=False) for title, head in odd.items() for path in ("/", "/config")]
    giant = {
        "a giant header": {"X-Giant": "x" * 200_000},
        "a giant cookie": {"Cookie": "a=" + "x" * 200_000},
        "a browser of a strange name": {"User-Agent": "\x01"},
    }
    found += [Request(title, "GET", "/login_check", headers=head, refused=False) for title, head in giant.items()]
    found.append(
        Request("a thousand headers", "GET", "/login_check", headers={f"X-{number}": "x" for number in range(1000)}, refused=False)
    )
    foreign = {"Content-Type": "application/json", "Origin": f"https://{host}", "Sec-Fetch-Site": "cross-site"}
    found.append(Request("a foreign origin", "POST", "/gradio_api/queue/join", b'{"data":[],"fn_index":0}', foreign))
    found.append(
        Request("an origin of nothing", "POST", "/gradio_api/queue/join", b'{"data":[],"fn_index":0}', foreign | {"Origin": "null"})
    )
    return found


def requests(private: Path, heard: str) -> list[Request]:
    """All requests that no page makes."""
    return [*_joins(), *_routes(private, heard), *_servers(), *_heads()]
