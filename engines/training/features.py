"""What a frozen body sees in the training set, kept on disk: heads then learn without running the body, which was most of each step.

Each sample is changed in one way, decided by its number, so the cache can be rebuilt bit by bit from seeds like the pictures themselves.
"""

import hashlib
from collections.abc import Callable
from typing import TypeAlias

import numpy as np
import torch
from torch import Tensor, nn

from engines.core.seeds import rng
from engines.core.shapes import Image
from engines.nets.irse import Levels
from engines.training.precision import lean
from engines.training.samples import CHUNK, Samples

Change: TypeAlias = Callable[[Image, torch.Generator], Image]
"""What happens to a picture (1,3,S,S) before the network sees it."""

_BATCH, _BYTES = 16, 2


class Features:
    """Features of a growing set of faces, in bfloat16.

    Args:
        samples: The faces.
        body: Whose features; it must be frozen.
        change: What happens to each picture before; `kind` names it.
        kind: Tells files of different changes apart.
        seed: Decides the changes.
    """

    def __init__(self, samples: Samples, body: nn.Module, change: Change, *, kind: str, seed: int) -> None:
        self.samples, self.body, self.change, self.seed = samples, body, change, seed
        self.shapes = [tuple(level.shape[1:]) for level in self._read(torch.zeros(1, 3, samples.size, samples.size))]
        self.width = sum(int(np.prod(shape)) for shape in self.shapes)
        self.path = samples.path.with_name(f"{samples.path.stem}_{kind}_{seed}_{_fingerprint(body)}.bf16")
        self._kept = np.empty((0, self.width), np.int16)

    def __call__(self, rows: Tensor) -> Levels:
        """Features of samples by number; those that the file lacks are computed first."""
        self._fill(int(rows.max()) // CHUNK + 1)
        flat = torch.from_numpy(self._kept[rows.numpy()]).view(torch.bfloat16).to(self.samples.generator.device, torch.float32)
        parts = flat.split([int(np.prod(shape)) for shape in self.shapes], dim=1)
        return Levels(*(part.unflatten(1, shape) for part, shape in zip(parts, self.shapes, strict=True)))

    def _fill(self, chunks: int) -> None:
        if len(self._kept) >= chunks * CHUNK:
            return
        while (number := self._chunks()) < chunks:
            self.samples.fill((number + 1) * CHUNK)
            self._write(number, self._chunk(torch.arange(number * CHUNK, (number + 1) * CHUNK)))
        self._kept = np.memmap(self.path, np.int16, "r", shape=(self._chunks() * CHUNK, self.width))

    def _chunks(self) -> int:
        """Whole chunks in the file."""
        return self.path.stat().st_size // (CHUNK * self.width * _BYTES) if self.path.exists() else 0

    def _chunk(self, rows: Tensor) -> np.ndarray:
        drawn = zip(rows, self.samples.pictures(rows), strict=True)
        pictures = [self.change(picture[None], rng(self.seed + int(row))) for row, picture in drawn]
        read = [torch.cat([level.flatten(1) for level in self._read(part)], dim=1) for part in torch.cat(pictures).split(_BATCH)]
        return torch.cat(read).to(torch.bfloat16).cpu().view(torch.int16).numpy()

    @torch.no_grad()
    def _read(self, pictures: Image) -> Levels:
        device = self.samples.generator.device
        with lean(device, True):
            return self.body(pictures.to(device))

    def _write(self, number: int, features: np.ndarray) -> None:
        self.path.touch()
        with self.path.open("r+b") as file:
            file.seek(number * features.nbytes)
            file.write(features.tobytes())


def _fingerprint(body: nn.Module) -> str:
    """Tells bodies apart: a few sums of their weights."""
    sums = [f"{float(value.float().sum()):.4f}" for value in body.state_dict().values()]
    return hashlib.sha256(" ".join(sums).encode()).hexdigest()[:8]
