"""Values and requests that no page sends: names of files of the machine, values of wrong kinds, forged events, odd requests."""

import json
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.hostile.visitor import Call, Studio

META = {"_type": "gradio.FileData"}
FILES = ("image", "file", "uploadbutton", "gallery", "video", "audio", "imageslider", "imageeditor", "json", "html")
"""Components whose values may name a file."""

MISSING = "missing.png"


def nested(levels: int) -> Any:
    """Lists in lists."""
    value: Any = 1
    for _ in range(levels):
        value = [value]
    return value


@dataclass(frozen=True)
class Targets:
    """Things that a path may name, made for the test; none of them may be told from one that is missing.

    Attributes:
        private: A picture outside the upload folder.
        paths: All of them by what they are.
    """

    private: Path
    paths: dict[str, str]

    @classmethod
    def made(cls, studio: Studio, folder: Path, picture: bytes) -> "Targets":
        """Make them, in a folder and as links in the upload folder."""
        private, pipe, empty = folder / "private.png", folder / "pipe", folder / "empty.png"
        private.write_bytes(picture)
        empty.write_bytes(b"")
        os.mkfifo(pipe)
        links = {"file": private, "folder": folder, "pipe": pipe, "device": Path("/dev/zero"), "itself": studio.uploads / "to-itself"}
        for name, target in links.items():
            (studio.uploads / f"to-{name}").symlink_to(target)
        os.mkfifo(studio.uploads / "pipe.png")
        up = "/".join([".."] * 12)
        paths = {
            "private picture": str(private),
            "empty private picture": str(empty),
            "password file": "/etc/passwd",
            "endless device": "/dev/zero",
            "device of nothing": "/dev/null",
            "memory of the process": "/proc/self/mem",
            "words that the process was started with": "/proc/self/environ",
            "open file of the process": "/proc/self/fd/0",
            "pipe": str(pipe),
            "pipe among the uploads": str(studio.uploads / "pipe.png"),
            "folder": str(folder),
            "root": "/",
            "upload folder": str(studio.uploads),
            "link out": str(studio.uploads / "to-file"),
            "link to a folder and on": str(studio.uploads / "to-folder" / "private.png"),
            "link to a pipe": str(studio.uploads / "to-pipe"),
            "link to a device": str(studio.uploads / "to-device"),
            "link to itself": str(studio.uploads / "to-itself"),
            "steps up from the uploads": f"{studio.uploads}/../private/private.png",
            "many steps up": f"{up}{private}",
            "relative": os.path.relpath(private, studio.home),
            "user's folder": "~/.bashrc",
            "two slashes": f"//{private}",
            "address of a file": f"file://{private}",
            "name that ends in a zero": f"{private}\0.png",
            "name of a dot": ".",
            "nothing": "",
            "5000 letters": "/" + "a" * 5000,
            "10 000 steps": "/." * 10_000 + str(private),
            "line ends": f"{private}\r\n",
            "share of Windows": "\\\\127.0.0.1\\share\\x.png",
        }
        return cls(private, paths)


def forms(heard: str) -> dict[str, Callable[[str], Any]]:
    """Ways in which a value can name a file, each a function of the path; `heard` is an address that nobody may ask for."""
    return {
        "without meta": lambda path: {"path": path},
        "with meta": lambda path: {"path": path, "meta": META},
        "of a foreign type": lambda path: {"path": path, "meta": {"_type": "gradio.ImageData"}},
        "of a type that is a list": lambda path: {"path": path, "meta": {"_type": [META]}},
        "of no type": lambda path: {"path": path, "meta": {}},
        "with meta that is nothing": lambda path: {"path": path, "meta": None},
        "said to be a stream": lambda path: {"path": path, "meta": META, "is_stream": True},
        "said to be an address of this page": lambda path: {"path": path, "url": f"/gradio_api/file={path}", "meta": META},
        "with an address of a file": lambda path: {"path": path, "url": f"file://{path}", "meta": META},
        "with an address of this machine": lambda path: {"path": path, "url": heard, "meta": META},
        "as an address of this machine alone": lambda _: {"url": heard, "meta": META},
        "as an address of this machine for a path": lambda _: {"path": heard, "meta": META},
        "as an address of a file alone": lambda path: {"url": f"file://{path}"},
        "as an address of this page alone": lambda path: {"url": f"/gradio_api/file={path}", "meta": META},
        "in a list": lambda path: [{"path": path, "meta": META}],
        "in lists": lambda path: [[{"path": path}]],
        "in a mapping": lambda path: {"image": {"path": path, "meta": META}, "caption": None},
        "as a video": lambda path: {"video": {"path": path, "meta": META}, "subtitles": {"path": path}},
        "as an editor's picture": lambda path: {"background": {"path": path}, "layers": [{"path": path}], "composite": {"path": path}},
        "as text": lambda path: path,
        "as a list of text": lambda path: [path],
        "as a path that is a list": lambda path: {"path": [path], "meta": META},
        "as a path that is a mapping": lambda path: {"path": {"path": path}, "meta": META},
        "with a name for the copy": lambda path: {"path": path, "orig_name": "../../climbed.png", "meta": META},
        "in base64": lambda path: {"path": None, "data": path, "name": path, "is_file": True},
        "as a file of old": lambda path: {"name": path, "is_file": True, "data": None},
        "as an encoded picture that names it": lambda path: {"url": f"data:image/svg+xml,<svg><image href='file://{path}'/></svg>"},
    }


def takes_files(studio: Studio, kinds: tuple[str, ...] = FILES) -> list[int]:
    """Events and endpoints of the running page with an input that may name a file."""
    return [number for number, inputs in studio.inputs.items() if any(each["type"] in kinds for each in inputs)]


def usual(component: dict[str, Any]) -> Any:
    """A value that a component would send by itself."""
    value = component["props"].get("value")
    return {} if component["type"] == "json" and value is None else value


def with_file(studio: Studio, event: int, title: str, value: Any) -> Call:
    """A call whose inputs for files all have one value, and whose others are as the page has them."""
    return Call(title, event, [value if each["type"] in FILES else usual(each) for each in studio.inputs[event]])


GOOD: dict[str, list[Any]] = {
    "random_face": [3, 0.7],
    "list_directions": ["sefa/coarse"],
    "edit_face": [3, 0.7, {}],
    "mix_faces": [7, 12, "left half", None, {}],
    "sample_finegan": [{"child": 1, "seed": 2}],
}
"""Calls that are answered quickly, by endpoint."""

STARTS: dict[str, list[Any]] = GOOD | {
    "align": [None],
    "align_face": [None, {}],
    "invert": [None, "projector", {"steps": 1, "quick_steps": 1}],
    "mix_photos": [None, None, "mouth", None, {"use": "inpaint", "steps": 1, "quick_steps": 1, "noise_steps": 1}],
    "find_finegan_codes": [None, {"poses": 1, "kept": 1, "steps": 1}],
    "engines": [],
}
"""The same with those that want a photo, which comes to nothing here."""

RAW = "@@raw@@"
_NO_NUMBER: dict[str, Any] = {
    "text": "x",
    "text of a number": "1",
    "list": [1],
    "mapping": {"value": 1},
    "yes": True,
    "lists in lists": nested(30),
    "long text": "9" * 50_000,
}
_RAW_NUMBER = {
    "no number": "NaN",
    "infinity": "Infinity",
    "less than all": "-Infinity",
    "10^400": "1e400",
    "number of 5000 digits": "9" * 5000,
}
WRONG: dict[str, dict[str, Any]] = {
    "number": _NO_NUMBER | {"nothing": None, "a negative number": -1, "a billion billion": 10**18, "number of 300 digits": 10**299},
    "textbox": {
        "nothing": None,
        "number": 5,
        "list": ["x"],
        "mapping": {"x": 1},
        "yes": True,
        "lists in lists": nested(30),
        "long text": "x" * 50_000,
        "markup": "<img src=x onerror=alert(1)>",
        "path": "../../../etc/passwd",
        "zeros and line ends": "a\0b\r\n\x1b[31m\u202e",
    },
    "json": {
        "text": "x",
        "number": 5,
        "list": [1],
        "yes": True,
        "list of nothing": [],
        "an unknown name": {"no_such_setting_at_all": 1},
        "1000 unknown names": {f"name{number}": 1 for number in range(1000)},
        "a long name": {"x" * 50_000: 1},
        "a name of markup": {"<img src=x onerror=alert(1)>": 1},
        "lists in lists": {"seed": nested(30)},
        "lists too deep": nested(300),
    },
    "image": {
        "text": "x",
        "number": 5,
        "list": [1],
        "mapping": {},
        "yes": True,
        "lists in lists": nested(30),
        "mapping of nothing": {"path": None},
    },
}
"""Values of wrong kinds by the component that an endpoint takes them from."""


def wrong_kinds(studio: Studio) -> Iterator[tuple[str, str, str, Call]]:
    """For each input of each public endpoint and each wrong value: endpoint, field, what is wrong, and the call."""
    public = {event["api_name"]: event["id"] for event in studio.config["dependencies"] if event["api_visibility"] == "public"}
    assert set(public) == set(STARTS), f"give these endpoints a call in STARTS: {set(public) ^ set(STARTS)}"
    named = studio.client.get("gradio_api/info").json()["named_endpoints"]
    for endpoint, number in public.items():
        fields = [parameter["parameter_name"] for parameter in named[f"/{endpoint}"]["parameters"]]
        for place, (component, name) in enumerate(zip(studio.inputs[number], fields, strict=True)):
            for title, value in WRONG[component["type"]].items():
                values = [*STARTS[endpoint][:place], value, *STARTS[endpoint][place + 1 :]]
                yield endpoint, name, title, Call(f"{endpoint}: {name} is {title}", number, values)
            for title, text in _RAW_NUMBER.items() if component["type"] in ("number", "json") else ():
                values = [*STARTS[endpoint][:place], RAW, *STARTS[endpoint][place + 1 :]]
                yield endpoint, name, title, _raw(f"{endpoint}: {name} is {title}", number, values, text)


def _raw(title: str, event: Any, values: list[Any], text: str) -> Call:
    body = json.dumps({"data": values, "fn_index": event, "session_hash": "SESSION"}).replace(f'"{RAW}"', text)
    return Call(title, event, values, raw=body)


SETTINGS: dict[str, dict[str, Any]] = {
    "invert": {"steps": ["x", None, [1], {}, True, 0, -1, 10**9, 0.5, 1e300]},
    "edit_face": {"interfacegan/warmth": ["x", None, [1], {}, True, 10**9, 1e300], "nobody/x": [1], "../../etc/passwd": [1], "": [1]},
    "mix_faces": {
        "strength": ["x", None, [1], True, 10**9],
        "edge": ["x", None, [1], -1, 10**9],
        "layers": [5, None, [1], {}, "<b>", "x" * 50_000],
        "carry": [5, None, [1], {}, "x"],
        "right": ["x", None, 10**9],
        "down": [[1], 1e300],
        "truncation": ["x", None, 2, -1],
    },
    "sample_finegan": {
        "child": ["x", None, [1], {}, True, -1, 10**9, 0.5],
        "parent": [-1, "x", None],
        "background": [-1, [1], 10**9],
        "seed": [-1, "x", 2**40, None],
        "shifts": ["x", 5, None, [None], ["x"], [1] * 1000, [[1]], [1e300], {}],
    },
    "mix_photos": {"use": ["x", 5, None, []], "steps": ["x", 0, None], "right": ["x"]},
    "find_finegan_codes": {"steps": ["x", 0, None, 10**9], "poses": [[1], -1]},
}
"""Wrong values of single settings by endpoint and name."""


def wrong_settings(studio: Studio) -> list[Call]:
    """Every wrong setting, also those that JSON has no word for, one at a time."""
    found = []
    for endpoint, settings in SETTINGS.items():
        number, place = studio.event(endpoint), len(STARTS[endpoint]) - 1
        for name, values in settings.items():
            for value in values:
                given = [*STARTS[endpoint][:place], {name: value}]
                found.append(Call(f"{endpoint}: {name[:40]} is {str(value)[:40]!r}", number, given))
            for title, text in _RAW_NUMBER.items():
                given = [*STARTS[endpoint][:place], {name: RAW}]
                found.append(_raw(f"{endpoint}: {name[:40]} is {title}", number, given, text))
    return found


def wrong_counts(studio: Studio) -> list[Call]:
    """Too few and too many values, and no list of them at all."""
    found = []
    for endpoint, values in STARTS.items():
        number = studio.event(endpoint)
        odd: dict[str, Any] = {
            "one value more": [*values, 1],
            "a thousand values more": [*values, *[1] * 1000],
            "text for values": "x",
            "a number for values": 5,
            "a mapping for values": {"0": 1},
            "values that are nothing": None,
        }
        odd |= {"no values": [], "one value fewer": values[:-1]} if values else {}
        found += [Call(f"{endpoint}: {title}", number, given) for title, given in odd.items()]
    return found


_ODD: dict[str, list[Any]] = {
    "slider": [1e9, "x", None, [1], True, -(10**18)],
    "number": [1e18, "x", {"value": 1}, [1], True],
    "radio": ["no such choice", 5.5, ["x"], {"x": 1}, True],
    "dropdown": ["no such choice", 5.5, [["x"]], {"x": 1}, "<img src=x onerror=alert(1)>"],
    "checkbox": ["x", None, [True], 7, {}],
    "checkboxgroup": ["x", ["no such choice"], 5, {"x": 1}, [None]],
    "textbox": [5, ["x"], {"x": 1}, "x" * 50_000, "\0<script>alert(1)</script>"],
    "html": [5, ["x"], {"x": 1}, "data:text/html,<script>alert(1)</script>", "x" * 50_000],
    "json": ["x", [1], nested(100), {"answers": {"-1": 1}}, {"answers": "x"}],
    "image": ["x", 5, {"path": None}, [], {"x": 1}],
    "file": ["x", 5, {"path": None}, [], {"x": 1}],
    "uploadbutton": ["x", 5, {"path": None}, [], {"x": 1}],
    "dataset": [-1, 10**9, "x", [1], {"x": 1}],
    "state": ["x", 5, None, {"path": "/etc/passwd"}, [1]],
}
"""Odd values by component: what a page's own events may be sent."""


def odd_values(studio: Studio) -> list[Call]:
    """Every event of the page that takes more than what the server remembers, with odd values for all, other ones in turn."""
    found = []
    for number, inputs in studio.inputs.items():
        if {each["type"] for each in inputs} - {"state"}:
            values = [_ODD.get(each["type"], _ODD["state"])[number % 5] for each in inputs]
            found.append(Call(f"event {number} with {str(values)[:80]}", number, values))
    return found


EVENT_DATA: dict[str, Any] = {
    "nothing": None,
    "empty": {},
    "list": [1],
    "text": "x",
    "an index below 0": {"index": -1, "value": None},
    "an index of a billion": {"index": 10**9, "value": None},
    "an index that is text": {"index": "0", "value": "x"},
    "an index that is nothing": {"index": None, "value": None},
    "an index of three": {"index": [1, 2, 3], "value": {}},
    "an index that is a mapping": {"index": {"x": 1}, "value": []},
    "an index of a half": {"index": 0.5, "value": 0.5},
    "an index that is true": {"index": True, "value": True},
    "a value that names a file": {"index": 0, "value": {"image": {"path": "/etc/passwd", "meta": META}}},
    "names of Python": {"__class__": 1, "_data": {}, "target": 1, "index": 0},
    "a place beyond": {"x": 1e9, "y": -1e9, "i": 10**9, "index": 0},
    "a place that is text": {"x": "a", "y": None, "i": [1], "index": 0},
    "lists in lists": {"index": nested(100)},
}
"""What an event may bring with it beside its values."""


def forged_events(studio: Studio) -> list[Call]:
    """Choices and drags that nobody made, for every event that tells where it happened."""
    found = []
    usually = ("click", "change", "input", "release", "load", "then", "success", "failure", "submit", "blur", "tick", "upload")
    for event in (each for each in studio.config["dependencies"] if each["backend_fn"]):
        happens = [name for _, name in event["targets"]]
        if any(name not in usually for name in happens):
            values = [usual(each) for each in studio.inputs[event["id"]]]
            for title, data in EVENT_DATA.items():
                found.append(Call(f"event {event['id']} ({happens[0]}) with {title}", event["id"], values, {"event_data": data}))
    return found


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


NAMES = {
    "traversal": "../../../climbed.png",
    "traversal of Windows": "..\\..\\climbed.png",
    "encoded traversal": "..%2f..%2fclimbed.png",
    "a path": "/tmp/climbed.png",
    "a zero": "a\0b.png",
    "300 letters": "x" * 300 + ".png",
    "5000 letters": "x" * 5000 + ".png",
    "from right to left": "photo\u202egnp.exe",
    "markup": "<img src=x onerror=alert(1)>.png",
    "line ends": "a\r\nX-Set: 1\r\n.png",
    "quotes": 'a"; filename="b.png',
    "nothing": "",
    "a dot": ".",
    "two dots": "..",
    "blanks": "   ",
    "a device of Windows": "CON",
    "a stream of Windows": "a.png:hidden",
    "letters of all kinds": "фото-照片-🙂.png",
    "a command": "$(touch climbed).png",
    "a flag": "-rf",
    "a hidden file": ".bashrc",
    "a program": "run.py",
}
"""Names of uploads by what is wrong with them."""


def _form(*parts: bytes, boundary: str = "edge") -> bytes:
    return b"".join(b"--" + boundary.encode() + b"\r\n" + part + b"\r\n" for part in parts) + b"--" + boundary.encode() + b"--\r\n"


def forms_of_uploads() -> list[Request]:
    """Uploads put together by hand."""
    kind = {"Content-Type": "multipart/form-data; boundary=edge"}
    part = b'Content-Disposition: form-data; name="files"; filename="a.png"\r\nContent-Type: image/png\r\n\r\nx'
    field_only = b'Content-Disposition: form-data; name="files"\r\n\r\nx'
    upload, wide = "/gradio_api/upload", b"x" * 200_000
    odd: dict[str, tuple[dict[str, str], bytes, bool]] = {
        "no parts": (kind, _form(), False),
        "no bytes": (kind, b"", False),
        "no boundary": ({"Content-Type": "multipart/form-data"}, _form(part), True),
        "another boundary": ({"Content-Type": "multipart/form-data; boundary=other"}, _form(part), False),
        "a boundary of 100 000 letters": ({"Content-Type": "multipart/form-data; boundary=" + "x" * 20_000}, _form(part), False),
        "no end": (kind, _form(part)[:-8], False),
        "cut in a head": (kind, _form(part)[:40], False),
        "a field and no file": (kind, _form(field_only), False),
        "no name": (kind, _form(b"Content-Disposition: form-data\r\n\r\nx"), False),
        "no head": (kind, _form(b"\r\nx"), False),
        "a head of 200 000 letters": (kind, _form(b"X-Wide: " + wide + b"\r\n" + part), False),
        "a field's name of 200 000 letters": (kind, _form(part.replace(b"files", wide)), False),
        "2000 heads": (kind, _form(b"X-More: 1\r\n" * 2000 + part), False),
        "2000 fields": (kind, _form(*[field_only] * 2000), False),
        "1500 files": (kind, _form(*[part] * 1500), False),
        "a form within": (
            kind,
            _form(part.replace(b"image/png", b"multipart/mixed; boundary=inner") + _form(part, boundary="inner")),
            False,
        ),
        "a name by RFC 5987": (kind, _form(part.replace(b'filename="a.png"', b"filename*=UTF-8''..%2f..%2fclimbed.png")), False),
        "two names": (kind, _form(part.replace(b'"a.png"', b'"a.png"; filename="../../climbed.png"')), False),
        "letters that are none": (kind, _form(part.replace(b"a.png", b"\xff\xfe.png")), False),
        "JSON": ({"Content-Type": "application/json"}, b'{"files": ["/etc/passwd"]}', True),
        "a file over the limit": (kind, _form(part + bytes(33 * 2**20)), True),
    }
    found = [Request(f"upload of {title}", "POST", upload, body, head, refused) for title, (head, body, refused) in odd.items()]
    ids = ["../../x", "%00", "x" * 5000, "<script>", "", "a%0d%0aSet-Cookie:%20a=1"]
    return found + [Request(f"upload named {name[:20]}", "POST", f"{upload}?upload_id={name}", _form(part), kind, False) for name in ids]
