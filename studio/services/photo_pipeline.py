"""From an uploaded file to an aligned face, and from there to a code while one watches."""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from PIL import Image as Pil

from engines import InvertRequest, Result
from engines.contract import Run
from engines.core.errors import FaceError
from engines.core.images import Opened, to_picture, to_tensor
from engines.core.knobs import Knobs
from engines.core.memory import give_back
from engines.core.shapes import Image
from engines.faces import Alignment, align, alignment_from_box, draw_overlay, find_faces, reduced, told
from engines.faces.find import MOST_FACES
from engines.generators.incremental import draw_inversion
from engines.inputs import AlignedPhoto, Reading
from engines.plugins import AnyEngine
from studio.services import joint_tuning
from studio.state.moments import Moment, moments
from studio.state.results import Kept
from studio.state.session import Session
from studio.state.visitor import Item, PhotoState

OVERLAY_SIDE, PREVIEW_SIDE, ALIGNED_SIDE = 900, 384, 512
NO_FACE = (
    "No face was found in this photo: it may be turned away, covered, very small or not a photograph. "
    "Place the box by hand with the three sliders: its middle on the face, its edge about where a passport photo would end. "
    "Run waits until you moved it, or pressed “Use the box as it stands”."
)
UNPLACED = (
    "No face was found in this photo, and its box was not placed yet. Move the box onto the face with the three sliders of the cell Photo, "
    "or press “Use the box as it stands” there."
)
READING = "photo => photo ? 'Looking for faces …' : ''"
"""What the page says while a photo is read, from the browser itself: the answer may be waiting for its turn."""

BOX = (0.5, 0.45, 0.8)
"""Where the box by hand begins: its middle over the photo's width and height, its side over the shorter side."""

BOX_ENDS = ((0.0, 1.0), (0.0, 1.0), (0.05, 1.5))
"""How far each of them goes."""


def place(session: Session, visitor: PhotoState, path: str) -> str:
    """Read a photo, find its faces and align the largest; returns a sentence about what was found.

    Without a face, a box is proposed and nothing is aligned: that takes a person who looked at it. The photo is kept no larger than its
    faces need, and so is what is pasted back into it.

    Raises:
        ImageError: The file is not a picture that can be read.
    """
    upload = read_upload(session, path)
    visitor.upload, visitor.path = digest(path), path
    photo, faces = reduced(upload.picture, find_faces(upload.picture), session.generator.resolution)
    visitor.photo, visitor.faces = photo, faces
    words = [told(faces), "Choose another below." if len(faces) > 1 else "", upload.note]
    if photo is not upload.picture:
        size = f"{photo.width} x {photo.height}"
        words.append(f"The photo is kept at {size} pixels, as large as the generator needs; what is pasted back into it has that size.")
        del upload
        give_back()
    if not faces:
        visitor.alignment, visitor.target = alignment_from_box(photo.size, *BOX), None
        words[0] = NO_FACE
    else:
        use(session, visitor, faces[0].alignment)
    return " ".join(part for part in words if part)


def read_upload(session: Session, path: str) -> Opened:
    """Read an uploaded picture: the one way for all tabs and endpoints, with all limits of this studio.

    Raises:
        ImageError: The file is too heavy, too large, or not a picture that can be read.
    """
    return reading_for(session).picture(Path(path))


def uploaded_face(session: Session, path: str, number: int | None = None) -> AlignedPhoto:
    """Read an upload and align one of its faces: the one of that number, from 1, or the largest where it clearly dominates.

    Raises:
        ImageError: The file is not a picture that can be read.
        FaceError: No face, none of that number, or several of about one size and no number.
    """
    return reading_for(session).aligned(Path(path), number)


def reading_for(session: Session) -> Reading:
    """What reads the files of a request, with all limits of this studio."""
    return Reading(session.generator, session.settings.megapixels, session.settings.upload_megabytes)


def face_names(count: int) -> list[str]:
    """What the choices of a face are called."""
    return [f"Face {number}" for number in range(1, count + 1)]


def face_number(name: str | None) -> int:
    """The number of such a choice, from 1.

    Raises:
        FaceError: There is no such choice.
    """
    number = str(name or "Face 1").removeprefix("Face ")  # a menu that changes may be sent any kind of value
    if not number.isdecimal() or int(number) < 1:
        raise FaceError("That face is no longer there. Choose the photo again.")
    return int(number)


def face_setting(settings: dict[str, Any], name: str = "face") -> int | None:
    """Take the number of a face out of an endpoint's settings, if it is there.

    Raises:
        FaceError: It is no whole number from 1.
    """
    number = settings.pop(name, None)
    if number is None:
        return None
    if isinstance(number, bool) or not isinstance(number, int | float) or not 1 <= number <= MOST_FACES or number % 1:
        raise FaceError(f"The setting {name!r} is the number of a face, from 1 (the largest).")
    return int(number)


def forget(visitor: PhotoState) -> None:
    """Drop a photo and all that was found in it; what a run made of it stays."""
    visitor.photo, visitor.faces, visitor.alignment, visitor.target, visitor.upload = None, (), None, None, ""


def digest(path: str) -> str:
    """A hash of an upload, by which it is known again."""
    with Path(path).open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def box_of(visitor: PhotoState) -> tuple[float, float, float]:
    """The crop in use as the sliders of the box by hand say it."""
    if visitor.photo is None or visitor.alignment is None:
        return BOX
    (x, y), (width, height) = visitor.alignment.centre, visitor.photo.size
    share = (x / width, y / height, visitor.alignment.side / min(width, height))
    left, top, side = (round(min(max(value, low), high), 2) for value, (low, high) in zip(share, BOX_ENDS, strict=True))
    return left, top, side


def use(session: Session, visitor: PhotoState, alignment: Alignment) -> Pil.Image:
    """Align the visitor's photo by `alignment` and keep it as the target; returns the aligned picture.

    Raises:
        FaceError: There is no visitor's own photo.
    """
    if visitor.photo is None:
        raise FaceError("There is no photo yet. Choose one above, or click an example.")
    picture = align(visitor.photo, alignment, session.generator.resolution)
    visitor.alignment, visitor.target = alignment, to_tensor(picture)
    return picture


def overlay(visitor: PhotoState) -> Pil.Image | None:
    """The photo with its faces numbered and the crop in use drawn, small enough to send quickly."""
    if visitor.photo is None or visitor.alignment is None:
        return None
    drawn = draw_overlay(visitor.photo, visitor.faces, visitor.alignment)
    drawn.thumbnail((OVERLAY_SIDE, OVERLAY_SIDE))
    return drawn


def aligned(visitor: PhotoState) -> Pil.Image | None:
    """The aligned face, small enough to send quickly."""
    return None if visitor.target is None else to_picture(visitor.target).resize((ALIGNED_SIDE, ALIGNED_SIDE), Pil.Resampling.LANCZOS)


def aligned_face(visitor: PhotoState) -> Image:
    """The face to invert, (1,3,R,R).

    Raises:
        FaceError: There is no photo, or none of its faces was found and nobody placed the box.
    """
    if visitor.target is None:
        nothing = "There is no aligned face yet. Choose a photo in the first cell, or click an example."
        raise FaceError(nothing if visitor.photo is None else UNPLACED)
    return visitor.target


def inverting(
    session: Session, visitor: PhotoState, engine: type[AnyEngine], knobs: Knobs, others: Sequence[Item] = ()
) -> Iterator[tuple[Moment, Kept | None]]:
    """Invert the aligned face a step at a time; each moment comes with the best so far, the last with the result.

    Args:
        session: Who computes.
        visitor: Whose face.
        engine: By which method.
        knobs: Its settings.
        others: Items of the shelf, each with its photo, that the generator is tuned to at once.

    Raises:
        FaceError: The photo was removed before the run's turn came.
    """
    target = aligned_face(visitor)
    run = session.engine(engine.card.name).run(InvertRequest(image=target, beside=joint_tuning.pairs(session, others)), knobs)
    beside = tuple((item.title, item.photo) for item in others if item.photo is not None)
    return redrawing(session, visitor, run, engine.card.title, target, beside)


def redrawing(
    session: Session, visitor: PhotoState, run: Run, title: str, target: Image, beside: tuple[tuple[str, Pil.Image], ...] = ()
) -> Iterator[tuple[Moment, Kept | None]]:
    """Drive a run on the visitor's aligned photo; each moment comes with the best so far, the last with the result.

    Args:
        session: Whose time limit holds.
        visitor: Whose photo, and who may stop the run.
        run: What an engine's `run` returned.
        title: The method's.
        target: What is redrawn, (1,3,R,R).
        beside: Titles and photos of the shelf that it is tuned to, too.
    """
    alignment, photo = visitor.alignment, visitor.photo
    assert alignment is not None and photo is not None
    best: Result | None = None
    kept: Kept | None = None
    for moment in moments(run, session.settings.run_seconds, visitor.is_stopping):
        if moment.best is not None and moment.best is not best:
            best = moment.best
            alone = replace(best, images=best.images[:1]) if beside else best
            kept = Kept(alone, target, alignment, photo, title, moment.seconds, beside)
        yield moment, kept


def preview(image: Image) -> Pil.Image:
    """The picture so far, small enough to send several times a second."""
    return small(to_picture(image))


def small(picture: Pil.Image, side: int = PREVIEW_SIDE) -> Pil.Image:
    """A picture no larger than that, for a place among others."""
    return picture if picture.width <= side else picture.resize((side, side), Pil.Resampling.BILINEAR)


def in_full(session: Session, kept: Kept) -> Kept:
    """The same with the full picture, where only a preview was at hand."""
    if kept.images.shape[-1] == session.generator.resolution:
        return kept
    return replace(kept, images=draw_inversion(session.generator, kept.inversion))
