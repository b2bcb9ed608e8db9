"""Train InfoGAN on paper birds: one flat code for everything that a bird and its place may be, FineGAN's baseline.

    studio train infogan_birds --preset cpu               # one core, a quarter of an hour

Chen et al., arXiv:1606.03657, with as many categories as FineGAN has child codes (Singh, Ojha, Lee, arXiv:1811.11155, table 1 compares
with it). Nothing tells the code whether to be a shape, a coat or a place, and no box is needed. The game is that of the digits, but for the
information's weight, which rises from their tenth to the paper's 1.

Nothing ships: the game does not bear pictures of 64 px. At a weight of 0.1 throughout the code was not heeded after 1 850 updates; at 1 it
was read off noise after 1 969. Rising, all pictures were one pattern after 1 000. They were after 500 too with 0.3 throughout and the
generator's rate at 5e-4 instead of 1e-3, rising with R1 of 0.5 on the discriminator, and after 400 rising with a rate of 2e-4.
"""

from collections.abc import Callable, Mapping
from typing import ClassVar

import torch
from PIL import Image as Pil
from torch import Tensor

from engines.core.images import to_picture
from engines.generators.infogan import InfoCodes, InfoGAN
from engines.metrics.birds import flat
from engines.nets.infogan import to_weights
from engines.training.command import run
from engines.training.drawn import TEST, VALIDATION, BirdRecipe, BirdSetting
from engines.training.info_game import Game, InfoPreset, averaged
from engines.training.loop import Plan, Trainer
from engines.training.schedules import through


class InfoBirds(BirdRecipe):
    """A flat code of fifty values."""

    name = "infogan_birds"
    presets: ClassVar = {
        "cpu": InfoPreset(
            plan=Plan(3_000, hours=0.5, warm_up=1, averaging=0.99, last=1.0),
            batch=32,
            size=64,
            width=24,
            features=256,
            halvings=4,
            categories=50,
            channels=3,
        ),
        "gpu": InfoPreset(
            plan=Plan(20_000, hours=0.3, warm_up=1, averaging=0.995, last=1.0),
            batch=64,
            size=64,
            width=48,
            features=512,
            halvings=4,
            categories=50,
            channels=3,
        ),
    }
    ideas = ("information",)

    def trainer(self, setting: BirdSetting) -> Trainer:
        """The discriminator with Q, then the generator."""
        return Game(setting, self.real(setting), information=through((0.3, 0.1), (0.5, 1.0))).trainer()

    def real(self, setting: BirdSetting) -> Callable[[int], Tensor]:
        """The drawings of a step."""
        return lambda step: self.birds(setting, step).images

    def generator_of(self, trainer: Trainer, setting: BirdSetting) -> InfoGAN:
        """The averaged networks."""
        return averaged(trainer, setting, self.real(setting))

    def watch(self, setting: BirdSetting) -> "FlatWatch":
        """What the code turned out to be, and a sheet of categories."""
        return FlatWatch(self, setting)

    def test(self, trainer: Trainer, setting: BirdSetting) -> Mapping[str, float]:
        """Figures of 5 000 pictures."""
        return flat(self.generator_of(trainer, setting), 5_000, TEST)

    def shipped(self, trainer: Trainer, setting: BirdSetting) -> Mapping[str, Tensor]:
        """Both averaged networks."""
        gan = self.generator_of(trainer, setting)
        return to_weights(gan.form, gan.drawer, gan.reader)


class FlatWatch:
    """What the flat code says of each factor.

    Args:
        recipe: Whose networks are asked.
        setting: The run.
        count: Pictures.
    """

    def __init__(self, recipe: InfoBirds, setting: BirdSetting, count: int = 1_000) -> None:
        self.recipe, self.setting, self.count = recipe, setting, count

    def baseline(self) -> Mapping[str, float]:
        """A code that says nothing has no figure worth a line."""
        return {}

    def look(self, trainer: Trainer) -> tuple[Mapping[str, float], Pil.Image]:
        """Figures, and a sheet: a category a row, a draw a column."""
        gan = self.recipe.generator_of(trainer, self.setting)
        return flat(gan, self.count, VALIDATION), sheet(gan)


def sheet(gan: InfoGAN, rows: int = 10, columns: int = 8) -> Pil.Image:
    """Some categories by rows, draws by columns."""
    every = range(0, gan.form.categories, max(1, gan.form.categories // rows))
    pictures = gan.draw(*(InfoCodes(category, seed=seed) for category in every for seed in range(columns)))
    return to_picture(torch.cat([torch.cat(list(row), dim=2) for row in pictures.split(columns)], dim=1)[None])


def main() -> None:
    """The command line of this file."""
    run(InfoBirds())


if __name__ == "__main__":
    main()
