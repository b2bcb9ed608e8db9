"""Handwritten digits: MNIST (LeCun, Cortes and Burges) as scripts/convert_digits.py keeps it, and the few of it that are bundled."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor

from engines.core.errors import WeightsError
from engines.core.weights import load_weights

PATH = Path("build/training/digits.safetensors")
HELD_OUT = 5_000
"""The last so many training digits are never trained on: decisions are made by them."""


@dataclass(frozen=True, eq=False)
class Digits:
    """Images (N,1,28,28) as bytes, black 0 and ink 255, and labels (N,) from 0 to 9."""

    bytes: Tensor
    labels: Tensor

    def __len__(self) -> int:
        return len(self.labels)

    def __getitem__(self, rows: Tensor | slice) -> "Digits":
        return Digits(self.bytes[rows], self.labels[rows])

    @property
    def images(self) -> Tensor:
        """(N,1,28,28) in [0, 1]."""
        return self.bytes.float() / 255


@dataclass(frozen=True, eq=False)
class Sets:
    """Three sets of digits that share none."""

    training: Digits
    validation: Digits
    test: Digits


def read_digits(path: Path = PATH, held_out: int = HELD_OUT) -> Sets:
    """All digits, from the file of the converter.

    Raises:
        WeightsError: There is none.
    """
    try:
        found = load_file(path)
    except (OSError, SafetensorError) as error:
        raise WeightsError(f"No digits at {path.name}: make them with scripts/convert_digits.py, whose first lines say how.") from error
    every = _digits(found, "train_")
    return Sets(every[: len(every) - held_out], every[len(every) - held_out :], _digits(found, "test_"))


@cache
def shown_digits() -> Digits:
    """The bundled test digits, twenty of each kind, in the order of their labels."""
    return _digits(load_weights("digits"))


def _digits(found: Mapping[str, Tensor], prefix: str = "") -> Digits:
    return Digits(found[f"{prefix}images"][:, None], found[f"{prefix}labels"].to(torch.long))
