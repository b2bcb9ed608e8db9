"""From an uploaded file to an aligned face, and from there to a code while one watches."""

import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from PIL import Image as Pil

from engines import InvertRequest, Result
from engines.core.errors import FaceError, ImageError
from engines.core.images import read_image, to_picture, to_tensor
from engines.core.knobs import Knobs
from engines.core.shapes import Image
from engines.faces import Alignment, align, alignment_from_box, draw_overlay, find_faces
from engines.registry import AnyEngine
from studio import along
from studio.events import Moment, moments
from studio.running import Stopper
from studio.session import Session
from studio.shelf import Item, Kept, Sitting

OVERLAY_SIDE, PREVIEW_SIDE, ALIGNED_SIDE = 900, 384, 512
NO_FACE = (
    "No face was found in this photo: it may be turned away, covered, very small or not a photograph. "
    "Place the box by hand with the three sliders: its middle on the face, its edge about where a passport photo would end."
)


def place(session: Session, desk: Sitting, path: str) -> str:
    """Read a photo, find its faces and align the largest; returns a sentence about what was found.

    Raises:
        ImageError: The file is not a picture that can be read.
    """
    photo = read_upload(session, path)
    faces = find_faces(photo)
    desk.photo, desk.faces = photo, faces
    if not faces:
        use(session, desk, alignment_from_box(photo.size, 0.5, 0.45, 0.8))
        return NO_FACE
    use(session, desk, faces[0].alignment)
    words = "One face found and aligned." if len(faces) == 1 else f"{len(faces)} faces found; the largest is aligned. Choose another below."
    return " ".join([words, faces[0].warning or ""]).strip()


def read_upload(session: Session, path: str) -> Pil.Image:
    """Read an uploaded photo. A page of one's own takes checkpoints of a gigabyte, and a photo is not to be read as one.

    Raises:
        ImageError: The file is too heavy, or not a picture that can be read.
    """
    file, most = Path(path), session.settings.upload_megabytes
    if file.is_file() and file.stat().st_size > most * 2**20:
        raise ImageError(f"This file has {file.stat().st_size / 2**20:.0f} MB; photos of at most {most} MB are read. Save it smaller.")
    return read_image(file, session.settings.megapixels)


def use(session: Session, desk: Sitting, alignment: Alignment) -> Pil.Image:
    """Align the desk's photo by `alignment` and keep it as the target; returns the aligned picture.

    Raises:
        FaceError: There is no photo on the desk.
    """
    if desk.photo is None:
        raise FaceError("There is no photo yet. Choose one above, or click an example.")
    picture = align(desk.photo, alignment, session.generator.resolution)
    desk.alignment, desk.target = alignment, to_tensor(picture)
    return picture


def overlay(desk: Sitting) -> Pil.Image | None:
    """The photo with its faces numbered and the crop in use drawn, small enough to send quickly."""
    if desk.photo is None or desk.alignment is None:
        return None
    drawn = draw_overlay(desk.photo, desk.faces, desk.alignment)
    drawn.thumbnail((OVERLAY_SIDE, OVERLAY_SIDE))
    return drawn


def aligned(desk: Sitting) -> Pil.Image | None:
    """The aligned face, small enough to send quickly."""
    return None if desk.target is None else to_picture(desk.target).resize((ALIGNED_SIDE, ALIGNED_SIDE), Pil.Resampling.LANCZOS)


def reserve(desk: Sitting, runs: Stopper) -> str:
    """Claim the sitting's one run for a cell; returns what to say until its turn comes.

    Raises:
        FaceError: There is no aligned face.
        StudioError: A run is going.
    """
    if desk.target is None:
        raise FaceError("There is no aligned face yet. Choose a photo in the first cell, or click an example.")
    return runs.claim(desk)


def inverting(session: Session, desk: Sitting, engine: type[AnyEngine], knobs: Knobs, others: Sequence[Item] = ()) -> Iterator[Moment]:
    """Invert the aligned face a step at a time; `desk.kept` is the best so far, and in the end the result.

    Args:
        session: Who computes.
        desk: Whose face.
        engine: By which method.
        knobs: Its settings.
        others: Items of the shelf, each with its photo, that the generator is tuned to at once.
    """
    start = time.perf_counter()
    target, alignment, photo = desk.target, desk.alignment, desk.photo
    assert target is not None and alignment is not None and photo is not None

    beside = tuple((item.title, item.photo) for item in others if item.photo is not None)

    def keep(result: Result) -> None:
        result = replace(result, images=result.images[:1]) if beside else result
        desk.kept = Kept(result, target, alignment, photo, engine.card.title, time.perf_counter() - start, beside)

    run = session.engine(engine.card.name).run(InvertRequest(image=target, beside=along.pairs(session, others)), knobs)
    yield from moments(run, keep, session.settings.run_seconds, desk.is_stopping)


def preview(image: Image) -> Pil.Image:
    """The picture so far, small enough to send several times a second."""
    return small(to_picture(image))


def small(picture: Pil.Image, side: int = PREVIEW_SIDE) -> Pil.Image:
    """A picture no larger than that, for a place among others."""
    return picture if picture.width <= side else picture.resize((side, side), Pil.Resampling.BILINEAR)
