"""An evaluation classifier for synthetic data: the factors of a picture by name, and the mask of its object.

Trained on drawings whose labels are known, it evaluates generators that were trained without labels; no method is trained by it.
"""

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from engines.core.shapes import Image, Mask
from engines.core.weights import load_weights
from engines.nets.initial import seeded

_WIDTHS = (24, 48, 96, 128)


def _block(inputs: int, outputs: int, stride: int = 1) -> nn.Sequential:
    return nn.Sequential(nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False), nn.BatchNorm2d(outputs), nn.ReLU())


class FactorClassifier(nn.Module):
    """A small U-Net whose lowest features also classify the factors.

    Args:
        factors: How many values each factor has, by name.
    """

    def __init__(self, factors: Mapping[str, int]) -> None:
        super().__init__()
        self.down = nn.ModuleList(
            nn.Sequential(_block(below, width, 2), _block(width, width)) for below, width in zip((3, *_WIDTHS), _WIDTHS, strict=False)
        )
        self.up = nn.ModuleList(_block(wide + narrow, narrow) for wide, narrow in zip(_WIDTHS[:0:-1], _WIDTHS[-2::-1], strict=True))
        self.mask = nn.Sequential(nn.Upsample(scale_factor=2, mode="bilinear"), nn.Conv2d(_WIDTHS[0], 1, 3, 1, 1))
        self.heads = nn.ModuleDict({name: nn.Linear(2 * _WIDTHS[-1], count) for name, count in factors.items()})

    def features(self, picture: Image) -> Tensor:
        """What the heads read, (B,256): means and largest values of the lowest features."""
        return self._pooled(self._levels(picture)[-1])

    def forward(self, picture: Image) -> tuple[Mapping[str, Tensor], Mask]:
        """Logits of every factor by name, (B,count), and of the object's mask, (B,1,S,S)."""
        levels = self._levels(picture)
        pooled, x = self._pooled(levels[-1]), levels[-1]
        for up, level in zip(self.up, levels[-2::-1], strict=True):
            x = up(torch.cat([nn.functional.interpolate(x, scale_factor=2.0), level], dim=1))
        return {name: head(pooled) for name, head in self.heads.items()}, self.mask(x)

    def _levels(self, picture: Image) -> list[Tensor]:
        levels = []
        for down in self.down:
            picture = down(picture)
            levels.append(picture)
        return levels

    @staticmethod
    def _pooled(x: Tensor) -> Tensor:
        return torch.cat([x.mean(dim=(2, 3)), x.amax(dim=(2, 3))], dim=1)


def load_factor_classifier(entry: str, device: str = "cpu") -> FactorClassifier:
    """A bundled classifier by its entry in assets/weights.toml, its factors read off the shapes, only to be read.

    Raises:
        WeightsError: It is missing or altered.
    """
    weights = load_weights(entry)
    sizes = {key.split(".")[1]: len(value) for key, value in weights.items() if key.startswith("heads.") and key.endswith("bias")}
    classifier = seeded(lambda: FactorClassifier(sizes), 0)
    classifier.load_state_dict(weights, strict=False)
    return classifier.eval().requires_grad_(False).to(device)
