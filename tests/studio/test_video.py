import io

import av
import pytest
from PIL import Image as Pil

from engines.core.errors import StudioError
from studio.media.video import Film, gif, mp4, mp4_recipe


def frames(count: int, size: tuple[int, int] = (64, 64)) -> list[Pil.Image]:
    return [Pil.new("RGB", size, (250 * index // count, 80, 120)) for index in range(count)]


@pytest.mark.parametrize(("size", "even"), [((64, 64), (64, 64)), ((65, 33), (64, 32))])
def test_an_mp4_is_h264_of_even_size_with_every_frame(size: tuple[int, int], even: tuple[int, int]) -> None:
    with av.open(io.BytesIO(mp4(frames(12, size), 24))) as film:
        stream = film.streams.video[0]
        assert (stream.codec_context.name, stream.pix_fmt) == ("h264", "yuv420p")
        assert (stream.width, stream.height) == even
        assert float(stream.duration * stream.time_base) == pytest.approx(0.5, abs=0.01)
        shown = [frame.to_image().getpixel((10, 10)) for frame in film.decode(stream)]
    assert len(shown) == 12
    assert all(abs(red - 250 * index // 12) < 16 for index, (red, _, _) in enumerate(shown))


def test_a_film_ends_once_and_drops_what_comes_later() -> None:
    film = Film(25, side=32)
    for frame in frames(3):
        film.add(frame)
    data = film.mp4()
    film.add(frames(1)[0])
    assert film.count == 3 and film.mp4() == data
    assert Pil.open(io.BytesIO(film.gif())).n_frames == 3


def test_a_gif_loops_within_its_side() -> None:
    picture = Pil.open(io.BytesIO(gif(frames(7, (128, 96)), 20, 64)))
    assert picture.n_frames == 7 and picture.size == (64, 48)
    assert picture.info["loop"] == 0 and picture.info["duration"] == 50
    picture.seek(6)
    assert picture.convert("RGB").getpixel((5, 5))[0] > 150


def test_no_frames_are_a_sentence() -> None:
    for make in (lambda: mp4([], 24), lambda: gif([], 24, 64), Film(24).gif):
        with pytest.raises(StudioError, match="no frames"):
            make()


RECIPE = '{"studio": 1, "kind": "edit", "say": "ü, \u5b57"}'


def told(recipe: str) -> bytes:
    film = Film(24, recipe=recipe)
    for frame in frames(3):
        film.add(frame)
    return film.mp4()


@pytest.mark.parametrize("recipe", ["", RECIPE, "x" * 60_000])
def test_an_mp4_carries_its_recipe_and_players_can_read_it(recipe: str) -> None:
    data = told(recipe)
    assert mp4_recipe(data) == recipe
    with av.open(io.BytesIO(data)) as film:
        assert film.metadata.get("description", "") == recipe
        assert "generative model" in film.metadata["comment"]


def test_what_is_no_film_is_told_and_a_damaged_one_tells_nothing() -> None:
    with pytest.raises(StudioError, match="no MP4"):
        mp4_recipe(b"\x89PNG\r\n\x1a\n")
    data = told(RECIPE)
    for cut in range(8, len(data), 97):
        assert mp4_recipe(data[:cut]) in ("", RECIPE)
        spoilt = bytearray(data)
        spoilt[cut : cut + 4] = b"\xff\xff\xff\xff"
        assert isinstance(mp4_recipe(bytes(spoilt)), str)


def test_a_film_of_half_a_million_empty_boxes_tells_nothing() -> None:
    for box in (b"\0\0\0\x08free", b"\0\0\0\0free", b"\0\0\0\x01free" + b"\0" * 8, b"\0\0\0\x02free"):
        assert mp4_recipe(b"\0\0\0\x08ftyp" + box * 500_000) == ""
