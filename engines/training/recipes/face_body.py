"""Pre-train the encoder body that pSp, e4e, ReStyle and In-Domain start from: from a face to its code, by latent regression.

    studio train face_body --preset cpu          # two cores, about an hour; the shipped body
    studio train face_body --preset gpu          # the same at 256 px, fresh faces at every step

A light head pools the body's three levels and reads three vectors off them, one for each group of slots, because samples change their w
only at the groups' borders. It is thrown away: what is shipped is the body. One loss: smooth L1 in units of W's spread.
"""

from collections.abc import Iterator, Mapping
from typing import ClassVar

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from engines.core.shapes import Codes, Image
from engines.generators.base import Generator
from engines.losses.latent import latent_distance
from engines.nets.heads import GROUPS, group_of_slot
from engines.nets.initial import seeded
from engines.nets.irse import Body
from engines.spaces.statistics import statistics
from engines.training.command import run
from engines.training.faces import FacePreset, FaceRecipe, FaceSetting
from engines.training.loop import Moment, Plan, Terms, TrainableModule, Trainer
from engines.training.precision import lean
from engines.training.schedules import constant
from engines.training.streams import Batch
from engines.training.validation import Encode

_POOLED, _NARROW = 4, 64


class BodyWithHead(nn.Module):
    """The body under a linear head for three vectors.

    Args:
        generator: Whose slots, width and statistics count.
    """

    def __init__(self, generator: Generator) -> None:
        super().__init__()
        self.body = Body()
        self.narrow = nn.ModuleList(nn.Sequential(nn.Conv2d(width, _NARROW, 1), nn.PReLU(_NARROW)) for width in self.body.widths)
        self.vectors = nn.Linear(len(self.body.widths) * _NARROW * _POOLED**2, len(GROUPS) * generator.width)
        self.group_of_slot = group_of_slot(generator.slots)
        known = statistics(generator)
        self.mean, self.deviation = known.mean, known.deviation

    def forward(self, picture: Image) -> Codes:
        """Codes of the active slots (B,16,width) of pictures (B,3,S,S)."""
        pooled = [
            F.adaptive_avg_pool2d(narrow(level), _POOLED).flatten(1) for narrow, level in zip(self.narrow, self.body(picture), strict=True)
        ]
        vectors = self.vectors(torch.cat(pooled, dim=1)).float().unflatten(1, (len(GROUPS), -1))
        return self.mean + self.deviation * vectors[:, self.group_of_slot]


class FaceBody(FaceRecipe):
    """Latent regression."""

    name = "face_body"
    presets: ClassVar = {
        "cpu": FacePreset(
            plan=Plan(steps=4_400, hours=2, bfloat16=True),
            batch=16,
            size=128,
            drawn_at=256,
            first=1024,
            fresh=3,
            capacity=14_000,
            spoilt=0.5,
        ),
        "gpu": FacePreset(
            plan=Plan(steps=20_000, hours=1, bfloat16=True), batch=64, size=256, drawn_at=256, first=4096, fresh=16, capacity=200_000
        ),
    }
    learning_rate = 1e-3

    def trainer(self, setting: FaceSetting) -> Trainer:
        """A body with its head, on one loss."""
        generator, plan = setting.generator, setting.preset.plan
        network = seeded(lambda: BodyWithHead(generator), setting.seed).to(generator.device)
        deviation = statistics(generator).deviation

        def objective(batch: Batch, _: Moment) -> Iterator[Terms]:
            with lean(generator.device, plan.bfloat16):
                codes = network(batch.picture.contiguous(memory_format=torch.channels_last))
            yield {"latent": latent_distance(codes, batch.codes, deviation)}

        module = TrainableModule(network, objective, {"latent": constant(1.0)}, self.learning_rate)
        return Trainer(plan, {"body": module}, setting.stream(), setting.folder / "checkpoint.pt", generator.device)

    def encode(self, trainer: Trainer, setting: FaceSetting) -> Encode:
        """Body and head as they stand."""
        return trainer.averaged["body"]

    def shipped(self, trainer: Trainer, setting: FaceSetting) -> Mapping[str, Tensor]:
        """The body; the head has done its work."""
        body = trainer.averaged["body"].get_submodule("body")
        return {key: value for key, value in body.state_dict().items() if value.is_floating_point()}


def main() -> None:
    """The command line of this file."""
    run(FaceBody())


if __name__ == "__main__":
    main()
