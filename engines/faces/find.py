"""From a photo to its aligned faces: detection, landmarks and alignment in one call."""

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


def find_faces(image: Pictures.Image, device: str = "cpu") -> tuple[Face, ...]:
    """All faces of one picture, largest first; an empty tuple where there are none.

    Args:
        image: A picture of any mode, turned upright as its camera meant.
        device: Where the networks run.

    Raises:
        ImageError: A side is under 16 pixels.
    """
    check_picture(image)
    image = image.convert("RGB")
    found = []
    for detection in face_detector(device).detect(image):
        marks = face_mesh(device).locate(image, detection)
        if marks.presence >= LEAST_PRESENCE:
            found.append(Face(detection, marks, alignment_from_landmarks(marks, image.size), _warning(marks)))
    return tuple(sorted(found, key=_by_size))


def pick_face(faces: tuple[Face, ...], index: int = 0) -> Face:
    """One of the faces of a picture, counted from 0, largest first.

    Raises:
        FaceError: There is no face, or none with that index.
    """
    if not faces:
        raise FaceError("No face was found in this picture: choose one that shows a face from the front, or crop it closely.")
    if not 0 <= index < len(faces):
        raise FaceError(f"Face {index + 1} was asked for, but the picture has {len(faces)}: choose a number from 1 to {len(faces)}.")
    return faces[index]


def only_face(image: Pictures.Image, device: str = "cpu") -> Face:
    """The face of a picture that must show exactly one.

    Raises:
        FaceError: There is none, or more than one.
        ImageError: A side is under 16 pixels.
    """
    faces = find_faces(image, device)
    if len(faces) > 1:
        raise FaceError(f"{len(faces)} faces were found where one was wanted: crop the picture to one face.")
    return pick_face(faces)


def _warning(marks: Landmarks) -> str:
    if marks.eye_distance >= LEAST_EYE_DISTANCE:
        return ""
    return (
        f"This face is small: its eyes are {marks.eye_distance:.0f} pixels apart and {LEAST_EYE_DISTANCE:.0f} are wanted. "
        "Expect a guess at its details, or bring a larger picture."
    )


def _by_size(face: Face) -> float:
    return -face.alignment.side
