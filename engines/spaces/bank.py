"""A bank of faces: random codes with what was measured on their pictures, the common ground of everything that learns directions."""

from dataclasses import dataclass

from jaxtyping import Float
from torch import Tensor

from engines.core.errors import SpaceError
from engines.core.shapes import Codes

Scores = Float[Tensor, "faces attributes"]
Score = Float[Tensor, " faces"]


@dataclass(frozen=True, eq=False)
class Bank:
    """Faces by number; row i of every table is one face.

    Attributes:
        z: Their codes in Z, (faces,width).
        w: Their codes in W, truncated as they were drawn, (faces,width).
        truncation: Psi they were drawn with.
        names: What was measured, by name.
        scores: The measurements, (faces,attributes), each in its attribute's own unit.
    """

    z: Codes
    w: Codes
    truncation: float
    names: tuple[str, ...]
    scores: Scores

    def __len__(self) -> int:
        return len(self.z)

    def score(self, name: str) -> Score:
        """One attribute of all faces.

        Raises:
            SpaceError: Nothing of that name was measured.
        """
        if name not in self.names:
            raise SpaceError(f"The bank has no attribute {name!r}; it has: {', '.join(self.names)}.")
        return self.scores[:, self.names.index(name)]

    def deviation(self) -> Score:
        """Standard deviation of each attribute over the bank: the unit in which changes are compared, (attributes,)."""
        return self.scores.std(dim=0)
