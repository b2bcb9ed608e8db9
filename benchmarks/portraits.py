"""The real photos that benchmarks measure on: those that ship as examples, and those of the tests."""

from pathlib import Path

from torch import Tensor

from engines.core.images import read_image, to_tensor
from engines.core.weights import assets
from engines.faces import align, only_face
from engines.generators.base import Generator

_FOLDER = Path(__file__).resolve().parents[1] / "tests" / "golden" / "portraits"


def portraits(generator: Generator) -> dict[str, Tensor]:
    """The real photos that are measured, by name, aligned, (1,3,R,R)."""
    paths = sorted([*(assets() / "examples").glob("*.jpg"), *_FOLDER.glob("*.jpg")], key=lambda path: path.stem)
    photos = {path.stem: read_image(path) for path in paths}
    return {name: to_tensor(align(photo, only_face(photo).alignment, generator.resolution)) for name, photo in photos.items()}
