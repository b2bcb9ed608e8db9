"""Train In-Domain's encoder on the trunks' pyramid: pSp's network, taught by images, features and a discriminator.

    studio train in_domain --preset cpu --portraits build/portraits
    studio train in_domain --preset cpu --without domain       # ablation: latent regression alone; also critic, portraits

Losses (arXiv:2004.00049, Eq. 2 and 3): squared error 1, perceptual distance (LPIPS 0.8 for the paper's VGG16), and the discriminator's 0.1,
which rises over the run's first third, since an adversarial loss that is added too early ruins the encoder. Real pictures, for the
discriminator too, are portraits, and faces that the true codes draw. Drawn faces keep a latent loss, and codes pSp's weak prior.
"""

from collections.abc import Iterator
from dataclasses import replace
from typing import ClassVar

import torch

from engines.core.shapes import Image
from engines.losses.adversarial import discriminator_loss, generator_loss, r1_penalty
from engines.losses.latent import latent_distance
from engines.nets.image_discriminator import ImageDiscriminator
from engines.nets.initial import seeded
from engines.spaces.statistics import statistics
from engines.training.command import run
from engines.training.faces import FaceSetting
from engines.training.loop import Moment, Terms, TrainableModule, Trainer
from engines.training.material import Examples, Fitted, PortraitSetting
from engines.training.on_trunks import CPU, GPU, OnTrunks, PortraitTrainer, compared, spread
from engines.training.recipes.psp import WEIGHTS
from engines.training.redrawing import Redrawing, draw
from engines.training.schedules import Schedule, constant, through

ADVERSARIAL, RAMP = 0.1, 1 / 3
R1_GAMMA, R1_INTERVAL = 10.0, 16
LOOKED_AT = 128
"""Side at which the discriminator looks."""


def weights() -> dict[str, Schedule]:
    """Weights of the encoder's losses by name; the adversarial one rises from nothing."""
    shared = {name: constant(value) for name, value in WEIGHTS.items() if name != "identity"}
    return shared | {"adversarial": through((0.0, 0.0), (RAMP, ADVERSARIAL))}


class ImageDiscriminatorUpdate:
    """The discriminator's update, on the encoder's reconstructions of the same step.

    Args:
        setting: The run.
    """

    learning_rate = 2e-4

    def __init__(self, setting: FaceSetting) -> None:
        self.discriminator = seeded(lambda: ImageDiscriminator(LOOKED_AT), setting.seed + 1).to(setting.generator.device)
        self.pair: tuple[Image, Image] | None = None

    def generator_loss(self, image: Image, target: Image) -> torch.Tensor:
        """Non-saturating generator loss of pictures (B,3,R,R); they and their targets are the discriminator's next batch."""
        self.pair = image.detach().clamp(-1, 1), target
        return generator_loss(self.discriminator(image.clamp(-1, 1)))

    def terms(self, _: Examples, moment: Moment) -> Iterator[Terms]:
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


class InDomain(OnTrunks):
    """pSp's network, taught by what its codes draw."""

    name = "in_domain"
    presets: ClassVar = {"cpu": replace(CPU, plan=replace(CPU.plan, steps=700)), "gpu": GPU}
    components: tuple[str, ...] = ("domain", "critic", "portraits")
    learning_rate = 1.5e-4

    def trainer(self, setting: FaceSetting) -> Trainer:
        """Encoder and discriminator; the discriminator is updated second, on the encoder's reconstructions."""
        assert isinstance(setting, PortraitSetting)
        generator, material = setting.generator, Fitted(setting)
        known, redrawing, student = statistics(generator), Redrawing(generator, identity=False), self.student(material)
        discriminator, guided = ImageDiscriminatorUpdate(setting), "domain" not in setting.without
        with_discriminator = guided and "critic" not in setting.without

        def redrawn(batch: Examples, moment: Moment) -> Iterator[Terms]:
            numbers = student(batch.levels)
            drawn = draw(generator, known.mean + student.offsets(numbers), redrawing.at(moment))
            terms = dict(compared(redrawing, drawn, batch.target)) | dict(spread(numbers))
            yield terms | ({"adversarial": discriminator.generator_loss(drawn, batch.target)} if with_discriminator else {})

        def objective(batch: Examples, moment: Moment) -> Iterator[Terms]:
            coded = known.mean + student.offsets(student(batch.coded))
            yield {"latent": latent_distance(coded, batch.codes, known.deviation)}
            if guided:
                yield from redrawn(batch, moment)

        modules = {"encoder": TrainableModule(student, objective, weights(), self.learning_rate, (0.9, 0.98))}
        modules |= {"critic": discriminator.module()} if with_discriminator else {}
        given = (setting.preset.plan, modules, material.examples, setting.folder / "checkpoint.pt", generator.device)
        return PortraitTrainer(*given, material=material)


def main() -> None:
    """The command line of this file."""
    run(InDomain())


if __name__ == "__main__":
    main()
