"""The photo of the tab Invert and the last result of it, as a visit that stays on one's own machine keeps them.

The photo is kept as it was uploaded, and read and aligned again; the result as its code, from which it is drawn again. What a run showed
on its way, variants beside the first and what was tuned along are not in it: of those, the shelf keeps what is put there.
"""

import math
import re
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import Any
from weakref import WeakKeyDictionary

import torch
from PIL import Image as Pil

from engines import Result
from engines.core.errors import StudioError
from engines.core.images import jpeg_bytes, png_bytes, to_picture, to_tensor
from engines.edit.codes import read_codes, write_codes
from engines.faces import Alignment, alignment_from_box
from engines.faces.find import KEPT_MEGAPIXELS
from studio.services.photo_pipeline import BOX_ENDS, box_of, in_full, place, use
from studio.serving.disk import disk
from studio.state.results import Kept
from studio.state.session import Session
from studio.state.visitor import PhotoState, Visitor

DAMAGED = "The photo or its inversion in this session is damaged."
_UPLOAD, _CODE, _TARGET, _PHOTO = "photo/upload", "result/code.safetensors", "result/target.png", "result/photo.jpg"
_SUFFIX = re.compile(r"\.[a-z0-9]{1,5}|")
_LONGEST, _MOST_FIGURES = 200, 64
_encoded: WeakKeyDictionary[object, dict[str, bytes]] = WeakKeyDictionary()

Read = Callable[[str], bytes]


def encoded(owner: object, name: str, picture: Callable[[], bytes]) -> bytes:
    """A picture of something that never changes, encoded when it is first saved and kept for as long as its owner is."""
    known = _encoded.setdefault(owner, {})
    if name not in known:
        known[name] = picture()
    return known[name]


def decoded(data: bytes, megapixels: float) -> Pil.Image:
    """A picture that this program wrote into a folder of its own, read without a process apart.

    Raises:
        StudioError: It is damaged, or larger.
    """
    try:
        with Pil.open(BytesIO(data), formats=("PNG", "JPEG", "WEBP")) as picture:
            if picture.width * picture.height > megapixels * 1e6:
                raise StudioError(DAMAGED)
            return picture.convert("RGB")
    except (OSError, ValueError, SyntaxError, Pil.DecompressionBombError) as error:
        raise StudioError(DAMAGED) from error


def write_photo(visitor: Visitor) -> tuple[dict[str, Any], dict[str, bytes]]:
    """A photo and the last result of it as values for JSON, and the files that belong to them; of what is not there, nothing."""
    told, members, photo, kept = {}, dict[str, bytes](), visitor.photo, visitor.results.inverted
    if photo is not None:
        upload = Path(visitor.path)
        members[_UPLOAD] = upload.read_bytes() if upload.is_file() else jpeg_bytes(photo)
        told["photo"] = {"suffix": upload.suffix.lower() if upload.is_file() else ".jpg"} | _placed(visitor)
    if kept is not None and kept.result.inversions:
        members[_CODE] = write_codes(kept.inversion)
        members[_TARGET] = encoded(kept, _TARGET, lambda: png_bytes(to_picture(kept.target)))
        members[_PHOTO] = encoded(kept, _PHOTO, lambda: jpeg_bytes(kept.photo))
        told["result"] = {
            "method": kept.method,
            "seconds": kept.seconds,
            "figures": dict(kept.result.metrics),
            "quad": kept.alignment.quad,
        }
    return told, members


def _placed(visitor: PhotoState) -> dict[str, Any]:
    """Which of the faces is aligned, or where the box by hand lies; nothing where nobody placed it yet."""
    number = next((number for number, face in enumerate(visitor.faces, 1) if face.alignment is visitor.alignment), None)
    if number is not None:
        return {"face": number}
    return {} if visitor.target is None else {"box": box_of(visitor)}


def read_photo(told: dict[str, Any], read: Read, session: Session) -> tuple[PhotoState, Kept | None]:
    """What `write_photo` wrote, for the visitor who is being served: the photo as it is placed, and its last result.

    Args:
        told: The values.
        read: The bytes of a file by its name.
        session: Whose generator draws.

    Raises:
        StudioError: It is damaged, or of another kind.
        KeyError: A file is not there.
        OSError: There is no room for the photo.
    """
    state, photo, result = PhotoState(), told.get("photo"), told.get("result")
    if photo:
        _put(state, photo, read(_UPLOAD), session)
    return state, _kept(result, read, session) if result else None


def _put(state: PhotoState, told: dict[str, Any], data: bytes, session: Session) -> None:
    """Place the photo as if it were uploaded, and align it as it was."""
    suffix, number, box = told["suffix"], told.get("face"), told.get("box")
    path = disk.new_upload(disk.visitor or None) / f"photo{suffix if _SUFFIX.fullmatch(suffix) else ''}"
    path.write_bytes(data)
    place(session, state, str(path))
    if box is not None and state.photo is not None:
        if not (len(box) == 3 and all(_is_number(value, *ends) for value, ends in zip(box, BOX_ENDS, strict=True))):
            raise StudioError(DAMAGED)
        use(session, state, alignment_from_box(state.photo.size, *box))
    elif isinstance(number, int) and 1 <= number <= len(state.faces):
        use(session, state, state.faces[number - 1].alignment)


def _kept(told: dict[str, Any], read: Read, session: Session) -> Kept:
    method, seconds, figures, quad = told["method"], told["seconds"], told["figures"], told["quad"]
    fine = (
        isinstance(method, str)
        and len(method) <= _LONGEST
        and _is_number(seconds, 0, 2**40)
        and len(figures) <= _MOST_FIGURES
        and all(len(name) <= _LONGEST and _is_number(value, -math.inf, math.inf) for name, value in figures.items())
        and len(quad) == 4
        and all(len(point) == 2 and all(_is_number(value, -1e6, 1e6) for value in point) for point in quad)
    )
    side = session.generator.resolution
    target, photo = decoded(read(_TARGET), side**2 / 1e6), decoded(read(_PHOTO), KEPT_MEGAPIXELS * 1.01)
    if not fine or target.size != (side, side):
        raise StudioError(DAMAGED)
    inversion = read_codes(read(_CODE), _CODE, session.generator)[0]
    result = Result(torch.zeros(1, 3, 1, 1), (inversion,), metrics={name: float(value) for name, value in figures.items()})
    (a, b, c, d) = ((float(x), float(y)) for x, y in quad)
    return in_full(session, Kept(result, to_tensor(target), Alignment((a, b, c, d), photo.size), photo, method, float(seconds)))


def _is_number(value: object, low: float, high: float) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value) and low <= value <= high
