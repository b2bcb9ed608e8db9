"""Where the faces of a picture are: boxes with a score, found by a cascade of three small networks.

Paper: Zhang et al., "Joint Face Detection and Alignment using Multi-task Cascaded Convolutional Networks", arXiv:1604.02878;
weights of facenet-pytorch. Faces lying on their side or upside down are looked for in turned copies, but only when no upright
face is certain.
"""

import math
import time
from dataclasses import dataclass
from functools import cache

import numpy as np
import torch
from jaxtyping import Float
from numpy.typing import NDArray
from PIL import Image as Pictures
from torch import Tensor, nn

from engines.core.weights import load_weights

LONGEST_SIDE = 1600
"""Larger pictures are searched in a copy reduced to this length, in pixels."""

SMALLEST_FACE = 20
"""Side of the smallest face looked for in that copy, in pixels."""

PYRAMID_FACTOR = 0.709
"""Ratio of neighbouring levels (section 3 of the paper halves the area)."""

PROPOSAL_SCORE, REFINED_SCORE, FINAL_SCORE = 0.6, 0.7, 0.7
"""Least scores that leave the three stages."""

SURE_SCORE = 0.9
"""Below this the three other quarter turns of the picture are tried."""

MOST_CANDIDATES = 600
"""Proposals handed from one stage to the next, best first."""

Array = NDArray[np.float64]
Level = Float[Tensor, "1 3 height width"]
Crops = Float[Tensor, "crops 3 side side"]


@dataclass(frozen=True)
class Detection:
    """One face: its box and five points, in pixels of the picture (pixel centres lie at halves).

    Attributes:
        box: Left, top, right and bottom; may reach beyond the picture.
        score: Confidence in [0, 1].
        points: (x, y) of the eye to the person's right, the other eye, the nose and the two mouth corners in the same order.
    """

    box: tuple[float, float, float, float]
    score: float
    points: tuple[tuple[float, float], ...]

    @property
    def centre(self) -> tuple[float, float]:
        """Middle of the box."""
        left, top, right, bottom = self.box
        return (left + right) / 2, (top + bottom) / 2

    @property
    def side(self) -> float:
        """Geometric mean of the box's width and height."""
        left, top, right, bottom = self.box
        return float(np.sqrt(max(right - left, 0.0) * max(bottom - top, 0.0)))


def _stage(channels: tuple[int, ...], kernels: tuple[int, ...], pools: tuple[int, ...]) -> nn.Sequential:
    """Convolutions with slopes; a pool of the given size (0 for none) behind each."""
    layers = nn.Sequential()
    for index, (kernel, pool) in enumerate(zip(kernels, pools, strict=True), start=1):
        layers.add_module(f"conv{index}", nn.Conv2d(channels[index - 1], channels[index], kernel))
        layers.add_module(f"prelu{index}", nn.PReLU(channels[index]))
        if pool:
            layers.add_module(f"pool{index}", nn.MaxPool2d(pool, 2, ceil_mode=True))
    return layers


class Proposal(nn.Module):
    """First stage: a fully convolutional scan of one pyramid level, a score for each 12 px window, stride 2."""

    def __init__(self) -> None:
        super().__init__()
        self.trunk = _stage((3, 10, 16, 32), (3, 3, 3), (2, 0, 0))
        self.score = nn.Conv2d(32, 2, 1)
        self.shift = nn.Conv2d(32, 4, 1)

    def forward(self, picture: Level) -> tuple[Tensor, Tensor]:
        """Scores (rows, columns) and box shifts (4, rows, columns), in window sides."""
        features = self.trunk(picture)
        return self.score(features).softmax(1)[0, 1], self.shift(features)[0]


class WindowClassifier(nn.Module):
    """Second or third stage: score, box shift and, in the third, five points of square crops."""

    def __init__(self, trunk: nn.Sequential, flat: int, width: int, has_points: bool) -> None:
        super().__init__()
        self.trunk = trunk
        self.dense = nn.Linear(flat, width)
        self.prelu = nn.PReLU(width)
        self.score = nn.Linear(width, 2)
        self.shift = nn.Linear(width, 4)
        self.points = nn.Linear(width, 10) if has_points else None

    def forward(self, crops: Crops) -> tuple[Tensor, ...]:
        """Scores (n,), shifts (n, 4) and points (n, 10), all x before all y, in crop sides."""
        features = self.trunk(crops).permute(0, 3, 2, 1).flatten(1)  # the weights count columns, rows, channels
        features = self.prelu(self.dense(features))
        outputs = self.score(features).softmax(1)[:, 1], self.shift(features)
        return outputs if self.points is None else (*outputs, self.points(features))


class FaceDetector(nn.Module):
    """The cascade with its weights: read-only after construction, so that threads may share it."""

    def __init__(self) -> None:
        super().__init__()
        self.pnet = Proposal()
        self.rnet = WindowClassifier(_stage((3, 28, 48, 64), (3, 3, 2), (3, 3, 0)), 576, 128, has_points=False)
        self.onet = WindowClassifier(_stage((3, 32, 64, 64, 128), (3, 3, 3, 2), (3, 3, 2, 0)), 1152, 256, has_points=True)
        self.load_state_dict(load_weights("face_detector"))
        self.requires_grad_(False).eval()

    @torch.no_grad()
    def detect(self, image: Pictures.Image, end: float = math.inf) -> tuple[Detection, ...]:
        """Faces of one picture of any size and mode, largest first; an empty tuple if there are none.

        Args:
            image: The picture.
            end: By `time.monotonic`, when to turn it no further.
        """
        scale = min(1.0, LONGEST_SIDE / max(image.size))
        size = (max(1, round(image.width * scale)), max(1, round(image.height * scale)))
        small = (image if image.mode == "RGB" else image.convert("RGB")).resize(size, Pictures.Resampling.BILINEAR, reducing_gap=2.0)
        rows = self._any_way_up(small, end)
        return tuple(sorted((_detection(row, image.width / size[0], image.height / size[1]) for row in rows), key=_by_size))

    def _any_way_up(self, picture: Pictures.Image, end: float) -> Array:
        """What the cascade finds in the picture or, where no upright face is certain, in its likeliest quarter turn."""
        best = self._cascade(picture)
        if best[:, 4].max(initial=0) >= SURE_SCORE:
            return best
        for turns in (1, 2, 3):
            if time.monotonic() > end:
                break
            found = self._cascade(picture.rotate(90 * turns, expand=True))
            if found[:, 4].max(initial=0) > best[:, 4].max(initial=0):
                best = _turned_back(found, turns, picture.size)
        return best

    def _cascade(self, picture: Pictures.Image) -> Array:
        """Rows of box (4), score and five points (10), in pixels of `picture`."""
        rows = self._proposals(picture)
        for stage, side, least in ((self.rnet, 24, REFINED_SCORE), (self.onet, 48, FINAL_SCORE)):
            if not len(rows):
                return np.zeros((0, 15))
            rows = self._classified(stage, picture, _squared(rows), side, least)
        return rows[_kept(rows, 0.5, of_smaller=True)] if len(rows) else rows

    def _proposals(self, picture: Pictures.Image) -> Array:
        """Windows of every pyramid level that the first stage takes for a face."""
        width, height = picture.size
        scale = 12 / SMALLEST_FACE
        found = [np.zeros((0, 5))]
        while min(height, width) * scale >= 12:
            level = (math.ceil(width * scale), math.ceil(height * scale))
            scores, shifts = self.pnet(self._pixels([picture.resize(level, Pictures.Resampling.BOX)]))
            ys, xs = torch.nonzero(scores > PROPOSAL_SCORE, as_tuple=True)
            corners = torch.stack([xs * 2, ys * 2, xs * 2 + 12, ys * 2 + 12], 1) + 12 * shifts[:, ys, xs].T
            steps = corners.new_tensor([width / level[0], height / level[1]]).repeat(2)
            rows = torch.cat([corners * steps, scores[ys, xs][:, None]], 1).double().cpu().numpy()
            found.append(rows[_kept(rows, 0.5)])
            scale *= PYRAMID_FACTOR
        rows = np.concatenate(found)
        return rows[_kept(rows, 0.7)]

    def _classified(self, stage: nn.Module, picture: Pictures.Image, squares: Array, side: int, least: float) -> Array:
        """What one stage makes of square crops: refined boxes, scores and, where it has them, points."""
        outputs = [output.double().cpu().numpy() for output in stage(self._pixels([_crop(picture, row, side) for row in squares]))]
        passed = outputs[0] > least
        squares, outputs = squares[passed], [output[passed] for output in outputs]
        corner, sides = squares[:, :2], squares[:, 2:3] - squares[:, :1]
        columns = [squares[:, :4] + outputs[1] * sides, outputs[0][:, None]]
        if len(outputs) == 3:
            points = outputs[2].reshape(-1, 2, 5).transpose(0, 2, 1) * sides[:, None] + corner[:, None]
            columns.append(points.reshape(-1, 10))
        rows = np.concatenate(columns, 1)
        return rows[_kept(rows, 0.7)]

    def _pixels(self, pictures: list[Pictures.Image]) -> Tensor:
        """Pictures of one size as (n, 3, h, w), values about in [-1, 1], on the networks' device."""
        stacked = torch.from_numpy(np.stack([np.array(picture) for picture in pictures]))
        return (stacked.permute(0, 3, 1, 2).to(self.pnet.score.weight) - 127.5) / 128


def _crop(picture: Pictures.Image, square: Array, side: int) -> Pictures.Image:
    """The square region resampled to `side` pixels, black where it leaves the picture."""
    left, top, right, bottom = (round(float(value)) for value in square[:4])
    region = picture.crop((left, top, max(right, left + 1), max(bottom, top + 1)))
    return region.resize((side, side), Pictures.Resampling.BOX)


def _squared(rows: Array) -> Array:
    """Each box widened to a square about its middle."""
    sides = np.maximum(rows[:, 2] - rows[:, 0], rows[:, 3] - rows[:, 1])[:, None]
    corner = (rows[:, :2] + rows[:, 2:4] - sides) / 2
    return np.concatenate([corner, corner + sides, rows[:, 4:5]], 1)


def _kept(rows: Array, overlap: float, of_smaller: bool = False) -> NDArray[np.int64]:
    """Non-maximum suppression: indices, best score first, of boxes that overlap no better one by more than `overlap`.

    The overlap is that of intersection and union or, on demand, of intersection and the smaller box.
    """
    order = np.argsort(-rows[:, 4], kind="stable")[: 4 * MOST_CANDIDATES]
    area = np.prod(np.maximum(rows[:, 2:4] - rows[:, :2], 0), axis=1)
    kept: list[int] = []
    while len(order) and len(kept) < MOST_CANDIDATES:
        best, order = order[0], order[1:]
        kept.append(int(best))
        low, high = np.maximum(rows[best, :2], rows[order, :2]), np.minimum(rows[best, 2:4], rows[order, 2:4])
        shared = np.prod(np.maximum(high - low, 0), axis=1)
        whole = np.minimum(area[best], area[order]) if of_smaller else area[best] + area[order] - shared
        order = order[shared <= overlap * whole]
    return np.array(kept, dtype=np.int64)


def _turned_back(rows: Array, turns: int, size: tuple[int, int]) -> Array:
    """Boxes and points found in a picture turned counter-clockwise by `turns` quarters, in the unturned one of `size`."""
    rows = rows.copy()
    width, height = size if turns % 2 == 0 else size[::-1]
    for _ in range(turns):  # undo one quarter: the turned picture's (x, y) was at (height - y, x)
        points = rows[:, [0, 1, 2, 3, *range(5, 15)]].reshape(len(rows), 7, 2)
        points = np.stack([height - points[:, :, 1], points[:, :, 0]], 2)
        low, high = points[:, :2].min(1), points[:, :2].max(1)
        rows = np.concatenate([low, high, rows[:, 4:5], points[:, 2:].reshape(-1, 10)], 1)
        width, height = height, width
    return rows


def _detection(row: Array, across: float, down: float) -> Detection:
    scaled = row[[0, 1, 2, 3, *range(5, 15)]].reshape(7, 2) * (across, down)
    (left, top), (right, bottom), *points = scaled.tolist()
    return Detection((left, top, right, bottom), float(row[4]), tuple((x, y) for x, y in points))


def _by_size(detection: Detection) -> float:
    return -detection.side


@cache
def face_detector(device: str = "cpu") -> FaceDetector:
    """The detector on one device, loaded at the first call and shared afterwards."""
    return FaceDetector().to(device)
