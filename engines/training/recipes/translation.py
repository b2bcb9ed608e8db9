"""Train pSp's translations on the shared body: latent regression first, then with image losses through the generator.

    studio train psp_super_resolution --preset cpu      # answers a coarse picture with a sharp face; also psp_colourise

Losses are the paper's (arXiv:2008.00951, section 3.2): squared error 1, LPIPS 0.8, identity 0.1; and the latent loss, which
falls to a tenth when they begin. Without the w-norm: beside the latent loss, its 0.005 held the heads at the average face (0.236 after 750
steps, where the average face has 0.226).
"""

from collections.abc import Iterator
from dataclasses import replace
from typing import ClassVar

import torch
from torch import nn

from engines.core.images import area
from engines.core.seeds import rng
from engines.core.shapes import Codes, Image
from engines.data.degradations import TRANSLATIONS
from engines.invert.encode.encoder import Scale
from engines.invert.encode.psp import heads_for
from engines.losses.latent import latent_distance
from engines.nets.initial import seeded
from engines.nets.irse import Levels
from engines.training.encoding import Encoding
from engines.training.faces import FacePreset, FaceSetting
from engines.training.features import Change
from engines.training.loop import Moment, Plan, Terms, TrainableModule, Trainer
from engines.training.precision import lean
from engines.training.redrawing import Redrawing
from engines.training.schedules import Schedule, constant, through
from engines.training.streams import Batch
from engines.training.validation import Encode

CPU = FacePreset(
    plan=Plan(steps=3_800, hours=2, bfloat16=True),
    batch=32,
    size=128,
    drawn_at=128,
    first=6_400,
    fresh=0,
    capacity=6_400,
    remembered=True,
    redrawn=4,
    begin=0.2,
)
GPU = FacePreset(
    plan=Plan(steps=8_000, hours=1), batch=32, redrawn=32, size=256, drawn_at=256, first=4096, fresh=16, capacity=130_000, begin=0.0
)


UNSEEN = 0.1
"""Weight of the latent loss on the faces that image losses draw: as much as the latent loss keeps then."""


def image_weights(begin: float) -> dict[str, Schedule]:
    """Weights of the losses that all encoders share, by name."""
    return {
        "latent": through((begin, 1.0), (min(1.0, begin + 0.05), 0.1)),
        "pixel": constant(1.0),
        "perceptual": constant(0.8),
        "identity": constant(0.1),
        "unseen": constant(UNSEEN),
    }


class OnBody(Encoding):
    """pSp's level-split heads on the frozen body."""

    learning_rate = 1e-3

    def heads(self, setting: FaceSetting) -> nn.Module:
        """Heads before training."""
        return seeded(lambda: heads_for(setting.generator), setting.seed)

    def trainer(self, setting: FaceSetting) -> Trainer:
        """Heads on one objective."""
        generator, preset = setting.generator, setting.preset
        scale, network = Scale(generator), self.network(setting)
        redrawing = Redrawing(generator)

        def codes_of(picture: Image, levels: Levels | None = None) -> Codes:
            with lean(generator.device, preset.plan.bfloat16):
                return scale.codes(network(area(picture, preset.size), levels))

        def objective(batch: Batch, moment: Moment) -> Iterator[Terms]:
            codes = codes_of(batch.picture, batch.levels)
            terms = {"latent": latent_distance(codes, batch.codes, scale.deviation)}
            if moment.progress >= preset.begin:
                terms |= redrawing(codes_of, preset.redrawn, moment)
            yield terms

        module = TrainableModule(network, objective, image_weights(preset.begin), self.learning_rate)
        return Trainer(preset.plan, {"encoder": module}, self.stream(setting, network), setting.folder / "checkpoint.pt", generator.device)

    def encode(self, trainer: Trainer, setting: FaceSetting) -> Encode:
        """The averaged network."""
        scale, network = Scale(setting.generator), trainer.averaged["encoder"]

        @torch.no_grad()
        def encode(picture: torch.Tensor) -> Codes:
            return scale.codes(network(picture))

        return encode


class Translation(OnBody):
    """A good face from a picture that something was taken from."""

    presets: ClassVar = {
        "cpu": replace(CPU, plan=replace(CPU.plan, steps=1_000), drawn_at=256, first=6_000, capacity=6_000, begin=0.6),
        "gpu": GPU,
    }
    components: tuple[str, ...] = ()

    def __init__(self, task: str) -> None:
        self.task = task
        self.name = f"psp_{task}"

    def changes(self, setting: FaceSetting) -> tuple[str, Change]:
        """The picture loses what the task is to bring back."""
        return self.task, TRANSLATIONS[self.task]

    def encode(self, trainer: Trainer, setting: FaceSetting) -> Encode:
        """The averaged network behind what the task takes away; equal pictures lose the same."""
        whole, take_away = super().encode(trainer, setting), TRANSLATIONS[self.task]

        def encode(picture: torch.Tensor) -> Codes:
            return whole(torch.cat([take_away(one[None], rng(0)) for one in picture]))

        return encode
