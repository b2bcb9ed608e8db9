"""Held-out faces: how far a network's codes, and the pictures that they draw, are from faces that it never saw.

The pictures are the generator's full ones, averaged to 256 px, while training sees an early exit's; so what is measured includes the step
from one to the other. Every figure comes with the average face's as the baseline.
"""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import ClassVar, TypeAlias

import torch
from PIL import Image as Pil
from torch import Tensor

from engines.contract import FitRequest
from engines.core.images import PROTOCOL_SIDE, area, to_picture
from engines.core.shapes import Codes, Image
from engines.data import face_bank
from engines.data.faces import attributes
from engines.generators.base import Generator
from engines.losses.latent import code_errors, latent_distance
from engines.losses.perceptual import Perceptual
from engines.metrics.consistency import editing_consistency
from engines.metrics.reconstruction import Reconstruction
from engines.registry import create
from engines.spaces.directions import Direction
from engines.spaces.statistics import statistics
from engines.training.samples import TEST, VALIDATION, Samples

Encode: TypeAlias = Callable[[Image], Codes]
"""From pictures (B,3,S,S) to codes of the active slots (B,16,width)."""

COUNT, PICTURES, EDITED = 256, 64, 16
"""Faces whose codes are compared, whose full pictures are, and that are edited."""

_BATCH = 16
_SETS = {"validation": VALIDATION, "test": TEST}


def boundary(generator: Generator, attribute: str) -> Direction:
    """InterFaceGAN's boundary of an attribute of the bank."""
    return create("interfacegan", generator)(FitRequest(bank=face_bank(generator), attribute=attribute)).directions[0]


def boundaries(generator: Generator) -> dict[str, Direction]:
    """The boundary of every attribute, by the attribute's name."""
    return {one.name: boundary(generator, one.name) for one in attributes(generator)}


def usual_edit(generator: Generator) -> Direction:
    """The edit that consistency is measured with: older and younger, by InterFaceGAN."""
    known = [attribute.name for attribute in attributes(generator)]
    return boundary(generator, "age" if "age" in known else known[0])


class HeldOut:
    """One held-out set.

    Attributes:
        faces: What kind of samples it holds.

    Args:
        generator: Who draws.
        folder: Where drawn pictures are kept.
        kind: "validation", to decide by while training, or "test", to report.
        size: Side of the pictures that the network is given.
        count: Faces.
    """

    faces: ClassVar[type[Samples]] = Samples

    def __init__(self, generator: Generator, folder: Path, *, kind: str = "validation", size: int = 128, count: int = COUNT) -> None:
        self.generator, self.size, self.count = generator, size, count
        side = min(PROTOCOL_SIDE, generator.resolution)
        self.samples = self.faces(generator, folder, seed=_SETS[kind], size=side, drawn_at=generator.resolution)
        self.samples.fill(count)
        self.codes = self.samples.codes(torch.arange(count))
        known = statistics(generator)
        self.mean, self.deviation = known.mean, known.deviation

    def average(self, picture: Image) -> Codes:
        """The baseline that ignores the picture: the average face."""
        return self.mean[:, None].expand(len(picture), len(self.generator.slots.active), -1)

    @torch.no_grad()
    def predicted(self, encode: Encode, count: int | None = None) -> Codes:
        """Codes of the first `count` faces, as the network sees them."""
        rows = torch.arange(count or self.count)
        return torch.cat([encode(area(self.samples.pictures(part), self.size)) for part in rows.split(_BATCH)])

    def latent(self, encode: Encode) -> dict[str, float]:
        """Errors of the codes in standard deviations of W: all, by group of slots, and by kind of sample.

        `latent` is the loss that training minimises, `latent_error` the standard error of `distance` over faces.
        """
        codes = self.predicted(encode)
        errors = code_errors(codes, self.codes, self.deviation)
        by_face = errors.mean(dim=1)
        figures = {
            "latent": float(latent_distance(codes, self.codes, self.deviation)),
            "distance": float(by_face.mean()),
            "distance_error": float(by_face.std() / len(by_face) ** 0.5),
            "distance_single": float(by_face[0::2].mean()),
            "distance_mixed": float(by_face[1::2].mean()),
        }
        active = self.generator.slots.active
        for group in ("coarse", "middle", "fine"):
            places = [active.index(slot) for slot in self.generator.slots.groups[group]]
            of_group = errors[:, places].mean(dim=1)
            figures[f"distance_{group}"] = float(of_group.mean())
            figures[f"distance_{group}_error"] = float(of_group.std() / len(of_group) ** 0.5)
        return figures

    @torch.no_grad()
    def quick_pictures(self, encode: Encode, most: int = 32) -> dict[str, float]:
        """Squared error and LPIPS of pictures that the codes draw at the 256 px exit: cheap enough to watch while training."""
        count = min(most, self.count)
        side = self.generator.nearest_exit(PROTOCOL_SIDE)
        drawn = self._drawn(self.predicted(encode, count), side)
        targets = area(self.samples.pictures(torch.arange(count)), side)
        perceptual = Perceptual(self.generator.device)
        distances = torch.cat([perceptual(*pair) for pair in zip(drawn.split(_BATCH), targets.split(_BATCH), strict=True)])
        return {"mse": float((drawn - targets).square().mean()), "lpips": float(distances.mean())}

    @torch.no_grad()
    def pictures(self, encode: Encode, count: int | None = None) -> dict[str, float]:
        """The protocol of `engines.metrics.reconstruction` on the full pictures: each figure's mean and, as NAME_error, standard error."""
        count = count or self.count
        measure, figures = Reconstruction(self.generator.device), list[Mapping[str, float]]()
        for row, code in enumerate(self.predicted(encode, count)):
            image = self._drawn(code[None], self.generator.resolution)
            figures.append(measure(image, self.samples.pictures(torch.tensor([row]))))
        table = {name: torch.tensor([row[name] for row in figures]) for name in figures[0]}
        means = {name: float(values.mean()) for name, values in table.items()}
        return means | {f"{name}_error": float(values.std() / count**0.5) for name, values in table.items()}

    def consistency(self, encode: Encode, count: int = EDITED) -> dict[str, float]:
        """Latent editing consistency and its standard error over faces, one edit of three sigma each way; lower is better."""
        slots, pictures = self.generator.slots, self.samples.pictures(torch.arange(min(count, self.count)))

        def whole(picture: Image) -> Codes:
            return slots.scatter(encode(area(picture, self.size)))

        direction = usual_edit(self.generator)
        both = [editing_consistency(whole, self.generator, pictures, direction, strength) for strength in (-3.0, 3.0)]
        left = torch.stack(both).mean(dim=0)
        return {"consistency": float(left.mean()), "consistency_error": float(left.std() / len(left) ** 0.5)}

    @torch.no_grad()
    def sheet(self, encode: Encode, most: int = 8) -> Pil.Image:
        """A picture to look at: faces above, what the codes draw below."""
        count = min(most, self.count)
        side = self.generator.nearest_exit(128)
        drawn = self._drawn(self.predicted(encode, count), side)
        rows = [torch.cat(list(images), dim=2) for images in (area(self.samples.pictures(torch.arange(count)), side), drawn)]
        return to_picture(torch.cat(rows, dim=1)[None])

    def _drawn(self, codes: Tensor, size: int) -> Image:
        return torch.cat([self.faces.drawn(self.generator, part, size).clamp(-1, 1) for part in codes.split(4)])
