"""InfoGAN's training on any pictures: a discriminator with a Q head, and a generator with the information loss.

Chen et al., arXiv:1606.03657, algorithm as published: the bound on the information is added to both networks' losses, so Q is trained with
the discriminator, whose trunk it shares. Changed: a running mean of the weights is kept, and its normalisations are measured anew at the
end, so that single pictures can be asked about; and where an affine range is given, the category is predicted under affine augmentation.
"""

import copy
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from engines.core.seeds import rng
from engines.generators.infogan import Draw, InfoGAN, random_codes
from engines.losses.adversarial import discriminator_loss, generator_loss
from engines.losses.information import category_loss, continuous_loss
from engines.nets.infogan import Discriminator, Form, Reading, build_generator, inputs
from engines.nets.initial import small
from engines.training.augmentation import AffineRange, affine_augmented
from engines.training.command import Preset, Setting
from engines.training.loop import Moment, Once, Terms, TrainableModule, Trainer, frozen
from engines.training.schedules import constant, through

BETAS = (0.5, 0.999)
DISCRIMINATOR_RATE, GENERATOR_RATE = 2e-4, 1e-3
INFORMATION, CONTINUOUS = constant(0.1), through((0.5, 0.01), (0.55, 0.1))
"""Weights of the category's bound and of the continuous codes', on digits."""

_MEASURED_ON = 40
"""Batches that the normalisations of the averaged networks are measured on."""


@dataclass(frozen=True, kw_only=True)
class InfoPreset(Preset):
    """One size.

    Attributes:
        width: Channels of the outermost features; further in they double.
        features: Length of the fully connected layers.
        halvings: How often the trunk halves the side.
        categories: Values of the categorical code.
        channels: Of the pictures: 1 or 3.
    """

    width: int
    features: int
    halvings: int = 2
    categories: int = 10
    channels: int = 1

    @property
    def form(self) -> Form:
        """The networks' numbers."""
        widths = tuple(self.width * 2**level for level in range(self.halvings))
        return Form(
            size=self.size,
            channels=self.channels,
            categories=self.categories,
            widths=widths,
            trunk=self.features,
            hidden=self.features,
            drawn=widths[::-1],
        )


class InfoGANNetworks:
    """The networks, and the pictures of a step, which both modules share.

    Attributes:
        made: Codes and pictures of a step, with their graph.

    Args:
        setting: The run.
        real: Pictures of a step, as the networks' form has them.
        augmentation: Affine range under which the category is predicted; none if not given.
    """

    def __init__(self, setting: Setting[InfoPreset], real: Callable[[int], Tensor], augmentation: AffineRange | None = None) -> None:
        self.setting, self.real, self.augmentation, self.form = setting, real, augmentation, setting.preset.form
        self.plain = "information" in setting.without
        self.weights = {"category": INFORMATION, "continuous": CONTINUOUS}
        self.generator = small(lambda: build_generator(self.form), setting.stream_seed(1)).to(setting.device)
        self.discriminator = small(lambda: Discriminator(self.form), setting.stream_seed(2)).to(setting.device)
        self.made = Once(self._made)

    def trainer(self) -> Trainer:
        """The discriminator with Q, then the generator."""
        helped = dict.fromkeys(self.weights, constant(0.0)) if self.plain else self.weights
        modules = {
            "reader": TrainableModule(self.discriminator, self.of_discriminator, self.weights, DISCRIMINATOR_RATE, BETAS),
            "generator": TrainableModule(self.generator, self.of_generator, helped, GENERATOR_RATE, BETAS),
        }
        setting = self.setting
        return Trainer(setting.preset.plan, modules, self.real, setting.folder / "checkpoint.pt", setting.device)

    def _made(self, _: Tensor, moment: Moment) -> tuple[Draw, Tensor]:
        chance = rng(self.setting.stream_seed(3) + moment.step)
        draw = random_codes(self.form, self.setting.preset.batch, chance, self.setting.device)
        return draw, self.generator(inputs(draw.z, draw.category, draw.continuous, self.form.categories))

    def of_discriminator(self, real: Tensor, moment: Moment) -> Iterator[Terms]:
        """Real or made, and which codes; real and made pictures are normalised each among themselves.

        In the ablation without information Q is trained on the frozen trunk, so that the same figures can be had.
        """
        draw, made = self.made(real, moment)
        real_score, reading = self.discriminator.score(real), self.discriminator(made.detach(), apart=self.plain)
        yield {"discriminator": discriminator_loss(real_score, reading.score)} | self._unread(draw, made.detach(), reading, moment)

    def of_generator(self, real: Tensor, moment: Moment) -> Iterator[Terms]:
        """Taken for real, with readable codes."""
        draw, made = self.made(real, moment)
        with frozen(self.discriminator):
            reading = self.discriminator(made)
            yield {"adversarial": generator_loss(reading.score)} | self._unread(draw, made, reading, moment)

    def _unread(self, draw: Draw, made: Tensor, reading: Reading, moment: Moment) -> dict[str, Tensor]:
        logits = reading.logits
        if self.augmentation is not None:
            logits = self.discriminator(affine_augmented(made, moment.chance, self.augmentation), apart=self.plain).logits
        return {"category": category_loss(logits, draw.category), "continuous": continuous_loss(reading.continuous, draw.continuous)}


def averaged(trainer: Trainer, setting: Setting[InfoPreset], real: Callable[[int], Tensor]) -> InfoGAN:
    """The averaged networks, their normalisations measured: the generator's on codes, the discriminator's on real pictures."""
    form = setting.preset.form
    generator, discriminator = (copy.deepcopy(trainer.averaged[name]) for name in ("generator", "reader"))
    assert isinstance(discriminator, Discriminator)
    codes = [
        random_codes(form, setting.preset.batch, rng(setting.stream_seed(3) - 2 - step), setting.device) for step in range(_MEASURED_ON)
    ]
    measure(generator, [inputs(draw.z, draw.category, draw.continuous, form.categories) for draw in codes])
    measure(discriminator, [real(step) for step in range(_MEASURED_ON)])
    return InfoGAN(form, generator, discriminator)


@torch.no_grad()
def measure(network: nn.Module, batches: list[Tensor]) -> None:
    """Set the means and variances of all normalisations to those of these batches."""
    norms = [module for module in network.modules() if isinstance(module, nn.BatchNorm1d | nn.BatchNorm2d)]
    momenta = [norm.momentum for norm in norms]
    for norm in norms:
        norm.reset_running_stats()
        norm.momentum = None  # a plain mean over all batches
    network.train()
    for batch in batches:
        network(batch)
    network.eval()
    for norm, momentum in zip(norms, momenta, strict=True):
        norm.momentum = momentum
