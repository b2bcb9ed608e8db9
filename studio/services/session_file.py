"""A visit in one file: the shelf, own directions, what is edited and mixed with its masks, and the lab book, saved and opened again.

The file is a ZIP of `session.json` and of safetensors, PNG and WebP; there is no pickle in it. Whatever it says is from a stranger and is
checked before anything of it is taken: sizes, names, codes, directions, recipes, and the lines of Python of the lab book, which may call
this project and nothing else (`studio.services.safe_lines`).
"""

import json
import logging
import math
import re
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, fields, replace
from functools import partial
from io import BytesIO
from typing import Any

from PIL import Image as Pil

from engines import Direction, Inversion, read_directions, write_directions
from engines.core.archives import Archive, opened
from engines.core.errors import StudioError
from engines.core.images import png_bytes, read_image, to_picture
from engines.edit.codes import read_codes, write_codes
from engines.generators.incremental import draw_inversion
from studio.services.edit_recipe import EditRecipe, read_recipe
from studio.services.editor import Editor
from studio.services.mix_file import read_mix, write_mix
from studio.services.photo_file import decoded, encoded, read_photo, write_photo
from studio.services.safe_lines import check_lines
from studio.services.user_directions import MOST as MOST_DIRECTIONS
from studio.services.user_directions import renamed
from studio.state.lab_book import MOST as MOST_ENTRIES
from studio.state.lab_book import THUMBNAIL, Entry
from studio.state.mix import Mixed
from studio.state.results import Kept
from studio.state.visitor import Item, PhotoState, Visitor

VERSION = 1
_TEXT = "session.json"
_MOST_TEXT, _LEFT_FOR_TEXT = 4 * 2**20, 2**19
_MOST_ITEMS = 200
_LONGEST = 20_000
_TITLE = 200
_DIGEST = re.compile("[0-9a-f]{64}|")
DAMAGED = "This is no session of Latent Studio, or a damaged one."
log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Written:
    """A session as a file.

    Attributes:
        data: Its bytes.
        lighter: How many tuned faces were left without their weight change, since the file would have been too large; photos go, too.
    """

    data: bytes
    lighter: int


def write_session(editor: Editor, visitor: Visitor, most: int, *, own: bool = False) -> Written:
    """Everything of a visit that can be opened again.

    Args:
        editor: Whose generator and directions it is of.
        visitor: Whose visit.
        most: Bytes that such a file may have to be opened again.
        own: Whether it stays in a folder of this program's own: the photo and the last result of the tab Invert are in it, too.
    """
    photographed, members = write_photo(visitor) if own else ({}, {})
    left, lighter, shelf = most - _book_bytes(visitor) - sum(map(len, members.values())) - _LEFT_FOR_TEXT, 0, []
    for number, item in enumerate(visitor.shelf.values(), start=1):
        whole = write_codes(item.whole)
        if item.tuning_bytes and len(whole) > left:
            whole, lighter = write_codes(replace(item.whole, tuning={})), lighter + 1
        members[f"shelf/{number}.safetensors"] = whole
        photo = b"" if item.photo is None else encoded(item, "photo", partial(png_bytes, item.photo))
        left -= len(whole) + len(photo)
        if photo and left > 0:
            members[f"shelf/{number}.png"] = photo
        shelf.append({"title": item.title, "strength": item.strength, "number": number, "photo": bool(photo) and left > 0})
    directions = list(visitor.directions.values())
    if directions:
        members["directions.safetensors"] = write_directions(directions, "safetensors", editor.session.generator)
    members |= {f"files/{name}": data for name, data in visitor.book.files.items()}
    members |= {f"book/{entry.number}.webp": entry.thumbnail for entry in visitor.book.entries}
    names = [field.name for field in fields(Entry) if field.name != "thumbnail"]
    book = [{name: getattr(entry, name) for name in names} for entry in visitor.book.entries]
    edited = EditRecipe(*visitor.edited, editor.session.generator.name).text if visitor.edited else ""
    mix, masks = write_mix(visitor.mixed)
    members |= {f"masks/{key}.png": data for key, data in masks.items()}
    made = {"shelf": shelf, "book": book, "edited": edited, "mix": mix, **photographed}
    told = {"session": VERSION, "generator": editor.session.generator.name, **made}
    return Written(_packed({_TEXT: json.dumps(told, indent=1).encode(), **members}), lighter)


def _book_bytes(visitor: Visitor) -> int:
    return sum(map(len, visitor.book.files.values())) + sum(len(entry.thumbnail) for entry in visitor.book.entries)


def _packed(members: dict[str, bytes]) -> bytes:
    written = BytesIO()
    with zipfile.ZipFile(written, "w") as archive:  # what is in it is packed already
        for name, data in members.items():
            archive.writestr(name, data)
    return written.getvalue()


@dataclass(frozen=True)
class _Read:
    """What a file holds, all of it checked."""

    items: list[tuple[str, Inversion, float, Pil.Image | None]]
    directions: tuple[Direction, ...]
    entries: list[Entry]
    files: dict[str, bytes]
    edited: str
    mixed: Mixed | None
    photographed: tuple[PhotoState, Kept | None] | None


def open_session(data: bytes, editor: Editor, visitor: Visitor, most: int, *, own: bool = False) -> str:
    """Take a session up, beside what the visitor has already; returns what came, in words.

    Args:
        data: The file, from a stranger unless it is our own.
        editor: Whose generator it must fit.
        visitor: Who opens it.
        most: Bytes that may come out of it.
        own: Whether it comes from a folder of this program's own, as `write_session` says: its pictures are decoded here, which takes a
            stranger's a process each, and photo and last result of the tab Invert come back.

    Raises:
        StudioError: It is none, of another version or generator, damaged, or holds what is not allowed. Nothing of it is taken then.
    """
    try:
        with opened(data, most) as archive:
            read = _read(archive, editor, own=own)
    except StudioError:
        raise
    except (zipfile.BadZipFile, KeyError, TypeError, ValueError, RecursionError, AttributeError) as error:
        raise StudioError(DAMAGED) from error
    before = visitor.shelf.copy(), visitor.directions.copy()
    try:
        keys = [_shelved(editor, visitor, *item) for item in read.items]
        for direction in read.directions:
            editor.library.add(direction, visitor)
        recipe = read_recipe(read.edited, editor, visitor) if read.edited else None
    except (RuntimeError, StudioError):
        visitor.shelf, visitor.directions = before
        raise
    if recipe is not None:
        visitor.edited, visitor.edited_on = (recipe.face, recipe.edits), ""
    visitor.mixed = read.mixed or visitor.mixed
    visitor.book.take(read.entries, read.files)
    if read.photographed is not None:
        _take_photo(visitor, *read.photographed)
    counts = ((len(keys), "faces on the shelf"), (len(read.directions), "directions"), (len(read.entries), "entries of the lab book"))
    return "Opened: " + ", ".join(f"{count} {name}" for count, name in counts) + "."


def _take_photo(visitor: Visitor, came: PhotoState, kept: Kept | None) -> None:
    visitor.photo, visitor.faces, visitor.alignment, visitor.target = came.photo, came.faces, came.alignment, came.target
    visitor.upload, visitor.path, visitor.results.inverted = came.upload, came.path, kept


def _shelved(editor: Editor, visitor: Visitor, title: str, inversion: Inversion, strength: float, photo: Pil.Image | None) -> Item:
    picture = to_picture(draw_inversion(editor.session.generator, inversion, editor.session.live_size))
    item = visitor.put(title, picture, inversion, photo)
    return item if strength == item.strength or not item.tuning_bytes else visitor.weaken(item.key, strength)


def _read(archive: Archive, editor: Editor, *, own: bool) -> _Read:
    generator = editor.session.generator
    told = json.loads(_text(archive))
    if not isinstance(told, dict) or told.get("session") != VERSION:
        raise StudioError(f"This session is of another version than {VERSION}, or none. Save it again with this version of the studio.")
    if told.get("generator") != generator.name:
        raise StudioError(f"This session is for the generator {str(told.get('generator'))[:40]!r}; this page draws with {generator.name}.")
    items = [_item(archive, named, editor, own=own) for named in _listed(told, "shelf", _MOST_ITEMS)]
    name = "directions.safetensors"
    found = read_directions(bytes(archive.read(name)), name, generator) if name in archive.names else ()
    if len(found) > MOST_DIRECTIONS:
        raise StudioError(f"This session has {len(found)} directions; at most {MOST_DIRECTIONS} are kept.")
    entries = [_entry(archive, named, own=own) for named in _listed(told, "book", MOST_ENTRIES)]
    files = {name: bytes(archive.read(f"files/{name}")) for entry in entries for name in entry.needs}
    mixed = read_mix(told.get("mix"), lambda key: bytes(archive.read(f"masks/{key}.png")))
    photographed = _photographed(archive, told, editor) if own else None
    return _Read(items, tuple(renamed(one, one.name) for one in found), entries, files, str(told.get("edited") or ""), mixed, photographed)


def _photographed(archive: Archive, told: dict[str, Any], editor: Editor) -> tuple[PhotoState, Kept | None] | None:
    """The photo and its last result; where they cannot be had, the rest still can."""
    try:
        return read_photo(told, lambda name: bytes(archive.read(name)), editor.session)
    except (OSError, StudioError):
        log.exception("The photo of a saved visit could not be opened")
        return None


def _picture(data: bytes, megapixels: float, *, own: bool) -> Pil.Image:
    return decoded(data, megapixels) if own else read_image(data, megapixels)


def _text(archive: Archive) -> bytes:
    if archive.claimed(_TEXT) > _MOST_TEXT:
        raise StudioError(DAMAGED)
    text = bytes(archive.read(_TEXT))
    if len(text) > _MOST_TEXT:
        raise StudioError(DAMAGED)
    return text


def _listed(told: dict[str, Any], name: str, most: int) -> Iterator[dict[str, Any]]:
    listed = told.get(name)
    if not isinstance(listed, list) or len(listed) > most or not all(isinstance(one, dict) for one in listed):
        raise StudioError(DAMAGED)
    yield from listed


def _item(archive: Archive, named: dict[str, Any], editor: Editor, *, own: bool) -> tuple[str, Inversion, float, Pil.Image | None]:
    title, strength, number = named["title"], named["strength"], named["number"]
    if not (isinstance(title, str) and title and len(title) <= _TITLE and _is_share(strength) and isinstance(number, int)):
        raise StudioError(DAMAGED)
    inversion = read_codes(bytes(archive.read(f"shelf/{number}.safetensors")), "code.safetensors", editor.session.generator)[0]
    photo = bytes(archive.read(f"shelf/{number}.png")) if named["photo"] else None
    picture = None if photo is None else _picture(photo, editor.session.settings.megapixels, own=own)
    side = editor.session.generator.resolution
    if picture is not None and picture.size != (side, side):
        raise StudioError(f"A photo of this session has {picture.width} x {picture.height} pixels, and aligned faces have {side} x {side}.")
    return title, inversion, float(strength), picture


def _is_share(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value) and 0 <= value <= 1


def _entry(archive: Archive, named: dict[str, Any], *, own: bool) -> Entry:
    others = ("number", "at", "files", "thumbnail", "whole")
    texts = {field.name: named[field.name] for field in fields(Entry) if field.name not in others}
    number, at, names, whole = (named[name] for name in ("number", "at", "files", "whole"))
    fine = all(isinstance(text, str) and len(text) <= _LONGEST for text in texts.values()) and isinstance(names, list)
    if not (
        fine
        and isinstance(whole, bool)
        and isinstance(number, int)
        and isinstance(at, int | float)
        and math.isfinite(at)
        and 0 <= at < 2**40
    ):
        raise StudioError(DAMAGED)
    edit = json.loads(texts["recipe"] or "{}")
    if not _DIGEST.fullmatch(texts["digest"]) or not isinstance(edit, dict) or (edit and not {"turns", "keep"} <= set(edit)):
        raise StudioError(DAMAGED)
    check_lines(texts["code"], texts["saved"], [*names, *([texts["code_file"]] if texts["code_file"] else [])])
    data = bytes(archive.read(f"book/{number}.webp"))
    if len(data) > 2**20 or _picture(data, THUMBNAIL**2 / 1e6 * 1.01, own=own).width > THUMBNAIL:
        raise StudioError(DAMAGED)
    return Entry(number=number, at=float(at), files=tuple(names), thumbnail=data, whole=whole, **texts)
