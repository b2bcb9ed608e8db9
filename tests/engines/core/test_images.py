"""The one reader of uploads, against files that lie, break or swell."""

import io
import struct
import time
import zlib
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image as Pil

from engines.core.decoding import decoded
from engines.core.errors import ImageError
from engines.core.files import NO_FILE
from engines.core.formats import FORMATS, MOST_SCANS, scans
from engines.core.images import area, open_image, png_bytes, read_image, to_picture, to_tensor

SIDE = 40


def gradient(width: int = SIDE, height: int = SIDE) -> Pil.Image:
    """Red grows to the right, green downwards."""
    y, x = np.mgrid[0:height, 0:width]
    return Pil.fromarray(np.stack([255 * x // (width - 1), 255 * y // (height - 1), np.full_like(x, 60)], axis=-1).astype(np.uint8))


def encoded(picture: Pil.Image, form: str, **options: object) -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, form, **options)
    return buffer.getvalue()


def values(picture: Pil.Image) -> np.ndarray:
    return np.asarray(picture).astype(int)


def png_of_nothing(width: int, height: int) -> bytes:
    """A PNG whose header claims a size that its few bytes blow up to."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(bytes(10_000))) + chunk(b"IEND", b"")


@pytest.mark.parametrize(
    ("form", "tolerance"),
    [("PNG", 0), ("JPEG", 12), ("WEBP", 12), ("GIF", 30), ("TIFF", 0), ("BMP", 0), ("JPEG2000", 6), ("AVIF", 12), ("MPO", 12)],
)
def test_usual_formats_are_read(form: str, tolerance: int) -> None:
    if form in ("WEBP", "AVIF", "JPEG2000") and form not in [one.code for one in FORMATS]:
        pytest.skip(f"this Pillow reads no {form}")
    picture = read_image(encoded(gradient(), form))
    assert (picture.mode, picture.size) == ("RGB", (SIDE, SIDE))
    assert np.abs(values(picture) - values(gradient())).mean() <= tolerance


def test_a_path_is_read_by_its_content_not_its_name(tmp_path: Path) -> None:
    path = tmp_path / "really.jpg"
    path.write_bytes(encoded(gradient(), "PNG"))
    assert np.array_equal(values(read_image(path)), values(gradient()))


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        pytest.param(b"", r"^The file is empty\.", id="empty"),
        pytest.param(b"dear diary, " * 50, r"not a picture that can be read here, whatever its name says", id="text"),
        pytest.param(b"<svg xmlns='http://www.w3.org/2000/svg'/>", r"an SVG drawing", id="svg"),
        pytest.param(b"%PDF-1.4 nothing", r"a PDF document", id="pdf"),
        pytest.param(b"\x00\x00\x00\x18ftypheic" + bytes(50), r"a HEIC picture", id="heic"),
        pytest.param(b"\x00\x00\x00\x20ftypisom" + bytes(50), r"a video", id="video"),
        pytest.param(b"8BPS\x00\x01" + bytes(50), r"a Photoshop file", id="psd"),
        pytest.param(b"II*\x00\x10\x00\x00\x00CR\x02\x00" + bytes(50), r"a camera's raw file", id="raw"),
        pytest.param(encoded(gradient(), "ICO"), r"an icon", id="icon"),
        pytest.param(encoded(gradient(), "PPM"), r"a Netpbm picture", id="netpbm"),
        pytest.param(encoded(gradient(), "PNG")[:100], r"damaged or cut off", id="cut PNG"),
        pytest.param(encoded(gradient(200, 200), "JPEG")[:900], r"damaged or cut off", id="cut JPEG"),
        pytest.param(encoded(gradient(), "JPEG")[:4], r"but is none|damaged", id="four bytes of JPEG"),
        pytest.param(encoded(Pil.new("RGB", (1, 1)), "PNG"), r"1 x 1 pixels; at least 32", id="one pixel"),
        pytest.param(encoded(Pil.new("RGB", (31, 500)), "PNG"), r"31 x 500 pixels; at least 32", id="too narrow"),
        pytest.param(png_of_nothing(30_000, 30_000), r"far too many pixels\. At most 100 megapixels", id="bomb"),
        pytest.param(png_of_nothing(12_000, 10_000), r"12000 x 10000 = 120 megapixels|far too many pixels", id="little bomb"),
        pytest.param(png_of_nothing(65_535, 32), r"damaged or cut off", id="header without its pixels"),
    ],
)
def test_what_is_no_picture_is_refused_in_a_sentence(data: bytes, sentence: str) -> None:
    with pytest.raises(ImageError, match=sentence):
        read_image(data)


def test_a_missing_file_is_refused_in_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(ImageError, match=f"^{NO_FILE}$"):
        read_image(tmp_path / "nowhere.jpg")


def test_the_limit_is_the_callers() -> None:
    data = encoded(gradient(200, 100), "PNG")
    assert read_image(data, megapixels=0.02).size == (200, 100)
    with pytest.raises(ImageError, match=r"200 x 100 = 0\.02 megapixels; at most 0\.01"):
        read_image(data, megapixels=0.01)


def test_16_bit_grey_keeps_its_tones() -> None:
    ramp = np.tile(np.linspace(0, 65535, SIDE).astype(np.uint16), (SIDE, 1))
    picture = read_image(encoded(Pil.fromarray(ramp), "PNG"))
    assert np.abs(values(picture)[0, :, 0] - ramp[0] / 257).max() <= 1


def test_dark_16_bit_grey_stays_dark() -> None:
    dark = np.full((SIDE, SIDE), 200, dtype=np.uint16)  # of 65535
    assert values(read_image(encoded(Pil.fromarray(dark), "PNG"))).max() <= 1


def test_cmyk_jpeg_becomes_rgb() -> None:
    data = encoded(gradient().convert("CMYK"), "JPEG", quality=95)
    assert np.abs(values(read_image(data)) - values(gradient())).mean() < 8


@pytest.mark.parametrize("mode", ["L", "1", "P"])
def test_plain_modes_become_rgb(mode: str) -> None:
    picture = read_image(encoded(gradient().convert(mode), "PNG"))
    assert (picture.mode, picture.size) == ("RGB", (SIDE, SIDE))


@pytest.mark.parametrize("mode", ["RGBA", "LA"])
def test_what_is_transparent_shows_white(mode: str) -> None:
    picture = gradient().convert(mode)
    alpha = Pil.new("L", picture.size, 255)
    alpha.paste(0, (0, 0, SIDE // 2, SIDE))
    picture.putalpha(alpha)
    read = values(read_image(encoded(picture, "PNG")))
    assert (read[:, : SIDE // 2] == 255).all()
    assert np.array_equal(
        read[:, SIDE // 2 :], values(gradient().convert("L").convert("RGB") if mode == "LA" else gradient())[:, SIDE // 2 :]
    )


def test_a_transparent_palette_shows_white() -> None:
    picture = gradient().quantize(16)
    corner = picture.getpixel((0, 0))
    read = values(read_image(encoded(picture, "GIF", transparency=corner)))
    assert (read[0, 0] == 255).all()


@pytest.mark.parametrize("form", ["GIF", "WEBP", "PNG"])
def test_of_an_animation_the_first_frame_counts(form: str) -> None:
    frames = [Pil.new("RGB", (SIDE, SIDE), colour) for colour in ("red", "blue", "lime")]
    data = encoded(frames[0], form, save_all=True, append_images=frames[1:])
    assert np.abs(values(read_image(data)) - [255, 0, 0]).max() <= 4


@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_turned_photo_is_turned_upright(orientation: int) -> None:
    exif = Pil.Exif()
    exif[0x0112] = orientation
    undo = {2: "FLIP_LEFT_RIGHT", 3: "ROTATE_180", 4: "FLIP_TOP_BOTTOM", 5: "TRANSPOSE", 6: "ROTATE_90", 7: "TRANSVERSE", 8: "ROTATE_270"}
    stored = gradient(60, 40)
    if orientation in undo:
        stored = stored.transpose(Pil.Transpose[undo[orientation]])
    picture = read_image(encoded(stored, "PNG", exif=exif))
    assert np.array_equal(values(picture), values(gradient(60, 40)))


def test_nothing_but_pixels_is_kept() -> None:
    exif = Pil.Exif()
    exif[0x010E] = "taken at home"
    picture = read_image(encoded(gradient(), "JPEG", exif=exif, comment=b"secret"))
    assert not picture.info
    assert not picture.getexif()


NOT_A_CRASH = settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=150)
SEEDS = [
    encoded(gradient(), "PNG"),
    encoded(gradient().quantize(8), "PNG", transparency=3),
    encoded(
        gradient(),
        "JPEG",
        exif=b"Exif\x00\x00II*\x00\x08\x00\x00\x00\x01\x00\x12\x01\x03\x00\x01\x00\x00\x00\x06\x00\x00\x00\x00\x00\x00\x00",
    ),
    encoded(gradient(), "JPEG", progressive=True),
    encoded(gradient(), "WEBP"),
    encoded(gradient(), "TIFF", compression="tiff_lzw"),
    encoded(gradient(), "BMP"),
    encoded(gradient(), "GIF", save_all=True, append_images=[gradient().rotate(90)]),
]


def only_image_error(data: bytes) -> None:
    """What happens in the process for hostile files, here without one, for speed."""
    try:
        picture = decoded(data, megapixels=4).picture
    except ImageError as error:
        assert str(error).endswith(".")
    else:
        assert picture.mode == "RGB"


@NOT_A_CRASH
@given(st.binary(max_size=300), st.sampled_from([b"", b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"GIF89a", b"RIFF\x00\x01\x00\x00WEBPVP8 "]))
@pytest.mark.filterwarnings("ignore")
def test_random_bytes_never_crash(data: bytes, start: bytes) -> None:
    only_image_error(start + data)


@NOT_A_CRASH
@given(st.sampled_from(SEEDS), st.lists(st.tuples(st.floats(0, 1, exclude_max=True), st.integers(0, 255)), max_size=8), st.floats(0.02, 1))
@pytest.mark.filterwarnings("ignore")
def test_damaged_pictures_never_crash(seed: bytes, damage: list[tuple[float, int]], kept: float) -> None:
    data = bytearray(seed)
    for place, value in damage:
        data[int(place * len(data))] = value
    only_image_error(bytes(data[: max(1, int(kept * len(data)))]))


def progressive(side: int = 200) -> bytes:
    return encoded(gradient(side, side), "JPEG", progressive=True, quality=60)


def test_scans_of_a_jpeg_are_counted_before_any_is_decoded() -> None:
    data = progressive()
    last = data[data.rfind(b"\xff\xda") : -2]
    assert read_image(data[:-2] + 20 * last + data[-2:]).size == (200, 200)
    with pytest.raises(ImageError, match=f"more than {MOST_SCANS} scans"):
        read_image(data[:-2] + (MOST_SCANS + 1) * last + data[-2:])


def test_what_only_looks_like_scans_does_not_count() -> None:
    """A thumbnail or any other bytes within a segment, and a second file behind the picture's end."""
    data, many = encoded(gradient(), "JPEG"), b"\xff\xda\x00\x08" * 200
    comment = b"\xff\xfe" + struct.pack(">H", len(many) + 2) + many
    assert read_image(data[:2] + comment + data[2:] + many).size == (SIDE, SIDE)


def test_markers_without_end_are_refused_at_once() -> None:
    data = encoded(gradient(), "JPEG")
    with pytest.raises(ImageError, match="more markers"):
        read_image(data[:2] + b"\xff\xfe\x00\x02" * 50_000 + data[2:])


def test_fill_bytes_are_walked_over_once() -> None:
    started = time.process_time()
    assert not scans(encoded(gradient(), "JPEG")[:-2] + b"\xff" * 60_000).whole
    assert scans(b"\xff\xd8" + b"\xff" * 60_000 + b"\xd9").whole
    assert time.process_time() - started < 2


def test_one_tile_cannot_take_more_memory_than_its_picture_should() -> None:
    """A TIFF of 100 x 100 pixels in one tile of 20 000 x 20 000."""
    packed = zlib.compress(bytes(1_000_000))
    tags = {256: 100, 257: 100, 258: 8, 259: 8, 262: 1, 277: 1, 322: 20_000, 323: 20_000, 324: 8 + 2 + 12 * 10 + 4, 325: len(packed)}
    entries = b"".join(struct.pack("<HHII", tag, 4, 1, value) for tag, value in tags.items())
    data = b"II*\0" + struct.pack("<IH", 8, len(tags)) + entries + bytes(4) + packed
    with pytest.raises(ImageError, match=r"damaged|more memory"):
        read_image(data)


def test_decoding_ends_when_its_time_is_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("engines.core.images.PROGRAM", "while True: pass")
    monkeypatch.setattr("engines.core.images._SECONDS", 0.3)
    monkeypatch.setattr("engines.core.images._SECONDS_A_MEGAPIXEL", 0.0)
    with pytest.raises(ImageError, match="takes far longer"):
        read_image(encoded(gradient(), "PNG"))


@pytest.mark.parametrize("kept", [0.0, 0.3])
def test_a_decoder_that_dies_is_a_sentence(monkeypatch: pytest.MonkeyPatch, kept: float) -> None:
    said = "import json, os, sys; print(json.dumps({'mode': 'RGB', 'size': [40, 40], 'lossy': False, 'note': ''}), flush=True); "
    monkeypatch.setattr(
        "engines.core.images.PROGRAM", f"{said}sys.stdout.buffer.write(bytes({int(kept * 4800)})); sys.stdout.flush(); os.abort()"
    )
    with pytest.raises(ImageError, match="damaged"):
        read_image(encoded(gradient(), "PNG"))


@pytest.mark.parametrize("form", ["JPEG", "PNG", "progressive"])
def test_a_photo_that_lacks_its_tail_is_read_with_a_note(form: str) -> None:
    noisy = Pil.fromarray(np.random.default_rng(0).integers(0, 256, (400, 300, 3), dtype=np.uint8))
    data = encoded(noisy, "JPEG", progressive=True) if form == "progressive" else encoded(noisy, form)
    whole, cut = open_image(data), open_image(data[: int(0.97 * len(data))])
    assert whole.note == "" and "end of the file is missing" in cut.note
    rows = cut.picture.height
    assert 360 <= rows <= 400 and cut.picture.width == 300
    apart = np.abs(values(cut.picture) - values(whole.picture)[:rows])
    assert apart.mean() < (30 if form == "progressive" else 0.01)
    with pytest.raises(ImageError, match="damaged or cut off"):
        open_image(data[: int((0.1 if form == "progressive" else 0.4) * len(data))])


def test_a_photo_without_its_tail_is_turned_upright_like_any_other() -> None:
    exif = Pil.Exif()
    exif[0x0112] = 6
    data = encoded(Pil.effect_noise((300, 400), 90), "JPEG", exif=exif)
    assert open_image(data[: int(0.97 * len(data))]).picture.height == 300


def test_pixels_survive_the_way_to_a_tensor_and_back() -> None:
    image = to_tensor(gradient())
    assert image.shape == (1, 3, SIDE, SIDE)
    assert (float(image.min()), float(image.max())) == (-1, 1)
    assert np.array_equal(values(to_picture(image)), values(gradient()))


def test_a_picture_is_clamped_where_it_is_shown() -> None:
    assert values(to_picture(torch.full((1, 3, 2, 2), 3.0))).min() == 255
    assert values(to_picture(torch.full((1, 3, 2, 2), -3.0))).max() == 0


def test_a_size_makes_a_square() -> None:
    assert to_tensor(gradient(60, 40), 32).shape == (1, 3, 32, 32)


def test_area_averages_down_and_keeps_what_fits() -> None:
    image = torch.randn(1, 3, 8, 8)
    assert area(image, 8) is image
    assert torch.allclose(area(image, 4)[..., 0, 0], image[..., :2, :2].mean(dim=(2, 3)))
    assert area(image, 16).shape == (1, 3, 16, 16)


def test_a_saved_picture_says_that_it_was_generated() -> None:
    saved = Pil.open(io.BytesIO(png_bytes(gradient())))
    assert "generative model" in saved.text["Software"]  # type: ignore[attr-defined]
    assert np.array_equal(values(saved), values(gradient()))
    assert list(saved.info) == ["Software"]
