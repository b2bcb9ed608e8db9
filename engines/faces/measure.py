"""Distances, angles and colours read off aligned faces by their meshes, a batch at a time.

Lightness and colour are those of CIE L*a*b* (D65, from sRGB): L* from 0 (black) to 100 (white). Left and right are as seen in the
picture. Nothing here is learnt; indices are those of the 468-point mesh (see `landmarks`).
"""

import torch
from jaxtyping import Bool, Float
from torch import Tensor
from torch.nn import functional as F

from engines.core.shapes import Image, Mask
from engines.faces.landmarks import LEFT_EYE, LEFT_EYE_OUTER, RIGHT_EYE, RIGHT_EYE_OUTER

Meshes = Float[Tensor, "batch 468 3"]
Points = Float[Tensor, "batch 2"]
Spots = Float[Tensor, "batch 3"]
Places = Float[Tensor, "batch _rows _columns 2"]
Numbers = Float[Tensor, " batch"]
Values = Float[Tensor, "batch _height _width"]
Region = Bool[Tensor, "batch _height _width"]
Colours = Float[Tensor, "batch _channels"]
Indices = tuple[int, ...]

OVAL = (
    *(10, 338, 297, 332, 284, 251, 389, 356, 454, 323, 361, 288, 397, 365, 379, 378, 400, 377),
    *(152, 148, 176, 149, 150, 136, 172, 58, 132, 93, 234, 127, 162, 21, 54, 103, 67, 109),
)
"""The outline of the face, clockwise from the top of the forehead."""

BROWS = (70, 63, 105, 66, 107, 336, 296, 334, 293, 300)
CHEEKS = (50, 205, 187, 36, 207, 216, 280, 425, 411, 266, 427, 436)
"""Low on the cheeks, where glasses do not reach."""

FOREHEAD = (8, 9, 151, 108, 337)
LEFT_JAW = (210, 211, 204, 214, 135, 169, 170, 140, 32, 194, 182)
CHIN = (199, 200, 175, 18, 83, 313, 201, 421, 208, 428, 171, 396)
RIGHT_JAW = (430, 431, 424, 434, 364, 394, 395, 369, 262, 418, 406)
BRIDGE = (168, 6, 197)
"""Down the nose from between the eyes."""

LEFT_LIDS, RIGHT_LIDS = ((159, 145), (160, 144), (158, 153)), ((386, 374), (385, 380), (387, 373))
UPPER_INNER_LIP, LOWER_INNER_LIP = (82, 13, 312), (87, 14, 317)
LEFT_SIDE, RIGHT_SIDE = (33, 133, 234, 127, 50, 61), (263, 362, 454, 356, 280, 291)
"""Mirrored points whose depths tell how the head is turned."""

TOP, BOTTOM = (10, 151, 9, 168), (2, 164, 152, 175)
"""Points of the middle line whose depths tell how the head is tilted."""

LEVEL = -4.7
"""Lean of the middle line, in degrees, of the median of 640 generated faces: a pitch of 0."""

SURE = 0.9
"""Pixels count as the person's where the mask is over this, and as background where it is under the rest."""

LEAST_REGION = 200
"""Hair and background of fewer pixels are not measured."""

BEARD_CUES = ((-0.013, 0.089), (0.075, 0.086), (-4.23, 0.44))
"""Median and spread of the three cues of a beard among 640 generated faces: darker, paler, rougher than the cheeks."""

MOST_SPREADS = 4.0
"""No cue of a beard counts for more than this, so that a shadow alone makes none."""


def cut(image: Image, centre: Points, across: Points, size: int) -> Image:
    """Squares of a batch as (batch, 3, size, size), two samples a pixel; what lies beyond the border repeats it.

    Args:
        image: Pictures (batch, 3, h, w).
        centre: Middle of each square, in pixels.
        across: From there to the middle of its right side.
    """
    steps = (torch.arange(2 * size, device=image.device) + 0.5) / size - 1
    down = torch.stack([-across[:, 1], across[:, 0]], 1)
    places = centre[:, None, None] + steps[None, None, :, None] * across[:, None, None] + steps[None, :, None, None] * down[:, None, None]
    return F.avg_pool2d(sample(image, places), 2).contiguous(memory_format=torch.channels_last)  # small convolutions run faster so


def sample(image: Tensor, places: Places) -> Tensor:
    """Values (batch, channels, rows, columns) at places (batch, rows, columns, 2) in pixels, whose centres lie at halves."""
    size = image.new_tensor([image.shape[3], image.shape[2]])
    return F.grid_sample(image, 2 * places / size - 1, padding_mode="border", align_corners=False)


def placed(local: Meshes, centre: Points, across: Points) -> Meshes:
    """Meshes from the coordinates of their crops, in [-1, 1], to pixels of the picture; depth in the same unit."""
    down = torch.stack([-across[:, 1], across[:, 0]], 1)
    flat = centre[:, None] + local[..., :1] * across[:, None] + local[..., 1:2] * down[:, None]
    return torch.cat([flat, local[..., 2:] * across.norm(dim=1)[:, None, None]], 2)


def lab(image: Image) -> Image:
    """L*, a* and b* of pictures in [-1, 1]."""
    encoded = ((image + 1) / 2).clamp(0, 1)
    linear = torch.where(encoded <= 0.04045, encoded / 12.92, ((encoded + 0.055) / 1.055) ** 2.4)
    to_xyz = image.new_tensor([[0.43395, 0.37622, 0.18983], [0.21267, 0.71515, 0.07218], [0.01776, 0.10947, 0.87277]])  # over the white
    x, y, z = torch.einsum("ij,bjhw->ibhw", to_xyz, linear)
    x, y, z = (torch.where(t > 216 / 24389, t.clamp_min(1e-6) ** (1 / 3), (24389 / 27 * t + 16) / 116) for t in (x, y, z))
    return torch.stack([116 * y - 16, 500 * (x - y), 200 * (y - z)], 1)


def mean_point(points: Meshes, indices: Indices) -> Spots:
    """The mean of some points of each mesh."""
    return points[:, list(indices)].mean(1)


def eye_distance(points: Meshes) -> Numbers:
    """Distance of the eye centres in space, in the mesh's unit: it does not shrink where the head turns."""
    return (mean_point(points, RIGHT_EYE) - mean_point(points, LEFT_EYE)).norm(dim=1)


def upright_square(points: Meshes, margin: float) -> tuple[Points, Points]:
    """Centre, and half the side, of the square about each mesh that is turned so that its outer eye corners lie level."""
    eyes = points[:, RIGHT_EYE_OUTER, :2] - points[:, LEFT_EYE_OUTER, :2]
    across = eyes / eyes.norm(dim=1, keepdim=True).clamp_min(1e-6)
    axes = torch.stack([across, torch.stack([-across[:, 1], across[:, 0]], 1)], 1)
    upright = points[:, :, :2] @ axes.transpose(1, 2)
    low, high = upright.amin(1), upright.amax(1)
    centre = ((low + high) / 2)[:, None] @ axes
    return centre[:, 0], across * (high - low).amax(1, keepdim=True) * margin / 2


def yaw(points: Meshes) -> Numbers:
    """By how many degrees a face is turned to the picture's right."""
    between = mean_point(points, RIGHT_SIDE) - mean_point(points, LEFT_SIDE)
    return torch.atan2(between[:, 2], between[:, 0]).rad2deg()


def pitch(points: Meshes) -> Numbers:
    """By how many degrees a face looks up, against the median of generated faces."""
    between = mean_point(points, TOP) - mean_point(points, BOTTOM)
    return torch.atan2(between[:, 2], -between[:, 1]).rad2deg() - LEVEL


def lip_gap(points: Meshes) -> Numbers:
    """Gap between the inner lips over the eye distance."""
    return (mean_point(points, LOWER_INNER_LIP) - mean_point(points, UPPER_INNER_LIP)).norm(dim=1) / eye_distance(points)


def lid_gap(points: Meshes) -> Numbers:
    """Mean gap of both eyes' lids over the width of the eye."""
    return (_lids(points, LEFT_LIDS, LEFT_EYE) + _lids(points, RIGHT_LIDS, RIGHT_EYE)) / 2


def _lids(points: Meshes, lids: tuple[tuple[int, int], ...], eye: Indices) -> Numbers:
    upper, lower = (mean_point(points, side) for side in zip(*lids, strict=True))
    return (upper - lower).norm(dim=1) / (points[:, eye[0]] - points[:, eye[3]]).norm(dim=1)


def median_at(values: Tensor, points: Meshes, indices: Indices) -> Colours:
    """Median of each channel (batch, channels) over some points of the meshes."""
    return sample(values, points[:, None, list(indices), :2])[:, :, 0].median(2).values


def inside_oval(points: Meshes, size: int) -> Region:
    """Which pixels of pictures of `size` pixels lie inside the outline of the face: an odd number of its edges lie to their right."""
    start = points[:, list(OVAL), None, :2]
    end = start.roll(-1, 1)
    rows = torch.arange(size, device=points.device) + 0.5
    crosses = (start[..., 1] > rows) != (end[..., 1] > rows)  # (batch, edges, rows)
    where = torch.lerp(start[..., 0], end[..., 0], (rows - start[..., 1]) / (end[..., 1] - start[..., 1]))
    before = torch.where(crosses, where - 0.5, 0).ceil().clamp(0, size).long()  # so many pixels of the row lie left of the edge
    edges = points.new_zeros(len(points), size, size + 1).scatter_add_(2, before.transpose(1, 2), crosses.transpose(1, 2).to(points))
    return edges.flip(2).cumsum(2).flip(2)[..., 1:] % 2 == 1


def skin_lightness(colours: Image, points: Meshes) -> Numbers:
    """Median L* of cheeks and forehead."""
    return median_at(colours, points, CHEEKS + FOREHEAD)[:, 0]


def hair_darkness(colours: Image, points: Meshes, person: Mask) -> Numbers:
    """100 less the median L* of the person's pixels outside the face and above the eyes; a hat or a bald head counts as hair."""
    rows = torch.arange(person.shape[2], device=points.device)[:, None] + 0.5
    eyes = mean_point(points, LEFT_EYE + RIGHT_EYE)[:, 1, None, None]
    return 100 - _median_where(colours[:, 0], (person[:, 0] > SURE) & ~inside_oval(points, person.shape[2]) & (rows < eyes))


def background_lightness(colours: Image, person: Mask) -> Numbers:
    """Median L* outside the person."""
    return _median_where(colours[:, 0], person[:, 0] < 1 - SURE)


def _median_where(values: Values, region: Region) -> Numbers:
    medians = values.masked_fill(~region, torch.nan).flatten(1).nanmedian(1).values
    return medians.masked_fill(region.flatten(1).sum(1) < LEAST_REGION, torch.nan)


def bridge_edge(colours: Image, points: Meshes, count: int = 40) -> Numbers:
    """Natural logarithm of the steepest change of L* down the bridge of the nose, per eye distance and over the skin's L*.

    The frame of glasses crosses the nose there: without glasses mostly under 1.2, with glasses mostly over 2. The heavy shadow of a
    turned head lies between.
    """
    corners = points[:, list(BRIDGE), :2]
    steps = torch.linspace(0, len(BRIDGE) - 1, count, device=points.device)
    first = steps.floor().long().clamp(max=len(BRIDGE) - 2)
    line = torch.lerp(corners[:, first], corners[:, first + 1], (steps - first)[None, :, None])
    across = (mean_point(points, RIGHT_EYE) - mean_point(points, LEFT_EYE))[:, None, None, :2]
    beside = torch.tensor([-0.06, -0.03, 0.0, 0.03, 0.06], device=points.device)[None, None, :, None]  # over the eye distance
    rows = sample(colours[:, :1], line[:, :, None] + across * beside)[:, 0].mean(2)
    length = (corners[:, 1:] - corners[:, :-1]).norm(dim=2).sum(1) / eye_distance(points)
    steepest = (rows[:, 2:] - rows[:, :-2]).abs().amax(1) / 2 * (count - 1) / length
    return (steepest / skin_lightness(colours, points).clamp_min(1)).clamp_min(1e-3).log()


def beard(colours: Image, points: Meshes) -> Numbers:
    """How much chin and jaw are darker, paler and rougher than the cheeks, in spreads from the median of generated faces.

    Each cue is the mean over the two least bearded of chin and both sides of the jaw, so that light from the side makes no beard.
    """
    lightness = colours[:, :1]
    detail = (lightness - F.avg_pool2d(lightness, 7, 1, 3, count_include_pad=False)).abs()
    detail = F.avg_pool2d(detail, 5, 1, 2)
    cheek = median_at(colours, points, CHEEKS)
    lightness_of, chroma_of = cheek[:, 0].clamp_min(1), cheek[:, 1:].norm(dim=1).clamp_min(1)
    cues = []
    for part in (LEFT_JAW, CHIN, RIGHT_JAW):
        colour, rough = median_at(colours, points, part), median_at(detail, points, part)[:, 0]
        darker, paler = 1 - colour[:, 0] / lightness_of, 1 - colour[:, 1:].norm(dim=1) / chroma_of
        cues.append(torch.stack([darker, paler, (rough / lightness_of).clamp_min(1e-4).log()], 1))
    least = torch.stack(cues).sort(0).values[:2].mean(0)
    middle, spread = least.new_tensor(BEARD_CUES).T
    return ((least - middle) / spread).clamp(-MOST_SPREADS, MOST_SPREADS).mean(1)
