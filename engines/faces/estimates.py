"""What two small networks guess from a face: its age, its gender and its expression.

Both are those of the npm package face-api, on crops as it makes them: age and gender by a small Xception (Chollet,
arXiv:1610.02357), the expression by blocks of densely summed separable convolutions (after Huang et al., arXiv:1608.06993). These
are estimates learnt from labelled photos, with the errors and the narrowness of their labels; they are no facts about a person.
"""

from functools import cache
from itertools import pairwise

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional as F

from engines.core.packed import load_packed
from engines.core.shapes import Image

SIZE = 112
"""Side of the networks' input, in pixels."""

EXPRESSIONS = ("neutral", "happy", "sad", "angry", "fearful", "disgusted", "surprised")
"""What the outputs of the expression network stand for."""

MEAN_COLOUR = (122.782, 117.001, 104.298)

Numbers = Float[Tensor, " batch"]
Logits = Float[Tensor, "batch 7"]


class Separable(nn.Module):
    """A depthwise 3x3 and a pointwise convolution; a stride of 2 pads below and to the right only, as TensorFlow does."""

    def __init__(self, channels: int, out_channels: int, stride: int = 1) -> None:
        super().__init__()
        self.depthwise = nn.Conv2d(channels, channels, 3, stride, padding=int(stride == 1), groups=channels, bias=False)
        self.pointwise = nn.Conv2d(channels, out_channels, 1)
        self.pad = (0, 1, 0, 1) if stride == 2 else None

    def forward(self, features: Tensor) -> Tensor:
        """Features (batch, channels, h, w) to (batch, out_channels, h / stride, w / stride)."""
        if self.pad:
            features = F.pad(features, self.pad)
        return torch.as_tensor(self.pointwise(self.depthwise(features)))


class Reduction(nn.Module):
    """Two separable convolutions and a maximum over pairs, beside a strided shortcut."""

    def __init__(self, channels: int, out_channels: int, activate: bool = True) -> None:
        super().__init__()
        self.convs = nn.ModuleList([Separable(channels, out_channels), Separable(out_channels, out_channels)])
        self.shortcut = nn.Conv2d(channels, out_channels, 1, 2)
        self.activate = activate

    def forward(self, features: Tensor) -> Tensor:
        """Features (batch, channels, h, w) to (batch, out_channels, h / 2, w / 2)."""
        changed = self.convs[1](F.relu(self.convs[0](F.relu(features) if self.activate else features)))
        return torch.as_tensor(F.max_pool2d(F.pad(changed, (0, 1, 0, 1), value=-torch.inf), 3, 2) + self.shortcut(features))


class Middle(nn.Module):
    """Three separable convolutions beside a shortcut."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.convs = nn.ModuleList(Separable(channels, channels) for _ in range(3))

    def forward(self, features: Tensor) -> Tensor:
        """Features (batch, channels, h, w) of the same shape."""
        changed = features
        for convolution in self.convs:
            changed = convolution(F.relu(changed))
        return changed + features


class Dense(nn.Module):
    """Four convolutions of which each takes the sum of all before it; the first one halves the picture."""

    def __init__(self, channels: int, out_channels: int, first: bool) -> None:
        super().__init__()
        opening = nn.Conv2d(channels, out_channels, 3, 2) if first else Separable(channels, out_channels, 2)
        self.convs = nn.ModuleList([opening, *(Separable(out_channels, out_channels) for _ in range(3))])
        self.pad = (0, 1, 0, 1) if first else (0, 0, 0, 0)

    def forward(self, features: Tensor) -> Tensor:
        """Features (batch, channels, h, w) to (batch, out_channels, h / 2, w / 2)."""
        total = F.relu(self.convs[0](F.pad(features, self.pad)))
        summed = total
        for convolution in self.convs[1:]:
            total = total + convolution(summed)
            summed = F.relu(total)
        return summed


class AgeGenderNet(nn.Module):
    """The age and gender network with its weights: read-only after construction, so that threads may share it."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Conv2d(3, 32, 3, 2)
        self.blocks = nn.Sequential(Reduction(32, 64, activate=False), Reduction(64, 128), Middle(128), Middle(128), Reduction(128, 256))
        self.last = Separable(256, 512)
        self.age = nn.Linear(512, 1)
        self.gender = nn.Linear(512, 2)
        self.load_state_dict(load_packed("face_age_gender"))
        self.requires_grad_(False).eval()

    def forward(self, crops: Image) -> tuple[Numbers, Numbers]:
        """Age in years, and log-odds of "male" against "female", of crops (batch, 3, 112, 112) in [-1, 1]."""
        features = F.relu(self.last(self.blocks(F.relu(self.stem(F.pad(_normalised(crops), (0, 1, 0, 1))))))).mean((2, 3))
        male, female = self.gender(features).unbind(1)
        return self.age(features).flatten(), male - female


class ExpressionNet(nn.Module):
    """The expression network with its weights: read-only after construction, so that threads may share it."""

    def __init__(self) -> None:
        super().__init__()
        widths = (3, 32, 64, 128, 256)
        self.blocks = nn.Sequential(*(Dense(before, after, before == 3) for before, after in pairwise(widths)))
        self.head = nn.Linear(256, len(EXPRESSIONS))
        self.load_state_dict(load_packed("face_expression"))
        self.requires_grad_(False).eval()

    def forward(self, crops: Image) -> Logits:
        """Logits of `EXPRESSIONS` for crops (batch, 3, 112, 112) in [-1, 1]."""
        return torch.as_tensor(self.head(self.blocks(_normalised(crops)).mean((2, 3))))


def _normalised(crops: Image) -> Image:
    return (crops + 1) / 2 - crops.new_tensor(MEAN_COLOUR)[:, None, None] / 255


@cache
def age_gender_net(device: str = "cpu") -> AgeGenderNet:
    """The age and gender network on one device, loaded at the first call and shared afterwards."""
    return AgeGenderNet().to(device)


@cache
def expression_net(device: str = "cpu") -> ExpressionNet:
    """The expression network on one device, loaded at the first call and shared afterwards."""
    return ExpressionNet().to(device)
