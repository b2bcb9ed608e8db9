"""Pictures: bombs, floods, lies of headers, other formats under a picture's name, and odd ones that must still be read."""

import struct
from collections.abc import Callable

import numpy as np
from PIL import Image as Pil
from PIL import features

from tests.hostile.files import EITHER, READ, REFUSED, File, chunk, zeros
from tests.hostile.picture_files import (
    SIDE,
    after_start,
    always,
    animated_png,
    before_pixels,
    bmp,
    encoded,
    exif,
    float_tiff,
    gif,
    gradient,
    grey_tiff,
    ico,
    jpeg,
    jpeg_2000,
    laughing_svg,
    lying_profile,
    many_directories,
    many_frames,
    patched_jpeg,
    pixels,
    png,
    profile,
    raw_png,
    repeated_scans,
    riff,
    segment,
    sequential_scans,
    tiff,
    wide_webp,
    with_exif,
    with_profile,
    zlib,
)


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
