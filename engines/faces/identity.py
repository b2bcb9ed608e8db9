"""Who a face is: 128 numbers that lie close together for one person, differentiable to the pixels.

The 29-layer residual network of dlib (King, "High Quality Face Recognition with Deep Metric Learning", dlib's blog, 2017) on the
residual blocks of He et al., arXiv:1512.03385; weights as published in the npm package face-api. Its input is a 150 px chip that a
similarity brings five points of the face to fixed places.
"""

from functools import cache

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional as F

from engines.core.errors import ImageError
from engines.core.packed import load_packed
from engines.core.shapes import Image

Embedding = Float[Tensor, "batch 128"]
Distances = Float[Tensor, " batch"]
Points = Float[Tensor, "batch 5 2"]
Matrices = Float[Tensor, "batch 2 3"]

SAME_PERSON = 0.55
"""Pictures of one person lie closer than this, those of different people mostly farther."""

CHIP = 150
"""Side of the network's input, in pixels."""

CHIP_POINTS = ((48.3, 46.2), (101.5, 47.0), (75.3, 79.3), (50.4, 99.7), (97.2, 100.6))
"""Where the chip wants the left eye, right eye, nose tip, left and right mouth corner (as seen in the picture)."""

ALIGNED_POINTS = ((0.3736, 0.4731), (0.6246, 0.4735), (0.5030, 0.6336), (0.3851, 0.7279), (0.6146, 0.7268))
"""Where FFHQ-aligned pictures have these points, over their side: the mean of 60 generated faces."""

MEAN_COLOUR = (122.782, 117.001, 104.298)

STAGES = ((32, 3), (64, 3), (128, 2), (256, 2))
"""Width and number of plain blocks of each stage; every stage but the first opens with a halving block, and one more ends the last."""


class Residual(nn.Module):
    """Two 3x3 convolutions beside a shortcut; halving blocks average the shortcut and give it empty new channels."""

    def __init__(self, channels: int, out_channels: int, halves: bool) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(channels, out_channels, 3, 2 if halves else 1, 0 if halves else 1)
        self.conv2 = nn.Conv2d(out_channels, out_channels, 3, padding=1)
        self.halves = halves
        self.new_channels = out_channels - channels

    def forward(self, features: Tensor) -> Tensor:
        """Features (batch, channels, h, w) to (batch, out_channels, h, w), or half of that."""
        changed = self.conv2(F.relu(self.conv1(features)))
        if not self.halves:
            return F.relu(changed + features)
        shortcut = F.pad(F.avg_pool2d(features, 2), (0, 0, 0, 0, 0, self.new_channels))
        missing = (0, shortcut.shape[3] - changed.shape[3], 0, shortcut.shape[2] - changed.shape[2])
        return F.relu(F.pad(changed, missing) + shortcut)


class IdentityEmbedder(nn.Module):
    """The network with its weights: read-only after construction, so that threads may share it."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Conv2d(3, 32, 7, 2)
        self.blocks = nn.Sequential()
        last = STAGES[0][0]
        for width, count in STAGES:
            shapes = [(last, width, True)] * (width != last) + [(width, width, False)] * count
            self.blocks.extend(Residual(*shape) for shape in shapes)
            last = width
        self.blocks.append(Residual(last, last, True))
        self.head = nn.Linear(last, 128, bias=False)
        self.load_state_dict(load_packed("face_identity"))
        self.requires_grad_(False).eval()

    def forward(self, chips: Image) -> Embedding:
        """Embedding of chips (batch, 3, 150, 150) in [-1, 1]."""
        return torch.as_tensor(self.head(self._maps(chips)[-1].mean((2, 3))))

    def stages(self, image: Image) -> list[Tensor]:
        """What each residual block says of aligned faces, (batch, channels, h, w) each; the last one's mean is what `head` reads."""
        return self._maps(chips(image, self._usual(image)))

    def _maps(self, chips: Image) -> list[Tensor]:
        mean = chips.new_tensor(MEAN_COLOUR)[:, None, None] / 255
        maps = [F.max_pool2d(F.relu(self.stem((chips + 1) / 2 - mean)), 3, 2)]
        for block in self.blocks:
            maps.append(block(maps[-1]))
        return maps[1:]

    @staticmethod
    def _usual(image: Image) -> Points:
        """The five points of aligned faces."""
        return (image.new_tensor(ALIGNED_POINTS) * image.shape[2]).expand(len(image), 5, 2)

    def embed(self, image: Image, points: Points | None = None) -> Embedding:
        """Embedding of faces, with gradients to every pixel of the chip.

        Args:
            image: FFHQ-aligned faces in [-1, 1], square, of any size; or any faces, with their points.
            points: Left eye, right eye, nose tip, left and right mouth corner of each, in pixels of the picture (`Landmarks.five`).

        Raises:
            ImageError: No points are given and the pictures are not square.
        """
        if points is None:
            if image.shape[2] != image.shape[3]:
                raise ImageError(
                    f"The picture is {image.shape[3]} x {image.shape[2]}: aligned pictures are square. Align it, or give its five points."
                )
            points = self._usual(image)
        return self.forward(chips(image, points))


def chips(image: Image, points: Points) -> Image:
    """The 150 px chips (batch, 3, 150, 150) of faces whose five points are known, without aliasing."""
    with torch.no_grad():
        matrix = _similarity(image.new_tensor(CHIP_POINTS).expand_as(points), points)
        step = float(matrix[:, :, :2].det().sqrt().min())  # picture pixels for one of the chip
    shrink = max(1, int(step / 2))
    if shrink > 1:
        image, matrix = F.avg_pool2d(image, shrink), matrix / shrink
    size = matrix.new_tensor([image.shape[3], image.shape[2]])[:, None]
    places = (torch.arange(2 * CHIP, device=image.device, dtype=image.dtype) + 0.5) / 2  # two samples a pixel
    y, x = torch.meshgrid(places, places, indexing="ij")
    grid = torch.stack([x, y, torch.ones_like(x)], -1) @ (matrix / size).transpose(1, 2)[:, None]
    sampled = F.grid_sample(image, 2 * grid - 1, padding_mode="border", align_corners=False)
    return F.avg_pool2d(sampled, 2)


def identity_distance(a: Embedding, b: Embedding) -> Distances:
    """Euclidean distance of embeddings, pair by pair: under 0.55 for most pairs of one person, 0.79 on average for strangers."""
    return (a - b).square().sum(1).clamp_min(1e-12).sqrt()


def _similarity(source: Points, target: Points) -> Matrices:
    """The turn, scale and shift that best take `source` to `target`, in the least squares sense."""
    source_mean, target_mean = source.mean(1, keepdim=True), target.mean(1, keepdim=True)
    p, q = torch.view_as_complex((source - source_mean).contiguous()), torch.view_as_complex((target - target_mean).contiguous())
    factor = (p.conj() * q).sum(1) / (p.conj() * p).sum(1)  # a complex factor turns and scales
    turn = torch.stack([torch.stack([factor.real, -factor.imag], 1), torch.stack([factor.imag, factor.real], 1)], 1)
    return torch.cat([turn, target_mean.transpose(1, 2) - turn @ source_mean.transpose(1, 2)], 2)


@cache
def identity_embedder(device: str = "cpu") -> IdentityEmbedder:
    """The embedder on one device, loaded at the first call and shared afterwards."""
    return IdentityEmbedder().to(device)
