"""The face that the page opens with: the example portrait's inversion, or a face by seed where the generator draws no portraits."""

from functools import cached_property

from PIL import Image as Pil

from engines import Inversion
from engines.core.errors import StudioError
from engines.core.images import to_picture
from engines.core.weights import assets
from engines.edit.codes import read_codes
from engines.generators.incremental import draw_inversion
from studio.state.edits import Face
from studio.state.session import Session
from studio.state.visitor import Visitor

NAME, TITLE = "astronaut", "Example portrait"
"""The photo, whose code `python -m scripts.example` makes for the bundled generator of faces, and what the shelf calls it."""


class Example:
    """The face, read when it is first asked for and the same for all visitors.

    Args:
        session: Whose generator draws it.
    """

    def __init__(self, session: Session) -> None:
        self.session = session

    @property
    def is_portrait(self) -> bool:
        """Whether it is an inversion of the example portrait, which goes with the generator that the bank of faces goes with."""
        return "face_bank" in self.session.generator.capabilities and self._found is not None

    @cached_property
    def _found(self) -> Inversion | None:
        path = assets() / "examples" / f"{NAME}.safetensors"
        try:
            return read_codes(path.read_bytes(), path.name, self.session.generator)[0].to("cpu")
        except (OSError, StudioError):  # a generator of another package, with a bank of its own and codes of another shape
            return None

    @property
    def inversion(self) -> Inversion:
        """The portrait's code, with its grid and weight change; only where `is_portrait`."""
        assert self._found is not None
        return self._found

    @cached_property
    def _small(self) -> Pil.Image:
        generator = self.session.generator
        return to_picture(draw_inversion(generator, self.inversion.to(generator.device), self.session.live_size))

    def face(self, visitor: Visitor) -> Face:
        """The face as the tabs know it; a portrait is put on the visitor's shelf, once.

        Raises:
            StudioError: The shelf is full.
        """
        if not self.is_portrait:
            return Face()
        return Face("Shelf", None, 1.0, visitor.put(TITLE, self._small, self.inversion).key)
