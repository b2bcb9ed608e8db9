"""Train the reader of FineGAN's codes: which shape and which appearance a picture was made from, from pictures that FineGAN drew.

    studio train finegan_reader --preset cpu              # one core, ten minutes; needs the weights of finegan_birds

Singh, Ojha, Lee, arXiv:1811.11155, section 4.3: classifiers of p and c learn from generated pictures alone, and what they see in real ones
is clustered: categories that nobody named. Changed: one network with two heads; codes are free of each other, so that neither is read by
way of the other; pictures are roughened, since drawings differ a little from what FineGAN draws.
"""

from collections.abc import Iterator, Mapping
from typing import ClassVar

import torch
import torch.nn.functional as F
from PIL import Image as Pil
from torch import Tensor

from engines.core.images import to_picture
from engines.core.seeds import rng
from engines.hierarchy.discovery import WEIGHTS, agreement, clusters, features_of
from engines.hierarchy.finegan import bundled_finegan
from engines.nets.initial import seeded
from engines.nets.oracle import Oracle
from engines.training.command import Preset, run
from engines.training.drawn import TEST, VALIDATION, BirdRecipe, BirdSetting, drawn
from engines.training.loop import Moment, Plan, Player, Terms, Trainer
from engines.training.recipes.bird_oracle import roughened

DRAWINGS = 1_000


class FineReader(BirdRecipe):
    """Codes of pictures."""

    name = WEIGHTS
    presets: ClassVar = {
        "cpu": Preset(plan=Plan(700, hours=0.5, warm_up=50, averaging=0.99), batch=32, size=64),
        "gpu": Preset(plan=Plan(6_000, hours=0.2, warm_up=50, averaging=0.995), batch=128, size=64),
    }
    learning_rate = 2e-3

    def trainer(self, setting: BirdSetting) -> Trainer:
        """One network on both codes."""
        finegan = bundled_finegan(setting.device)
        form, batch = finegan.form, setting.preset.batch
        reader = seeded(lambda: Oracle({"parent": form.parents, "child": form.children}), setting.seed).to(setting.device)

        @torch.no_grad()
        def made(step: int) -> tuple[Tensor, Mapping[str, Tensor]]:
            chance = rng(setting.stream_seed(0) + step)
            z = torch.randn((batch, form.noise), generator=chance).to(setting.device)
            most = {"background": form.children, "parent": form.parents, "child": form.children}
            numbers = {name: torch.randint(count, (batch,), generator=chance).to(setting.device) for name, count in most.items()}
            hot = [F.one_hot(numbers[name], count).float() for name, count in most.items()]
            return finegan.network(z, *hot).child, numbers

        def objective(pair: tuple[Tensor, Mapping[str, Tensor]], moment: Moment) -> Iterator[Terms]:
            logits, _ = reader(roughened(pair[0], moment.chance))
            yield {name: F.cross_entropy(said, pair[1][name]) for name, said in logits.items()}

        player = Player(reader, objective, {}, self.learning_rate)
        return Trainer(setting.preset.plan, {"reader": player}, made, setting.folder / "checkpoint.pt", setting.device)

    def watch(self, setting: BirdSetting) -> "ReaderWatch":
        """Drawings, and how well what is read in them finds their kinds."""
        return ReaderWatch(setting, VALIDATION)

    def test(self, trainer: Trainer, setting: BirdSetting) -> Mapping[str, float]:
        """The same of other drawings."""
        return ReaderWatch(setting, TEST).look(trainer)[0]

    def shipped(self, trainer: Trainer, setting: BirdSetting) -> Mapping[str, Tensor]:
        """The averaged network."""
        return trainer.averaged["reader"].state_dict()


class ReaderWatch:
    """How well clusters of what is read in drawings agree with what they show.

    Args:
        setting: The run.
        seed: Of the drawings.
    """

    def __init__(self, setting: BirdSetting, seed: int) -> None:
        self.birds = drawn(DRAWINGS, seed, setting.preset.size, setting.device)

    def baseline(self) -> Mapping[str, float]:
        """Clusters of pixels."""
        return self._agreement(self.birds.images.flatten(1))

    def look(self, trainer: Trainer) -> tuple[Mapping[str, float], Pil.Image]:
        """Agreement, and a few drawings."""
        reader = trainer.averaged["reader"]
        assert isinstance(reader, Oracle)
        sheet = torch.cat(list(self.birds.images[:8]), dim=2)
        return self._agreement(features_of(reader, self.birds.images)), to_picture(sheet[None])

    def _agreement(self, features: Tensor) -> Mapping[str, float]:
        factors = self.birds.factors
        return agreement(clusters(features), factors.shape, factors.texture)


def main() -> None:
    """The command line of this file."""
    run(FineReader())


if __name__ == "__main__":
    main()
