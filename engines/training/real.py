"""Real portraits to learn from: a folder of aligned pictures, each in several looks, numbered."""

from functools import cached_property
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from engines.core.disk import check_folder
from engines.core.errors import ImageError
from engines.core.images import read_image, to_tensor
from engines.core.seeds import rng
from engines.core.shapes import Image
from engines.data.appearance import varied
from engines.faces.person import person_mask

SIDE = 256


class Portraits:
    """Aligned portraits of 256 px in several looks: number n is the look n // people of portrait n % people; look 0 is the picture itself.

    Args:
        folder: Where `train/` lies: JPEG files, one person each.
        keep: Where the looks are kept, drawn once.
        seed: Decides the looks.
        looks: How many of each.

    Raises:
        ImageError: The folder holds no pictures of that size.
    """

    def __init__(self, folder: Path, keep: Path, *, seed: int, looks: int) -> None:
        self.files, self.seed, self.looks = sorted(folder.glob("*.jpg")), seed, looks
        if not self.files:
            raise ImageError(f"{folder} holds no .jpg files: give the folder of aligned portraits that scripts/align_portraits.py makes.")
        check_folder(keep)
        self.path = keep / f"{folder.name}_{len(self.files)}_{seed}_{SIDE}.u8"

    def __len__(self) -> int:
        """Pictures in all looks."""
        return len(self.files) * self.looks

    def picture(self, number: int) -> Image:
        """One look (1,3,256,256) in [-1, 1], made anew."""
        look, person = divmod(number, len(self.files))
        original = self._original(person)
        if look == 0:
            return original
        chance = rng(self.seed + number)
        other = self._original(int(torch.randint(len(self.files), (), generator=chance)))
        with torch.no_grad():
            return varied(original, chance, person_mask()(original), other)

    def pictures(self, rows: Tensor) -> Image:
        """Looks (N,3,256,256) by number."""
        return torch.from_numpy(self._kept()[rows.numpy()]).float() / 127.5 - 1

    def _original(self, person: int) -> Image:
        return self._originals[person : person + 1].float() / 127.5 - 1

    @cached_property
    def _originals(self) -> Tensor:
        """The pictures as they are, (people,3,256,256), in bytes: each file is opened once."""
        return torch.cat([self._opened(file) for file in self.files])

    @staticmethod
    def _opened(file: Path) -> Tensor:
        picture = to_tensor(read_image(file))
        if picture.shape[2:] != (SIDE, SIDE):
            size = f"{picture.shape[3]} x {picture.shape[2]}"
            raise ImageError(f"{file.name} is {size}: aligned portraits of {SIDE} x {SIDE} are wanted.")
        return picture.add(1).mul(127.5).round().to(torch.uint8)

    def _kept(self) -> np.ndarray:
        """All looks on disk; those that the file lacks are made first."""
        one = 3 * SIDE**2
        self.path.touch()
        have = self.path.stat().st_size // one
        with self.path.open("r+b") as file:
            file.seek(have * one)
            for number in range(have, len(self)):
                file.write(self.picture(number).add(1).mul(127.5).round().to(torch.uint8).numpy().tobytes())
        return np.memmap(self.path, np.uint8, "r", shape=(len(self), 3, SIDE, SIDE))
