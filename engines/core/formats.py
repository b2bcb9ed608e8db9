"""Which picture formats are read, which are known but not read, and what is refused by the header alone.

A file is known by its content; its name counts for nothing.
"""

import re
from dataclasses import dataclass

from PIL import features

from engines.core.errors import ImageError


@dataclass(frozen=True)
class Format:
    """A format that is read.

    Attributes:
        name: What people call it.
        code: What Pillow calls it.
        plugin: Pillow's module that reads it.
        suffixes: Of its files.
        lossy: Whether pixels of one painted value may come back a little apart.
        needs: Pillow's name of the library that decodes it, where it may be missing.
    """

    name: str
    code: str
    plugin: str
    suffixes: tuple[str, ...]
    lossy: bool = False
    needs: str = ""


_KNOWN = (
    Format("JPEG", "JPEG", "Jpeg", (".jpg", ".jpeg", ".jfif", ".jpe", ".mpo"), lossy=True),
    Format("PNG", "PNG", "Png", (".png", ".apng")),
    Format("WebP", "WEBP", "WebP", (".webp",), lossy=True, needs="webp"),
    Format("AVIF", "AVIF", "Avif", (".avif", ".avifs"), lossy=True, needs="avif"),
    Format("GIF", "GIF", "Gif", (".gif",)),
    Format("TIFF", "TIFF", "Tiff", (".tif", ".tiff")),
    Format("BMP", "BMP", "Bmp", (".bmp", ".dib")),
    Format("JPEG 2000", "JPEG2000", "Jpeg2K", (".jp2", ".j2k", ".jpf", ".jpx"), lossy=True, needs="jpg_2000"),
)

FORMATS = tuple(form for form in _KNOWN if not form.needs or features.check(form.needs))
"""All formats that are read here."""

READ = f"{', '.join(form.name for form in FORMATS[:-1])} and {FORMATS[-1].name}"
"""Their names in a sentence."""

SUFFIXES = tuple(suffix for form in FORMATS for suffix in form.suffixes)
"""Suffixes of their files, for inputs that filter by name."""

MOST_SCANS = 64
"""Scans of one JPEG that are decoded: each goes over the whole picture. Progressive ones have about ten."""

_MOST_MARKERS = 5_000
_HEAD = 4_096

_CONTENT = (
    ("JPEG", re.compile(rb"\xff\xd8\xff")),
    ("PNG", re.compile(rb"\x89PNG\r\n\x1a\n")),
    ("WEBP", re.compile(rb"RIFF....WEBP", re.DOTALL)),
    ("AVIF", re.compile(rb"....ftyp(?:avi[fs]|(?:mif1|msf1|miaf)(?=.{0,60}avi[fs]))", re.DOTALL)),
    ("GIF", re.compile(rb"GIF8[79]a")),
    ("TIFF", re.compile(rb"(?:II[\x2a\x2b]\x00|MM\x00[\x2a\x2b])(?!.{4}CR\x02)", re.DOTALL)),
    ("BMP", re.compile(rb"BM.{4}.{8}[\x0c\x28\x34\x38\x40\x6c\x7c]\x00\x00\x00", re.DOTALL)),
    ("JPEG2000", re.compile(rb"\x00\x00\x00\x0cjP  \r\n\x87\n|\xff\x4f\xff\x51")),
)

_NOT_READ = (
    ("a HEIC picture, as iPhones take them", rb"....ftyp(?:hei[cmsx]|hev[cmsx]|mif1|msf1|miaf)"),
    ("an AVIF picture", rb"....ftypavi[fs]"),
    ("a JPEG 2000 picture", rb"\x00\x00\x00\x0cjP  |\xff\x4f\xff\x51"),
    ("a WebP picture", rb"RIFF....WEBP"),
    ("a JPEG XL picture", rb"\xff\x0a|\x00\x00\x00\x0cJXL "),
    ("a camera's raw file", rb"II[\x2a\x2b]\x00.{4}CR\x02|....ftypcrx|FUJIFILMCCD-RAW|IIR[OS]|MMOR|IIU\x00|\x00MRM|FOVb|ARRI"),
    ("a Photoshop file", rb"8BPS"),
    ("a GIMP file", rb"gimp xcf"),
    ("an icon (ICO)", rb"\x00\x00[\x01\x02]\x00[^\x00]\x00|icns"),
    ("an SVG drawing", rb"(?:\xef\xbb\xbf)?\s*(?:<\?xml|<!--|<!DOCTYPE\s+svg|<\w*:?svg).{0,3000}?\bsvg\b|<svg"),
    ("a PDF document", rb".{0,1000}?%PDF-"),
    ("a PostScript file", rb"%!PS|\xc5\xd0\xd3\xc6"),
    ("a video", rb"....(?:ftyp|moov|mdat|wide|free)|\x1aE\xdf\xa3|RIFF....AVI |OggS|FLV\x01|\x00\x00\x01[\xba\xb3]|0&\xb2u"),
    ("a sound file", rb"RIFF....WAVE|ID3|fLaC|\xff[\xfb\xf3\xf2]"),
    ("an OpenEXR picture", rb"\x76\x2f\x31\x01"),
    ("a Radiance HDR picture", rb"#\?(?:RADIANCE|RGBE)"),
    ("a DICOM file", rb".{128}DICM"),
    ("a Netpbm picture", rb"P[1-7fF]\s"),
    ("a DirectX texture (DDS)", rb"DDS "),
    ("a Windows metafile", rb"\xd7\xcd\xc6\x9a|\x01\x00\x00\x00.{36} EMF"),
    ("a web page", rb"(?:\xef\xbb\xbf)?\s*(?:<!--.{0,2000}?-->\s*)?<(?:!doctype html|html|head|body)"),
    ("an archive or an Office document", rb"PK\x03\x04|7z\xbc\xaf|Rar!|\x1f\x8b|\xd0\xcf\x11\xe0"),
)
_NAMED = tuple((name, re.compile(pattern, re.DOTALL | re.IGNORECASE)) for name, pattern in _NOT_READ)

_WANTED = f"Read are {READ}: save or export it as one of these and try again."


def format_of(data: bytes) -> Format:
    """The format of a file that can be read, by its content.

    Raises:
        ImageError: Empty, another kind of file, or nothing known; what is known is called by its name.
    """
    if not data:
        raise ImageError(f"The file is empty. Choose a picture; read are {READ}.")
    head = data[:_HEAD]
    able = {form.code: form for form in FORMATS}
    for code, pattern in _CONTENT:
        if code in able and pattern.match(head):
            return able[code]
    for name, named in _NAMED:
        if named.match(head):
            raise ImageError(f"This file is {name}, not a picture that can be read here, whatever its name says. {_WANTED}")
    raise ImageError(f"This file is not a picture that can be read here, whatever its name says. {_WANTED}")


@dataclass(frozen=True)
class Scans:
    """What the markers of the first picture in a JPEG say.

    Attributes:
        components: Colour components.
        whole: Whether the end of the picture was met.
        bands: For each complete scan the numbers of its components, and its first and last frequency.
    """

    components: int
    whole: bool
    bands: tuple[tuple[bytes, int, int], ...]

    @property
    def has_all_frequencies(self) -> bool:
        """Whether the complete scans hold every frequency of every component, if not to the last bit."""
        seen: dict[int, set[int]] = {}
        for numbers, first, last in self.bands:
            for number in numbers:
                seen.setdefault(number, set()).update(range(first, last + 1))
        return len(seen) >= self.components > 0 and all(len(frequencies) == 64 for frequencies in seen.values())


_MARKER = re.compile(rb"\xff([^\x00\xff\xd0-\xd7\x01])")
"""The next marker in data: stuffed bytes and restarts are none. One fill byte is enough: looking for all takes a run's length squared."""


def scans(data: bytes) -> Scans:
    """Walk over the markers of a JPEG's first picture, without decoding anything.

    Raises:
        ImageError: It has more scans or markers than any camera or program writes.
    """
    components, place, bands = 0, 2, list[tuple[bytes, int, int]]()
    for _ in range(_MOST_MARKERS):
        found = _MARKER.search(data, place)
        if found is None:
            return Scans(components, False, tuple(bands[:-1]))
        kind, place = found.group(1)[0], found.end()
        if kind == 0xD9:
            return Scans(components, True, tuple(bands))
        if kind == 0xD8:
            continue
        length = int.from_bytes(data[place : place + 2], "big")
        segment = data[place + 2 : place + max(length, 2)]
        if 0xC0 <= kind <= 0xCF and kind not in (0xC4, 0xC8, 0xCC) and len(segment) > 5:
            components = segment[5]
        if kind == 0xDA:
            bands.append(_band(segment))
            if len(bands) > MOST_SCANS:
                raise ImageError(
                    f"This JPEG has more than {MOST_SCANS} scans, each of which goes over the whole picture; at most {MOST_SCANS} are "
                    "read. Save it again as an ordinary JPEG and retry."
                )
        place += max(length, 2)
    raise ImageError("This JPEG has more markers than a picture needs. Save it again as an ordinary JPEG and retry.")


def _band(segment: bytes) -> tuple[bytes, int, int]:
    """The components of a scan's header, and its first and last frequency; of a broken one nothing."""
    count = segment[0] if segment else 0
    if len(segment) < 3 + 2 * count:
        return b"", 0, 0
    return segment[1 : 1 + 2 * count : 2], min(segment[1 + 2 * count], 63), min(segment[2 + 2 * count], 63)
