"""Train the evaluation classifier of paper birds: shape, texture, background and mask of a drawing, from its labels.

    studio train bird_oracle --preset cpu                         # one core, a quarter of an hour
    studio train bird_oracle --preset cpu --without recoating     # ablation: no repainting of textures

It measures FineGAN and whatever else learns these birds without labels. Since it is also applied to pictures that are not quite drawings,
it is trained on drawings that are blurred, noisy, and of colours and contrasts a little off.

Half of its drawings are painted over, inside their outline, with colours that no texture has. Without this it classified every
shape of plain drawings and 82 % of painted ones: it inferred a part of the shape from the five textures, so for an
outline between two shapes, another texture changed the answer. Evaluation of shapes must not depend on textures.
"""

from collections.abc import Iterator, Mapping
from typing import ClassVar

import torch
import torch.nn.functional as F
from PIL import Image as Pil
from torch import Tensor

from engines.core.images import area, to_picture
from engines.core.seeds import rng
from engines.core.shapes import Image, Mask
from engines.metrics.factors import overlap
from engines.nets.factor_classifier import FactorClassifier
from engines.nets.initial import seeded
from engines.training.augmentation import noise_augmented
from engines.training.command import Preset, run
from engines.training.datasets.birds import FACTORS, Birds
from engines.training.drawn import TEST, VALIDATION, BirdRecipe, BirdSetting, random_birds
from engines.training.loop import Moment, Plan, Terms, TrainableModule, Trainer

COUNT = 2_000
PAINTED = 0.5
"""Share of the drawings that are painted over while it learns."""


def roughened(image: Image, chance: torch.Generator) -> Image:
    """Pictures blurred, noisy, and of other contrast and colour, each in its own way."""
    count, device = len(image), image.device

    def drawn(*shape: int) -> Tensor:
        return torch.rand((count, *shape), generator=chance).to(device)

    soft = F.interpolate(area(image, image.shape[-1] // 2), image.shape[-2:], mode="bilinear")
    image = torch.lerp(image, soft, drawn(1, 1, 1))
    image = image * (0.8 + 0.4 * drawn(1, 1, 1)) + 0.3 * (drawn(3, 1, 1) - 0.5)
    noise = torch.randn(image.shape, generator=chance).to(device)
    return image + 0.15 * drawn(1, 1, 1) * noise


def repainted(image: Image, mask: Mask, share: float, chance: torch.Generator) -> tuple[Image, Tensor]:
    """A share of pictures (B,3,S,S) painted over with colours of all scales inside a mask (B,1,S,S), each more or less thickly.

    Returns:
        The pictures, and which of them (B,) kept their own texture.
    """
    thick, chosen = torch.rand((2, len(image)), generator=chance).to(image)
    thick = torch.where(chosen < share, thick, 0.0)
    paint = noise_augmented(torch.zeros_like(image), 0.5, chance).tanh()
    return torch.lerp(image, paint, thick[:, None, None, None] * mask), thick == 0


class BirdClassifier(BirdRecipe):
    """Labels and masks, both at once."""

    name = "bird_oracle"
    components = ("recoating",)
    presets: ClassVar = {
        "cpu": Preset(plan=Plan(3_000, hours=0.5, warm_up=50, averaging=0.99), batch=32, size=64),
        "gpu": Preset(plan=Plan(6_000, hours=0.2, warm_up=50, averaging=0.995), batch=128, size=64),
    }
    learning_rate = 2e-3

    def trainer(self, setting: BirdSetting) -> Trainer:
        """One network on labels and masks."""
        classifier = seeded(lambda: FactorClassifier(FACTORS), setting.seed).to(setting.device)
        share = 0.0 if "recoating" in setting.without else PAINTED

        def objective(birds: Birds, moment: Moment) -> Iterator[Terms]:
            images, own = repainted(birds.images, birds.masks, share, moment.chance)
            logits, mask = classifier(roughened(images, moment.chance))
            terms = {name: F.cross_entropy(logits[name], getattr(birds.factors, name)) for name in ("shape", "background")}
            if own.any():
                terms["texture"] = F.cross_entropy(logits["texture"][own], birds.factors.texture[own])
            yield terms | {"mask": F.binary_cross_entropy_with_logits(mask, birds.masks)}

        module = TrainableModule(classifier, objective, {}, self.learning_rate)
        checkpoint = setting.folder / "checkpoint.pt"
        return Trainer(setting.preset.plan, {"oracle": module}, lambda step: self.birds(setting, step), checkpoint, setting.device)

    def evaluator(self, setting: BirdSetting) -> "BirdClassifierEvaluator":
        """Drawings that training never sees."""
        return BirdClassifierEvaluator(setting, VALIDATION)

    def test(self, trainer: Trainer, setting: BirdSetting) -> Mapping[str, float]:
        """The same of other drawings."""
        return BirdClassifierEvaluator(setting, TEST).evaluate(trainer)[0]

    def shipped(self, trainer: Trainer, setting: BirdSetting) -> Mapping[str, Tensor]:
        """The averaged network."""
        return trainer.averaged["oracle"].state_dict()


class BirdClassifierEvaluator:
    """Share of right labels, of shapes also under paint, and how well masks fit, on a set of drawings.

    Args:
        setting: The run.
        seed: Of the set.
    """

    def __init__(self, setting: BirdSetting, seed: int) -> None:
        self.birds = random_birds(COUNT, seed, setting.preset.size, setting.device)
        self.painted = repainted(self.birds.images, self.birds.masks, 1.0, rng(seed))[0]

    def baseline(self) -> Mapping[str, float]:
        """What saying the commonest label comes to."""
        labels = {name: getattr(self.birds.factors, name) for name in FACTORS}
        return {name: float(torch.bincount(values).max()) / len(values) for name, values in labels.items()}

    @torch.no_grad()
    def evaluate(self, trainer: Trainer) -> tuple[Mapping[str, float], Pil.Image]:
        """Figures, and the masks of some drawings below them."""
        classifier = trainer.averaged["oracle"]
        answers = [classifier(part) for part in self.birds.images.split(100)]
        said = {name: torch.cat([logits[name].argmax(dim=1) for logits, _ in answers]) for name in FACTORS}
        painted = torch.cat([classifier(part)[0]["shape"].argmax(dim=1) for part in self.painted.split(100)])
        masks = torch.cat([mask for _, mask in answers]).sigmoid()
        right = {name: float((said[name] == getattr(self.birds.factors, name)).float().mean()) for name in FACTORS}
        right["shape_painted"] = float((painted == self.birds.factors.shape).float().mean())
        rows = [self.birds.images[:8], (2 * masks[:8] - 1).expand(-1, 3, -1, -1)]
        sheet = torch.cat([torch.cat(list(row), dim=2) for row in rows], dim=1)
        return right | {"mask": float(overlap(masks, self.birds.masks).mean())}, to_picture(sheet[None])


def main() -> None:
    """The command line of this file."""
    run(BirdClassifier())


if __name__ == "__main__":
    main()
