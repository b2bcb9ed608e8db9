"""From an uploaded file to an aligned face on a visitor's desk."""

from pathlib import Path

from PIL import Image as Pil

from engines.core.errors import FaceError, ImageError
from engines.core.images import read_image, to_tensor
from engines.faces import Alignment, align, alignment_from_box, draw_overlay, find_faces
from studio.session import Session
from studio.shelf import Desk

OVERLAY_SIDE = 900
NO_FACE = (
    "No face was found in this photo: it may be turned away, covered, very small or not a photograph. "
    "Place the box by hand with the three sliders: its middle on the face, its edge about where a passport photo would end."
)


def place(session: Session, desk: Desk, path: str) -> str:
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


def use(session: Session, desk: Desk, alignment: Alignment) -> Pil.Image:
    """Align the desk's photo by `alignment` and keep it as the target; returns the aligned picture.

    Raises:
        FaceError: There is no photo on the desk.
    """
    if desk.photo is None:
        raise FaceError("There is no photo yet. Choose one above, or click an example.")
    picture = align(desk.photo, alignment, session.generator.resolution)
    desk.alignment, desk.target = alignment, to_tensor(picture)
    return picture


def overlay(desk: Desk) -> Pil.Image | None:
    """The photo with its faces numbered and the crop in use drawn, small enough to send quickly."""
    if desk.photo is None or desk.alignment is None:
        return None
    drawn = draw_overlay(desk.photo, desk.faces, desk.alignment)
    drawn.thumbnail((OVERLAY_SIDE, OVERLAY_SIDE))
    return drawn
