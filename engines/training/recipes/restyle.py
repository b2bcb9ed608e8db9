"""Train ReStyle's residual heads, in pSp's form and in e4e's, from the one-pass encoder's: three refinement steps a face, losses at each.

    studio train restyle_psp --preset cpu                        # two cores, within an hour; also restyle_e4e, half an hour
    studio train restyle_psp --preset cpu --without attempt      # ablation: every step has the average face as reconstruction

Refinement starts from the average face; the losses of each step (arXiv:2104.02699, section 3.1) are back-propagated at once, and no
gradient passes to the next step. Faces are new at every update. Beside them, the first step has the latent loss on kept faces.

Tried first: heads that begin untrained, on the difference of features, taught by latent loss on earlier attempts (the average face and what
the one-pass encoder said). They learnt their six thousand pairs, and after three refinement steps of their own on new faces they were worse
than the average face (latent loss 0.26, where that has 0.23). The one-pass heads, asked about both pictures, gain at once if they are
followed by a quarter; by half, later steps lost what the first had won. Images at 128 px alone were not enough: what won there was lost at
256 px.

Over e4e the discriminator begins anew, on four codes an update. With e4e's weight from the first update on it was fooled faster than it
learnt, and the offsets grew to twice their norm (test MSE 0.100, where e4e has 0.095); so the adversarial loss has a weight warm-up, to a
quarter. The run is short, since refinement steps trade editability for likeness.

Pictures are compared at early exits, but the full ones count, and there the second step won so much that the third won nothing: LPIPS on
192 validation faces was .1997, .1972, .1973 in pSp's form. So the second step's learnt gain is multiplied by 0.6:
.1997, .1977, .1971. With 1, .6 or .4 there and 1 or .5 at the third all ended within .0004; this was the lowest, and each step wins. In
e4e's form, over 64 validation faces, the same was found of a run of 120 updates: .2460, .2426, .2419 without, .2460, .2438, .2423 with it.
"""

import copy
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import ClassVar

import torch
from torch import Tensor, nn

from engines.core.images import area
from engines.core.shapes import Codes, Image
from engines.invert.encode.encoder import Scale, load_heads
from engines.invert.encode.restyle import Residual, one_pass_heads, residual_heads
from engines.losses.latent import latent_distance, offset_norm
from engines.nets.initial import seeded
from engines.training.command import run
from engines.training.encoding import Encoding
from engines.training.faces import FacePreset, FaceSetting
from engines.training.loop import Moment, Plan, Terms, TrainableModule, Trainer
from engines.training.precision import lean
from engines.training.recipes.e4e import WEIGHTS as E4E_WEIGHTS
from engines.training.recipes.e4e import LatentDiscriminatorUpdate
from engines.training.recipes.translation import UNSEEN
from engines.training.redrawing import Redrawing, draw
from engines.training.schedules import constant, through
from engines.training.streams import Batch
from engines.training.validation import Encode

STEPS = 3
_WEIGHTS = {"latent": constant(UNSEEN), "unseen": constant(UNSEEN), "pixel": constant(1.0), "perceptual": constant(0.8)}
_WEIGHTS |= {"identity": constant(0.1), "delta": E4E_WEIGHTS["delta"], "adversarial": through((0.4, 0.0), (0.7, 0.1 / (STEPS + 1)))}

STEP_GAINS = (1.0, 0.6, 1.0)
"""Factors of the learnt gains of the steps afterwards; see above."""

CPU = FacePreset(
    plan=Plan(steps=900, hours=2, bfloat16=True),
    batch=32,
    redrawn=4,
    size=128,
    drawn_at=128,
    first=6_400,
    fresh=0,
    capacity=6_400,
    remembered=True,
    begin=0.0,
)
GPU = FacePreset(
    plan=Plan(steps=4_000, hours=1), batch=16, redrawn=16, size=256, drawn_at=256, first=4096, fresh=16, capacity=60_000, begin=0.0
)


class ReStyle(Encoding):
    """One-pass heads, fine-tuned to predict residuals."""

    presets: ClassVar = {"cpu": CPU, "gpu": GPU}
    components = ("attempt",)
    learning_rate = 3e-4

    def __init__(self, base: str) -> None:
        self.base = base
        self.name = f"restyle_{base}"

    def heads(self, setting: FaceSetting) -> nn.Module:
        """Heads before training: the one-pass encoder's."""
        generator = setting.generator
        heads = seeded(lambda: residual_heads(generator, self.base), setting.seed)
        known: nn.Module = load_heads(self.base, generator, lambda: one_pass_heads(generator, self.base))[0]
        heads.heads.load_state_dict(known.state_dict())
        return heads

    def assemble(self, body: nn.Module, heads: nn.Module) -> nn.Module:
        """Both pictures go through the body."""
        return Residual(body, heads)

    def trainer(self, setting: FaceSetting) -> Trainer:
        """Heads, and over e4e the discriminator."""
        generator, preset = setting.generator, setting.preset
        scale, network = Scale(generator), self.network(setting)
        redrawing = Redrawing(generator, side=preset.size, larger_every=2)
        average = self.average(setting)
        discriminator = LatentDiscriminatorUpdate(setting) if self.base == "e4e" else None

        def first(batch: Batch) -> Codes:
            with lean(generator.device, preset.plan.bfloat16):
                return scale.codes(network(batch.picture, average, 0, batch.levels).float())

        def extra(codes: Codes) -> Terms:
            if discriminator is None:
                return {}
            vectors = (codes - scale.mean) / scale.deviation
            return {"delta": offset_norm(vectors[:, 1:] - vectors[:, :1]), "adversarial": discriminator.generator_loss(vectors)}

        def objective(batch: Batch, moment: Moment) -> Iterator[Terms]:
            codes = first(batch)
            yield {"latent": latent_distance(codes, batch.codes, scale.deviation)} | dict(extra(codes))
            truth, target = redrawing.target(preset.redrawn, moment)
            codes, attempt = self.start(setting, len(target)), average
            for step in range(STEPS):
                codes = codes + self.change(network, area(target, preset.size), attempt, step, setting)
                image = draw(generator, codes, redrawing.at(moment))
                terms = {"unseen": latent_distance(codes, truth, scale.deviation)} | dict(redrawing.compare(image, target))
                yield terms | dict(extra(codes))
                codes, attempt = codes.detach(), average if "attempt" in setting.without else self.seen(image.detach(), setting)

        def discriminator_objective(batch: Batch, moment: Moment) -> Iterator[Terms]:
            assert discriminator is not None
            with torch.no_grad():
                vectors = (first(batch) - scale.mean) / scale.deviation
            yield discriminator.terms(vectors, moment)

        modules = {"critic": discriminator.module(discriminator_objective)} if discriminator else {}
        modules["encoder"] = TrainableModule(network, objective, _WEIGHTS, self.learning_rate)
        return Trainer(preset.plan, modules, self.stream(setting, network), setting.folder / "checkpoint.pt", generator.device)

    def with_step_gains(self, trainer: Trainer) -> nn.Module:
        """The averaged network as it ships."""
        network = copy.deepcopy(trainer.averaged["encoder"])
        gains = network.get_parameter("heads.gains")
        gains.data *= torch.tensor(STEP_GAINS, device=gains.device)[:, None]
        return network

    def shipped(self, trainer: Trainer, setting: FaceSetting) -> Mapping[str, Tensor]:
        """The network with its gains scaled."""
        return self.kept(self.with_step_gains(trainer), setting)

    def change(self, network: nn.Module, picture: Image, attempt: Tensor, step: int, setting: FaceSetting) -> Codes:
        """A step's residual of the active slots, (B,16,width)."""
        with lean(setting.generator.device, setting.preset.plan.bfloat16):
            return Scale(setting.generator).offsets(network(picture, attempt, step).float())

    @staticmethod
    def start(setting: FaceSetting, count: int) -> Codes:
        """The start: the average face's codes (count,16,width)."""
        return Scale(setting.generator).mean[:, None].expand(count, len(setting.generator.slots.active), -1)

    @staticmethod
    def seen(picture: Image, setting: FaceSetting) -> Image:
        """A drawn picture as the network sees it."""
        return area(picture.clamp(-1, 1), setting.preset.size)

    def average(self, setting: FaceSetting) -> Image:
        """The average face as the network sees it, (1,3,S,S)."""
        with torch.no_grad():
            return self.seen(draw(setting.generator, self.start(setting, 1), setting.preset.size), setting)

    def encode(self, trainer: Trainer, setting: FaceSetting) -> Encode:
        """Three refinement steps of the averaged network from the average face."""
        generator, network, average = setting.generator, self.with_step_gains(trainer), self.average(setting)

        @torch.no_grad()
        def encode(picture: Tensor) -> Codes:
            codes, attempt = self.start(setting, len(picture)), average
            for step in range(STEPS):
                codes = codes + self.change(network, picture, attempt, step, setting)
                if "attempt" not in setting.without:
                    attempt = self.seen(draw(generator, codes, setting.preset.size), setting)
            return codes

        return encode


class OverE4e(ReStyle):
    """Over e4e: refinement trades editability for likeness, the more the longer it is trained, so the run is short."""

    presets: ClassVar = {"cpu": replace(CPU, plan=replace(CPU.plan, steps=300)), "gpu": GPU}

    def __init__(self) -> None:
        super().__init__("e4e")


def main() -> None:
    """The command line of this file."""
    run(ReStyle("psp"))


if __name__ == "__main__":
    main()
