"""Pictures that a stranger sends to a page that others can reach, as photos, as what was painted and as uploads of odd names.

Everything goes over the network to a studio in a process of its own, so that its memory, its folders and its life can be watched.
"""

from pathlib import Path

import pytest

from tests.hostile.files import READ, File
from tests.hostile.masks import masks
from tests.hostile.naming import with_file
from tests.hostile.picture_files import always, png
from tests.hostile.pictures import PICTURES
from tests.hostile.rules import faults
from tests.hostile.sending import PHOTO, Results, judged, reported, served, swept, titles
from tests.hostile.uploads import NAMES
from tests.hostile.visitor import Studio

pytestmark = pytest.mark.skipif(not Path("/proc/self/clear_refs").exists(), reason="memory is watched by way of Linux's /proc")


@pytest.fixture(scope="module")
def pictures(studio: Studio) -> Results:
    return swept(studio, PICTURES, PHOTO)


@pytest.mark.parametrize("file", PICTURES, ids=titles)
def test_a_picture_is_refused_or_read_in_words(studio: Studio, pictures: Results, file: File) -> None:
    judged(studio, file, pictures)


def test_a_canvas_that_sends_anything_is_answered_in_words(studio: Studio) -> None:
    painted = {event for event, inputs in studio.inputs.items() if any(each["type"] == "html" for each in inputs)}
    assert painted
    light = {title: value for title, value in masks().items()}
    sent = [with_file(studio, event, f"event {event}: {title}", value) for event in sorted(painted) for title, value in light.items()]
    reported(studio, sent)


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


def test_afterwards_an_honest_visitor_is_served_as_before(studio: Studio) -> None:
    answers = served(studio)
    assert [answer.succeeded for answer in answers] == [True] * 7
    assert not any(answer.refused for answer in answers)
    assert not studio.marked()
