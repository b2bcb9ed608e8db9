"""Codes that know their space, and all that it takes to draw one picture again."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TypeAlias

import torch
from torch import Tensor

from engines.core.shapes import Codes

Tuning: TypeAlias = Mapping[str, Tensor]
"""An additive weight change, by parameter name."""


@dataclass(frozen=True, eq=False)
class Latent:
    """A code and the space it lives in.

    Attributes:
        space: "z", "w", "w_plus" or "s"; `generator.layout(space)` names its slices.
        codes: (B,512) in z and w, (B,slots,512) in w_plus, (B,values) in S.
    """

    space: str
    codes: Codes

    def detached(self) -> "Latent":
        """A copy that shares no memory and no gradient with this one."""
        return replace(self, codes=self.codes.detach().clone())


@dataclass(frozen=True, eq=False)
class Inversion:
    """All it takes to draw one picture again.

    Attributes:
        latent: The code.
        tuning: Additive weight change, by parameter name; empty for the shared generator.
        features: "noise/LAYER" replaces a noise map (1,1,s,s), "style/LAYER" a style by a map (B,C,s,s),
            "shift/LAYER" is added to a style (B,C), "feature/LAYER" to a layer's output (B,C,s,s).
    """

    latent: Latent
    tuning: Tuning = field(default_factory=dict)
    features: Mapping[str, Tensor] = field(default_factory=dict)

    def nbytes(self) -> int:
        """Memory that the tensors of this inversion hold."""
        tensors = [self.latent.codes, *self.tuning.values(), *self.features.values()]
        return sum(tensor.numel() * tensor.element_size() for tensor in tensors)

    def to(self, device: torch.device | str) -> "Inversion":
        """The same inversion on another device."""
        latent = replace(self.latent, codes=self.latent.codes.to(device))
        tuning = {name: value.to(device) for name, value in self.tuning.items()}
        return Inversion(latent, tuning, {name: value.to(device) for name, value in self.features.items()})
