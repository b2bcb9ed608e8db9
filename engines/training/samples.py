"""Faces that the generator drew for training: pictures kept on disk, codes made anew from the seed.

Half of the samples have one w, half change it at the border of two groups of slots, since the layers' codes of a real photo differ too.
Sample i depends on the seed and i alone, so a lost or cut file is redrawn bit by bit, and two runs may fill one file at once.
"""

import hashlib
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from engines.core.images import area
from engines.core.seeds import normal, rng
from engines.core.shapes import Codes, Image
from engines.generators.base import Generator
from engines.spaces.statistics import statistics

TRAINING, VALIDATION, TEST = 10_000_000, 20_000_000, 30_000_000
"""Seeds of the sets. No number of chunks reaches from one to the next."""

CHUNK = 64
"""Samples that are drawn, and written, at once."""

TRUNCATION = (0.5, 1.0)
_BATCH = 8


def random_pairs(generator: Generator, count: int, stream: torch.Generator) -> tuple[Tensor, Tensor]:
    """Two w a sample (count,2,width), and the first slot (count,) that reads the second one; even samples never do."""
    z = torch.randn((2 * count, generator.width), generator=stream).to(generator.device)
    low, high = TRUNCATION
    psi = low + (high - low) * torch.rand((2 * count, 1), generator=stream)
    mean = statistics(generator).mean
    w = mean + psi.to(mean) * (generator.map(z) - mean)
    groups = generator.slots.groups
    borders = torch.tensor((groups["middle"][0], groups["fine"][0]))[torch.randint(2, (count,), generator=stream)]
    borders[0::2] = generator.slots.count
    return w.unflatten(0, (count, 2)), borders.to(mean.device)


def assembled(generator: Generator, pair: Tensor, borders: Tensor) -> Codes:
    """Codes of the active slots (N,16,width) of samples as `random_pairs` gives them."""
    active = torch.tensor(generator.slots.active, device=pair.device)
    second = (active[None] >= borders[:, None])[:, :, None]
    return torch.where(second, pair[:, 1:], pair[:, :1])


class Samples:
    """A growing set of faces with their codes.

    Args:
        generator: Who draws.
        folder: Where the pictures are kept; files of another generator, seed or size lie beside each other.
        seed: One of the sets above, or any other number.
        size: Side at which pictures are kept.
        drawn_at: Exit of the generator that draws them, averaged down to `size`; the nearest that it has counts.
    """

    kind = ""

    def __init__(self, generator: Generator, folder: Path, *, seed: int, size: int, drawn_at: int) -> None:
        self.generator, self.size = generator, size
        self.drawn_at = generator.nearest_exit(drawn_at)
        self.seed = seed
        self.path = folder / f"{generator.name}{self.kind}_{seed}_{size}_{self.drawn_at}_{self._fingerprint()}.u8"
        folder.mkdir(parents=True, exist_ok=True)
        self._chunks: list[tuple[Tensor, Tensor]] = []
        self._pictures = np.empty((0, 3, size, size), np.uint8)

    @staticmethod
    def fresh(generator: Generator, count: int, stream: torch.Generator) -> Codes:
        """Codes of the active slots (count,16,width) of faces that no file holds."""
        return assembled(generator, *random_pairs(generator, count, stream))

    @staticmethod
    def drawn(generator: Generator, codes: Codes, size: int) -> Image:
        """Pictures (B,3,size,size) of codes at an exit or in full, about in [-1, 1]."""
        return generator.synthesize(generator.slots.scatter(codes), size=size)

    def _fingerprint(self) -> str:
        """Tells generators of one name apart: a few numbers of their mapping and their picture."""
        with torch.no_grad():
            w = self.generator.map(normal((1, self.generator.width), 0, self.generator.device))
            picture = self.generator.synthesize(w, size=self.generator.exits[0])
        numbers = [f"{float(value):.3f}" for value in (w.mean(), w.std(), picture.mean(), picture.std())]
        return hashlib.sha256(json.dumps([numbers, CHUNK, TRUNCATION]).encode()).hexdigest()[:8]

    def __len__(self) -> int:
        """Samples that can be asked for now."""
        return CHUNK * len(self._chunks)

    @torch.no_grad()
    def fill(self, count: int, on_chunk: Callable[[int], None] = lambda _: None) -> None:
        """Make at least `count` samples available, drawing those that the file lacks; `on_chunk` gets their number after each chunk."""
        while len(self) < count:
            number = len(self._chunks)
            pair, borders = self._drawn(number)
            self._chunks.append((pair, borders))
            if self._kept() <= number:
                self._write(number, self._rendered(self.codes(torch.arange(number * CHUNK, (number + 1) * CHUNK))))
                on_chunk(len(self))
        if len(self) > len(self._pictures):
            self._pictures = np.memmap(self.path, np.uint8, "r", shape=(self._kept() * CHUNK, 3, self.size, self.size))

    def _kept(self) -> int:
        """Whole chunks in the file."""
        return self.path.stat().st_size // (CHUNK * 3 * self.size**2) if self.path.exists() else 0

    def _write(self, number: int, pictures: np.ndarray) -> None:
        self.path.touch()
        with self.path.open("r+b") as file:
            file.seek(number * pictures.nbytes)
            file.write(pictures.tobytes())

    def _drawn(self, number: int) -> tuple[Tensor, Tensor]:
        """Two w a sample (CHUNK,2,width), and the first slot (CHUNK,) that reads the second one."""
        return random_pairs(self.generator, CHUNK, rng(self.seed + number))

    def _rendered(self, codes: Codes) -> np.ndarray:
        batch = _BATCH if self.drawn_at <= 256 else 1
        drawn = [area(self.drawn(self.generator, part, self.drawn_at).clamp(-1, 1), self.size) for part in codes.split(batch)]
        return torch.cat(drawn).add(1).mul(127.5).round().to(torch.uint8).cpu().numpy()

    def codes(self, rows: Tensor) -> Codes:
        """Codes of the active slots (N,16,width) of samples by number."""
        return assembled(self.generator, *self._of(rows))

    def _of(self, rows: Tensor) -> tuple[Tensor, Tensor]:
        """What `_drawn` gave for samples by number."""
        found = [(self._chunks[int(row) // CHUNK], int(row) % CHUNK) for row in rows]
        return torch.stack([chunk[0][place] for chunk, place in found]), torch.stack([chunk[1][place] for chunk, place in found])

    def pictures(self, rows: Tensor) -> Image:
        """Pictures (N,3,size,size) in [-1, 1] of samples by number."""
        values = torch.from_numpy(self._pictures[rows.numpy()])
        return values.to(self.generator.device, torch.float32) / 127.5 - 1
