"""Names for the tensors that public functions pass around; tests turn each into a runtime check.

Within one call, axes of one name must agree. A leading underscore exempts an axis that functions change: a picture's sides
(averaging, drawing) and the number of slots (w to w_plus).
"""

from typing import TypeAlias

from jaxtyping import Float
from torch import Tensor

Image: TypeAlias = Float[Tensor, "batch 3 _height _width"]
"""RGB pictures in [-1, 1]; a generator's output may step outside and is clamped where it is shown or measured."""

Mask: TypeAlias = Float[Tensor, "batch 1 _height _width"]
"""1 where the picture is edited, 0 where it is kept."""

Codes: TypeAlias = Float[Tensor, "batch *_slots width"]
"""Latent codes: z and w are (batch, width), w_plus is (batch, slots, width), S is (batch, values)."""

Code: TypeAlias = Float[Tensor, "1 *_slots width"]
"""A single code, such as the mean of W, that many others are compared with."""
