"""What the frozen trunks see in a numbered set of pictures, kept on disk: heads then learn without running them."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from engines.core.seeds import rng
from engines.core.shapes import Image
from engines.invert.encode.trunks import Trunks
from engines.training.features import Change

_BATCH, _BYTES = 16, 2


class Seen:
    """Features of pictures by number, in half precision.

    Args:
        pictures: From numbers (N,) to pictures (N,3,256,256).
        trunks: Who looks.
        change: What happens to each picture before it is seen.
        seed: Decides the changes.
        path: The file.
    """

    def __init__(self, pictures: Callable[[Tensor], Image], trunks: Trunks, change: Change, *, seed: int, path: Path) -> None:
        self.pictures, self.trunks, self.change, self.seed, self.path = pictures, trunks, change, seed, path
        self._kept, self._count = np.empty((0, trunks.length), np.float16), 0

    def __call__(self, rows: Tensor) -> Tensor:
        """Features (N,length) of pictures by number; `fill` was called for them."""
        return torch.from_numpy(self._kept[rows.numpy()]).float()

    def __len__(self) -> int:
        """Pictures that were looked at."""
        return self._count

    @torch.no_grad()
    def fill(self, count: int) -> None:
        """Look at the first `count` pictures, as far as the file lacks them."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self.path.touch()
        line = self.trunks.length * _BYTES
        have = self.path.stat().st_size // line
        with self.path.open("r+b") as file:
            file.seek(have * line)
            for start in range(have, count, _BATCH):
                rows = torch.arange(start, min(start + _BATCH, count))
                given = zip(rows, self.pictures(rows), strict=True)
                changed = torch.cat([self.change(picture[None], rng(self.seed + int(row))) for row, picture in given])
                file.write(self.trunks(changed).half().numpy().tobytes())
                file.flush()
        self._kept = np.memmap(self.path, np.float16, "r", shape=(max(have, count), self.trunks.length))
        self._count = count
