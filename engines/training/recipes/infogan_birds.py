"""Train a flat code on paper birds, as InfoGAN has it: one code for everything that a bird and its place may be, FineGAN's baseline.

    studio train infogan_birds --preset cpu               # one core, half an hour

Chen et al., arXiv:1606.03657, with as many categories as FineGAN has child codes (Singh, Ojha, Lee, arXiv:1811.11155, table 1 compares with
it). Nothing tells the code whether to be a shape, a texture or a place, and no box is needed. Changed: the generator is FineGAN's first two
stages without a mask, the discriminators are FineGAN's, and Q is a network of its own under noise augmentation: what is compared is a flat
code with a hierarchy, not one network with another.

The code becomes texture and place, which the discriminators see first; of the shape it says next to nothing. The run that ships was ended
at 1 780 of 2 400 updates, after half an hour beside another run.

The paper's own networks do not bear pictures of 64 px here: five runs of them either did not heed the code or collapsed to one pattern
within 1 150 updates.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import ClassVar

import torch
import torch.nn.functional as F
from PIL import Image as Pil
from torch import Tensor, nn

from engines.core.images import to_picture
from engines.core.seeds import normal
from engines.core.shapes import Image
from engines.generators.flat import FlatGAN
from engines.losses.adversarial import generator_loss
from engines.metrics.birds import flat
from engines.nets.finegan import FlatGenerator, Form
from engines.nets.finegan_discriminators import CodeDiscriminator
from engines.training.augmentation import noise_augmented
from engines.training.command import Preset, run
from engines.training.datasets.birds import Birds
from engines.training.drawn import TEST, VALIDATION, BirdRecipe, BirdSetting
from engines.training.finegan_networks import ProjectedDiscriminator, placed
from engines.training.loop import Moment, Once, Plan, Terms, TrainableModule, Trainer, frozen
from engines.training.precision import lean
from engines.training.recipes.finegan import BETAS, R1_INTERVAL, discriminator_terms
from engines.training.schedules import constant, through

WEIGHTS = {"code": constant(3.0), "features_adversarial": constant(10.0), "r1": constant(0.5 * R1_INTERVAL)}
NOISE = through((0.035, 0.03), (0.283, 0.15))
"""Noise augmentation of Q's input, where black to white is 2."""


@dataclass(frozen=True, kw_only=True)
class FlatPreset(Preset):
    """One size.

    Attributes:
        categories: Values of the code.
        noise: Length of z.
        width: Of the generator's last features.
        halvings: See `Form`.
        discriminator_width: Of the first features of the discriminator and of Q.
    """

    categories: int = 50
    noise: int = 16
    width: int
    halvings: int
    discriminator_width: int

    @property
    def form(self) -> Form:
        """The generator's numbers."""
        return Form(self.categories, self.categories, self.noise, self.width, self.size, self.halvings)


class InfoBirds(BirdRecipe):
    """A flat code of fifty values."""

    name = "infogan_birds"
    presets: ClassVar = {
        "cpu": FlatPreset(
            plan=Plan(2_400, hours=0.6, warm_up=1, averaging=0.998, last=1.0, bfloat16=True),
            batch=16,
            size=64,
            width=32,
            halvings=2,
            discriminator_width=32,
        ),
        "gpu": FlatPreset(
            plan=Plan(20_000, hours=0.3, warm_up=1, averaging=0.999, last=1.0),
            batch=64,
            size=64,
            width=32,
            halvings=4,
            discriminator_width=32,
        ),
    }
    components = ("information",)
    learning_rate, generator_rate = 2e-4, 5e-4

    def trainer(self, setting: BirdSetting) -> Trainer:
        """The discriminator, then the generator with Q."""
        preset, device, seed = setting.preset, setting.device, setting.seed
        form = preset.form

        def codes() -> CodeDiscriminator:
            return CodeDiscriminator(preset.discriminator_width, preset.size, form.parents)

        generator = placed(lambda: FlatGenerator(form), seed, device)
        discriminator, q_network = (placed(codes, seed + step, device) for step in (1, 2))

        def made(_: Birds, moment: Moment) -> tuple[Tensor, Image]:
            z = torch.randn((preset.batch, form.noise), generator=moment.chance).to(device)
            code = torch.randint(form.parents, (preset.batch,), generator=moment.chance).to(device)
            with lean(torch.device(device), preset.plan.bfloat16):
                pictures = generator(z, F.one_hot(code, form.parents).float())
            return code, pictures.float()

        drawn, features = Once(made), ProjectedDiscriminator(seed + 3, device)

        def of_discriminator(birds: Birds, moment: Moment) -> Iterator[Terms]:
            yield discriminator_terms(discriminator, birds.images, drawn(birds, moment)[1].detach(), moment)

        def of_features(birds: Birds, moment: Moment) -> Iterator[Terms]:
            yield {"features": features.discriminator_loss(birds.images, drawn(birds, moment)[1].detach())}

        def of_generator(birds: Birds, moment: Moment) -> Iterator[Terms]:
            code, pictures = drawn(birds, moment)
            with frozen(discriminator, features):
                terms = {
                    "adversarial": generator_loss(discriminator.score(pictures)),
                    "features_adversarial": features.generator_loss(pictures),
                }
                if "information" not in setting.without:
                    seen = noise_augmented(pictures, NOISE(moment.progress), moment.chance)
                    terms["code"] = F.cross_entropy(q_network.logits(seen), code)
                yield terms

        with_codes = nn.ModuleDict({"generator": generator, "reader": q_network})
        modules = {
            "critic": TrainableModule(discriminator, of_discriminator, WEIGHTS, self.learning_rate, BETAS),
            "features": TrainableModule(features, of_features, WEIGHTS, self.learning_rate, BETAS),
            "generator": TrainableModule(with_codes, of_generator, WEIGHTS, self.generator_rate, BETAS),
        }
        return Trainer(preset.plan, modules, lambda step: self.birds(setting, step), setting.folder / "checkpoint.pt", device)

    def evaluator(self, setting: BirdSetting) -> "FlatEvaluator":
        """What the code turned out to be, and a sheet of categories."""
        return FlatEvaluator()

    def test(self, trainer: Trainer, setting: BirdSetting) -> Mapping[str, float]:
        """Figures of 5 000 pictures."""
        return flat(generator_of(trainer), 5_000, TEST)

    def shipped(self, trainer: Trainer, setting: BirdSetting) -> Mapping[str, Tensor]:
        """Both averaged networks."""
        return generator_of(trainer).to_weights()


def generator_of(trainer: Trainer) -> FlatGAN:
    """The averaged networks."""
    generator, q_network = (trainer.averaged["generator"].get_submodule(name) for name in ("generator", "reader"))
    assert isinstance(generator, FlatGenerator) and isinstance(q_network, CodeDiscriminator)
    return FlatGAN(generator.form, generator, q_network)


class FlatEvaluator:
    """What the flat code says of each factor.

    Args:
        count: Pictures.
    """

    def __init__(self, count: int = 1_000) -> None:
        self.count = count

    def baseline(self) -> Mapping[str, float]:
        """A code that says nothing has no figure worth a line."""
        return {}

    def evaluate(self, trainer: Trainer) -> tuple[Mapping[str, float], Pil.Image]:
        """Figures, and a sheet: a category a row, a draw a column."""
        gan = generator_of(trainer)
        return flat(gan, self.count, VALIDATION), sheet(gan)


def sheet(gan: FlatGAN, rows: int = 10, columns: int = 8) -> Pil.Image:
    """Some categories by rows, draws by columns."""
    every = torch.arange(0, gan.form.parents, max(1, gan.form.parents // rows))
    z = normal((columns, gan.form.noise), 1, gan.device).repeat(len(every), 1)
    pictures = gan.draw(z, every.to(gan.device).repeat_interleave(columns))
    return to_picture(torch.cat([torch.cat(list(row), dim=2) for row in pictures.split(columns)], dim=1)[None])


def main() -> None:
    """The command line of this file."""
    run(InfoBirds())


if __name__ == "__main__":
    main()
