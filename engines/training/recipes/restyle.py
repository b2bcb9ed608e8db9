"""Train ReStyle's residual heads over pSp's levels, and over e4e's: three refinement steps a face, losses at each.

    studio train restyle_psp --preset cpu --portraits build/portraits
    studio train restyle_psp --preset cpu --without attempt      # ablation: every step sees the average face's picture; also portraits

Heads begin as the one-pass encoder's, and what they read stays that encoder's: its trunks and its linear maps are frozen. Refinement
starts from the average face; the losses of each step (arXiv:2104.02699, section 3.1) are back-propagated at once, and no gradient passes to
the next step. Photo and reconstruction are read alike, without dropout. Over e4e its further losses come with it, and the run is short,
since refinement steps trade editability for likeness.
"""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import ClassVar

import torch
from torch import Tensor

from engines.core.packed import packed
from engines.core.shapes import Codes, Image
from engines.generators.base import Generator
from engines.invert.encode.pyramid import load_pyramid
from engines.invert.encode.restyle import Residual, ResidualHeads
from engines.invert.encode.trunks import SIDE
from engines.losses.latent import latent_distance, offset_norm
from engines.nets.initial import seeded
from engines.spaces.statistics import statistics
from engines.training.command import run
from engines.training.faces import FaceSetting
from engines.training.loop import Moment, Terms, TrainableModule, Trainer
from engines.training.material import Examples, PortraitSetting, Told
from engines.training.on_trunks import CPU, GPU, OnTrunks, compared, spread
from engines.training.recipes.e4e import WEIGHTS, LatentDiscriminatorUpdate
from engines.training.redrawing import Redrawing, draw
from engines.training.schedules import constant, through
from engines.training.validation import Encode

STEPS = 3
_WARM_UP = through((0.4, 0.0), (0.7, WEIGHTS["adversarial"] / (STEPS + 1)))


class ReStyle(OnTrunks):
    """One-pass heads, fine-tuned to predict residuals."""

    presets: ClassVar = {"cpu": replace(CPU, plan=replace(CPU.plan, steps=120)), "gpu": GPU}
    components: tuple[str, ...] = ("attempt", "portraits")
    learning_rate = 1e-4

    def __init__(self, base: str) -> None:
        self.base = base
        self.name = f"restyle_{base}"

    def trainer(self, setting: FaceSetting) -> Trainer:
        """Heads, and over e4e the discriminator."""
        assert isinstance(setting, PortraitSetting)
        generator, encoder = setting.generator, load_pyramid(self.base, setting.generator)
        material, known, redrawing = Told(setting, encoder.network), statistics(generator), Redrawing(generator)
        network = seeded(lambda: ResidualHeads(generator, self.base), setting.seed).to(generator.device)
        network.heads.load_state_dict(encoder.network.heads.state_dict())
        discriminator = LatentDiscriminatorUpdate(setting) if self.base == "e4e" else None
        average = material.look(redrawn(generator, start(generator, 1)))

        def extra(codes: Codes) -> Terms:
            if discriminator is None:
                return {}
            vectors = (codes - known.mean) / known.deviation
            return {"delta": offset_norm(vectors[:, 1:] - vectors[:, :1]), "adversarial": discriminator.generator_loss(vectors)}

        def objective(batch: Examples, moment: Moment) -> Iterator[Terms]:
            network.eval()
            coded = known.mean + network(batch.coded, average, 0) @ encoder.network.basis
            yield {"latent": latent_distance(coded, batch.codes, known.deviation)}
            numbers, attempt = torch.zeros(()), average
            for step in range(STEPS):
                numbers = numbers + network(batch.levels, attempt, step)
                codes = known.mean + numbers @ encoder.network.basis
                drawn = draw(generator, codes, redrawing.at(moment))
                yield dict(compared(redrawing, drawn, batch.target)) | dict(spread(numbers)) | dict(extra(codes))
                numbers = numbers.detach()
                attempt = average if "attempt" in setting.without else material.look(redrawn(generator, codes.detach()))

        def discriminator_objective(batch: Examples, moment: Moment) -> Iterator[Terms]:
            assert discriminator is not None
            with torch.no_grad():
                codes = network(batch.coded, average, 0) @ encoder.network.basis
            yield discriminator.terms(codes / known.deviation, moment)

        weights = {name: constant(value) for name, value in WEIGHTS.items()} | {"adversarial": _WARM_UP}
        modules = {"critic": discriminator.module(discriminator_objective)} if discriminator else {}
        modules["encoder"] = TrainableModule(network, objective, weights, self.learning_rate, (0.9, 0.98))
        return Trainer(setting.preset.plan, modules, material.examples, setting.folder / "checkpoint.pt", generator.device)

    def shipped(self, trainer: Trainer, setting: FaceSetting) -> Mapping[str, Tensor]:
        """The heads and their gains; what they read is the one-pass encoder's."""
        return packed(trainer.averaged["encoder"].state_dict())

    def encode(self, trainer: Trainer, setting: FaceSetting) -> Encode:
        """Three refinement steps of the averaged network from the average face."""
        generator, heads = setting.generator, trainer.averaged["encoder"]
        assert isinstance(heads, ResidualHeads)
        residual = Residual(load_pyramid(self.base, generator), heads)
        average = residual.told(redrawn(generator, start(generator, 1)))

        @torch.no_grad()
        def encode(picture: Image) -> Codes:
            codes, photo, attempt = start(generator, len(picture)), residual.told(picture), average
            for step in range(STEPS):
                codes = codes + residual(photo, attempt, step)
                if "attempt" not in setting.without:
                    attempt = residual.told(redrawn(generator, codes))
            return codes

        return encode


class OverE4e(ReStyle):
    """Over e4e: refinement trades editability for likeness, the more the longer it is trained, so the run is short."""

    presets: ClassVar = {"cpu": replace(CPU, plan=replace(CPU.plan, steps=40)), "gpu": GPU}

    def __init__(self) -> None:
        super().__init__("e4e")


def start(generator: Generator, count: int) -> Codes:
    """The average face's codes (count,16,width)."""
    return statistics(generator).mean[:, None].expand(count, len(generator.slots.active), -1)


@torch.no_grad()
def redrawn(generator: Generator, codes: Codes) -> Image:
    """The pictures of codes as the trunks see them."""
    return draw(generator, codes, SIDE).clamp(-1, 1)


def main() -> None:
    """The command line of this file."""
    run(ReStyle("psp"))


if __name__ == "__main__":
    main()
