"""StyleGAN2: the generator that most published methods were written for, in plain operations of torch.

Karras, Laine, Aittala, Hellsten, Lehtinen, Aila, "Analyzing and Improving the Image Quality of StyleGAN", arXiv:1912.04958. Followed: the
mapping network (pixel norm of z, equal layers, a leaky ReLU of 0.2 times the root of 2); a constant of 4 px; modulated and demodulated
convolutions (Eq. 1 to 3), noise, bias and activation behind each, as figure 2 (d) has them; skip connections from toRGB layers, whose
convolutions are not demodulated, and pictures and features doubled with the binomial filter [1, 3, 3, 1] (figure 7 b); toRGB and the
convolution behind it read the same layer of W+. Changed: gains of the equalised learning rate (section 3.1 of arXiv:1710.10196) and noise
strengths are folded into the weights; noise maps are fixed, as the papers that invert have them; features are scaled before and behind the
convolution instead of its kernel, which is the same sum, and lets a style be a map, each pixel then demodulated as if its style reached
everywhere. Left out: style mixing and path length regularisation, which only training needs.

The bundled one is small and untrained: it teaches the architecture, and shows in tests that methods ask for nothing of one make alone.
"""

from collections.abc import Mapping

import torch
import torch.nn.functional as F
from torch import Tensor

from engines.core.seeds import normal
from engines.core.shapes import Codes, Image
from engines.generators.base import Prefix
from engines.generators.ops import SLOPE, at_each_cell, modulate
from engines.generators.styled import StyleGenerator
from engines.spaces.latent import Latent
from engines.spaces.slots import PUBLISHED_LAYERS, Layer, Slots, group_at

_GAIN, _TINIEST = 2**0.5, 1e-8
_RGB, _QUIET = 3, 0.12
_WIDTH, _CHANNELS, _SIDE, _MAPPINGS = 32, 16, 64, 8


def stylegan2_slots(resolution: int) -> Slots:
    """W+ of StyleGAN2: 18 layers at 1024 px, two for each doubling."""
    layers, side, slot = {"conv_4": Layer(0, "coarse", 4, 4), "to_rgb_4": Layer(1, "coarse", 4, 4)}, 8, 1
    while side <= resolution:
        layers[f"up_{side}"] = Layer(slot, group_at(side), side, side // 2)
        layers[f"conv_{side}"] = Layer(slot + 1, group_at(side), side, side)
        layers[f"to_rgb_{side}"] = Layer(slot + 2, group_at(min(2 * side, resolution)), side, side)
        side, slot = 2 * side, slot + 2
    count = slot + 1
    return Slots(layers, count, tuple(range(count)) if count == PUBLISHED_LAYERS else ())


class StyleGAN2(StyleGenerator):
    """StyleGAN2 of any resolution; every dimension is read from its weights.

    A feature "feature/to_rgb_S" is added to what the block of S px hands on: its features with the picture so far behind them
    (B,C+3,S,S). Features of a `Prefix` are of that form, too.

    Args:
        name: What the catalogue calls it.
        weights: Tensors by name, gains folded: `const` (1,C,4,4); LAYER.weight and .bias; those of `StyleGenerator`.
        device: Where to run.
        able: Capabilities beside those of every generator with a W.
    """

    def __init__(
        self, name: str, weights: Mapping[str, Tensor], device: torch.device | str = "cpu", able: frozenset[str] = frozenset()
    ) -> None:
        doublings = sum(key.startswith("up_") and key.endswith(".weight") and "modulation" not in key for key in weights)
        super().__init__(name, weights, stylegan2_slots(4 << doublings), (4 << doublings,), device, able)

    def _drawn(
        self, code: Latent | Codes, weights: Mapping[str, Tensor], features: Mapping[str, Tensor], size: int, resume: Prefix | None
    ) -> Image:
        styles = self._styles(code, weights, features, self._between(resume, size))
        return self._grown(weights, styles, features, resume, size)[:, -_RGB:]

    def _grown(
        self, weights: Mapping[str, Tensor], styles: Mapping[str, Tensor], features: Mapping[str, Tensor], resume: Prefix | None, last: int
    ) -> Tensor:
        """Features behind the block of side `last`, and behind them the picture so far: (B,C+3,last,last)."""

        def convolved(x: Tensor, layer: str, *, up: bool = False) -> Tensor:
            x = demodulated_conv(x, styles[layer], weights[f"{layer}.weight"], up=up)
            x = x + features.get(f"noise/{layer}", weights[f"{layer}.noise"]) + weights[f"{layer}.bias"].view(1, -1, 1, 1)
            return self._with_feature(F.leaky_relu(x, SLOPE) * _GAIN, features, layer)

        def handed_on(x: Tensor, picture: Tensor | None, layer: str) -> Tensor:
            painted = F.conv2d(modulate(x, styles[layer]), weights[f"{layer}.weight"], weights[f"{layer}.bias"])
            both = torch.cat([x, painted if picture is None else doubled(picture) + painted], dim=1)
            return self._with_feature(both, features, layer)

        if resume is None:
            both = handed_on(convolved(weights["const"].expand(_batch(styles), -1, -1, -1), "conv_4"), None, "to_rgb_4")
        else:
            both = resume.features
        for block in self._blocks_between(resume, last):
            x = convolved(convolved(both[:, :-_RGB], f"up_{block}", up=True), f"conv_{block}")
            both = handed_on(x, both[:, -_RGB:], f"to_rgb_{block}")
        return both


def _batch(styles: Mapping[str, Tensor]) -> int:
    return max(style.shape[0] for style in styles.values())


def demodulated_conv(x: Tensor, style: Tensor, kernel: Tensor, *, up: bool = False) -> Tensor:
    """Convolution with a kernel that a style scales and that is brought back to unit length for each output (Eq. 1 to 3).

    Args:
        x: Features (B,I,H,W).
        style: (B,I), or a map of styles (B,I,h,w) in any size.
        kernel: (O,I,k,k), k odd.
        up: Whether the result is twice as large.

    Returns:
        (B,O,H,W), or (B,O,2H,2W).
    """
    x = modulate(x, style)
    x = _filtered(F.conv_transpose2d(x, kernel.transpose(0, 1), stride=2)) if up else F.conv2d(x, kernel, padding=kernel.shape[-1] // 2)
    energy = kernel.square().sum(dim=(2, 3))
    power = F.linear(style.square(), energy) if style.dim() == 2 else at_each_cell(style.square(), energy)
    return modulate(x, torch.rsqrt(power + _TINIEST))


def doubled(picture: Tensor) -> Tensor:
    """A picture (B,C,H,W) of twice the side (B,C,2H,2W), interpolated by the binomial filter."""
    channels = picture.shape[1]
    return F.conv_transpose2d(picture, _binomial(picture).expand(channels, 1, -1, -1), stride=2, padding=1, groups=channels)


def _filtered(x: Tensor) -> Tensor:
    """Features (B,C,2H+1,2W+1) with gaps, smoothed to (B,C,2H,2W)."""
    channels = x.shape[1]
    return F.conv2d(x, _binomial(x).expand(channels, 1, -1, -1), padding=1, groups=channels)


def _binomial(like: Tensor) -> Tensor:
    """The filter (1,1,4,4), which sums to 4: three of four values that it meets are gaps."""
    row = like.new_tensor([1.0, 3.0, 3.0, 1.0]) / 4
    return torch.outer(row, row)[None, None]


def tiny_stylegan2(device: torch.device | str = "cpu", seed: int = 0) -> StyleGAN2:
    """A narrow one of 64 px with random weights, equal for equal seeds; toRGB is scaled so that pictures are about in [-1, 1]."""
    return StyleGAN2("stylegan2-tiny", _weights(seed), device, frozenset({"encoders", "untrained"}))


def _weights(seed: int) -> dict[str, Tensor]:
    layers = stylegan2_slots(_SIDE).layers
    shapes: dict[str, tuple[int, ...]] = {f"mapping.{index}.weight": (_WIDTH, _WIDTH) for index in range(_MAPPINGS)}
    shapes |= {"const": (1, _CHANNELS, 4, 4)}
    for name in layers:
        shapes[f"{name}.weight"] = (_RGB, _CHANNELS, 1, 1) if name.startswith("to_rgb") else (_CHANNELS, _CHANNELS, 3, 3)
        shapes[f"{name}.modulation.weight"] = (_CHANNELS, _WIDTH)
    weights = {}
    for index, (name, shape) in enumerate(sorted(shapes.items())):
        fan_in = torch.Size(shape[1:]).numel()
        gain = 1.0 if name == "const" else fan_in**-0.5
        weights[name] = normal(shape, seed * 1000 + index) * (_QUIET * gain if shape[0] == _RGB else gain)
    weights |= {f"mapping.{index}.bias": torch.zeros(_WIDTH) for index in range(_MAPPINGS)}
    for index, (name, layer) in enumerate(layers.items()):
        weights |= {f"{name}.modulation.bias": torch.ones(_CHANNELS), f"{name}.bias": torch.zeros(_RGB if "rgb" in name else _CHANNELS)}
        if "rgb" not in name:
            weights[f"{name}.noise"] = 0.1 * normal((1, 1, layer.block, layer.block), seed * 1000 + 500 + index)
    return weights
