"""Train e4e on the trunks' pyramid: progressive training of one w and offsets from it, with a latent discriminator.

    studio train e4e --preset cpu --portraits build/portraits
    studio train e4e --preset cpu --without progressive       # ablations; also critic, delta, edits, portraits

The network is pSp's (`engines.training.recipes.psp`) with one group of layers: all of them have one w, and each a correction in the first
100 principal components of W. Schedule (arXiv:2102.02766, section 5.1, scaled): w alone at first, then one offset after the other. Losses:
pSp's, the offsets' length (2e-4, for our 16 slots times 18/16), and the discriminator's 0.1. Added: a re-encoding loss
(`engines.training.re_encoding`), along the boundaries of all attributes, age among them, by which consistency is measured.
"""

from collections.abc import Iterator
from dataclasses import replace
from typing import ClassVar

import torch
from torch import Tensor

from engines.core.shapes import Codes, Image
from engines.invert.encode.e4e import assembled
from engines.invert.encode.trunks import SIDE
from engines.losses.adversarial import discriminator_loss, generator_loss, r1_penalty
from engines.losses.latent import latent_distance, offset_norm
from engines.nets.initial import seeded
from engines.nets.latent_discriminator import LatentDiscriminator
from engines.nets.pyramid import ALL_AS_ONE
from engines.spaces.statistics import statistics
from engines.training.command import run
from engines.training.faces import FaceSetting
from engines.training.loop import Moment, Terms, TrainableModule, Trainer
from engines.training.material import Examples, Fitted, PortraitSetting
from engines.training.on_trunks import CPU, GPU, OnTrunks, PortraitTrainer, compared, spread
from engines.training.re_encoding import ReEncoding
from engines.training.recipes.psp import WEIGHTS as PSP_WEIGHTS
from engines.training.redrawing import Redrawing, draw
from engines.training.samples import TRUNCATION
from engines.training.schedules import constant
from engines.training.validation import Encode

FIRST, EVERY = 0.15, 0.025
"""Share of the run at which the first offset is switched on, and between one and the next. The run begins at a ridge regression, so w needs
less of it than the paper's two fifths."""

R1_INTERVAL, EDITED = 16, 2
"""Lazy regularisation interval of R1 in steps, and faces a step that are edited."""

WEIGHTS = PSP_WEIGHTS | {"delta": 2e-4 * 18 / 16, "adversarial": 0.1, "edits": 4.0}


def switched_on(progress: float, count: int) -> int:
    """How many of `count` offsets are on."""
    return 0 if progress < FIRST else min(count, 1 + int((progress - FIRST) / EVERY + 1e-9))


class LatentDiscriminatorUpdate:
    """The latent discriminator's update.

    Args:
        setting: The run.
    """

    learning_rate = 2e-4

    def __init__(self, setting: FaceSetting) -> None:
        self.generator, self.known = setting.generator, statistics(setting.generator)
        self.discriminator = seeded(lambda: LatentDiscriminator(setting.generator.width), setting.seed + 1).to(setting.generator.device)

    def mapped(self, count: int, chance: torch.Generator) -> Tensor:
        """Vectors (count,width) from the mapping network, truncated as the samples are, in standard deviations of W."""
        z = torch.randn((count, self.generator.width), generator=chance).to(self.generator.device)
        psi = TRUNCATION[0] + (TRUNCATION[1] - TRUNCATION[0]) * torch.rand((count, 1), generator=chance)
        return psi.to(z) * (self.generator.map(z) - self.known.mean) / self.known.deviation

    def terms(self, made: Codes, moment: Moment) -> Terms:
        """The discriminator's losses on one slot a sample of vectors (B,slots,width)."""
        rows = torch.arange(len(made))
        picked = made.detach()[rows, torch.randint(made.shape[1], (len(made),), generator=moment.chance)]
        real = self.discriminator.remembered(self.mapped(len(made), moment.chance), 0, moment.chance)
        scores, fakes = self.discriminator(real), self.discriminator(self.discriminator.remembered(picked, 1, moment.chance))
        found = {"discriminator": discriminator_loss(scores, fakes)}
        if moment.step % R1_INTERVAL == 0:
            real = real.requires_grad_()
            found["r1"] = r1_penalty(self.discriminator(real), real)
        return found

    def module(self, objective: object) -> TrainableModule:
        """The discriminator as a trainable module."""
        return TrainableModule(self.discriminator, objective, {"r1": constant(5.0 * R1_INTERVAL)}, self.learning_rate)  # type: ignore[arg-type]

    def generator_loss(self, vectors: Codes) -> Tensor:
        """Non-saturating generator loss of vectors (B,slots,width)."""
        return generator_loss(self.discriminator(vectors.flatten(0, 1)))


def limited(codes: Codes, count: int) -> Codes:
    """Vectors (B,16,width) with the first `count` offsets from the first vector on; the others are that vector."""
    return assembled(codes[:, :1], codes[:, 1:] - codes[:, :1], count=count)


class E4e(OnTrunks):
    """One w, and progressive offsets from it."""

    name = "e4e"
    presets: ClassVar = {"cpu": replace(CPU, plan=replace(CPU.plan, steps=700)), "gpu": GPU}
    components: tuple[str, ...] = ("progressive", "critic", "delta", "edits", "portraits")
    reads: ClassVar = ALL_AS_ONE
    learning_rate = 1.5e-4

    def count(self, setting: FaceSetting, progress: float) -> int:
        """Offsets that are on."""
        every = len(setting.generator.slots.active) - 1
        return every if "progressive" in setting.without else switched_on(progress, every)

    def trainer(self, setting: FaceSetting) -> Trainer:
        """Encoder and discriminator; the discriminator is updated first."""
        assert isinstance(setting, PortraitSetting)
        generator, material = setting.generator, Fitted(setting)
        known, redrawing, student = statistics(generator), Redrawing(generator), self.student(material)
        discriminator = LatentDiscriminatorUpdate(setting)
        re_encoding = None if "edits" in setting.without else ReEncoding(generator, side=SIDE)

        def sigmas(numbers: Codes) -> Codes:
            return student.offsets(numbers) / known.deviation

        def discriminator_objective(batch: Examples, moment: Moment) -> Iterator[Terms]:
            count = self.count(setting, moment.progress)
            with torch.no_grad():
                numbers = limited(student(batch.levels), count)
            yield discriminator.terms(sigmas(numbers)[:, : count + 1], moment)

        def objective(batch: Examples, moment: Moment) -> Iterator[Terms]:
            count = self.count(setting, moment.progress)

            def encode(levels: list[Tensor]) -> Codes:
                return known.mean + student.offsets(limited(student(levels), count))

            numbers = limited(student(batch.levels), count)
            codes = known.mean + student.offsets(numbers)
            terms = dict(compared(redrawing, draw(generator, codes, redrawing.at(moment)), batch.target)) | dict(spread(numbers))
            terms["latent"] = latent_distance(encode(batch.coded), batch.codes, known.deviation)
            if "delta" not in setting.without and count:
                vectors = sigmas(numbers)
                terms["delta"] = offset_norm((vectors[:, 1:] - vectors[:, :1])[:, :count])
            if "critic" not in setting.without:
                terms["adversarial"] = discriminator.generator_loss(sigmas(numbers)[:, : count + 1])
            if re_encoding is not None:
                terms["edits"] = re_encoding(lambda picture: encode(material.look(picture)), codes[:EDITED], moment)
            yield terms

        weights = {name: constant(value) for name, value in WEIGHTS.items()}
        encoder = TrainableModule(student, objective, weights, self.learning_rate, (0.9, 0.98))
        critic = {} if "critic" in setting.without else {"critic": discriminator.module(discriminator_objective)}
        given = (setting.preset.plan, critic | {"encoder": encoder}, material.examples, setting.folder / "checkpoint.pt", generator.device)
        return PortraitTrainer(*given, material=material)

    def encode(self, trainer: Trainer, setting: FaceSetting) -> Encode:
        """The averaged network with the offsets that are on."""
        whole, count = super().encode(trainer, setting), self.count(setting, trainer.progress)

        def encode(picture: Image) -> Codes:
            return limited(whole(picture), count)

        return encode


def main() -> None:
    """The command line of this file."""
    run(E4e())


if __name__ == "__main__":
    main()
