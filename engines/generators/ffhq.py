"""MobileStyleGAN trained on FFHQ: 1024 px faces in about a fifth of a second on two CPU cores.

Paper: Belousov, "MobileStyleGAN: A Lightweight Convolutional Neural Network for High-Fidelity Image Synthesis",
arXiv:2104.04767. Its W is StyleGAN2-FFHQ's own W (the mapping network was taken over), so directions published for that
model work here. Demodulation and noise strengths are folded into the weights, which makes a layer linear in its style: a
style may differ from pixel to pixel. Pictures of 128, 256 and 512 px come from small heads fitted to the area-averaged full
picture (engines/training/recipes/ffhq_exits.py).
"""

from collections.abc import Iterator, Mapping
from itertools import accumulate

import torch
import torch.nn.functional as F
from torch import Tensor

from engines.core.errors import SpaceError
from engines.core.shapes import Codes, Image
from engines.generators.base import Prefix
from engines.generators.exits import ExitHead, by_size
from engines.generators.ops import SLOPE, activate, at_each_cell, channels_last, haar_up, modulate, modulated_conv, shifted
from engines.spaces.latent import Latent, Tuning
from engines.spaces.slots import Slots

_START = 4


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


class Student:
    """A student generator of any number of blocks; every dimension is read from its weights.

    Args:
        name: What the catalogue calls it.
        weights: Tensors by name, as `scripts/convert_ffhq.py` writes them.
        exits: Tensors of the early heads by name, as the exit recipe writes them; empty for none.
        device: Where to run.
    """

    def __init__(self, name: str, weights: Mapping[str, Tensor], exits: Mapping[str, Tensor], device: torch.device | str = "cpu") -> None:
        self.name, self.device = name, torch.device(device)
        self.weights = {key: self._placed(value) for key, value in weights.items()}
        self.blocks = tuple(
            sorted(int(key.split("_")[1].split(".")[0]) for key in weights if key.endswith(".depthwise") and key.startswith("conv1_"))
        )
        self.slots = Slots(len(self.blocks))
        self.resolution = 2 * self.blocks[-1]
        self.width = weights["mapping.0.weight"].shape[1]
        self.layers = (
            "conv_4",
            *(f"{kind}_{size}" for size in self.blocks for kind in ("up", "conv1", "conv2")),
            f"to_img_{self.blocks[-1]}",
        )
        self.heads = {
            size: ExitHead(size, {key: self._placed(value) for key, value in head.items()}, self.weights[f"conv1_{size}.noise"], self.slots)
            for size, head in by_size(exits).items()
        }
        self.exits = (*sorted(self.heads), self.resolution)
        self.capabilities = frozenset({"z", "w", "w_plus", "s", "tunable", "spatial_styles", "noise", "affine"})
        widths = [self.weights[f"{layer}.modulation.bias"].shape[0] for layer in self.layers]
        ends = list(accumulate(widths))
        self._s_layout = {layer: slice(end - width, end) for layer, width, end in zip(self.layers, widths, ends, strict=True)}

    def _placed(self, value: Tensor) -> Tensor:
        value = value.to(self.device)
        return channels_last(value) if value.dim() == 4 else value

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
        """z (B,512) to w (B,512), not truncated: pixel norm and eight linear layers."""
        x = z * torch.rsqrt(z.square().mean(dim=1, keepdim=True) + 1e-8)
        for index in range(8):
            x = F.leaky_relu(F.linear(x, self.weights[f"mapping.{index}.weight"], self.weights[f"mapping.{index}.bias"]), SLOPE) * 2**0.5
        return x

    def affine(self, layers: tuple[str, ...]) -> Tensor:
        """Matrices from w to the styles of `layers`, stacked to (values, 512)."""
        return torch.cat([self.weights[f"{layer}.modulation.weight"] for layer in layers])

    def styles(self, code: Latent | Codes) -> Latent:
        """Any code as S: 23 groups, 6752 values at 1024 px, in the order of `layout("s")`."""
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
            code: A `Latent`, or plain codes of w (B,512) or w_plus (B,23,512).
            tuning: Additive weight change, by parameter name.
            features: "grid" is added to the w of every slot, cell by cell (B,512,s,s) in any size; "noise/LAYER" replaces a noise map,
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
        if resume is not None and resume.block > size:
            raise SpaceError(
                f"Features on their way into the block of {resume.block} px came; a picture of {size} px has left the trunk by then."
            )
        weights, features = self._tuned(tuning), self._checked(features)
        last = self._block_of(size)
        head = self.heads.get(size)
        painter = f"to_img_{last}"
        styles = self._styles(code, weights, features, (*self._layers_between(resume, last), *([painter] if head is None else [])))
        x = self._trunk(weights, styles, features, resume, last)
        if head is not None:
            return head(x, self._w_of_slots(code), features.get("grid"))
        return haar_up(modulated_conv(x, styles[painter], weights[f"{painter}.weight"], weights[f"{painter}.bias"]))

    def prefix(
        self,
        code: Latent | Codes,
        block: int,
        resume: Prefix | None = None,
        *,
        tuning: Tuning | None = None,
        features: Mapping[str, Tensor] | None = None,
    ) -> Prefix:
        """Features entering the block of working size `block` (8 to 512 at 1024 px), from an earlier prefix if there is one."""
        if block not in self.blocks:
            raise SpaceError(f"Blocks work at {', '.join(map(str, self.blocks))} px; {block} came.")
        if resume is not None and resume.block > block:
            raise SpaceError(f"Features on their way into the block of {resume.block} px came; the block of {block} px lies before it.")
        last, weights, features = block // 2, self._tuned(tuning), self._checked(features)
        styles = self._styles(code, weights, features, tuple(self._layers_between(resume, last)))
        return Prefix(block, self._trunk(weights, styles, features, resume, last))

    def _trunk(
        self, weights: Mapping[str, Tensor], styles: Mapping[str, Tensor], features: Mapping[str, Tensor], resume: Prefix | None, last: int
    ) -> Tensor:
        """Features behind the second convolution of the block of working size `last`."""
        if resume is None:
            start = modulate(weights["const"], styles["conv_4"])
            x = activate(
                F.conv2d(channels_last(start), weights["conv_4.weight"], weights["conv_4.bias"], padding=1),
                features.get("noise/conv_4", weights["conv_4.noise"]),
            )
            x = self._with_feature(x, features, "conv_4")
        else:
            x = resume.features
        for block in self._blocks_between(resume, last):
            x = haar_up(channels_last(modulate(x, styles[f"up_{block}"])))
            for layer in (f"conv1_{block}", f"conv2_{block}"):
                x = modulated_conv(x, styles[layer], weights[f"{layer}.depthwise"], groups=x.shape[1])
                x = F.conv2d(x, weights[f"{layer}.pointwise"], weights[f"{layer}.bias"])
                x = self._with_feature(activate(x, features.get(f"noise/{layer}", weights[f"{layer}.noise"])), features, layer)
        return x

    @staticmethod
    def _with_feature(x: Tensor, features: Mapping[str, Tensor], layer: str) -> Tensor:
        added = features.get(f"feature/{layer}")
        return x if added is None else x + added

    def _blocks_between(self, resume: Prefix | None, last: int) -> Iterator[int]:
        first = self.blocks[0] if resume is None else resume.block
        return (block for block in self.blocks if first <= block <= last)

    def _layers_between(self, resume: Prefix | None, last: int) -> Iterator[str]:
        if resume is None:
            yield "conv_4"
        for block in self._blocks_between(resume, last):
            yield from (f"up_{block}", f"conv1_{block}", f"conv2_{block}")

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

    def _w_of_slots(self, code: Latent | Codes) -> Codes:
        """W+ for the early heads; S has no W behind it.

        Raises:
            SpaceError: The code is in S.
        """
        if isinstance(code, Latent) and code.space == "s":
            raise SpaceError("A code in S draws only the full picture: the early heads read W. Leave `size` out.")
        return self._w_plus(code)

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
            if key != "grid" and (kind not in ("noise", "style", "shift", "feature") or layer not in self.layers):
                raise SpaceError(
                    f"The feature {key!r} came; wanted grid, or noise/LAYER, style/LAYER, shift/LAYER or feature/LAYER with a layer of "
                    "layout('s')."
                )
        return features or {}

    def _block_of(self, size: int) -> int:
        if size not in self.exits:
            raise SpaceError(f"The generator {self.name} draws {', '.join(map(str, self.exits))} px; {size} came.")
        return size // 2
