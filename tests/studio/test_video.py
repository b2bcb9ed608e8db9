import io

import av
import pytest
from PIL import Image as Pil

from engines.core.errors import StudioError
from studio.media.video import Film, gif, mp4


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
