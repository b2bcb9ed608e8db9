"""The photos that visitors bring, each with a mark of its own, and whose picture a picture is."""

import hashlib
import io
from collections import defaultdict
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageDraw

CELLS, SIDE, STRIP = 8, 640, 48
"""Squares of the mark, the width of a photo, and the height of the strip on top that has the mark; pixels."""
THUMB = 32


def prepare(folder: Path, count: int, seed: int = 1) -> None:
    """Write one photo for each visitor, a generated face under the visitor's mark, and how each is to look once aligned."""
    from engines import Inversion, Latent, load_generator
    from engines.core.images import to_picture
    from engines.faces import align, find_faces
    from engines.spaces.statistics import random_w

    generator = load_generator("ffhq")
    looks: list[np.ndarray] = []
    while len(looks) < count:
        code = random_w(generator, seed, 0.8)
        seed += 1
        face = to_picture(generator.synthesize(Inversion(Latent("w", code)).latent, size=512))
        photo = marked(face, len(looks))
        found = find_faces(photo)
        if len(found) == 1:
            photo.save(folder / f"{len(looks)}.png")
            looks.append(thumb(align(photo, found[0].alignment, 256)))
    np.save(folder / "looks.npy", np.stack(looks))


def marked(face: Image.Image, number: int) -> Image.Image:
    """A face on grey under a strip of black and white squares that spell a number, a white and a black one first."""
    photo = Image.new("RGB", (SIDE, SIDE + STRIP), (120, 120, 120))
    photo.paste(face.resize((SIDE - 80, SIDE - 80)), (40, STRIP + 40))
    draw, width = ImageDraw.Draw(photo), SIDE // CELLS
    for cell, bit in enumerate([1, 0, *(number >> place & 1 for place in range(CELLS - 2))]):
        draw.rectangle((cell * width, 0, (cell + 1) * width - 1, STRIP - 1), fill=(255, 255, 255) if bit else (0, 0, 0))
    return photo


def mark_of(picture: Image.Image) -> int | None:
    """The number that the strip on top of a photo spells, at any size; none where there is no strip."""
    grey = picture.convert("L")
    scale = picture.width / SIDE
    width, height = SIDE / CELLS * scale, STRIP * scale
    boxes = [(int((cell + 0.3) * width), int(0.25 * height), int((cell + 0.7) * width), int(0.6 * height)) for cell in range(CELLS)]
    bits = [int(np.asarray(grey.crop(box)).mean() > 127) for box in boxes]
    return sum(bit << place for place, bit in enumerate(bits[2:])) if bits[:2] == [1, 0] else None


def thumb(picture: Image.Image) -> np.ndarray:
    """A picture as (THUMB,THUMB,3) on 0 to 255."""
    return np.asarray(picture.convert("RGB").resize((THUMB, THUMB), Image.Resampling.BOX), dtype=np.float32)


class Album:
    """What all visitors were shown of their own faces.

    Args:
        looks: Each visitor's aligned face, (visitors,THUMB,THUMB,3).
    """

    def __init__(self, looks: np.ndarray) -> None:
        self.looks = looks
        self.overlays = {"own": 0, "another's": 0, "unreadable": 0}
        self.aligned = {"own": 0, "another's": 0}
        self._previews: list[tuple[int, np.ndarray]] = []
        self.edited = 0
        self._seen: dict[str, set[int]] = defaultdict(set)

    def overlay(self, visitor: int, data: bytes) -> None:
        """Note the photo with what was found in it."""
        mark = mark_of(Image.open(io.BytesIO(data)))
        self.overlays["unreadable" if mark is None else "own" if mark == visitor else "another's"] += 1
        self._note(visitor, data)

    def face(self, visitor: int, data: bytes) -> None:
        """Note the aligned face."""
        self.aligned["own" if self._nearest(thumb(Image.open(io.BytesIO(data))), self.looks) == visitor else "another's"] += 1
        self._note(visitor, data)

    def preview(self, visitor: int, data: bytes, at_rest: bool) -> None:
        """Note a preview of the visitor's own face; with sliders off their rest, several sigma may make it look like another's."""
        if at_rest:
            self._previews.append((visitor, thumb(Image.open(io.BytesIO(data)))))
        else:
            self.edited += 1
        self._note(visitor, data)

    def found(self) -> dict[str, Any]:
        """How many pictures were the visitor's own, and whether one came to two visitors.

        A preview without an edit is the visitor's own where no other visitor's previews are nearer to it, taken together, than the
        visitor's own. Of edited ones, only whether two visitors were shown the same is known.
        """
        usual = {
            visitor: np.median([shown for who, shown in self._previews if who == visitor], axis=0)
            for visitor in {who for who, _ in self._previews}
        }
        order = sorted(usual)
        known = np.stack([usual[visitor] for visitor in order]) if order else np.empty((0, THUMB, THUMB, 3))
        strange = sorted({who for who, shown in self._previews if order[self._nearest(shown, known)] != who})
        own = sum(order[self._nearest(shown, known)] == who for who, shown in self._previews)
        return {
            "overlays": self.overlays,
            "aligned": self.aligned,
            "previews": {"own": own, "another's": len(self._previews) - own, "visitors": len(order), "of": strange, "edited": self.edited},
            "looks_as_the_face": sum(self._nearest(usual[visitor], self.looks) == visitor for visitor in order),
            "same_to_two_visitors": sum(len(who) > 1 for who in self._seen.values()),
        }

    def _note(self, visitor: int, data: bytes) -> None:
        self._seen[hashlib.sha256(data).hexdigest()].add(visitor)

    @staticmethod
    def _nearest(shown: np.ndarray, known: np.ndarray) -> int:
        return int(np.abs(known - shown).mean((1, 2, 3)).argmin())
