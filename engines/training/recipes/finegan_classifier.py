"""Train the classifier of FineGAN's codes on generated pictures: parent (shape) and child (appearance).

    studio train finegan_reader --preset cpu              # one core, ten minutes; needs the weights of finegan_birds

Singh, Ojha, Lee, arXiv:1811.11155, section 4.3: classifiers of p and c learn from generated pictures alone, and their features of real ones
are clustered: unsupervised categories. Changed: one network with two heads; codes are free of each other, so that neither is read by
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
from engines.generators.finegan import bundled_finegan
from engines.hierarchy.discovery import WEIGHTS, clustering_agreement, extract_features, kmeans_clusters
from engines.nets.factor_classifier import FactorClassifier
from engines.nets.initial import seeded
from engines.training.command import Preset, run
from engines.training.drawn import TEST, VALIDATION, BirdRecipe, BirdSetting, random_birds
from engines.training.loop import Moment, Plan, Terms, TrainableModule, Trainer
from engines.training.recipes.bird_classifier import roughened

DRAWINGS = 1_000


class FineGANCodeClassifier(BirdRecipe):
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
        classifier = seeded(lambda: FactorClassifier({"parent": form.parents, "child": form.children}), setting.seed).to(setting.device)

        @torch.no_grad()
        def made(step: int) -> tuple[Tensor, Mapping[str, Tensor]]:
            chance = rng(setting.stream_seed(0) + step)
            z = torch.randn((batch, form.noise), generator=chance).to(setting.device)
            most = {"background": form.children, "parent": form.parents, "child": form.children}
            numbers = {name: torch.randint(count, (batch,), generator=chance).to(setting.device) for name, count in most.items()}
            hot = [F.one_hot(numbers[name], count).float() for name, count in most.items()]
            return finegan.network(z, *hot).child, numbers

        def objective(pair: tuple[Tensor, Mapping[str, Tensor]], moment: Moment) -> Iterator[Terms]:
            logits, _ = classifier(roughened(pair[0], moment.chance))
            yield {name: F.cross_entropy(said, pair[1][name]) for name, said in logits.items()}

        module = TrainableModule(classifier, objective, {}, self.learning_rate)
        return Trainer(setting.preset.plan, {"reader": module}, made, setting.folder / "checkpoint.pt", setting.device)

    def evaluator(self, setting: BirdSetting) -> "CodeClassifierEvaluator":
        """Drawings, and how well what is read in them finds their kinds."""
        return CodeClassifierEvaluator(setting, VALIDATION)

    def test(self, trainer: Trainer, setting: BirdSetting) -> Mapping[str, float]:
        """The same of other drawings."""
        return CodeClassifierEvaluator(setting, TEST).evaluate(trainer)[0]

    def shipped(self, trainer: Trainer, setting: BirdSetting) -> Mapping[str, Tensor]:
        """The averaged network."""
        return trainer.averaged["reader"].state_dict()


class CodeClassifierEvaluator:
    """How well clusters of what is read in drawings agree with what they show.

    Args:
        setting: The run.
        seed: Of the drawings.
    """

    def __init__(self, setting: BirdSetting, seed: int) -> None:
        self.birds = random_birds(DRAWINGS, seed, setting.preset.size, setting.device)

    def baseline(self) -> Mapping[str, float]:
        """Clusters of pixels."""
        return self._agreement(self.birds.images.flatten(1))

    def evaluate(self, trainer: Trainer) -> tuple[Mapping[str, float], Pil.Image]:
        """Agreement, and a few drawings."""
        classifier = trainer.averaged["reader"]
        assert isinstance(classifier, FactorClassifier)
        sheet = torch.cat(list(self.birds.images[:8]), dim=2)
        return self._agreement(extract_features(classifier, self.birds.images)), to_picture(sheet[None])

    def _agreement(self, features: Tensor) -> Mapping[str, float]:
        factors = self.birds.factors
        return clustering_agreement(kmeans_clusters(features), factors.shape, factors.texture)


def main() -> None:
    """The command line of this file."""
    run(FineGANCodeClassifier())


if __name__ == "__main__":
    main()
