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


def layer_of(name: str) -> str | None:
    """The layer that a feature ("noise/conv1_64") or a weight ("conv1_64.bias") belongs to; the "grid" (stylemap) and the constant: all."""
    layer = name.split("/")[1] if "/" in name else name.split(".")[0]
    return None if layer in ("grid", "const") else layer


@dataclass(frozen=True, eq=False)
class Inversion:
    """All it takes to draw one picture again.

    Attributes:
        latent: The code.
        tuning: Additive weight change, by parameter name; empty for the shared generator.
        features: "grid" is added to the w of every slot, cell by cell (1,512,s,s), spread bilinearly over each layer;
            "noise/LAYER" replaces a noise map (1,1,s,s), "style/LAYER" a style by a map (B,C,s,s), the grid's share included;
            "shift/LAYER" is added to a style (B,C), "feature/LAYER" to a layer's output (B,C,s,s).
    """

    latent: Latent
    tuning: Tuning = field(default_factory=dict)
    features: Mapping[str, Tensor] = field(default_factory=dict)

    def at_strength(self, strength: float) -> "Inversion":
        """With its weight change scaled, 0 to 1: 1 is this inversion, 0 the shared generator's own picture of the code."""
        if strength == 1 or not self.tuning:
            return self
        return replace(self, tuning={name: strength * change for name, change in self.tuning.items()} if strength else {})

    def nbytes(self) -> int:
        """Memory that the tensors of this inversion hold."""
        return sum(tensor.numel() * tensor.element_size() for tensor in self.tensors())

    def tensors(self) -> list[Tensor]:
        """The codes, the weight change and the features."""
        return [self.latent.codes, *self.tuning.values(), *self.features.values()]

    def to(self, device: torch.device | str) -> "Inversion":
        """The same inversion on another device."""
        latent = replace(self.latent, codes=self.latent.codes.to(device))
        tuning = {name: value.to(device) for name, value in self.tuning.items()}
        return Inversion(latent, tuning, {name: value.to(device) for name, value in self.features.items()})
