"""MobileStyleGAN trained on FFHQ: 1024 px faces in about a fifth of a second on two CPU cores.

Paper: Belousov, "MobileStyleGAN: A Lightweight Convolutional Neural Network for High-Fidelity Image Synthesis",
arXiv:2104.04767. Its W is StyleGAN2-FFHQ's own W (the mapping network was taken over), so directions published for that
model work here. Demodulation and noise strengths are folded into the weights, which makes a layer linear in its style: a
style may differ from pixel to pixel. Pictures of 128, 256 and 512 px come from auxiliary toRGB heads fitted to the area-averaged full
picture (engines/training/tables/ffhq_exits.py).
"""

from collections.abc import Mapping

import torch
import torch.nn.functional as F
from torch import Tensor

from engines.core.errors import SpaceError
from engines.core.shapes import Codes, Image
from engines.core.weights import load_weights, manifest
from engines.generators.auxiliary_heads import AuxiliaryHead, by_size
from engines.generators.base import Prefix
from engines.generators.ops import activate, channels_last, haar_up, modulate, modulated_conv
from engines.generators.styled import StyleGenerator
from engines.spaces.latent import Latent
from engines.spaces.slots import Layer, Slots, group_at

_PUBLISHED = (0, 1, 2, 3, 3, 4, 5, 5, 6, 7, 7, 8, 9, 9, 10, 11, 11, 12, 13, 13, 14, 15, 16)
"""The layer of StyleGAN2 at 1024 px that each slot answers to; here nothing answers to 17."""


def ffhq_slots(blocks: int) -> Slots:
    """W+ of a generator with so many upsampling blocks (7 at 1024 px): 3 * blocks + 2 slots.

    There is one slot for the 4x4 convolution and three for each block: upsampling with the first convolution, the second convolution, and
    the block's picture head. Only the last head is left, so the heads' slots of the other blocks, and one trailing slot, are read by
    nothing: they are kept so that codes have the shape (B,23,512) of the original training code.
    """
    layers = {"conv_4": Layer(0, group_at(4), 4, 4)}
    for number in range(blocks):
        side, slot = 8 << number, 3 * number + 1
        layers[f"up_{side}"] = Layer(slot, group_at(side), side, side // 2)
        layers[f"conv1_{side}"] = Layer(slot, group_at(side), side, side)
        layers[f"conv2_{side}"] = Layer(slot + 1, group_at(side), side, side)
    last = 4 << blocks
    layers[f"to_img_{last}"] = Layer(3 * blocks, group_at(2 * last), last, last)
    return Slots(layers, 3 * blocks + 2, _PUBLISHED if 3 * blocks + 2 == len(_PUBLISHED) else ())


def bundled_ffhq(device: torch.device | str = "cpu") -> "FfhqGenerator":
    """The faces that the package brings, with the auxiliary toRGB heads, the encoders and the bank that were made for them.

    Raises:
        WeightsError: Its file is missing or altered.
    """
    exits = load_weights("ffhq_exits") if "ffhq_exits" in manifest() else {}
    bank = {"face_bank"} if "face_bank" in manifest() else set[str]()
    return FfhqGenerator("ffhq", load_weights("ffhq"), exits, device, frozenset({"encoders"} | bank))


class FfhqGenerator(StyleGenerator):
    """A MobileStyleGAN generator of any number of blocks; every dimension is read from its weights.

    Args:
        name: What the catalogue calls it.
        weights: Tensors by name, as `scripts/convert_ffhq.py` writes them.
        exits: Tensors of the auxiliary toRGB heads by name, as their table writes them; empty for none.
        device: Where to run.
        able: Capabilities beside those of every generator with a W.
    """

    def __init__(
        self,
        name: str,
        weights: Mapping[str, Tensor],
        exits: Mapping[str, Tensor],
        device: torch.device | str = "cpu",
        able: frozenset[str] = frozenset(),
    ) -> None:
        slots, heads = ffhq_slots(sum(key.startswith("conv1_") and key.endswith(".depthwise") for key in weights)), by_size(exits)
        super().__init__(name, weights, slots, (*sorted(heads), 2 * slots.blocks[-1]), device, able)
        self.heads = {
            size: AuxiliaryHead(size, {key: self._placed(value) for key, value in head.items()}, self.weights[f"conv1_{size}.noise"], slots)
            for size, head in heads.items()
        }

    def _drawn(
        self, code: Latent | Codes, weights: Mapping[str, Tensor], features: Mapping[str, Tensor], size: int, resume: Prefix | None
    ) -> Image:
        last, head = size // 2, self.heads.get(size)
        styles = self._styles(code, weights, features, self._between(resume, last))
        x = self._grown(weights, styles, features, resume, last)
        if head is not None:
            return head(x, self._w_of_slots(code), features.get("grid"))
        painter = f"to_img_{last}"
        return haar_up(modulated_conv(x, styles[painter], weights[f"{painter}.weight"], weights[f"{painter}.bias"]))

    def _grown(
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

    def _w_of_slots(self, code: Latent | Codes) -> Codes:
        """W+ for the auxiliary toRGB heads; S has no W behind it.

        Raises:
            SpaceError: The code is in S.
        """
        if isinstance(code, Latent) and code.space == "s":
            raise SpaceError("A code in S draws only the full picture: the auxiliary toRGB heads take W+. Leave `size` out.")
        return self._w_plus(code)
