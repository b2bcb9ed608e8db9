"""Auxiliary toRGB heads: early exits of 128, 256 or 512 px from the features of a middle layer, at a fraction of the full cost.

The published file lacks them, so they are ours: a small residual branch fitted to the area-averaged full picture. It takes the
W+ layers of the later blocks, so that fine edits show in a preview too, and the noise map that the next layer would have added.
"""

from collections.abc import Mapping

import torch
import torch.nn.functional as F
from torch import Tensor

from engines.core.seeds import normal
from engines.core.shapes import Codes, Image
from engines.generators.ops import SLOPE, at_each_cell, channels_last, haar_up, modulated_conv, shifted
from engines.spaces.slots import Slots

BANDS = 12
_NOISE_CHANNELS = 4
_LAYERS = 2


class AuxiliaryHead:
    """One head; every dimension is read from its weights.

    Args:
        size: Side of the picture it draws; it reads features of half that side.
        weights: Its tensors by name.
        noise: The noise map (1,1,size,size) of the layer that would come next.
        slots: Slots of the generator.
    """

    def __init__(self, size: int, weights: Mapping[str, Tensor], noise: Tensor, slots: Slots) -> None:
        self.size, self.weights = size, dict(weights)
        first = slots.of_layer(f"conv2_{size // 2}")
        self.reads = [slot for slot in slots.active if slot >= first]
        self.noise = F.pixel_unshuffle(noise / noise.std(), 2)

    def __call__(self, features: Tensor, w_plus: Codes, grid: Tensor | None = None) -> Image:
        """Draw.

        Args:
            features: (B,C,size/2,size/2), behind the second convolution of the block.
            w_plus: (B,slots,512).
            grid: What is added to every slot, cell by cell (B,512,s,s).

        Returns:
            (B,3,size,size), not clamped.
        """
        weights = self.weights
        context = self._context(w_plus, grid)
        first = modulated_conv(
            features,
            self._style(context, "entry", weights["entry.gain"]),
            weights["entry.weight"],
            weights["entry.bias"],
        )
        bands, x = first.split((BANDS, first.shape[1] - BANDS), dim=1)
        x = F.leaky_relu(x + F.conv2d(self.noise, weights["noise.weight"]), SLOPE)
        for layer in range(_LAYERS):
            name = f"layer{layer}"
            y = modulated_conv(x, self._style(context, name), weights[f"{name}.depthwise"], groups=x.shape[1])
            x = x + F.leaky_relu(F.conv2d(y, weights[f"{name}.pointwise"], weights[f"{name}.bias"]), SLOPE)
        bands = bands + modulated_conv(x, self._style(context, "last"), weights["last.weight"], weights["last.bias"])
        return haar_up(channels_last(bands))

    def _context(self, w_plus: Codes, grid: Tensor | None) -> Tensor:
        """What the head knows of the later layers' codes: (B,context), or a map of it where there is a grid."""
        matrix = self.weights["context.weight"]
        context = F.linear(w_plus[:, self.reads].flatten(1), matrix, self.weights["context.bias"])
        if grid is not None:
            summed = matrix.view(matrix.shape[0], len(self.reads), -1).sum(dim=1)  # every slot moves alike
            context = shifted(context, at_each_cell(grid, summed))
        return F.leaky_relu(context, SLOPE)

    def _style(self, context: Tensor, layer: str, gain: Tensor | None = None) -> Tensor:
        matrix = self.weights[f"{layer}.style"]
        style = 1 + (F.linear(context, matrix) if context.dim() == 2 else at_each_cell(context, matrix))
        return style if gain is None else style * (gain if context.dim() == 2 else gain[:, None, None])


def new_head(gain: Tensor, width: int, reads: int, code_width: int, seed: int, context: int = 64) -> dict[str, Tensor]:
    """Random weights of an untrained head.

    Args:
        gain: One over the usual size of each channel (C,) of the features it reads.
        width: Channels of its hidden layers.
        reads: Number of W+ slots it reads.
        code_width: Length of one w.
        seed: Decides the values.
        context: Values that the slots are summed up in.
    """
    channels = gain.shape[0]
    shapes = {
        "context.weight": (context, reads * code_width),
        "entry.style": (channels, context),
        "entry.weight": (BANDS + width, channels, 1, 1),
        "noise.weight": (width, _NOISE_CHANNELS, 1, 1),
        "last.style": (width, context),
        "last.weight": (BANDS, width, 1, 1),
    }
    for layer in range(_LAYERS):
        shapes |= {
            f"layer{layer}.style": (width, context),
            f"layer{layer}.depthwise": (width, 1, 3, 3),
            f"layer{layer}.pointwise": (width, width, 1, 1),
        }
    weights = {}
    for index, (name, shape) in enumerate(shapes.items()):
        fan_in = torch.Size(shape[1:]).numel()
        weights[name] = normal(shape, seed + index) * (0.1 if name.endswith("style") else 1.0) / fan_in**0.5
    for name in ("entry.weight", "last.weight"):
        weights[name][:BANDS] *= 0.05  # begin with a grey picture
    biases = {"context.bias": context, "entry.bias": BANDS + width, "last.bias": BANDS} | {
        f"layer{layer}.bias": width for layer in range(_LAYERS)
    }
    return weights | {"entry.gain": gain} | {name: torch.zeros(size) for name, size in biases.items()}


def by_size(weights: Mapping[str, Tensor]) -> dict[int, dict[str, Tensor]]:
    """Tensors named exit_SIZE.NAME, sorted into one mapping a head."""
    heads: dict[int, dict[str, Tensor]] = {}
    for key, value in weights.items():
        prefix, _, name = key.partition(".")
        heads.setdefault(int(prefix.removeprefix("exit_")), {})[name] = value
    return heads
