"""Pictures put together by hand: what the hostile ones are made of."""

import io
import struct
import zlib
from collections.abc import Callable
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image as Pil
from PIL import ImageCms

from tests.hostile.files import chunk, zeros

SIDE = 96
SIGNATURE = b"\x89PNG\r\n\x1a\n"


def gradient(width: int = SIDE, height: int = SIDE) -> Pil.Image:
    """A smooth coloured picture."""
    rows, columns = np.mgrid[:height, :width]
    values = np.stack([rows * 255 / height, columns * 255 / width, (rows + columns) % 256], axis=-1)
    return Pil.fromarray(values.astype(np.uint8))


def encoded(picture: Pil.Image, form: str, **options: Any) -> bytes:
    """A picture as a file of some format."""
    buffer = io.BytesIO()
    picture.save(buffer, format=form, **options)
    return buffer.getvalue()


@cache
def jpeg() -> bytes:
    """A plain JPEG."""
    return encoded(gradient(), "JPEG", quality=90)


@cache
def png() -> bytes:
    """A plain PNG."""
    return encoded(gradient(), "PNG")


def always(data: Callable[[], bytes]) -> Callable[[Path], bytes]:
    """Bytes that do not depend on where code would leave a mark."""
    return lambda _: data()


def segment(marker: int, data: bytes) -> bytes:
    """A marker segment of JPEG."""
    return bytes([0xFF, marker]) + struct.pack(">H", len(data) + 2) + data


def after_start(data: bytes, inserted: bytes) -> bytes:
    """A JPEG with something behind its first marker."""
    return data[:2] + inserted + data[2:]


def scans(data: bytes) -> tuple[bytes, list[bytes]]:
    """A JPEG up to its first scan, and its scans with the tables before each."""
    starts, place = [], 2
    cuts: list[int] = []
    while place < len(data) - 2:
        marker, size = data[place + 1], struct.unpack(">H", data[place + 2 : place + 4])[0]
        if marker == 0xDA:
            place += 2 + size
            while data[place] != 0xFF or data[place + 1] == 0 or 0xD0 <= data[place + 1] <= 0xD7:
                place += 1
            cuts.append(place)
            continue
        if marker == 0xD9:
            break
        starts.append((marker, place))
        place += 2 + size
    frame = max(place + 2 + struct.unpack(">H", data[place + 2 : place + 4])[0] for marker, place in starts if marker in (0xC0, 0xC2))
    edges = [frame, *cuts]
    return data[:frame], [data[start:end] for start, end in pairwise(edges)]


@cache
def repeated_scans(side: int, count: int, padding: bytes = b"") -> bytes:
    """A progressive JPEG whose last scan comes again and again, each time over all its blocks."""
    head, parts = scans(encoded(Pil.new("L", (side, side), 90), "JPEG", progressive=True))
    return head + b"".join(parts) + (padding + parts[-1]) * (count - len(parts)) + b"\xff\xd9"


def sequential_scans(count: int) -> bytes:
    """A baseline JPEG whose only scan comes again and again."""
    head, parts = scans(encoded(gradient(200, 200), "JPEG", quality=10))
    return head + parts[0] * count + b"\xff\xd9"


def patched_jpeg(width: int, height: int, precision: int = 8, frame: int = 0xC0) -> bytes:
    """A JPEG whose frame header says something else."""
    data = bytearray(jpeg())
    place = data.index(b"\xff\xc0")
    data[place + 1] = frame
    data[place + 4 : place + 9] = struct.pack(">BHH", precision, height, width)
    return bytes(data)


def exif(*entries: tuple[int, int, int, bytes], following: int = 0) -> bytes:
    """Exif data with any entries: tag, kind, count and four bytes of value."""
    body = b"".join(struct.pack("<HHI", tag, kind, count) + value for tag, kind, count, value in entries)
    return b"Exif\0\0II*\0\x08\0\0\0" + struct.pack("<H", len(entries)) + body + struct.pack("<I", following)


def with_exif(data: bytes) -> bytes:
    """The plain JPEG with some Exif data."""
    return after_start(jpeg(), segment(0xE1, data))


@cache
def profile() -> bytes:
    """An sRGB colour profile."""
    return ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


def lying_profile(tags: int, offset: int, size: int) -> bytes:
    """A colour profile whose table of tags lies."""
    data = bytearray(profile())
    data[128:132] = struct.pack(">I", tags)
    for number in range(min(tags, 6)):
        data[136 + 12 * number : 144 + 12 * number] = struct.pack(">II", offset, size)
    return bytes(data)


def with_profile(data: bytes, number: int = 1, count: int = 1) -> bytes:
    """The plain JPEG with a colour profile, said to be one of several parts."""
    return after_start(jpeg(), segment(0xE2, b"ICC_PROFILE\0" + bytes([number, count]) + data[:65_000]))


def raw_png(width: int, height: int, *parts: bytes, bits: int = 8, colour: int = 2, interlaced: int = 0, end: bool = True) -> bytes:
    """A PNG put together from its parts."""
    head = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, bits, colour, 0, 0, interlaced))
    return SIGNATURE + head + b"".join(parts) + (chunk(b"IEND", b"") if end else b"")


def before_pixels(*parts: bytes) -> bytes:
    """The plain PNG with chunks before its pixels."""
    data = png()
    place = data.index(b"IDAT") - 4
    return data[:place] + b"".join(parts) + data[place:]


def pixels(width: int, height: int) -> bytes:
    """The packed rows of a black RGB picture."""
    return chunk(b"IDAT", zeros(height * (3 * width + 1)))


def animated_png(frames: int, width: int, height: int, x: int) -> bytes:
    """An animated PNG that says how many frames it has, and of what size."""
    row = zlib.compress(bytes(SIDE * (3 * SIDE + 1)))
    parts = [chunk(b"acTL", struct.pack(">II", frames, 0)), chunk(b"IDAT", row)]
    for number in range(min(frames, 400)):
        parts.append(chunk(b"fcTL", struct.pack(">IIIIIHHBB", 2 * number, width, height, x, 0, 1, 1, 0, 0)))
        parts.append(chunk(b"fdAT", struct.pack(">I", 2 * number + 1) + row))
    return raw_png(SIDE, SIDE, *parts)


def gif(canvas: tuple[int, int], frame: tuple[int, int], place: tuple[int, int] = (0, 0), body: bytes = b"\x02\x4c\x01\x00") -> bytes:
    """A GIF put together by hand: the size of its canvas, the size and place of its frame, and its packed pixels."""
    head = b"GIF89a" + struct.pack("<HHBBB", *canvas, 0x80, 0, 0) + b"\0\0\0\xff\xff\xff"
    return head + b"\x2c" + struct.pack("<HHHHB", *place, *frame, 0) + b"\x02" + body + b"\0\x3b"


def many_frames(form: str, count: int, **options: Any) -> bytes:
    """An animation."""
    frames = [Pil.new("RGB", (SIDE, SIDE), (number % 256, 90, 30)) for number in range(count)]
    return encoded(frames[0], form, save_all=True, append_images=frames[1:], **options)


def tiff(*entries: tuple[int, int, int, int], following: int = 0, body: bytes = b"") -> bytes:
    """A TIFF put together by hand: tag, kind, count and value of each entry, then bytes from offset 8 + 6 + 12 * entries on."""
    table = b"".join(struct.pack("<HHII", *entry) for entry in entries)
    return b"II*\0\x08\0\0\0" + struct.pack("<H", len(entries)) + table + struct.pack("<I", following) + body


def grey_tiff(width: int, height: int, packing: int, body: bytes, said: int | None = None, rows: int | None = None) -> bytes:
    """A grey TIFF of one strip, whose size may be a lie."""
    strip = len(body) if said is None else said
    entries = [(256, 4, 1, width), (257, 4, 1, height), (258, 3, 1, 8), (259, 3, 1, packing), (262, 3, 1, 1)]
    entries += [(273, 4, 1, 8 + 6 + 12 * 9), (277, 3, 1, 1), (278, 4, 1, height if rows is None else rows), (279, 4, 1, strip)]
    return tiff(*entries, body=body)


def many_directories(count: int) -> bytes:
    """A TIFF of many pages without a pixel, each naming the next."""
    parts = [struct.pack("<HHHIII", 1, 256, 4, 1, 64, 8 + 18 * (number + 1)) for number in range(count)]
    return b"II*\0\x08\0\0\0" + b"".join(parts) + struct.pack("<HI", 0, 0)


def float_tiff(value: float) -> bytes:
    """A TIFF of floats."""
    values = np.linspace(0, 1, SIDE * SIDE, dtype=np.float32).reshape(SIDE, SIDE)
    values[::3] = value
    return encoded(Pil.fromarray(values), "TIFF")


def bmp(width: int, height: int, bits: int = 24, packing: int = 0, body: bytes = b"") -> bytes:
    """A BMP put together by hand."""
    head = struct.pack("<IiiHHIIiiII", 40, width, height, 1, bits, packing, len(body), 0, 0, 0, 0)
    palette = b"\0\0\0\0\xff\xff\xff\0" * 128 if bits == 8 else b""
    offset = 14 + len(head) + len(palette)
    return b"BM" + struct.pack("<IHHI", offset + len(body), 0, 0, offset) + head + palette + body


def ico(inner: bytes, size: int | None = None, offset: int = 22) -> bytes:
    """An icon that holds another file."""
    return struct.pack("<HHH", 0, 1, 1) + struct.pack("<BBBBHHII", 0, 0, 0, 0, 1, 32, size or len(inner), offset) + inner


def jpeg_2000(place: int, value: bytes) -> bytes:
    """A JPEG 2000 whose size header was written over, counted from its SIZ marker."""
    data = bytearray(encoded(gradient(), "JPEG2000"))
    start = data.index(b"\xff\x51") + place
    data[start : start + len(value)] = value
    return bytes(data)


def riff(*parts: tuple[bytes, bytes], size: int | None = None) -> bytes:
    """A WebP put together by hand."""
    body = b"WEBP" + b"".join(name + struct.pack("<I", len(data)) + data + b"\0" * (len(data) % 2) for name, data in parts)
    return b"RIFF" + struct.pack("<I", len(body) if size is None else size) + body


def wide_webp() -> bytes:
    """A WebP whose canvas is 16384 pixels wide and high, around a small picture."""
    inner = encoded(gradient(), "WEBP", lossless=True)[12:]
    return riff((b"VP8X", b"\0\0\0\0" + (16383).to_bytes(3, "little") * 2), (inner[:4], inner[8:]))


def laughing_svg() -> bytes:
    """An SVG whose text would grow without end."""
    lines = [f'<!ENTITY a{number} "{f"&a{number - 1};" * 10}">' for number in range(1, 10)]
    return ('<?xml version="1.0"?><!DOCTYPE svg [<!ENTITY a0 "ha">' + "".join(lines) + "]><svg>&a9;</svg>").encode()
