"""Sending a corpus to a studio, and holding what came back against the rules."""

import json
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import unquote

from engines.core.weights import assets
from tests.hostile import calls
from tests.hostile.answers import Answer, Call
from tests.hostile.array_files import SMALL, npy, row
from tests.hostile.files import READ, REFUSED, File
from tests.hostile.naming import Targets
from tests.hostile.picture_files import always
from tests.hostile.requests import Request
from tests.hostile.rules import faults, is_sentence
from tests.hostile.visitor import Studio

ASTRONAUT = File("photo", "photo.jpg", always(lambda: (assets() / "examples" / "astronaut.jpg").read_bytes()), READ)
DIRECTION = File("direction", "a.npy", always(lambda: npy(row(SMALL))), READ)
PHOTO = "choose_photo"
QUICK = 8.0
"""Seconds in which a heavy file is refused, on a busy machine."""

Results = dict[str, tuple[Answer, list[str]]]


def served(studio: Studio) -> list[Answer]:
    """What an honest visitor gets: a face found, a direction read, and each quick endpoint's answer."""
    good = [Call(name, studio.event(name), values) for name, values in calls.GOOD.items()]
    files = studio.send_files([ASTRONAUT], studio.event(PHOTO)) + studio.send_files([DIRECTION], studio.event("read_1"))
    return files + studio.send_all(good)


def swept(studio: Studio, files: Sequence[File], event: str) -> Results:
    """Every file through an event: together where they are light, by itself where it is heavy."""
    studio.come_anew()
    number = studio.event(event)
    light, heavy = ([file for file in files if file.alone == alone] for alone in (False, True))
    results = list(zip(light, studio.attack(light, lambda some: studio.send_files(some, number)), strict=True))
    for file in heavy:
        results.append((file, studio.attack([file], lambda some: studio.send_files(some, number))[0]))
    assert studio.is_alive()
    return {file.title: result for file, result in results}


def judged(studio: Studio, file: File, results: Results) -> None:
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
