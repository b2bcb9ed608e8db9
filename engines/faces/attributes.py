"""Twelve numbers about a face: how it is turned, what it does and how it looks, for finding directions that change just that.

Aligned faces are scored a batch at a time from their pixels alone: by the geometry of the 468-point mesh (arXiv:1907.06724), by the
colours under it, and by three small networks (see `estimates` and `person`). Every score is continuous and spreads over generated
faces; none is a fact about a person. Age, gender and smile are guesses of networks with the errors and narrowness of their
labels; the colours are those of the picture and change with its light.
"""

from dataclasses import dataclass
from functools import cache

import torch
from jaxtyping import Float
from torch import Tensor

from engines.core.errors import ImageError
from engines.core.images import area
from engines.core.shapes import Image
from engines.faces import measure
from engines.faces.estimates import EXPRESSIONS, age_gender_net, expression_net
from engines.faces.estimates import SIZE as ESTIMATE_SIZE
from engines.faces.find import LEAST_PRESENCE
from engines.faces.landmarks import CROP, PASSES, face_mesh
from engines.faces.landmarks import SIZE as MESH_SIZE
from engines.faces.measure import Meshes, Numbers, Points
from engines.faces.person import SIZE, person_mask

MESH_CENTRE, MESH_HALF_SIDE = (0.5, 0.597), 0.5
"""The first crop of the mesh in an aligned picture, over its side: the mean of 16 generated faces."""

ESTIMATE_MARGIN = 1.2
"""Side of the crop for age, gender and expression over that of the box from brows to chin, as face-api cuts it."""

Scores = Float[Tensor, "batch 12"]


@dataclass(frozen=True)
class Attribute:
    """One of the numbers.

    Attributes:
        name: What code calls it.
        title: What the page calls it.
        unit: What one step of the number is.
        source: What it is measured with.
        low: What a face at the low end is.
        high: What a face at the high end is.
    """

    name: str
    title: str
    unit: str
    source: str
    low: str
    high: str


_MESH, _NETS = "468-point mesh (human)", "age and gender network (face-api)"

ATTRIBUTES = (
    Attribute("yaw", "Turn of the head", "degrees", _MESH, "to the picture's left", "to the picture's right"),
    Attribute("pitch", "Tilt of the head", "degrees from the usual", _MESH, "down", "up"),
    Attribute("smile", "Smile", "log-odds of happy", "expression network (face-api)", "serious", "smiling"),
    Attribute("mouth_open", "Mouth", "gap of the lips over the eye distance", _MESH, "closed", "open"),
    Attribute("eyes_open", "Eyes", "gap of the lids over the eye's width", _MESH, "narrow", "wide"),
    Attribute("age", "Age (as the network guesses)", "years", _NETS, "young", "old"),
    Attribute("gender", "Gender (as the network guesses)", "log-odds of male", _NETS, "female", "male"),
    Attribute("eyeglasses", "Eyeglasses", "log of the edge across the nose bridge", "own rule on the mesh", "without", "with"),
    Attribute("hair_darkness", "Hair", "100 - L*", "person mask (MediaPipe) above the mesh", "light", "dark"),
    Attribute("skin_lightness", "Skin", "L*", "cheeks and forehead of the mesh", "dark", "light"),
    Attribute("background_lightness", "Background", "L*", "outside the person mask (MediaPipe)", "dark", "light"),
    Attribute("beard", "Beard", "spreads from the median", "own rule on the mesh", "none", "full"),
)
"""What the columns of the scores are, in their order."""


class AttributeScorer:
    """Scores aligned faces; read-only after construction, so that threads may share it."""

    def __init__(self, device: str = "cpu") -> None:
        self.device = device
        self.mesh, self.person = face_mesh(device), person_mask(device)
        self.age_gender, self.expression = age_gender_net(device), expression_net(device)

    @torch.no_grad()
    def __call__(self, image: Image) -> Scores:
        """The numbers of each face, on the scorer's device, in the order of `ATTRIBUTES`.

        Args:
            image: FFHQ-aligned faces in [-1, 1], square, of any size: each is brought to 256 pixels first.

        Returns:
            NaN in the rows of pictures in which the mesh sees no face, and for hair or background of which next to nothing shows.

        Raises:
            ImageError: The pictures are not square.
        """
        if image.shape[2] != image.shape[3]:
            raise ImageError(f"The picture is {image.shape[3]} x {image.shape[2]}: only aligned, square pictures can be scored. Align it.")
        picture = area(image.to(self.device, torch.float32), SIZE).clamp(-1, 1).contiguous(memory_format=torch.channels_last)
        points, presence = self.meshes(picture)
        crops = _estimate_crops(picture, points)
        colours, person = measure.lab(picture), self.person(picture)
        age, gender = self.age_gender(crops)
        columns = {
            "yaw": measure.yaw(points),
            "pitch": measure.pitch(points),
            "smile": _happy(self.expression(crops)),
            "mouth_open": measure.lip_gap(points),
            "eyes_open": measure.lid_gap(points),
            "age": age,
            "gender": gender,
            "eyeglasses": measure.bridge_edge(colours, points),
            "hair_darkness": measure.hair_darkness(colours, points, person),
            "skin_lightness": measure.skin_lightness(colours, points),
            "background_lightness": measure.background_lightness(colours, person),
            "beard": measure.beard(colours, points),
        }
        scores = torch.stack([columns[attribute.name] for attribute in ATTRIBUTES], 1)
        return scores.masked_fill((presence < LEAST_PRESENCE)[:, None], torch.nan)

    def meshes(self, picture: Image) -> tuple[Meshes, Numbers]:
        """Meshes in pixels and their presence, from crops made one from the other; no detector, since the pictures are aligned."""
        centre = (picture.new_tensor(MESH_CENTRE) * SIZE).expand(len(picture), 2)
        across = (picture.new_tensor((MESH_HALF_SIDE, 0.0)) * SIZE).expand(len(picture), 2)
        points, presence = self._read(picture, centre, across)
        for _ in range(PASSES - 1):
            points, presence = self._read(picture, *measure.upright_square(points, CROP))
        return points, presence

    def _read(self, picture: Image, centre: Points, across: Points) -> tuple[Meshes, Numbers]:
        local, presence = self.mesh(measure.cut(picture, centre, across, MESH_SIZE))
        return measure.placed(local * 2 / MESH_SIZE - local.new_tensor((1.0, 1.0, 0.0)), centre, across), presence


def _estimate_crops(picture: Image, points: Meshes) -> Image:
    """Squares about brows, cheeks and chin."""
    low = torch.stack([points[..., 0].amin(1), points[:, list(measure.BROWS), 1].amin(1)], 1)
    high = points[..., :2].amax(1)
    half = (high - low).amax(1) * ESTIMATE_MARGIN / 2
    return measure.cut(picture, (low + high) / 2, torch.stack([half, torch.zeros_like(half)], 1), ESTIMATE_SIZE)


def _happy(logits: Tensor) -> Numbers:
    """Log-odds of "happy" against all others: it goes on rising where the probability has long been 1."""
    happy = EXPRESSIONS.index("happy")
    others = [index for index in range(len(EXPRESSIONS)) if index != happy]
    return logits[:, happy] - logits[:, others].logsumexp(1)


@cache
def attribute_scorer(device: str = "cpu") -> AttributeScorer:
    """The scorer on one device, loaded at the first call and shared afterwards."""
    return AttributeScorer(device)
