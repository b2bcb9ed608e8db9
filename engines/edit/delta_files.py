"""Learnt changes in files, to keep and to share: a few numbers with a name, as safetensors of under a kilobyte or two."""

from dataclasses import dataclass

from safetensors.torch import save
from torch import Tensor

from engines.core.errors import SpaceError, WeightsError
from engines.data.changes import DeltaSpace
from engines.edit.imported import read_file
from engines.generators.base import Generator

LARGEST_FILE, LONGEST_NAME = 16_384, 60
"""Bytes of a file that is read, and letters of a name."""

FARTHEST = 1e3
"""No number of a change is larger."""

_FORM = "latent-studio-delta-1"


@dataclass(frozen=True, eq=False)
class StoredDelta:
    """A change with its name.

    Attributes:
        name: What it is called.
        delta: (1,dims).
    """

    name: str
    delta: Tensor


def write_delta(change: StoredDelta, generator: Generator) -> bytes:
    """A change as a file, which `read_delta` takes back."""
    notes = {"form": _FORM, "generator": generator.name, "name": change.name[:LONGEST_NAME]}
    return save({"delta": change.delta.detach().cpu().float().contiguous()}, notes)


def read_delta(data: bytes, space: DeltaSpace, generator: Generator) -> StoredDelta:
    """The change of a file.

    Raises:
        WeightsError: A file that is too large, damaged, or of another kind.
        SpaceError: A change of another generator or size, or with values that no change has.
    """
    if len(data) > LARGEST_FILE:
        raise WeightsError(f"A file of {len(data)} bytes came; a change takes at most {LARGEST_FILE}. Choose a file that was saved here.")
    file = read_file(data, "change.safetensors")
    notes, delta = file.notes, file.arrays.get("delta")
    if notes.get("form") != _FORM or delta is None:
        raise WeightsError("This file holds no learnt change. Choose one that was saved here.")
    if notes.get("generator") != generator.name or tuple(delta.shape) != (1, space.dims):
        raise SpaceError(f"This change is of another generator or version; {generator.name} takes {space.dims} numbers.")
    if not bool(delta.isfinite().all()) or float(delta.abs().max()) > FARTHEST:
        raise SpaceError("This change has values that are not numbers, or far beyond any change's. Save it again.")
    name = "".join(letter for letter in notes.get("name", "") if letter.isprintable())[:LONGEST_NAME]
    return StoredDelta(name or "change", delta.float().to(generator.device))
