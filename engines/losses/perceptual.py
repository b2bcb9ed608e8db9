"""Perceptual distances that inversions are optimised and judged by.

LPIPS: Zhang et al., "The Unreasonable Effectiveness of Deep Features as a Perceptual Metric", arXiv:1801.03924, v0.1 with
the AlexNet trunk. The package `lpips` does the arithmetic; its trunk comes from the bundled weights, so nothing is downloaded.
VGG features: the four layers of Abdal et al., "Image2StyleGAN", arXiv:1904.03189, section 5.
"""

import warnings
from functools import cache

import torch
import torch.nn.functional as F
from torch import Tensor

from engines.core.shapes import Image
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


_VGG_MEAN, _VGG_STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
_VGG_TAPS = {"conv1_1", "conv1_2", "conv3_2", "conv4_2"}
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
        pairs = zip(self._features(image), self._features(target), strict=True)
        return torch.stack([(ours - theirs).square().mean(dim=(1, 2, 3)) for ours, theirs in pairs]).sum(dim=0)

    def _features(self, image: Image) -> list[Tensor]:
        mean, std = (image.new_tensor(values).view(1, 3, 1, 1) for values in (_VGG_MEAN, _VGG_STD))
        x, found = ((image + 1) / 2 - mean) / std, []
        for layer in self.layers:
            x = F.max_pool2d(x, 2) if layer in _VGG_POOLED else x
            x = F.relu(F.conv2d(x, self.weights[f"{layer}.weight"], self.weights[f"{layer}.bias"], padding=1))
            if layer in _VGG_TAPS:
                found.append(x)
        return found
