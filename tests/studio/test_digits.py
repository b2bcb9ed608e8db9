import io
import json

import numpy as np
import pytest
from PIL import Image as Pil

from engines.core.errors import StudioError
from engines.generators.infogan import InfoCodes
from studio.settings import Settings
from studio.state.session import Session
from studio.tabs.hierarchy.infogan import DigitLesson, codes_file, drawing, handful, held, pictures, read_codes


@pytest.fixture(scope="module")
def lesson() -> DigitLesson:
    return DigitLesson(Session(Settings(generator="toy")))


def layer(ink: bool) -> bytes:
    values = np.zeros((280, 280, 4), np.uint8)
    if ink:
        values[60:220, 130:150] = (16, 16, 16, 255)
    buffer = io.BytesIO()
    Pil.fromarray(values).save(buffer, "PNG")
    return buffer.getvalue()


def test_both_networks_lay_out_the_same_codes(lesson: DigitLesson) -> None:
    ours, theirs = (lesson.laid(InfoCodes(2, (0.5, 0.0), 4), "category", plain) for plain in (False, True))
    assert ours.codes == theirs.codes and ours.codes[2][0] == InfoCodes(2, (0.5, 0.0), 4)
    assert ours.picture.size == theirs.picture.size
    assert ours.picture.tobytes() != theirs.picture.tobytes()


def test_a_code_that_is_none_is_refused(lesson: DigitLesson) -> None:
    with pytest.raises(StudioError, match="Choose one of category, first, second"):
        lesson.laid(InfoCodes(0), "nothing", False)


@pytest.mark.parametrize("value", [2.5, -2.01, float("nan")])
def test_continuous_codes_stay_in_reach(value: float) -> None:
    with pytest.raises(StudioError, match="from -2 to 2"):
        held(InfoCodes(0), continuous=(0.0, value))


def test_a_handful_holds_each_digit_as_often_and_the_next_holds_others() -> None:
    first, second = handful(0), handful(1)
    assert first.labels.tolist() == [digit for digit in range(10) for _ in range(2)] == second.labels.tolist()
    assert first.bytes.ne(second.bytes).flatten(1).any(dim=1).all()
    assert handful(10).bytes.equal(first.bytes)
    assert pictures(first)[0].size == (28, 28)


def test_a_drawing_is_read_and_an_empty_one_asked_for(lesson: DigitLesson) -> None:
    result = lesson.read(drawing([layer(True)]), 0, centre=True)
    assert float(result.stages["read"].max()) > 0.5
    for layers in ([], [layer(False)]):
        with pytest.raises(StudioError, match="Nothing is drawn yet"):
            drawing(layers)


def test_codes_are_read_back_from_their_file() -> None:
    codes = InfoCodes(3, (0.5, -1.0), 9)
    found = json.loads(codes_file(codes))
    assert InfoCodes(found["category"], tuple(found["continuous"]), found["seed"]) == codes


def test_saved_codes_come_back() -> None:
    codes = InfoCodes(7, (0.25, -1.5), 42)
    assert read_codes(codes_file(codes), 10) == codes


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"[" * 90_000,
        b"[1]",
        b"{}",
        b'{"category": 10, "continuous": [0, 0]}',
        b'{"category": NaN, "continuous": [0, 0]}',
        b'{"category": 1, "continuous": [0]}',
        b'{"category": 1, "continuous": [0, NaN]}',
        b'{"category": 1, "continuous": [0, "x"]}',
        b'{"category": 1, "continuous": [0, 0], "seed": -1}',
        b" " * 200_000,
    ],
)
def test_a_file_that_holds_no_codes_is_refused_in_a_sentence(data: bytes) -> None:
    with pytest.raises(StudioError):
        read_codes(data, 10)
