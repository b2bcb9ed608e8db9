"""Names for the tensors that public functions pass around; tests turn each into a runtime check."""

from typing import TypeAlias

from jaxtyping import Float
from torch import Tensor

Image: TypeAlias = Float[Tensor, "batch 3 height width"]
"""RGB pictures in [-1, 1]; a generator's output may step outside and is clamped where it is shown or measured."""

Mask: TypeAlias = Float[Tensor, "batch 1 height width"]
"""1 where the picture is edited, 0 where it is kept."""

Codes: TypeAlias = Float[Tensor, "batch *slots width"]
"""Latent codes: z and w are (batch, width), w_plus is (batch, slots, width), S is (batch, values)."""
