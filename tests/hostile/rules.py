"""The rules that every answer is held against, whatever was sent."""

import re
from collections.abc import Iterable

from tests.hostile.answers import Answer
from tests.hostile.visitor import Studio

_PATHS = re.compile(r"/(?:etc|home|proc|root|tmp|usr|var|opt|dev|work|srv|mnt|private|Users)/[^\s\"'<>\\]*")


def leaks(studio: Studio, text: str, sent: Iterable[str] = ()) -> list[str]:
    """Paths of the machine that an answer names, those aside that its own request named."""
    found = [path.rstrip(".,;:)") for path in _PATHS.findall(studio.without_own_folder(text.replace("\\/", "/")))]
    known = " ".join(sent)
    return [path for path in found if path not in known]


def faults(studio: Studio, answer: Answer, sent: str = "") -> list[str]:
    """The rules that an answer breaks, whatever was sent."""
    found = []
    if answer.status == 0:
        return ["no answer came"]
    if answer.status >= 500:
        found.append(f"status {answer.status}: {answer.words[:200]}")
    if not answer.succeeded and not is_sentence(answer.words):
        found.append(f"no sentence: {answer.status} {answer.words[:200]!r}")
    if "belongs to another browser" in answer.words or "There is no function" in answer.words:
        found.append(f"did not get there: {answer.words}")
    if "Something went wrong" in answer.words:
        found.append("an error that nobody foresaw")
    if named := leaks(studio, answer.body, [sent]):
        found.append(f"names {named[:3]}")
    if "Traceback" in answer.body:
        found.append("shows a traceback")
    return found


def is_sentence(words: str) -> bool:
    """Whether something is said that a person can read: several words, no name of a class, no bare error."""
    return len(re.findall(r"[A-Za-z]{2,}", words)) >= 3 and not re.match(r"\w*(Error|Exception)\b", words)
