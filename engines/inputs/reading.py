"""How files that words name are read: the one way from a photo to an aligned face."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from PIL import Image as Pil

from engines.core.images import LOCAL_MEGABYTES, LOCAL_MEGAPIXELS, Opened, open_image, to_tensor
from engines.core.masks import read_mask
from engines.core.shapes import Image, Mask
from engines.faces import align, find_faces, pick_face, told
from engines.generators.base import AnyGenerator


@dataclass(frozen=True)
class AlignedPhoto:
    """A face out of a photo.

    Attributes:
        picture: The aligned face, square.
        faces: How many faces the photo has.
        words: What was found and taken, and what there is to say of the file.
    """

    picture: Pil.Image
    faces: int
    words: str


class Reading:
    """Reads files, and keeps what is worth saying of them.

    Args:
        generator: Whose pictures the faces become: it says their size and device.
        megapixels: Largest picture that is decoded.
        megabytes: Largest file that is read.

    Attributes:
        remarks: A file and a sentence on it, in the order of their reading.
    """

    def __init__(self, generator: AnyGenerator, megapixels: float = LOCAL_MEGAPIXELS, megabytes: float = LOCAL_MEGABYTES) -> None:
        self.generator: Any = generator  # of the kind that the method needs
        self.remarks: list[tuple[Path, str]] = []
        self._limits = (megapixels, megabytes)

    def picture(self, path: Path) -> Opened:
        """A picture, and what could not be read of it.

        Raises:
            ImageError: No picture, or one beyond the limits.
        """
        opened = open_image(path, *self._limits)
        self._remark(path, opened.note)
        return opened

    def aligned(self, path: Path, number: int | None = None) -> AlignedPhoto:
        """One face of a photo: the one of that number, from 1, or the largest where it clearly dominates.

        Raises:
            FaceError: No face, none of that number, or several of about one size and no number.
            ImageError: No picture, or one beyond the limits.
        """
        opened = self.picture(path)
        faces = find_faces(opened.picture)
        picture = align(opened.picture, pick_face(faces, number).alignment, self.generator.resolution)
        words = told(faces, number or 1)
        self._remark(path, words if len(faces) > 1 else "")
        return AlignedPhoto(picture, len(faces), f"{words} {opened.note}".strip())

    def face(self, path: Path, number: int | None = None, is_aligned: bool = False) -> Image:
        """A face (1,3,R,R) as `aligned` finds it, or the whole picture where it is a face already."""
        picture = self.picture(path).picture if is_aligned else self.aligned(path, number).picture
        return to_tensor(picture, self.generator.resolution).to(self.generator.device)

    def mask(self, path: Path) -> Mask:
        """A mask (1,1,R,R) that was painted over an aligned face.

        Raises:
            ImageError: No mask, or one beyond the limits.
        """
        return read_mask(path, self.generator.resolution, *self._limits).to(self.generator.device)

    def _remark(self, path: Path, words: str) -> None:
        if words:
            self.remarks.append((path, words))
