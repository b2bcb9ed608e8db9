"""Perceptual distances for optimisation and evaluation.

LPIPS: Zhang et al., "The Unreasonable Effectiveness of Deep Features as a Perceptual Metric", arXiv:1801.03924, v0.1 with
the AlexNet trunk. The package `lpips` does the arithmetic; its trunk comes from the bundled weights, so nothing is downloaded.
VGG features: the four layers of Abdal et al., "Image2StyleGAN", arXiv:1904.03189, section 5. Both masks and the style distance: its
successor, "Image2StyleGAN++", arXiv:1911.11544, section 3.
"""

import warnings
from collections.abc import Iterable
from functools import cache

import torch
import torch.nn.functional as F
from torch import Tensor

from engines.core.images import area
from engines.core.shapes import Image, Mask
from engines.core.weights import load_weights


def _declare_missing_operators() -> None:
    """Let torchvision import where its compiled operators did not load, as beside a CPU-only torch.

    Only the two operators that its Python code registers at import need a declaration; none is ever called.
    """
    try:
        import torchvision  # noqa: F401
    except RuntimeError as error:
        if "torchvision::nms" not in str(error):
            raise
        library = torch.library.Library("torchvision", "DEF")
        library.define("nms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
        library.define("qnms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
        _kept.append(library)


_kept: list[torch.library.Library] = []


@cache
def _network(device: torch.device) -> torch.nn.Module:
    _declare_missing_operators()
    import lpips

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # lpips calls torchvision by names that it is about to drop
        network = lpips.LPIPS(net="alex", pnet_rand=True, verbose=False)
    trunk = {f"slice{_SLICE_OF[key.split('.')[0]]}.{key}": value for key, value in load_weights("lpips_alex").items()}
    network.net.load_state_dict(trunk, strict=True)
    return network.eval().requires_grad_(False).to(device)


LAYERS = (64, 192, 384, 256, 256)
"""Channels of AlexNet's layers."""

_TINY = 1e-20
_SLICE_OF = {"0": 1, "3": 2, "6": 3, "8": 4, "10": 5}


class Perceptual:
    """LPIPS-AlexNet on one device; the network is shared by all callers.

    Args:
        device: Where the pictures are.
    """

    def __init__(self, device: torch.device | str = "cpu") -> None:
        self.network = _network(torch.device(device))

    def __call__(self, image: Image, target: Image) -> Tensor:
        """Distance of each pair, shape (batch,): 0 for equal pictures, about 0.7 for unrelated ones."""
        return self.network(image, target).flatten()

    def within(self, image: Image, target: Image, mask: Mask) -> Tensor:
        """Distance of each pair that a mask (1,1,h,w) sees, shape (batch,): with a mask of ones the whole one.

        Features are masked, by the mask's share of their cells, rather than pixels: a mask's border is no edge of the picture.
        """
        total = image.new_zeros(image.shape[0])
        heads: Iterable[torch.nn.Module] = self.network.lins  # type: ignore[assignment]
        for head, ours, theirs in zip(heads, self.features(image), self.features(target), strict=True):
            total = total + (head((ours - theirs).square()) * area(mask, ours.shape[-1])).mean(dim=(1, 2, 3))
        return total

    def features(self, image: Image) -> list[Tensor]:
        """Of each of AlexNet's five layers (B,C,n,n), with channels of unit length at every cell."""
        return [values * (values.square().sum(dim=1, keepdim=True) + _TINY).rsqrt() for values in self.raw(image)]

    def raw(self, image: Image) -> list[Tensor]:
        """Of each of AlexNet's five layers (B,C,n,n), as it computes them."""
        return list(self.network.net(self.network.scaling_layer(image)))  # type: ignore[operator]


_VGG_MEAN, _VGG_STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
_VGG_TAPS = frozenset({"conv1_1", "conv1_2", "conv3_2", "conv4_2"})
_STYLE_TAP = "conv3_3"
_VGG_POOLED = {"conv2_1", "conv3_1", "conv4_1"}


@cache
def _vgg_weights(device: torch.device) -> dict[str, Tensor]:
    return {name: value.to(device) for name, value in load_weights("vgg16").items()}


class VggFeatures:
    """Mean squared distance of VGG16's conv1_1, conv1_2, conv3_2 and conv4_2, summed.

    Args:
        device: Where the pictures are.
    """

    def __init__(self, device: torch.device | str = "cpu") -> None:
        self.weights = _vgg_weights(torch.device(device))
        self.layers = sorted({name.split(".")[0] for name in self.weights})

    def __call__(self, image: Image, target: Image) -> Tensor:
        """Distance of each pair, shape (batch,)."""
        pairs = zip(self.features(image), self.features(target), strict=True)
        return torch.stack([(ours - theirs).square().mean(dim=(1, 2, 3)) for ours, theirs in pairs]).sum(dim=0)

    def features(self, image: Image, taps: frozenset[str] = _VGG_TAPS) -> list[Tensor]:
        """Of the layers called `taps`; those behind the last are not computed."""
        mean, std = (image.new_tensor(values).view(1, 3, 1, 1) for values in (_VGG_MEAN, _VGG_STD))
        x, found = ((image + 1) / 2 - mean) / std, []
        for layer in self.layers:
            x = F.max_pool2d(x, 2) if layer in _VGG_POOLED else x
            x = F.relu(F.conv2d(x, self.weights[f"{layer}.weight"], self.weights[f"{layer}.bias"], padding=1))
            if layer in taps:
                found.append(x)
            if len(found) == len(taps):
                break
        return found


class VggStyle(VggFeatures):
    """Squared distance of the Gram matrices of VGG16's conv3_3 within masks, as a share of the target's square.

    They say which textures there are, wherever they are.
    """

    def __call__(self, image: Image, target: Image, mask: Mask | None = None) -> Tensor:
        """Distance of each pair, shape (batch,), of what a mask (1,1,h,w) sees of either; of all of both without one."""
        ours, theirs = (self._gram(picture, mask) for picture in (image, target))
        return (ours - theirs).square().sum(dim=(1, 2)) / theirs.square().sum(dim=(1, 2)).clamp_min(_TINY)

    def _gram(self, image: Image, mask: Mask | None) -> Tensor:
        """(B,256,256): products of each two channels, averaged over the cells that are seen."""
        features = self.features(image, frozenset({_STYLE_TAP}))[0]
        weight = features.new_ones(1, 1, 1, 1) if mask is None else area(mask, features.shape[-1])
        seen = (features * weight).flatten(2)
        cells = weight.expand_as(features[:, :1]).square().sum(dim=(2, 3)).clamp_min(1.0)
        return seen @ seen.transpose(1, 2) / (cells[:, :, None] * features.shape[1])
