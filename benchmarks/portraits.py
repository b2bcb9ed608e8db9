"""The real photos that benchmarks measure on: those that ship as examples, and those of the tests."""

from pathlib import Path

from torch import Tensor

from engines.core.images import read_image, to_tensor
from engines.core.weights import assets
from engines.faces import align, find_faces, pick_face
from engines.generators.base import Generator

_HERE = Path(__file__).resolve().parent
_FOLDERS = (_HERE / "_portraits", _HERE.parent / "tests" / "golden" / "portraits")
"""Of the installed package, and of a source tree."""


def photos() -> dict[str, Path]:
    """The files by name, in the order of their names."""
    tested = next(folder for folder in _FOLDERS if folder.is_dir())
    return {path.stem: path for path in sorted([*(assets() / "examples").glob("*.jpg"), *tested.glob("*.jpg")], key=lambda path: path.stem)}


def portraits(generator: Generator) -> dict[str, Tensor]:
    """The real photos that are measured, by name, aligned, (1,3,R,R)."""
    read = {name: read_image(path) for name, path in photos().items()}
    return {name: to_tensor(align(photo, pick_face(find_faces(photo)).alignment, generator.resolution)) for name, photo in read.items()}
