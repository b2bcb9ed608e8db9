"""From a photo to its aligned faces: detection, landmarks and alignment in one call."""

import math
import time
from dataclasses import dataclass

from PIL import Image as Pictures

from engines.core.errors import FaceError
from engines.faces.align import Alignment, alignment_from_landmarks, check_picture
from engines.faces.detect import Detection, face_detector
from engines.faces.landmarks import Landmarks, face_mesh

LEAST_PRESENCE = 0.5
"""Detections in whose crop the mesh network sees no face are dropped."""

LEAST_EYE_DISTANCE = 12.0
"""Eyes nearer than this, in pixels, make a face too small to be rebuilt well."""

DOMINANT = 2.0
"""A face is taken for the one that is meant if its square's side is so many times that of the next."""

MOST_FACES = 48
"""Faces that are looked at closely, largest first: of a crowd nobody chooses the fiftieth."""

SECONDS = 6.0
"""Time after which no further face, and no further turn of the picture, is looked at."""

KEPT_MEGAPIXELS = 12.0
"""Largest photo that `reduced` leaves."""

_WORTHWHILE = 0.9
"""A photo that would lose less of its side is left as it is."""


@dataclass(frozen=True, eq=False)
class Face:
    """One face of a photo.

    Attributes:
        detection: Its box and score.
        landmarks: Its mesh.
        alignment: Its FFHQ square.
        warning: A sentence for the person where the face will not come out well; otherwise empty.
    """

    detection: Detection
    landmarks: Landmarks
    alignment: Alignment
    warning: str = ""


def find_faces(image: Pictures.Image, device: str = "cpu", seconds: float = SECONDS) -> tuple[Face, ...]:
    """The faces of one picture, largest first, at most `MOST_FACES`; an empty tuple where there are none.

    Args:
        image: A picture of any mode, turned upright as its camera meant.
        device: Where the networks run.
        seconds: Time after which the picture is turned no further and, from there, no further face is looked at: the largest remain.

    Raises:
        ImageError: A side is under 16 pixels.
    """
    check_picture(image)
    image = image if image.mode == "RGB" else image.convert("RGB")  # a large photo is not copied for nothing
    found, detections = list[Face](), face_detector(device).detect(image, time.monotonic() + seconds)
    end = time.monotonic() + seconds
    for detection in detections:
        if len(found) == MOST_FACES or (found and time.monotonic() > end):
            break
        marks = face_mesh(device).locate(image, detection)
        if marks.presence >= LEAST_PRESENCE:
            found.append(Face(detection, marks, alignment_from_landmarks(marks, image.size), _warning(marks)))
    return tuple(sorted(found, key=_by_size))


def pick_face(faces: tuple[Face, ...], number: int | None = None) -> Face:
    """One of the faces of a picture: the one of that number, or the largest where it clearly dominates.

    Args:
        faces: As `find_faces` gives them.
        number: From 1, the largest.

    Raises:
        FaceError: There is no face, none of that number, or no number and several of about one size.
    """
    if not faces:
        raise FaceError("No face was found in this picture: choose one that shows a face from the front, or crop it closely.")
    if number is not None:
        if isinstance(number, bool) or number not in range(1, len(faces) + 1):
            raise FaceError(f"Face {number} was asked for, but the picture has {len(faces)}: choose a number from 1 to {len(faces)}.")
        return faces[int(number) - 1]
    if not dominates(faces):
        raise FaceError(
            f"{len(faces)} faces were found, and the largest is not {DOMINANT:g} times as large as the next. Choose one by its number, "
            f'from 1 (the largest) to {len(faces)}: under "Which face" on the page, as "face" in the settings of an endpoint, '
            "or with --face on the command line. Or crop the picture to one face."
        )
    return faces[0]


def dominates(faces: tuple[Face, ...]) -> bool:
    """Whether the first of several faces is so much larger than the others that it alone can be meant."""
    return len(faces) == 1 or (len(faces) > 1 and faces[0].alignment.side >= DOMINANT * faces[1].alignment.side)


def told(faces: tuple[Face, ...], number: int = 1) -> str:
    """A sentence on the faces of a picture, of which the one of that number is taken; nothing where there is none."""
    if not faces:
        return ""
    if len(faces) == 1:
        words = "One face found and aligned."
    elif number != 1:
        words = f"{len(faces)} faces found; face {number} is aligned, counted from the largest."
    elif dominates(faces):
        words = f"{len(faces)} faces found; the largest, clearly larger than the others, is aligned."
    else:
        words = f"{len(faces)} faces found, several of about one size; the largest is aligned."
    if len(faces) == MOST_FACES:
        words += f" Smaller ones are not looked at: at most {MOST_FACES} are."
    return f"{words} {faces[number - 1].warning}".strip()


def reduced(photo: Pictures.Image, faces: tuple[Face, ...], side: int) -> tuple[Pictures.Image, tuple[Face, ...]]:
    """The photo made no larger than its faces need, with the faces in its new pixels; as it is where it is small already.

    Args:
        photo: The picture in which the faces were found.
        faces: Its faces.
        side: Pixels that the square of the smallest face keeps, if it has as many; without a face, the shorter side keeps twice as many.

    Returns:
        The picture, of at most `KEPT_MEGAPIXELS`, and its faces.
    """
    least = min((face.alignment.side for face in faces), default=min(photo.size) / 2)
    scale = min(1.0, side / least, math.sqrt(KEPT_MEGAPIXELS * 1e6 / (photo.width * photo.height)))
    if scale > _WORTHWHILE:
        return photo, faces
    size = (max(1, math.floor(photo.width * scale)), max(1, math.floor(photo.height * scale)))
    smaller = photo.resize(size, Pictures.Resampling.LANCZOS, reducing_gap=3.0)
    return smaller, tuple(_scaled(face, size) for face in faces)


def _scaled(face: Face, size: tuple[int, int]) -> Face:
    """The face in a picture of another size."""
    (width, height), alignment = face.alignment.picture_size, face.alignment
    across, down = size[0] / width, size[1] / height
    box, found = face.detection.box, face.detection
    detection = Detection(
        (box[0] * across, box[1] * down, box[2] * across, box[3] * down),
        found.score,
        tuple((x * across, y * down) for x, y in found.points),
    )
    corners = [(x * across, y * down) for x, y in alignment.quad]
    marks = Landmarks(face.landmarks.points * (across, down, (across + down) / 2), face.landmarks.presence)
    return Face(detection, marks, Alignment((corners[0], corners[1], corners[2], corners[3]), size), face.warning)


def _warning(marks: Landmarks) -> str:
    if marks.eye_distance >= LEAST_EYE_DISTANCE:
        return ""
    return (
        f"This face is small: its eyes are {marks.eye_distance:.0f} pixels apart and {LEAST_EYE_DISTANCE:.0f} are wanted. "
        "Expect a guess at its details, or bring a larger picture."
    )


def _by_size(face: Face) -> float:
    return -face.alignment.side
