"""What a visitor's comparison holds: a row for each method that was run on the photo, small enough to keep many."""

import io
import zipfile
from collections import OrderedDict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

from PIL import Image as Pil

from engines import Inversion
from engines.contract import Table
from engines.core.images import jpeg_bytes
from engines.core.shapes import Image
from studio.state.packed import eight_bit

MOST_ROWS = 24
FIGURES = ("lpips", "mse", "psnr", "ms_ssim", "identity_distance")
EDITED = ("identity_after", "change", "consistency")


@dataclass(frozen=True, eq=False)
class Row:
    """One method on one photo.

    Attributes:
        name: Of the engine.
        title: What the page calls it.
        picture: The inversion as JPEG.
        figures: By name: those of the protocol, seconds and values.
        space: Where the inversion lives.
        inversion: All it takes to draw it, on the CPU; None where the visitor's memory was full.
        edited: The edited inversion as JPEG, and
        changed: what was measured on it.
    """

    name: str
    title: str
    picture: bytes
    figures: Mapping[str, float]
    space: str
    inversion: Inversion | None
    edited: bytes | None = None
    changed: Mapping[str, float] = field(default_factory=dict)

    @property
    def nbytes(self) -> int:
        """Memory it holds."""
        return len(self.picture) + len(self.edited or b"") + (0 if self.inversion is None else self.inversion.nbytes())


@eight_bit("target")
@dataclass(eq=False)
class Comparison:
    """The rows of one photo.

    Attributes:
        target: The photo that was aligned, (1,3,R,R).
        budget: Bytes that the rows may hold; beyond it a row keeps its figures and pictures only.
        rows: By the engine's name, in the order of the runs.
        edit: What was applied to all, in words.
    """

    target: Image
    budget: int
    rows: "OrderedDict[str, Row]" = field(default_factory=OrderedDict)
    edit: str = ""

    def put(self, row: Row) -> Row:
        """Add or replace a row; returns it as it was kept."""
        others = sum(other.nbytes for name, other in self.rows.items() if name != row.name)
        kept = row if others + row.nbytes <= self.budget else replace(row, inversion=None)
        self.rows[row.name] = kept
        while len(self.rows) > MOST_ROWS:
            self.rows.popitem(last=False)
        return kept

    def table(self) -> Table:
        """All figures, as a spreadsheet takes them."""
        columns = ("method", *FIGURES, "seconds", "space", "values", "edit", *EDITED)
        return Table(columns, tuple(self._line(row) for row in self.rows.values()))

    def _line(self, row: Row) -> tuple[float | int | str, ...]:
        changed = [row.changed.get(name, "") for name in EDITED]
        edit = self.edit if row.changed else ""
        figures = [row.figures[name] for name in FIGURES]
        return row.title, *figures, row.figures["seconds"], row.space, int(row.figures["values"]), edit, *changed

    def archive(self, photo: bytes) -> bytes:
        """All pictures as a ZIP, the photo first."""
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as file:
            file.writestr("photo.jpg", photo)
            for name, data in self._files():
                file.writestr(name, data)
        return buffer.getvalue()

    def _files(self) -> Iterator[tuple[str, bytes]]:
        for row in self.rows.values():
            yield f"{row.name}.jpg", row.picture
            if row.edited is not None:
                yield f"{row.name}-edited.jpg", row.edited


def opened(data: bytes) -> Pil.Image:
    """A picture that was kept as JPEG."""
    return Pil.open(io.BytesIO(data)).convert("RGB")


def closed(picture: Pil.Image) -> bytes:
    """A picture as it is kept."""
    return jpeg_bytes(picture, 95)
