"""Boundaries of attributes between stylemaps, for each of StyleMapGAN's small networks.

Kim et al., arXiv:2104.14754, appendix (local semantic manipulation): the unit normal of a linear support vector machine on flattened
stylemaps, along which a stylemap is moved, everywhere or inside a mask. Fitted here by `engines.training.tables.stylemapgan_boundaries`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Literal

import torch
from torch import Tensor

from engines.core.errors import WeightsError
from engines.core.weights import load_weights

Pushed = Literal["smile", "age", "gender", "eyeglasses", "hair_darkness", "skin_lightness"]
"""Attributes of the bank of faces that these networks can show; yaw is separable, but not drawn."""

FILE = "stylemapgan_boundaries"
"""The entry in the manifest."""


@dataclass(frozen=True, eq=False)
class Boundary:
    """One attribute's boundary.

    Attributes:
        normal: (1,C,s,s) of unit length, towards the attribute's high end.
        sigma: Standard deviation of faces' stylemaps along it: the unit in which they are pushed.
    """

    normal: Tensor
    sigma: float


def packed(found: Mapping[tuple[str, str], Boundary]) -> dict[str, Tensor]:
    """Boundaries by network and attribute as tensors of a file."""
    tensors = dict[str, Tensor]()
    for (network, attribute), boundary in found.items():
        tensors[f"{network}.{attribute}.normal"] = boundary.normal
        tensors[f"{network}.{attribute}.sigma"] = torch.tensor([boundary.sigma])
    return tensors


def bundled_boundary(network: str, attribute: str, device: torch.device | str = "cpu") -> Boundary:
    """The one that was fitted here.

    Args:
        network: Of the stylemaps, by its name in the manifest.
        attribute: As the bank of faces calls it.
        device: Where it is used.

    Raises:
        WeightsError: There is none of this network and attribute.
    """
    stored, name = _stored(), f"{network}.{attribute}"
    if f"{name}.normal" not in stored:
        raise WeightsError(f"No boundary of {attribute!r} was fitted for {network}; there are: {', '.join(sorted(stored))}.")
    return Boundary(stored[f"{name}.normal"].to(device), float(stored[f"{name}.sigma"]))


@cache
def _stored() -> dict[str, Tensor]:
    return load_weights(FILE)
