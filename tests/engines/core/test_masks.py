"""The same mouth in every coding that people have gives the same mask."""

from collections.abc import Callable

import numpy as np
import pytest
from PIL import Image as Pil
from PIL import ImageDraw

from engines.core.errors import ImageError
from engines.core.masks import inside_of, read_mask
from engines.core.weights import assets
from tests.engines.core.test_images import encoded
from tests.engines.faces.pictures import generated

SIDE = 256


def mouth() -> Pil.Image:
    mask = Pil.new("L", (SIDE, SIDE))
    ImageDraw.Draw(mask).ellipse((96, 170, 160, 205), fill=255)
    return mask


def filled(inside: object, outside: object, mode: str = "RGB") -> Pil.Image:
    picture = Pil.new(mode, (SIDE, SIDE), outside)
    picture.paste(inside, (0, 0), mouth())
    return picture


def soft(painted: Pil.Image) -> Pil.Image:
    return painted.resize((64, 64), Pil.Resampling.BOX).resize((SIDE, SIDE), Pil.Resampling.BILINEAR)


def erased(photo: Pil.Image, alpha_inside: int = 0) -> Pil.Image:
    picture = photo.convert("RGBA")
    picture.putalpha(Pil.composite(Pil.new("L", picture.size, alpha_inside), Pil.new("L", picture.size, 255), mouth()))
    return picture


def voc() -> Pil.Image:
    picture = Pil.fromarray((np.asarray(mouth()) > 0).astype(np.uint8) * 15).convert("P")
    picture.putpalette([value for index in range(256) for value in ((index & 1) * 128, (index >> 1 & 1) * 128, (index >> 2 & 1) * 128)])
    return picture


def sixteen(value: int) -> Pil.Image:
    return Pil.fromarray((np.asarray(mouth()) > 0).astype(np.uint16) * value)


CODINGS: dict[str, Callable[[], bytes]] = {
    "1 in 8 bits": lambda: encoded(filled(1, 0, "L"), "PNG"),
    "label 11": lambda: encoded(filled(11, 0, "L"), "PNG"),
    "grey on dark grey": lambda: encoded(filled(200, 60, "L"), "PNG"),
    "soft": lambda: encoded(soft(mouth()), "PNG"),
    "1 bit": lambda: encoded(mouth().convert("1"), "PNG"),
    "1 bit TIFF": lambda: encoded(mouth().convert("1"), "TIFF", compression="group4"),
    "16 bits": lambda: encoded(sixteen(65535), "PNG"),
    "1 in 16 bits": lambda: encoded(sixteen(1), "PNG"),
    "300 in 16 bits": lambda: encoded(sixteen(300), "TIFF"),
    "JPEG": lambda: encoded(mouth(), "JPEG", quality=60),
    "dim JPEG": lambda: encoded(filled(90, 5, "L"), "JPEG", quality=60),
    "WebP": lambda: encoded(mouth().convert("RGB"), "WEBP", quality=60),
    "GIF": lambda: encoded(mouth(), "GIF"),
    "BMP": lambda: encoded(mouth(), "BMP"),
    "palette": lambda: encoded(voc(), "PNG"),
    "dark blue on black": lambda: encoded(filled((0, 0, 60), (0, 0, 0)), "PNG"),
    "red on white": lambda: encoded(filled((255, 0, 0), (255, 255, 255)), "PNG"),
    "green on grey": lambda: encoded(filled((0, 255, 0), (128, 128, 128)), "PNG"),
    "red on black JPEG": lambda: encoded(filled((255, 0, 0), (0, 0, 0)), "JPEG", quality=80),
    "white on transparent": lambda: encoded(filled((255, 255, 255, 255), (0, 0, 0, 0), "RGBA"), "PNG"),
    "black on transparent": lambda: encoded(filled((0, 0, 0, 255), (0, 0, 0, 0), "RGBA"), "PNG"),
    "black on transparent white": lambda: encoded(filled((0, 0, 0, 255), (255, 255, 255, 0), "RGBA"), "PNG"),
    "half opaque red": lambda: encoded(filled((255, 0, 0, 128), (0, 0, 0, 0), "RGBA"), "PNG"),
    "grey with transparency": lambda: encoded(filled((255, 255), (0, 0), "LA"), "PNG"),
    "erased from a photo": lambda: encoded(erased(generated(1)), "PNG"),
    "erased from a grey photo": lambda: encoded(erased(generated(1).convert("L")), "PNG"),
    "half erased": lambda: encoded(erased(generated(1), 100), "PNG"),
    "erased, WebP": lambda: encoded(erased(generated(1)), "WEBP", quality=80),
}


@pytest.mark.parametrize("name", CODINGS)
def test_every_coding_gives_the_same_mask(name: str) -> None:
    plain, read = read_mask(encoded(mouth(), "PNG"), 128), read_mask(CODINGS[name](), 128)
    assert read.shape == (1, 1, 128, 128)
    both = ((plain + read) > 1).sum() / ((plain + read) > 0).sum()
    assert both > 0.93


def test_light_is_inside_so_a_mask_turned_over_marks_the_rest() -> None:
    plain, turned = read_mask(encoded(mouth(), "PNG"), 128), read_mask(encoded(filled(0, 255, "L"), "PNG"), 128)
    assert float((plain + turned - 1).abs().mean()) < 0.005


def test_several_labels_are_all_inside() -> None:
    labels = np.zeros((SIDE, SIDE), np.uint8)
    labels[:64], labels[64:128] = 3, 17
    assert float(read_mask(encoded(Pil.fromarray(labels), "PNG"), 64).mean()) == 0.5


@pytest.mark.parametrize(
    ("picture", "form", "words"),
    [
        (Pil.new("L", (64, 64)), "PNG", "Nothing is marked"),
        (Pil.new("L", (64, 64), 6), "JPEG", "Nothing is marked"),
        (Pil.new("RGBA", (64, 64)), "PNG", "Nothing is marked"),
        (Pil.new("L", (64, 64), 255), "PNG", "marks the whole picture"),
        (Pil.new("L", (64, 64), 1), "PNG", "marks the whole picture"),
        (Pil.new("L", (64, 48), 255), "PNG", "64 x 48 pixels came; wanted a square one"),
    ],
)
def test_a_mask_of_nothing_or_all_or_of_another_shape_is_told(picture: Pil.Image, form: str, words: str) -> None:
    with pytest.raises(ImageError, match=words):
        read_mask(encoded(picture, form), 64)


@pytest.mark.parametrize("mode", ["RGB", "L"])
@pytest.mark.parametrize("form", ["JPEG", "PNG"])
def test_a_photo_is_no_mask(mode: str, form: str) -> None:
    photos = [generated(1), Pil.open(assets() / "examples" / "astronaut.jpg").crop((100, 0, 500, 400))]
    for photo in photos:
        with pytest.raises(ImageError, match="This is a photo, not a mask"):
            read_mask(encoded(photo.convert(mode), form), 64)


def test_the_widest_soft_edges_and_slopes_are_masks() -> None:
    across = np.linspace(-1, 1, SIDE)
    away = np.hypot(across[:, None], across)
    for values in (1 - away.clip(0, 1), np.broadcast_to((across + 1) / 2, away.shape), np.exp(-4 * away**2)):
        for form in ("PNG", "JPEG"):
            read = read_mask(encoded(Pil.fromarray((255 * values).astype(np.uint8)), form), SIDE)[0, 0].numpy()
            assert np.mean((read > 0.5) == (values > (values.min() + values.max()) / 2)) > 0.98


def test_a_mask_without_its_tail_is_refused() -> None:
    data = encoded(Pil.effect_noise((256, 256), 90), "PNG")
    with pytest.raises(ImageError, match="damaged or cut off"):
        read_mask(data[: int(0.97 * len(data))], 64)


def test_strokes_of_several_colours_are_strokes() -> None:
    pixels = np.zeros((64, 64, 4), np.uint8)
    pixels[10:20, 10:50], pixels[30:40, 10:50] = (255, 0, 0, 255), (0, 120, 255, 255)
    assert np.array_equal(inside_of(pixels), pixels[..., 3] > 0)
