"""What a painting canvas might send instead of what was painted."""

import base64

from tests.hostile.files import chunk, zeros
from tests.hostile.picture_files import animated_png, encoded, gif, gradient, png, raw_png

URL = "data:image/png;base64,"


def url(data: bytes, start: str = URL) -> str:
    """A picture as a text."""
    return start + base64.b64encode(data).decode()


def layer(width: int, height: int, channels: int = 4) -> bytes:
    """An empty layer of some size."""
    rows = zeros(height * (channels * width + 1))
    return raw_png(width, height, chunk(b"IDAT", rows), colour={3: 2, 4: 6}[channels])


def masks() -> dict[str, object]:
    """Values of a canvas by what is wrong with them."""
    bomb = raw_png(30_000, 30_000, chunk(b"IDAT", zeros(30_000 * 3751)), bits=1, colour=0)
    return {
        "bomb": url(bomb),
        "200 MB of pixels for a small layer": url(raw_png(64, 64, chunk(b"IDAT", zeros(200 * 2**20)), colour=6)),
        "text of 200 MB": url(raw_png(64, 64, chunk(b"zTXt", b"a\0\0" + zeros(200 * 2**20)), colour=6)),
        "layer of 4096 a side": url(layer(4096, 4096)),
        "layer of 5000 a side": url(layer(5000, 5000)),
        "layer that is not square": url(layer(512, 16)),
        "layer without opacity": url(layer(512, 512, 3)),
        "layer of one pixel": url(layer(1, 1)),
        "layer of another format": url(encoded(gradient(), "JPEG")),
        "GIF of 65535": url(gif((65535, 65535), (65535, 65535))),
        "animation": url(animated_png(200, 96, 96, 0)),
        "cut off": url(png()[:99]),
        "no picture": url(b"dear diary"),
        "empty layer": URL,
        "no base64": URL + "!!!!",
        "half a byte": URL + "QQ",
        "zeros in base64": URL + "\0" * 99,
        "4 MB of letters": URL + "A" * 4_100_000,
        "page of markup": url(b"<script>alert(1)</script>", "data:text/html;base64,"),
        "drawing": "data:image/svg+xml,<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>",
        "file of the machine": "file:///etc/passwd",
        "path of the machine": "/etc/passwd",
        "markup": "<img src=x onerror=alert(1)>",
        "number": 7,
        "no number": float("nan"),
        "list": [URL, URL],
        "mapping": {"path": "/etc/passwd", "url": "file:///etc/passwd"},
        "file data": {"path": "/etc/passwd", "meta": {"_type": "gradio.FileData"}},
        "yes": True,
        "lists in lists": [[[[[[[]]]]]]],
    }
