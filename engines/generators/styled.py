"""What generators that draw from a W share: from codes of every space to styles of layers; changes of weights, features, refusals.

A make of network adds its layers: how features grow from block to block, and how they become a picture.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from itertools import accumulate, count, takewhile

import torch
import torch.nn.functional as F
from torch import Tensor

from engines.core.errors import SpaceError
from engines.core.shapes import Codes, Image
from engines.generators.base import Prefix
from engines.generators.ops import SLOPE, at_each_cell, channels_last, shifted
from engines.spaces.latent import Latent, Tuning
from engines.spaces.slots import Slots

W_SPACE = frozenset({"z", "w", "w_plus", "s", "tunable", "spatial_styles", "noise", "affine"})
"""What every such generator can do."""

_FEATURES = ("noise", "style", "shift", "feature")


class _Tuned(Mapping[str, Tensor]):
    """Weights with their changes added when they are read: whoever draws a few layers pays for those alone."""

    def __init__(self, weights: Mapping[str, Tensor], tuning: Tuning) -> None:
        self._weights, self._tuning = weights, tuning

    def __getitem__(self, key: str) -> Tensor:
        return self._weights[key] + self._tuning[key] if key in self._tuning else self._weights[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self._weights)

    def __len__(self) -> int:
        return len(self._weights)


class StyleGenerator(ABC):
    """A generator of layers that styles drive, styles being affine maps of W.

    Weights that are read here: mapping.NUMBER.weight and .bias, LAYER.modulation.weight and .bias, LAYER.noise (strength included).

    Args:
        name: What the catalogue calls it.
        weights: Tensors by name.
        slots: Its layers, each with the slot of W+ that it reads.
        exits: Sides in pixels that it can draw, the full picture last.
        device: Where to run.
        able: Capabilities beside `W_SPACE`.
    """

    def __init__(
        self,
        name: str,
        weights: Mapping[str, Tensor],
        slots: Slots,
        exits: tuple[int, ...],
        device: torch.device | str = "cpu",
        able: frozenset[str] = frozenset(),
    ) -> None:
        self.name, self.device, self.slots, self.exits = name, torch.device(device), slots, exits
        self.weights = {key: self._placed(value) for key, value in weights.items()}
        self.resolution, self.layers = exits[-1], tuple(slots.layers)
        self.width = weights["mapping.0.weight"].shape[1]
        self.capabilities = W_SPACE | able
        widths = [self.weights[f"{layer}.modulation.bias"].shape[0] for layer in self.layers]
        ends = list(accumulate(widths))
        self._s_layout = {layer: slice(end - width, end) for layer, width, end in zip(self.layers, widths, ends, strict=True)}
        self._mappings = tuple(takewhile(lambda number: f"mapping.{number}.weight" in weights, count()))

    @abstractmethod
    def _grown(
        self, weights: Mapping[str, Tensor], styles: Mapping[str, Tensor], features: Mapping[str, Tensor], resume: Prefix | None, last: int
    ) -> Tensor:
        """Features behind the block of side `last`, from the beginning or a prefix."""

    @abstractmethod
    def _drawn(
        self, code: Latent | Codes, weights: Mapping[str, Tensor], features: Mapping[str, Tensor], size: int, resume: Prefix | None
    ) -> Image:
        """The picture of side `size`, which is an exit."""

    def nearest_exit(self, pixels: int) -> int:
        """The exit whose side is nearest to a number of pixels, the smaller of two."""
        return min(self.exits, key=lambda side: abs(side - pixels))

    def layout(self, space: str) -> Mapping[str, slice]:
        """Names and positions of the parts of a code, along its slots (w_plus) or its values (z, w, s).

        Raises:
            SpaceError: A space that this generator does not have.
        """
        if space in ("z", "w"):
            return {space: slice(0, self.width)}
        if space == "w_plus":
            return {f"slot_{index}": slice(index, index + 1) for index in range(self.slots.count)}
        if space == "s":
            return self._s_layout
        raise SpaceError(f"The generator {self.name} has the spaces z, w, w_plus and s; {space!r} came.")

    def tunable(self) -> Mapping[str, Tensor]:
        """Weights of the synthesis network, by name; the mapping network stays out, as in the papers that tune."""
        return {key: value for key, value in self.weights.items() if not key.startswith("mapping.") and not key.endswith(".noise")}

    def noise(self) -> Mapping[str, Tensor]:
        """The fixed noise map (1,1,s,s) of each convolution, by layer, its strength included."""
        return {key.removesuffix(".noise"): value for key, value in self.weights.items() if key.endswith(".noise")}

    def map(self, z: Codes) -> Codes:
        """z (B,width) to w (B,width), not truncated: pixel norm and linear layers."""
        x = z * torch.rsqrt(z.square().mean(dim=1, keepdim=True) + 1e-8)
        for index in self._mappings:
            x = F.leaky_relu(F.linear(x, self.weights[f"mapping.{index}.weight"], self.weights[f"mapping.{index}.bias"]), SLOPE) * 2**0.5
        return x

    def affine(self, layers: tuple[str, ...]) -> Tensor:
        """Matrices from w to the styles of `layers`, stacked to (values,width)."""
        return torch.cat([self.weights[f"{layer}.modulation.weight"] for layer in layers])

    def styles(self, code: Latent | Codes) -> Latent:
        """Any code as S: the styles of all layers, in the order of `layout("s")`."""
        by_layer = self._styles(code, self.weights, {}, self.layers)
        return Latent("s", torch.cat([by_layer[layer] for layer in self.layers], dim=1))

    def layer_styles(
        self,
        code: Latent | Codes,
        layers: tuple[str, ...],
        *,
        tuning: Tuning | None = None,
        features: Mapping[str, Tensor] | None = None,
    ) -> Mapping[str, Tensor]:
        """The style (B,C), or map of styles (B,C,h,w), that each of `layers` is drawn with, whatever features add to it.

        Raises:
            SpaceError: A code, parameter or layer that this generator does not have.
        """
        unknown = sorted(set(layers) - set(self.layers))
        if unknown:
            raise SpaceError(f"There is no layer {unknown[0]!r} in the generator {self.name}; layout('s') names them.")
        return self._styles(code, self._tuned(tuning), self._checked(features), layers)

    def synthesize(
        self,
        code: Latent | Codes,
        *,
        tuning: Tuning | None = None,
        features: Mapping[str, Tensor] | None = None,
        size: int | None = None,
        resume: Prefix | None = None,
    ) -> Image:
        """Draw a picture.

        Args:
            code: A `Latent`, or plain codes of w (B,width) or w_plus (B,slots,width).
            tuning: Additive weight change, by parameter name.
            features: "grid" is added to the w of every slot, cell by cell (B,width,s,s) in any size; "noise/LAYER" replaces a noise map,
                "style/LAYER" a style by a map (B,C,h,w) in any size, the grid's share included; "shift/LAYER" is added to a style (B,C),
                "feature/LAYER" to a convolution's output (B,C,s,s).
            size: One of `exits`; the full picture if not given.
            resume: Features cached by `prefix`; layers before them are not redone.

        Returns:
            (B,3,size,size), about in [-1, 1] and not clamped.

        Raises:
            SpaceError: A code, size, parameter or layer that this generator does not have.
        """
        size = size or self.resolution
        if size not in self.exits:
            raise SpaceError(f"The generator {self.name} draws {', '.join(map(str, self.exits))} px; {size} came.")
        if resume is not None and resume.block > size:
            raise SpaceError(
                f"Features on their way into the block of {resume.block} px came; a picture of {size} px has left the trunk by then."
            )
        return self._drawn(code, self._tuned(tuning), self._checked(features), size, resume)

    def prefix(
        self,
        code: Latent | Codes,
        block: int,
        resume: Prefix | None = None,
        *,
        tuning: Tuning | None = None,
        features: Mapping[str, Tensor] | None = None,
    ) -> Prefix:
        """Features entering the block of working size `block`, from an earlier prefix if there is one."""
        if block not in self.slots.blocks:
            raise SpaceError(f"Blocks work at {', '.join(map(str, self.slots.blocks))} px; {block} came.")
        if resume is not None and resume.block > block:
            raise SpaceError(f"Features on their way into the block of {resume.block} px came; the block of {block} px lies before it.")
        last, weights, features = block // 2, self._tuned(tuning), self._checked(features)
        styles = self._styles(code, weights, features, self._between(resume, last))
        return Prefix(block, self._grown(weights, styles, features, resume, last))

    def _blocks_between(self, resume: Prefix | None, last: int) -> Iterator[int]:
        first = self.slots.blocks[0] if resume is None else resume.block
        return (block for block in self.slots.blocks if first <= block <= last)

    def _between(self, resume: Prefix | None, last: int) -> tuple[str, ...]:
        """Layers from the beginning, or a prefix, up to the block of side `last`."""
        first = 0 if resume is None else resume.block
        return tuple(name for name, layer in self.slots.layers.items() if first <= layer.block <= last)

    def _styles(
        self, code: Latent | Codes, weights: Mapping[str, Tensor], features: Mapping[str, Tensor], layers: tuple[str, ...]
    ) -> dict[str, Tensor]:
        """The style (B,C), or map of styles, of each of `layers`."""
        if isinstance(code, Latent) and code.space == "s":
            if code.codes.shape[1:] != (self._s_layout[self.layers[-1]].stop,):
                raise SpaceError(
                    f"A code of S with shape {tuple(code.codes.shape)} came; it is (batch, {self._s_layout[self.layers[-1]].stop})."
                )
            styles = {layer: code.codes[:, self._s_layout[layer]] for layer in layers}
        else:
            w_plus = self._w_plus(code)
            styles = {
                layer: F.linear(
                    w_plus[:, self.slots.of_layer(layer)], weights[f"{layer}.modulation.weight"], weights[f"{layer}.modulation.bias"]
                )
                for layer in layers
            }
        if "grid" in features:
            matrices = {layer: weights[f"{layer}.modulation.weight"] for layer in layers}
            styles = {layer: shifted(styles[layer], at_each_cell(features["grid"], matrix)) for layer, matrix in matrices.items()}
        styles |= {layer: features[f"style/{layer}"] for layer in layers if f"style/{layer}" in features}
        return styles | {layer: shifted(styles[layer], features[f"shift/{layer}"]) for layer in layers if f"shift/{layer}" in features}

    def _w_plus(self, code: Latent | Codes) -> Codes:
        codes = code.codes if isinstance(code, Latent) else code
        space = code.space if isinstance(code, Latent) else ("w" if codes.dim() == 2 else "w_plus")
        if space not in ("z", "w", "w_plus") or codes.shape[-1] != self.width or codes.dim() != (3 if space == "w_plus" else 2):
            raise SpaceError(
                f"A code of space {space} with shape {tuple(codes.shape)} came; "
                f"w is (batch, {self.width}), w_plus is (batch, {self.slots.count}, {self.width})."
            )
        return self.slots.spread(self.map(codes) if space == "z" else codes)

    def _tuned(self, tuning: Tuning | None) -> Mapping[str, Tensor]:
        if not tuning:
            return self.weights
        unknown = sorted(set(tuning) - set(self.weights))
        if unknown:
            raise SpaceError(f"This weight change names {unknown[0]!r}, which the generator {self.name} does not have.")
        return _Tuned(self.weights, tuning)

    def _checked(self, features: Mapping[str, Tensor] | None) -> Mapping[str, Tensor]:
        for key in features or {}:
            kind, _, layer = key.partition("/")
            if key != "grid" and (kind not in _FEATURES or layer not in self.layers):
                raise SpaceError(
                    f"The feature {key!r} came; wanted grid, or noise/LAYER, style/LAYER, shift/LAYER or feature/LAYER with a layer of "
                    "layout('s')."
                )
        return features or {}

    def _placed(self, value: Tensor) -> Tensor:
        value = value.to(self.device)
        return channels_last(value) if value.dim() == 4 else value

    @staticmethod
    def _with_feature(x: Tensor, features: Mapping[str, Tensor], layer: str) -> Tensor:
        added = features.get(f"feature/{layer}")
        return x if added is None else x + added
