"""Which part of an aligned face each pixel shows: regions drawn from the mesh and the mask of the person, no parser needed."""

import numpy as np
import torch
from jaxtyping import Float
from PIL import Image as Pictures
from PIL import ImageDraw
from torch import Tensor

from engines.core.images import area, to_picture
from engines.core.shapes import Image
from engines.faces.detect import Detection
from engines.faces.landmarks import Landmarks, face_mesh
from engines.faces.person import SIZE, person_mask

REGIONS = ("background", "hair", "body", "skin", "nose", "brows", "eyes", "mouth")
"""Names in the order in which later ones cover earlier ones."""

Regions = Float[Tensor, "regions 1 _height _width"]

_OVAL = (
    *(10, 338, 297, 332, 284, 251, 389, 356, 454, 323, 361, 288, 397, 365, 379, 378, 400, 377),
    *(152, 148, 176, 149, 150, 136, 172, 58, 132, 93, 234, 127, 162, 21, 54, 103, 67, 109),
)
_NOSE = (168, 188, 174, 198, 209, 129, 64, 98, 97, 2, 326, 327, 294, 358, 429, 420, 399, 412)
_LIPS = (61, 146, 91, 181, 84, 17, 314, 405, 321, 375, 291, 409, 270, 269, 267, 0, 37, 39, 40, 185)
_BROWS = ((70, 63, 105, 66, 107, 55, 65, 52, 53, 46), (300, 293, 334, 296, 336, 285, 295, 282, 283, 276))
_EYES = (
    (33, 7, 163, 144, 145, 153, 154, 155, 133, 173, 157, 158, 159, 160, 161, 246),
    (362, 382, 381, 380, 374, 373, 390, 249, 263, 466, 388, 387, 386, 385, 384, 398),
)
_CHIN = 152
_FACE = Detection((62.0, 80.0, 194.0, 240.0), 1.0, ((98.0, 122.0), (158.0, 122.0), (128.0, 155.0), (104.0, 182.0), (152.0, 182.0)))
"""Where FFHQ's alignment puts a face in 256 px."""


@torch.no_grad()
def regions(image: Image, size: int = SIZE) -> Regions:
    """Masks of one aligned face (1,3,R,R), one a region in the order of `REGIONS`: (regions,1,size,size), each pixel in one region."""
    small = area(image.clamp(-1, 1), SIZE)
    person = person_mask(str(small.device))(small)[0, 0].cpu().numpy() > 0.5
    marks = face_mesh(str(small.device)).locate(to_picture(small), _FACE)
    labels = _labels(person, marks)
    masks = torch.stack([torch.from_numpy(labels == index) for index in range(len(REGIONS))])[:, None].float()
    return masks if size == SIZE else _majority(area_of(masks, size))


def area_of(masks: Tensor, size: int) -> Tensor:
    """Share of each region in each cell of a coarser grid."""
    return torch.nn.functional.interpolate(masks, (size, size), mode="area")


def _majority(shares: Tensor) -> Tensor:
    winner = shares.argmax(dim=0, keepdim=True)
    return torch.zeros_like(shares).scatter_(0, winner, 1.0)


def _labels(
    person: "np.ndarray[tuple[int, ...], np.dtype[np.bool_]]", marks: Landmarks
) -> "np.ndarray[tuple[int, ...], np.dtype[np.uint8]]":
    """The number of each pixel's region, (256,256)."""
    chin = marks.points[_CHIN, 1]
    rows = np.arange(SIZE)[:, None]
    labels = np.where(person, np.where(rows < chin, 1, 2), 0).astype(np.uint8)
    canvas = Pictures.fromarray(labels)
    draw = ImageDraw.Draw(canvas)
    outlines = [(_OVAL, 3), (_NOSE, 4), *((brow, 5) for brow in _BROWS), *((eye, 6) for eye in _EYES), (_LIPS, 7)]
    for indices, region in outlines:
        corners = [(float(x), float(y)) for x, y in marks.points[list(indices), :2]]
        draw.polygon(corners, fill=region, outline=region, width=1 if region < 5 else 3)
    return np.asarray(canvas)
