"""Files of arrays, checkpoints, values and requests that a stranger sends: refused or read, in words, at no cost to others.

As in `test_pictures`, to a studio in a process of its own.
"""

import json
from collections import defaultdict
from pathlib import Path
from typing import Any

import pytest

from engines.core.weights import assets
from tests.hostile import calls, naming
from tests.hostile.answers import Call
from tests.hostile.arrays import ARRAYS
from tests.hostile.checkpoints import CHECKPOINTS
from tests.hostile.files import File
from tests.hostile.listening import overheard
from tests.hostile.naming import Targets
from tests.hostile.picture_files import png
from tests.hostile.requests import requests
from tests.hostile.rules import faults
from tests.hostile.sending import Results, asked, judged, reported, served, swept, titles
from tests.hostile.uploads import forms_of_uploads
from tests.hostile.visitor import Studio

pytestmark = [
    pytest.mark.skipif(not Path("/proc/self/clear_refs").exists(), reason="memory is watched by way of Linux's /proc"),
    pytest.mark.usefixtures("private"),  # it starts while the public one does
]


@pytest.fixture(scope="module")
def arrays(studio: Studio) -> Results:
    return swept(studio, ARRAYS, "read_1")


@pytest.mark.parametrize("file", ARRAYS, ids=titles)
def test_a_file_of_arrays_is_refused_or_read_in_words(studio: Studio, arrays: Results, file: File) -> None:
    judged(studio, file, arrays)


@pytest.fixture(scope="module")
def checkpoints(private: Studio) -> Results:
    private.wait()
    return swept(private, CHECKPOINTS, "take")


@pytest.mark.parametrize("file", CHECKPOINTS, ids=titles)
def test_a_checkpoint_is_refused_or_read_in_words(private: Studio, checkpoints: Results, file: File) -> None:
    judged(private, file, checkpoints)


@pytest.fixture(scope="module")
def targets(studio: Studio, tmp_path_factory: pytest.TempPathFactory) -> Targets:
    return Targets.made(studio, tmp_path_factory.mktemp("elsewhere" * 8), png())  # a refusal says back less than this


FORMS = naming.forms("http://127.0.0.1:1/")


@pytest.mark.parametrize("form", FORMS)
def test_however_a_value_names_a_file_it_is_neither_read_nor_told_from_a_missing_one(studio: Studio, targets: Targets, form: str) -> None:
    """For every event and endpoint of the running page that takes files."""
    with overheard() as (address, heard):
        make = naming.forms(address)[form]
        indistinguishable(studio, {form: str(targets.private)}, lambda path: make(path))
        assert not heard


@pytest.mark.parametrize("shape", ["without meta", "with meta"])
def test_whatever_a_path_names_it_is_neither_read_nor_told_from_a_missing_one(studio: Studio, targets: Targets, shape: str) -> None:
    indistinguishable(studio, targets.paths, FORMS[shape])


def indistinguishable(studio: Studio, paths: dict[str, str], make: Any) -> None:
    """Fail where an event answers otherwise than for a file that is missing, or does not refuse."""
    events, missing = naming.takes_files(studio), str(Path(next(iter(paths.values()))).parent / naming.MISSING)
    asked = [(title, path, event) for event in events for title, path in [("missing", missing), *paths.items()]]
    sent = [naming.with_file(studio, event, f"event {event}: {title}", make(path)) for title, path, event in asked]
    results = studio.attack(sent, studio.send_all)
    found, words = defaultdict(list), dict[int, str]()
    for (title, path, event), call, (answer, harm) in zip(asked, sent, results, strict=True):
        wrong = harm + faults(studio, answer, f"{path} {missing}")
        said = "taken as no file" if answer.succeeded and not answer.refused else plain(answer.words, path)
        words.setdefault(event, said)
        if said != words[event]:
            wrong.append(f"{said[:150]!r} rather than {words[event][:150]!r}")
        if answer.status == 200 and not answer.refused and names_a_file(call):
            wrong.append(f"was not refused: {answer.words[:150]}")
        if wrong:
            found[title].append((event, wrong))
    assert not found, json.dumps(found, indent=1)[:6000]


def plain(words: str, path: str) -> str:
    """An answer without what the request itself said."""
    return words.replace(json.dumps(path)[1:-1], "…").replace(path, "…") if len(path) > 3 else words


def names_a_file(call: Call) -> bool:
    """Whether a value is one that could only mean a file: text in a text box does not."""
    named = [value for value in call.values if isinstance(value, dict) and ("path" in value or "url" in value)]
    return any(not str(value.get("url")).startswith("data:") for value in named)


ONLY_WRONG_VALUES = {
    "a negative number",
    "a billion billion",
    "number of 300 digits",
    "long text",
    "markup",
    "path",
    "zeros and line ends",
    "an unknown name",
    "1000 unknown names",
    "a long name",
    "a name of markup",
    "lists in lists",
    "number of 5000 digits",
}
"""Values of the right kind, whose refusal may name a setting or list the choices instead of the field."""


def test_a_value_of_a_wrong_kind_is_refused_with_the_name_of_its_field(studio: Studio) -> None:
    """For every input of every public endpoint."""
    sent = list(calls.wrong_kinds(studio))
    optional = {("mix_faces", "painted"), ("mix_faces", "settings"), ("edit_face", "settings")}
    answers = reported(studio, [call for *_, call in sent])
    found = []
    for (endpoint, name, title, _), (call, answer) in zip(sent, answers, strict=True):
        nothing = title in ("nothing", "mapping of nothing", "mapping") and (endpoint, name) in optional
        if answer.succeeded and not nothing:
            found.append(f"{call.title}: was taken")
        elif not answer.succeeded and title not in ONLY_WRONG_VALUES and answer.status == 200 and name not in answer.words:
            found.append(f"{call.title}: does not name {name!r}: {answer.words[:200]}")
    assert not found, f"{len(found)} of {len(sent)}:\n" + "\n".join(found)[:12_000]


def test_a_wrong_setting_is_refused_in_words(studio: Studio) -> None:
    reported(studio, calls.wrong_settings(studio), refused=True)


def test_too_few_and_too_many_values_are_refused_in_words(studio: Studio) -> None:
    reported(studio, calls.wrong_counts(studio), refused=True)


def test_every_event_of_the_page_answers_odd_values_in_words(studio: Studio) -> None:
    reported(studio, calls.odd_values(studio))


def test_choices_and_drags_that_nobody_made_are_answered_in_words(studio: Studio) -> None:
    reported(studio, calls.forged_events(studio))


def test_requests_that_no_page_makes_are_refused_and_name_nothing(studio: Studio, targets: Targets) -> None:
    with overheard() as (address, heard):
        asked(studio, requests(targets.private, address), targets)
        assert not heard


def test_uploads_put_together_by_hand_are_refused_or_kept_among_the_uploads(studio: Studio, targets: Targets) -> None:
    asked(studio, forms_of_uploads(), targets)


@pytest.mark.parametrize("path", ["", "config", "gradio_api/info", "gradio_api/openapi.json", "theme.css"])
def test_what_everybody_may_read_names_no_place_of_the_machine(studio: Studio, path: str) -> None:
    answer = studio.ask("GET", f"/{path}")
    assert answer.status == 200
    assert str(assets()) not in answer.body
    assert str(studio.home) not in answer.body
    assert f"{Path.home()}/" not in answer.body


def test_afterwards_an_honest_visitor_is_served_as_before(studio: Studio) -> None:
    answers = served(studio)
    assert [answer.succeeded for answer in answers] == [True] * 7
    assert not any(answer.refused for answer in answers)
    assert not studio.marked()
