"""Values that no page sends: of wrong kinds, too many, odd ones, and forged events."""

import json
from collections.abc import Iterator
from typing import Any

from tests.hostile.answers import Call
from tests.hostile.naming import META, usual
from tests.hostile.visitor import Studio


def nested(levels: int) -> Any:
    """Lists in lists."""
    value: Any = 1
    for _ in range(levels):
        value = [value]
    return value


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
