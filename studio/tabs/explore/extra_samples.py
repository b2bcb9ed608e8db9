"""New faces beyond the bank, measured when somebody asks for them; measured once, for all visitors."""

from collections.abc import Iterator
from threading import Lock

import torch

from engines.core.images import to_picture
from engines.data import measure
from engines.data.faces import SIZE
from engines.explore.projections import face_z
from engines.generators.base import Generator
from engines.spaces.statistics import statistics
from studio.media.export import Values, data_url
from studio.services.direction_library import Library

SEED = 0
"""Of the faces beyond the bank."""

MOST = 1_000
_BATCH = 4


class Newcomers:
    """What is known about faces beyond the bank, by number.

    Args:
        generator: Who draws them.
        library: Whose bank they follow.

    Attributes:
        scores: Their attributes in the bank's order, not a number where no face was found.
        pictures: Small pictures as data URLs.
    """

    def __init__(self, generator: Generator, library: Library) -> None:
        self.generator, self.library = generator, library
        self.scores: dict[int, Values] = {}
        self.pictures: dict[int, str] = {}
        self._lock = Lock()

    def measure(self, count: int) -> Iterator[int]:
        """Draw and measure the first `count` beyond the bank, as the bank was drawn; yields how many are done."""
        first = len(self.library.bank)
        for start in range(0, min(count, MOST), _BATCH):
            numbers = [first + index for index in range(start, min(start + _BATCH, count, MOST))]
            with self._lock:
                self._measure([number for number in numbers if number not in self.scores])
            yield start + len(numbers)

    @torch.no_grad()
    def _measure(self, numbers: list[int]) -> None:
        if not numbers:
            return
        bank = self.library.bank
        z = torch.cat([face_z(self.generator, bank, SEED, number) for number in numbers])
        w = statistics(self.generator).truncate(self.generator.map(z), bank.truncation)
        size = self.generator.nearest_exit(SIZE)
        images = self.generator.synthesize(w, size=size)
        scores = measure(self.generator)(images).double().cpu().numpy()
        for index, number in enumerate(numbers):
            self.pictures[number] = data_url(to_picture(images[index : index + 1]))
            self.scores[number] = scores[index]
