"""Train In-Domain's encoder on the shared body: latent regression first, then image and adversarial losses.

    studio train in_domain --preset cpu
    studio train in_domain --preset cpu --without domain       # ablation: latent regression to the end
    studio train in_domain --preset cpu --without critic       # ablation: no adversarial loss

Losses of the second stage (arXiv:2004.00049, Eq. 2 and 3): squared error 1, perceptual distance (LPIPS 0.8 for the paper's VGG16), and the
discriminator's 0.1, which rises over the stage's first third, since an adversarial loss that is added too early ruins the encoder. The
latent loss stays at a tenth: an early exit says nothing of the layers behind it. There are no photos here, so real pictures are those that
the true codes draw, and a quarter of what the encoder sees is spoilt as uploads are.
"""

from collections.abc import Iterator
from dataclasses import replace
from typing import ClassVar

import torch
from torch import nn

from engines.core.images import area
from engines.core.shapes import Codes, Image
from engines.data.degradations import spoilt
from engines.invert.encode.encoder import Scale
from engines.invert.encode.psp import heads_for
from engines.losses.adversarial import discriminator_loss, generator_loss, r1_penalty
from engines.losses.latent import latent_distance
from engines.nets.image_discriminator import ImageDiscriminator
from engines.nets.initial import seeded
from engines.nets.irse import Levels
from engines.training.command import run
from engines.training.encoding import Encoding
from engines.training.faces import FacePreset, FaceSetting
from engines.training.features import Change
from engines.training.loop import Moment, Plan, Terms, TrainableModule, Trainer
from engines.training.precision import lean
from engines.training.recipes.translation import CPU as PSP_CPU
from engines.training.recipes.translation import image_weights
from engines.training.redrawing import Redrawing, draw
from engines.training.schedules import Schedule, constant, through
from engines.training.streams import Batch
from engines.training.validation import Encode

ADVERSARIAL, RAMP = 0.1, 1 / 3
R1_GAMMA, R1_INTERVAL = 10.0, 16

CPU = replace(PSP_CPU, plan=replace(PSP_CPU.plan, steps=1_300, hours=1), drawn_at=256, first=12_000, capacity=12_000, begin=0.75)
GPU = FacePreset(
    plan=Plan(steps=8_000, hours=1),
    batch=32,
    redrawn=32,
    size=256,
    drawn_at=256,
    first=4096,
    fresh=16,
    capacity=130_000,
    spoilt=0.5,
    begin=0.25,
)


def adversarial_weight(begin: float) -> Schedule:
    """Nothing until the second stage begins, all of it after the stage's first third."""
    return through((begin, 0.0), (begin + RAMP * (1 - begin), ADVERSARIAL))


class ImageDiscriminatorUpdate:
    """The discriminator's update, on the encoder's reconstructions of the same step.

    Args:
        setting: The run.
    """

    learning_rate = 2e-4

    def __init__(self, setting: FaceSetting) -> None:
        self.discriminator = seeded(lambda: ImageDiscriminator(setting.preset.size), setting.seed + 1).to(setting.generator.device)
        self.pair: tuple[Image, Image] | None = None

    def generator_loss(self, image: Image, target: Image) -> torch.Tensor:
        """Non-saturating generator loss of pictures (B,3,R,R); they and their targets are the discriminator's next batch."""
        self.pair = image.detach().clamp(-1, 1), target
        return generator_loss(self.discriminator(image.clamp(-1, 1)))

    def terms(self, _: Batch, moment: Moment) -> Iterator[Terms]:
        """The discriminator's losses; none in a step that drew nothing."""
        if self.pair is None:
            return
        made, real = self.pair
        self.pair, with_r1 = None, moment.step % R1_INTERVAL == 0
        real = real.requires_grad_(with_r1)
        scores = self.discriminator(real)
        found = {"discriminator": discriminator_loss(scores, self.discriminator(made))}
        yield found | ({"r1": r1_penalty(scores, real)} if with_r1 else {})

    def module(self) -> TrainableModule:
        """The discriminator as a trainable module, to be updated after the encoder."""
        return TrainableModule(self.discriminator, self.terms, {"r1": constant(R1_GAMMA / 2 * R1_INTERVAL)}, self.learning_rate)


class InDomain(Encoding):
    """pSp's heads on the frozen body, taught by what their codes draw."""

    name = "in_domain"
    presets: ClassVar = {"cpu": CPU, "gpu": GPU}
    components = ("domain", "critic", "corruption")
    learning_rate = 1e-3

    def heads(self, setting: FaceSetting) -> nn.Module:
        """Heads before training."""
        return seeded(lambda: heads_for(setting.generator), setting.seed)

    def changes(self, setting: FaceSetting) -> tuple[str, Change]:
        """Some pictures are spoilt, unless that component is off."""
        return ("clean", spoilt(0.0)) if "corruption" in setting.without else super().changes(setting)

    def trainer(self, setting: FaceSetting) -> Trainer:
        """Encoder and discriminator; the discriminator is updated second, on the encoder's reconstructions."""
        generator, preset = setting.generator, setting.preset
        scale, network, discriminator = Scale(generator), self.network(setting), ImageDiscriminatorUpdate(setting)
        redrawing = Redrawing(generator, identity=False)
        guided = "domain" not in setting.without
        with_discriminator = guided and "critic" not in setting.without

        def codes_of(picture: Image, levels: Levels | None = None) -> Codes:
            with lean(generator.device, preset.plan.bfloat16):
                return scale.codes(network(area(picture, preset.size), levels))

        def redrawn(moment: Moment) -> Terms:
            true_codes, target = redrawing.target(preset.redrawn, moment)
            codes = codes_of(target)
            image = draw(generator, codes, redrawing.at(moment))
            terms = {"unseen": latent_distance(codes, true_codes, scale.deviation)} | dict(redrawing.compare(image, target))
            return terms | ({"adversarial": discriminator.generator_loss(image, target)} if with_discriminator else {})

        def objective(batch: Batch, moment: Moment) -> Iterator[Terms]:
            terms = {"latent": latent_distance(codes_of(batch.picture, batch.levels), batch.codes, scale.deviation)}
            if guided and moment.progress >= preset.begin:
                terms |= redrawn(moment)
            yield terms

        modules = {"encoder": TrainableModule(network, objective, self.weights(setting), self.learning_rate)}
        modules |= {"critic": discriminator.module()} if with_discriminator else {}
        return Trainer(preset.plan, modules, self.stream(setting, network), setting.folder / "checkpoint.pt", generator.device)

    @staticmethod
    def weights(setting: FaceSetting) -> dict[str, Schedule]:
        """Weights of the encoder's losses by name."""
        begin = 1.0 if "domain" in setting.without else setting.preset.begin
        return image_weights(begin) | {"adversarial": adversarial_weight(begin)}

    def encode(self, trainer: Trainer, setting: FaceSetting) -> Encode:
        """The averaged network."""
        scale, network = Scale(setting.generator), trainer.averaged["encoder"]

        @torch.no_grad()
        def encode(picture: Image) -> Codes:
            return scale.codes(network(picture))

        return encode


def main() -> None:
    """The command line of this file."""
    run(InDomain())


if __name__ == "__main__":
    main()
