"""What a stranger sends to a page that others can reach, and to one of one's own: refused or read, in words, at no cost to others.

Everything goes over the network to a studio in a process of its own, so that its memory, its folders and its life can be watched.
"""

import json
from collections import defaultdict
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest

from engines.core.weights import assets
from tests.hostile import calls
from tests.hostile.arrays import ARRAYS, SMALL, npy, row
from tests.hostile.calls import NAMES, Request, Targets
from tests.hostile.checkpoints import CHECKPOINTS
from tests.hostile.files import READ, REFUSED, File
from tests.hostile.masks import masks
from tests.hostile.pictures import PICTURES, always, png
from tests.hostile.visitor import Answer, Call, Studio, faults, free_port, is_sentence, overheard

pytestmark = pytest.mark.skipif(not Path("/proc/self/clear_refs").exists(), reason="memory is watched by way of Linux's /proc")

ASTRONAUT = File("photo", "photo.jpg", always(lambda: (assets() / "examples" / "astronaut.jpg").read_bytes()), READ)
DIRECTION = File("direction", "a.npy", always(lambda: npy(row(SMALL))), READ)
PHOTO = "choose_photo"
QUICK = 8.0
"""Seconds in which a heavy file is refused, on a busy machine."""

_RESULTS = dict[str, tuple[Answer, list[str]]]


@pytest.fixture(scope="module")
def studios(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Studio]]:
    """A public studio and a private one, starting at the same time."""
    made = {}
    try:
        for profile in ("public", "private"):
            made[profile] = Studio(profile, free_port(), tmp_path_factory.mktemp(profile))
        yield made
    finally:
        for studio in made.values():
            studio.stop()
        for studio in made.values():
            studio.ended()


@pytest.fixture(scope="module")
def studio(studios: dict[str, Studio]) -> Studio:
    """The public one, warm: what the first photo and the first direction load is loaded."""
    studio = studios["public"]
    studio.wait()
    for _ in range(2):
        assert [answer.succeeded for answer in served(studio)] == [True] * 7
    return studio


def served(studio: Studio) -> list[Answer]:
    """What an honest visitor gets: a face found, a direction read, and each quick endpoint's answer."""
    good = [Call(name, studio.event(name), values) for name, values in calls.GOOD.items()]
    files = studio.send_files([ASTRONAUT], studio.event(PHOTO)) + studio.send_files([DIRECTION], studio.event("read_1"))
    return files + studio.send_all(good)


def swept(studio: Studio, files: Sequence[File], event: str) -> _RESULTS:
    """Every file through an event: together where they are light, by itself where it is heavy."""
    studio.come_anew()
    number = studio.event(event)
    light, heavy = ([file for file in files if file.alone == alone] for alone in (False, True))
    results = list(zip(light, studio.attack(light, lambda some: studio.send_files(some, number)), strict=True))
    for file in heavy:
        results.append((file, studio.attack([file], lambda some: studio.send_files(some, number))[0]))
    assert studio.is_alive()
    return {file.title: result for file, result in results}


def judged(studio: Studio, file: File, results: _RESULTS) -> None:
    """Hold what came for a file against the rules."""
    answer, harm = results[file.title]
    found = harm + faults(studio, answer, "/tmp/climbed.npy")  # a name that an archive may say back
    if file.wanted != READ and answer.refused and answer.succeeded:
        found += [] if is_sentence(answer.words) else ["no sentence"]
    if file.wanted == REFUSED and not answer.refused:
        found.append(f"was read: {answer.words[:300]}")
    if file.wanted == READ and answer.refused:
        found.append(f"was refused: {answer.words[:300]}")
    if file.alone and answer.seconds > QUICK:
        found.append(f"took {answer.seconds:.0f} s")
    assert not found, found


def titles(file: File) -> str:
    return file.title


@pytest.fixture(scope="module")
def pictures(studio: Studio) -> _RESULTS:
    return swept(studio, PICTURES, PHOTO)


@pytest.mark.parametrize("file", PICTURES, ids=titles)
def test_a_picture_is_refused_or_read_in_words(studio: Studio, pictures: _RESULTS, file: File) -> None:
    judged(studio, file, pictures)


@pytest.fixture(scope="module")
def arrays(studio: Studio) -> _RESULTS:
    return swept(studio, ARRAYS, "read_1")


@pytest.mark.parametrize("file", ARRAYS, ids=titles)
def test_a_file_of_arrays_is_refused_or_read_in_words(studio: Studio, arrays: _RESULTS, file: File) -> None:
    judged(studio, file, arrays)


@pytest.fixture(scope="module")
def checkpoints(studios: dict[str, Studio]) -> _RESULTS:
    studios["private"].wait()
    return swept(studios["private"], CHECKPOINTS, "take")


@pytest.mark.parametrize("file", CHECKPOINTS, ids=titles)
def test_a_checkpoint_is_refused_or_read_in_words(studios: dict[str, Studio], checkpoints: _RESULTS, file: File) -> None:
    judged(studios["private"], file, checkpoints)


@pytest.fixture(scope="module")
def targets(studio: Studio, tmp_path_factory: pytest.TempPathFactory) -> Targets:
    return Targets.made(studio, tmp_path_factory.mktemp("elsewhere" * 8), png())  # a refusal says back less than this


FORMS = calls.forms("http://127.0.0.1:1/")


@pytest.mark.parametrize("form", FORMS)
def test_however_a_value_names_a_file_it_is_neither_read_nor_told_from_a_missing_one(studio: Studio, targets: Targets, form: str) -> None:
    """For every event and endpoint of the running page that takes files."""
    with overheard() as (address, heard):
        make = calls.forms(address)[form]
        indistinguishable(studio, {form: str(targets.private)}, lambda path: make(path))
        assert not heard


@pytest.mark.parametrize("shape", ["without meta", "with meta"])
def test_whatever_a_path_names_it_is_neither_read_nor_told_from_a_missing_one(studio: Studio, targets: Targets, shape: str) -> None:
    indistinguishable(studio, targets.paths, FORMS[shape])


def indistinguishable(studio: Studio, paths: dict[str, str], make: Any) -> None:
    """Fail where an event answers otherwise than for a file that is missing, or does not refuse."""
    events, missing = calls.takes_files(studio), str(Path(next(iter(paths.values()))).parent / calls.MISSING)
    asked = [(title, path, event) for event in events for title, path in [("missing", missing), *paths.items()]]
    sent = [calls.with_file(studio, event, f"event {event}: {title}", make(path)) for title, path, event in asked]
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


def reported(studio: Studio, sent: Sequence[Call], refused: bool = False) -> list[tuple[Call, Answer]]:
    """Send calls and fail where an answer breaks a rule; returns them with their answers."""
    results, found = studio.attack(sent, studio.send_all), []
    for call, (answer, harm) in zip(sent, results, strict=True):
        wrong = harm + faults(studio, answer, call.raw or json.dumps([call.values, call.more]))
        if len(answer.words) > 2000 and not answer.succeeded:
            wrong.append(f"a sentence of {len(answer.words)} letters")
        if refused and answer.succeeded and not answer.refused:
            wrong.append(f"was taken: {answer.words[:150]}")
        if wrong:
            found.append(f"{call.title}: {'; '.join(wrong)}")
    assert not found, f"{len(found)} of {len(sent)}:\n" + "\n".join(found)[:12_000]
    return [(call, answer) for call, (answer, _) in zip(sent, results, strict=True)]


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


def test_a_canvas_that_sends_anything_is_answered_in_words(studio: Studio) -> None:
    painted = {event for event, inputs in studio.inputs.items() if any(each["type"] == "html" for each in inputs)}
    assert painted
    light = {title: value for title, value in masks().items()}
    sent = [calls.with_file(studio, event, f"event {event}: {title}", value) for event in sorted(painted) for title, value in light.items()]
    reported(studio, sent)


def test_requests_that_no_page_makes_are_refused_and_name_nothing(studio: Studio, targets: Targets) -> None:
    with overheard() as (address, heard):
        asked(studio, calls.requests(targets.private, address), targets)
        assert not heard


def test_uploads_put_together_by_hand_are_refused_or_kept_among_the_uploads(studio: Studio, targets: Targets) -> None:
    asked(studio, calls.forms_of_uploads(), targets)


def asked(studio: Studio, requests: Sequence[Request], targets: Targets) -> None:
    """Send requests and fail where an answer breaks a rule or gives away what it must not."""

    def send(some: Sequence[Request]) -> list[Answer]:
        with ThreadPoolExecutor(4) as pool:
            return list(pool.map(lambda request: studio.ask(request.method, request.target, request.body, request.headers), some))

    private, found = targets.private.read_bytes().decode("utf-8", "replace")[:200], []
    for request, (answer, harm) in zip(requests, studio.attack(requests, send), strict=True):
        said = unquote(request.target) + request.body.decode("utf-8", "replace")
        wrong = harm + [fault for fault in faults(studio, answer, said) if not fault.startswith(("no sentence", "did not get there"))]
        if request.refused and not 400 <= answer.status < 500:
            wrong.append(f"status {answer.status}: {answer.words[:150]!r}")
        if "evil.example" in answer.body:
            wrong.append("says back the host that a header named")
        if "root:x:0" in answer.body or private in answer.body:
            wrong.append("gives a file away")
        if wrong:
            found.append(f"{request.title}: {'; '.join(wrong)}")
    assert not found, f"{len(found)} of {len(requests)}:\n" + "\n".join(found)[:12_000]


@pytest.mark.parametrize("title", NAMES)
def test_a_file_of_any_name_stays_among_the_uploads_and_is_read_as_what_it_is(studio: Studio, title: str) -> None:
    before = outside(studio)
    answer = studio.send_files([File("a name", NAMES[title], always(png), READ)], studio.event(PHOTO))[0]
    assert not faults(studio, answer)
    assert answer.succeeded or 400 <= answer.status < 500
    assert outside(studio) == before
    assert not studio.marked()


def outside(studio: Studio) -> set[Path]:
    """All files around a studio that are none of its uploads."""
    return {path for path in studio.home.parent.rglob("*") if studio.temporary not in path.parents}


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
