"""Pictures: bombs, floods, lies of headers, other formats under a picture's name, and odd ones that must still be read."""

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
from PIL import ImageCms, features

from tests.hostile.files import EITHER, READ, REFUSED, File, chunk, zeros

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


def _cut() -> list[File]:
    """Files that end too early."""
    found = []
    makers: dict[str, Callable[[], bytes]] = {
        "JPEG": jpeg,
        "progressive JPEG": lambda: encoded(gradient(), "JPEG", progressive=True),
        "PNG": png,
        "GIF": lambda: encoded(gradient(), "GIF"),
        "WebP": lambda: encoded(gradient(), "WEBP"),
        "TIFF": lambda: encoded(gradient(), "TIFF"),
    }
    for name, make in makers.items():
        for kept in (0.3, 0.99):
            found.append(
                File(
                    f"{name} cut at {kept:.0%}",
                    "cut.jpg",
                    lambda _, make=make, kept=kept: make()[: max(3, int(kept * len(make())))],
                    EITHER if kept > 0.5 else REFUSED,
                )
            )
    return found


def _jpegs() -> list[File]:
    listed: list[tuple[str, Callable[[], bytes], str]] = [
        ("JPEG of 100 scans", lambda: repeated_scans(SIDE, 100), EITHER),
        ("JPEG of 2000 scans with the scan between filling bytes", lambda: repeated_scans(1500, 2000, b"\xff" * 9), REFUSED),
        ("JPEG of 1000 scans with tables between them", lambda: repeated_scans(1500, 1000, segment(0xFE, b"x")), REFUSED),
        ("JPEG of 2000 baseline scans", lambda: sequential_scans(2000), REFUSED),
        ("JPEG with a flood of restart markers", lambda: jpeg()[:-20] + b"\xff\xd0" * 500_000, EITHER),
        ("JPEG with a flood of fill bytes after the start", lambda: after_start(jpeg(), b"\xff" * 2_000_000), EITHER),
        ("JPEG with a flood of fill bytes among its pixels", lambda: jpeg()[:-20] + b"\xff" * 500_000, EITHER),
        ("JPEG of 30 000 comments", lambda: after_start(jpeg(), segment(0xFE, b"x") * 30_000), EITHER),
        ("JPEG of 20 000 Exif segments", lambda: after_start(jpeg(), segment(0xE1, b"Exif\0\0") * 20_000), EITHER),
        ("JPEG of 60 starts", lambda: b"\xff\xd8" * 60 + jpeg(), EITHER),
        ("JPEG of 20 000 tables", lambda: after_start(jpeg(), segment(0xDB, b"\0" + b"\1" * 64) * 20_000), EITHER),
        ("JPEG of 65535 x 65535 in its header", lambda: patched_jpeg(65535, 65535), REFUSED),
        ("JPEG of 65500 x 1 in its header", lambda: patched_jpeg(65500, 1), REFUSED),
        ("JPEG of height 0", lambda: patched_jpeg(SIDE, 0), REFUSED),
        ("JPEG of 12 bits", lambda: patched_jpeg(SIDE, SIDE, precision=12), REFUSED),
        ("JPEG said to be lossless", lambda: patched_jpeg(SIDE, SIDE, frame=0xC3), EITHER),
        ("JPEG said to be arithmetic", lambda: patched_jpeg(SIDE, SIDE, frame=0xC9), EITHER),
        ("JPEG said to be progressive", lambda: patched_jpeg(SIDE, SIDE, frame=0xC2), EITHER),
        ("JPEG without Huffman tables", lambda: jpeg().replace(b"\xff\xc4", b"\xff\xef"), EITHER),
        ("JPEG of a segment of length 0", lambda: after_start(jpeg(), b"\xff\xe1\0\0"), EITHER),
        ("JPEG of 3000 px whose scan is one byte", lambda: patched_jpeg(3000, 3000), EITHER),
        ("JPEG in CMYK", lambda: encoded(gradient().convert("CMYK"), "JPEG"), READ),
        ("JPEG in grey", lambda: encoded(gradient().convert("L"), "JPEG"), READ),
        ("JPEG whose comment holds scan markers", lambda: after_start(jpeg(), segment(0xFE, b"\xff\xda" * 900)), READ),
        ("JPEG with a page of markup in its comment", lambda: after_start(jpeg(), segment(0xFE, b"<script>alert(1)</script>")), READ),
        ("JPEG that is an archive too", lambda: jpeg() + b"PK\3\4" + bytes(400) + b"PK\5\6" + bytes(18), READ),
        ("JPEG of several pictures", lambda: many_frames("MPO", 4), READ),
        ("JPEG of 300 pictures", lambda: many_frames("MPO", 300), READ),
        ("JPEG turned by a number that is none", lambda: with_exif(exif((0x112, 3, 1, b"\x63\0\0\0"))), READ),
        ("JPEG turned by a text", lambda: with_exif(exif((0x112, 2, 4, b"up\0\0"))), READ),
        ("JPEG whose Exif points at itself", lambda: with_exif(exif((0x8769, 4, 1, b"\x08\0\0\0"), following=8)), READ),
        ("JPEG whose Exif counts beyond its end", lambda: with_exif(exif((0x927C, 7, 0x7FFFFFFF, b"\xff\xff\xff\x7f"))), READ),
        ("JPEG whose Exif has 5000 entries", lambda: with_exif(exif(*[(0x112, 3, 60_000, b"\0\0\0\0")] * 5000)), READ),
        ("JPEG whose Exif divides by zero", lambda: with_exif(exif((0x11A, 5, 1, b"\x1a\0\0\0")) + bytes(8)), READ),
        ("JPEG with half a Unicode comment", lambda: with_exif(exif((0x9286, 7, 5, b"UNI\0"))), READ),
        ("JPEG with noise for a profile", lambda: with_profile(np.random.default_rng(1).bytes(3000)), READ),
        ("JPEG whose profile has 4 billion tags", lambda: with_profile(lying_profile(0xFFFFFFFF, 128, 64)), READ),
        ("JPEG whose profile's tags lie outside", lambda: with_profile(lying_profile(9, 0x7FFFFFF0, 0x7FFFFFFF)), READ),
        ("JPEG whose profile is part 3 of 2", lambda: with_profile(profile(), 3, 2), READ),
        ("JPEG whose profile is said to be for CMYK", lambda: with_profile(profile()[:16] + b"CMYK" + profile()[20:]), READ),
        ("JPEG with a good profile", lambda: encoded(gradient(), "JPEG", icc_profile=profile()), READ),
        ("JPEG with a profile of 5 MB", lambda: encoded(gradient(), "JPEG", icc_profile=profile() + bytes(5 * 2**20)), READ),
    ]
    plain = [File(title, "photo.jpg", always(make), wanted) for title, make, wanted in listed]
    heavy = {"JPEG of 3000 scans": (4990, 3000), "JPEG of 600 scans": (2500, 600)}
    for title, (side, count) in heavy.items():
        plain.append(File(title, "photo.jpg", lambda _, side=side, count=count: repeated_scans(side, count), REFUSED, alone=True))
    return plain


def _pngs() -> list[File]:
    packed = lambda kind, data: chunk(kind, b"note\0\0" + data)  # noqa: E731
    heavy: list[tuple[str, Callable[[], bytes], str]] = [
        (
            "PNG of 30000 x 30000",
            lambda: raw_png(30_000, 30_000, chunk(b"IDAT", zeros(30_000 * 3751)), bits=1, colour=0),
            REFUSED,
        ),
        ("PNG of 25 megapixels in a bit each", lambda: raw_png(5000, 5000, chunk(b"IDAT", zeros(5000 * 626)), bits=1, colour=0), EITHER),
        (
            "PNG of 25 megapixels of 16 bits and opacity",
            lambda: raw_png(5000, 5000, chunk(b"IDAT", zeros(200_005_000, 1)), bits=16, colour=6),
            EITHER,
        ),
        ("PNG with 200 MB of pixels for a small picture", lambda: raw_png(SIDE, SIDE, chunk(b"IDAT", zeros(200 * 2**20))), EITHER),
        ("PNG with a text of 200 MB", lambda: before_pixels(packed(b"zTXt", zeros(200 * 2**20))), EITHER),
        ("PNG with 300 texts of 1 MB", lambda: before_pixels(*[packed(b"zTXt", zeros(2**20))] * 300), EITHER),
        (
            "PNG with a text of 200 MB in all languages",
            lambda: before_pixels(chunk(b"iTXt", b"note\0\1\0\0\0" + zeros(200 * 2**20))),
            EITHER,
        ),
        ("PNG with a profile of 200 MB", lambda: before_pixels(packed(b"iCCP", zeros(200 * 2**20))), EITHER),
    ]
    light: list[tuple[str, Callable[[], bytes], str]] = [
        ("PNG of no pixels", lambda: raw_png(0, 0, chunk(b"IDAT", zlib.compress(b""))), REFUSED),
        ("PNG of two billion pixels a side", lambda: raw_png(2**31 - 1, 2**31 - 1, pixels(8, 8)), REFUSED),
        ("PNG of 4 billion pixels a side", lambda: raw_png(2**32 - 1, 2**32 - 1, pixels(8, 8)), REFUSED),
        ("PNG of 24 million x 1", lambda: raw_png(24_000_000, 1, pixels(8, 8)), REFUSED),
        ("PNG with fewer pixels than its header says", lambda: raw_png(4000, 4000, pixels(8, 8)), REFUSED),
        ("PNG without pixels", lambda: raw_png(SIDE, SIDE), REFUSED),
        ("PNG without an end", lambda: raw_png(SIDE, SIDE, pixels(SIDE, SIDE), end=False), EITHER),
        ("PNG of a chunk that is 2 GB long", lambda: raw_png(SIDE, SIDE, chunk(b"zTXt", b"a\0\0", 2**31 - 1), pixels(SIDE, SIDE)), EITHER),
        ("PNG with a wrong checksum", lambda: png().replace(b"IHDR", b"IHDR", 1)[:29] + b"\0\0\0\0" + png()[33:], EITHER),
        ("PNG of 3 bits", lambda: raw_png(SIDE, SIDE, pixels(SIDE, SIDE), bits=3), REFUSED),
        ("PNG of colour kind 99", lambda: raw_png(SIDE, SIDE, pixels(SIDE, SIDE), colour=99), REFUSED),
        ("PNG of 40 000 empty chunks", lambda: before_pixels(chunk(b"teXt", b"") * 40_000), EITHER),
        ("PNG of 20 000 pieces of pixels", lambda: raw_png(SIDE, SIDE, chunk(b"IDAT", b"") * 20_000, pixels(SIDE, SIDE)), EITHER),
        (
            "PNG whose palette is too short",
            lambda: raw_png(SIDE, SIDE, chunk(b"PLTE", b"\1\2\3"), chunk(b"IDAT", zlib.compress(b"\0" + b"\xff" * SIDE) * 1), colour=3),
            EITHER,
        ),
        ("PNG whose pixels are no zlib", lambda: raw_png(SIDE, SIDE, chunk(b"IDAT", b"\xff" * 900)), REFUSED),
        ("PNG with noise for a profile", lambda: encoded(gradient(), "PNG", icc_profile=b"noise" * 99), READ),
        ("PNG of a few hundred frames", lambda: animated_png(400, SIDE, SIDE, 0), EITHER),
        ("PNG of 4 billion frames", lambda: animated_png(2**32 - 1, SIDE, SIDE, 0), EITHER),
        ("PNG whose frames lie outside", lambda: animated_png(3, 60_000, 60_000, 2**31 - 1), EITHER),
        ("PNG turned by a number that is none", lambda: before_pixels(chunk(b"eXIf", exif((0x112, 3, 1, b"\x63\0\0\0"))[6:])), READ),
        (
            "PNG with Exif that points at itself",
            lambda: before_pixels(chunk(b"eXIf", exif((0x8769, 4, 1, b"\x08\0\0\0"), following=8)[6:])),
            READ,
        ),
        (
            "PNG in 16 bits of grey",
            lambda: encoded(Pil.fromarray(np.arange(SIDE * SIDE, dtype=np.uint16).reshape(SIDE, SIDE)), "PNG"),
            READ,
        ),
        ("PNG in one bit", lambda: encoded(gradient().convert("1"), "PNG"), READ),
        ("PNG of a palette with a clear colour", lambda: encoded(gradient().quantize(16), "PNG", transparency=3), READ),
        ("PNG of a palette with opacities", lambda: encoded(gradient().quantize(16), "PNG", transparency=bytes(range(16))), READ),
        ("PNG in grey with opacity", lambda: encoded(gradient().convert("LA"), "PNG"), READ),
        ("PNG that goes on as a page of markup", lambda: png() + b"<html><script>alert(1)</script></html>", READ),
    ]
    return [File(title, "photo.png", always(make), wanted, alone=True) for title, make, wanted in heavy] + [
        File(title, "photo.png", always(make), wanted) for title, make, wanted in light
    ]


def _others() -> list[File]:
    deflated, lzw = 8, 5
    listed: list[tuple[str, str, Callable[[], bytes], str]] = [
        ("GIF of 65535 x 65535", "a.gif", lambda: gif((65535, 65535), (65535, 65535)), REFUSED),
        ("GIF whose frame is larger than its canvas", "a.gif", lambda: gif((SIDE, SIDE), (60_000, 60_000)), REFUSED),
        ("GIF whose frame lies outside", "a.gif", lambda: gif((SIDE, SIDE), (SIDE, SIDE), (65_000, 65_000)), REFUSED),
        ("GIF of no pixels", "a.gif", lambda: gif((0, 0), (0, 0)), REFUSED),
        ("GIF of noise", "a.gif", lambda: gif((SIDE, SIDE), (SIDE, SIDE), body=b"\xff" + b"\xaa" * 255), EITHER),
        ("GIF without an end", "a.gif", lambda: encoded(gradient(), "GIF")[:-1], EITHER),
        (
            "GIF of 3000 frames",
            "a.gif",
            lambda: encoded(Pil.new("P", (SIDE, SIDE)), "GIF")[:-1] + gif((1, 1), (1, 1))[19:-1] * 3000 + b";",
            EITHER,
        ),
        ("GIF of 300 frames", "a.gif", lambda: many_frames("GIF", 300), READ),
        ("WebP of 200 frames", "a.webp", lambda: many_frames("WEBP", 200, method=0), READ),
        ("WebP on a canvas of 16384 x 16384", "a.webp", wide_webp, REFUSED),
        (
            "WebP whose length is 4 GB",
            "a.webp",
            lambda: encoded(gradient(), "WEBP").replace(b"RIFF", b"RIFF", 1)[:4] + b"\xff" * 4 + encoded(gradient(), "WEBP")[8:],
            EITHER,
        ),
        ("WebP of nothing", "a.webp", lambda: riff((b"VP8 ", b"")), REFUSED),
        ("WebP of noise", "a.webp", lambda: riff((b"VP8L", b"\x2f" + b"\xaa" * 500)), REFUSED),
        ("WebP with opacity", "a.webp", lambda: encoded(gradient().convert("RGBA"), "WEBP", lossless=True), READ),
        ("TIFF whose strip is 4 GB long", "a.tif", lambda: grey_tiff(SIDE, SIDE, 1, bytes(SIDE * SIDE), said=2**32 - 1), EITHER),
        ("TIFF of 60000 x 60000", "a.tif", lambda: grey_tiff(60_000, 60_000, 1, bytes(999)), REFUSED),
        ("TIFF whose strip packs 200 MB", "a.tif", lambda: grey_tiff(SIDE, SIDE, deflated, zeros(200 * 2**20)), EITHER),
        ("TIFF of 25 megapixels deflated", "a.tif", lambda: grey_tiff(5000, 5000, deflated, zeros(25_000_000)), EITHER),
        ("TIFF of noise in LZW", "a.tif", lambda: grey_tiff(4000, 4000, lzw, b"\x80\x0b\x60\x50" * 900), EITHER),
        ("TIFF of no rows to a strip", "a.tif", lambda: grey_tiff(SIDE, SIDE, 1, bytes(SIDE * SIDE), rows=0), EITHER),
        ("TIFF of a packing of old", "a.tif", lambda: grey_tiff(SIDE, SIDE, 6, bytes(900)), REFUSED),
        ("TIFF whose pages go round", "a.tif", lambda: tiff((256, 4, 1, 64), following=8), REFUSED),
        ("TIFF of 30 000 pages", "a.tif", lambda: many_directories(30_000), REFUSED),
        ("TIFF of an entry of 4 billion values", "a.tif", lambda: tiff((273, 4, 2**32 - 1, 8), (256, 4, 1, 64), (257, 4, 1, 64)), REFUSED),
        ("TIFF of floats", "a.tif", lambda: float_tiff(0.5), EITHER),
        ("TIFF of floats that are no numbers", "a.tif", lambda: float_tiff(float("nan")), EITHER),
        ("TIFF of infinite floats", "a.tif", lambda: float_tiff(float("inf")), EITHER),
        ("TIFF in 16 bits", "a.tif", lambda: encoded(Pil.fromarray(np.full((SIDE, SIDE), 4000, np.uint16)), "TIFF"), EITHER),
        ("BMP whose runs go beyond its rows", "a.bmp", lambda: bmp(SIDE, SIDE, 8, 1, b"\xff\7" * 9000), EITHER),
        ("BMP of runs that jump", "a.bmp", lambda: bmp(SIDE, SIDE, 8, 1, b"\0\2\xff\xff" * 9000), EITHER),
        ("BMP of 30000 x 30000", "a.bmp", lambda: bmp(30_000, 30_000, body=bytes(999)), REFUSED),
        ("BMP of less than no rows", "a.bmp", lambda: bmp(SIDE, -(2**31), body=bytes(999)), REFUSED),
        ("icon that holds a bomb", "a.ico", lambda: ico(raw_png(30_000, 30_000, pixels(8, 8))), REFUSED),
        ("icon that holds itself", "a.ico", lambda: ico(bytes(64), offset=0), REFUSED),
        ("icon of 4 GB", "a.ico", lambda: ico(png(), size=2**32 - 1), EITHER),
        ("JPEG 2000 of 2 billion a side", "a.jp2", lambda: jpeg_2000(6, b"\x7f\xff\xff\xff" * 2), REFUSED),
        ("JPEG 2000 of tiles of one pixel", "a.jp2", lambda: jpeg_2000(22, b"\0\0\0\1" * 2), EITHER),
        ("JPEG 2000 of 16000 parts", "a.jp2", lambda: jpeg_2000(38, b"\x3f\xff"), REFUSED),
        ("JPEG 2000 cut off", "a.jp2", lambda: encoded(gradient(), "JPEG2000")[:300], REFUSED),
        ("photoshop file", "a.psd", lambda: b"8BPS\0\1" + bytes(6) + struct.pack(">HIIHH", 3, 64, 64, 8, 3) + bytes(99), REFUSED),
        (
            "FITS of 4 billion pixels",
            "a.fits",
            lambda: b"".join(
                line.ljust(80)
                for line in (
                    b"SIMPLE  =                    T",
                    b"BITPIX  =                    8",
                    b"NAXIS   =                    2",
                    b"NAXIS1  =                65535",
                    b"NAXIS2  =                65535",
                    b"END",
                )
            ).ljust(2880),
            REFUSED,
        ),
        ("PPM of 100 000 a side", "a.ppm", lambda: b"P6 100000 100000 255\n" + bytes(99), REFUSED),
        (
            "drawing that names a file",
            "a.svg",
            lambda: b"<svg xmlns='http://www.w3.org/2000/svg'><image href='file:///etc/passwd'/></svg>",
            REFUSED,
        ),
        ("drawing that laughs", "a.svg", laughing_svg, REFUSED),
        ("page of markup", "a.html", lambda: b"<html><script>alert(1)</script></html>", REFUSED),
        ("page of markup named as a photo", "photo.jpg", lambda: b"<html><script>alert(1)</script></html>", REFUSED),
        (
            "PostScript that runs a command",
            "a.eps",
            lambda: b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 64 64\n(%pipe%id) (w) file\n",
            REFUSED,
        ),
        ("document", "a.pdf", lambda: b"%PDF-1.4\n" + bytes(99), REFUSED),
        ("drawing that asks for a command", "a.mvg", lambda: b"push graphic-context\nfill 'url(https://127.0.0.1/\"|id\")'\n", REFUSED),
        ("nothing", "photo.jpg", lambda: b"", REFUSED),
        ("one byte", "photo.jpg", lambda: b"\xff", REFUSED),
        ("text", "photo.jpg", lambda: b"dear diary, " * 50, REFUSED),
        ("zeros", "photo.jpg", lambda: bytes(2**20), REFUSED),
        ("noise", "photo.jpg", lambda: np.random.default_rng(0).bytes(2**18), REFUSED),
        ("noise that begins as a JPEG", "photo.jpg", lambda: jpeg()[:200] + np.random.default_rng(0).bytes(2**18), EITHER),
        ("picture of one pixel", "photo.png", lambda: encoded(Pil.new("RGB", (1, 1)), "PNG"), REFUSED),
        ("picture of 16000 x 33", "photo.png", lambda: raw_png(16_000, 33, pixels(16_000, 33)), EITHER),
    ]
    if features.check("avif"):
        listed += [
            ("AVIF of 20 frames", "a.avif", lambda: many_frames("AVIF", 20), EITHER),
            ("AVIF cut off", "a.avif", lambda: encoded(gradient(), "AVIF")[:250], REFUSED),
            (
                "AVIF of 65535 a side",
                "a.avif",
                lambda: encoded(gradient(), "AVIF").replace(struct.pack(">II", SIDE, SIDE), b"\0\0\xff\xff" * 2),
                EITHER,
            ),
        ]
    alone = ("TIFF whose strip packs 200 MB", "TIFF of 25 megapixels deflated")
    return [File(title, name, always(make), wanted, title in alone) for title, name, make, wanted in listed]


PICTURES = [*_jpegs(), *_pngs(), *_others(), *_cut()]
