"""FineGAN's networks, the codes of a step, and the pictures that all trainable modules of a step share.

Singh, Ojha, Lee, arXiv:1811.11155, section 3; the discriminator on features is that of Sauer et al., "Projected GANs Converge Faster",
arXiv:2111.01007.
"""

from collections.abc import Callable
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from engines.core.shapes import Image
from engines.losses.adversarial import discriminator_loss, generator_loss
from engines.losses.perceptual import LAYERS, Perceptual
from engines.nets.finegan import FineGenerator, Form, Stages
from engines.nets.finegan_discriminators import CodeDiscriminator, FeatureDiscriminator, PatchDiscriminator
from engines.nets.initial import Network, orthogonal, plain
from engines.training.command import Preset
from engines.training.datasets.birds import Birds
from engines.training.drawn import BirdSetting
from engines.training.loop import Moment, Once
from engines.training.precision import lean
from engines.training.schedules import constant, through

_SIGHT = 128
"""Side of AlexNet's input: its last layers then have 7 x 7 positions."""

_FREE, _FREEING = 0.5, 0.06
"""Share of a batch whose codes are independent in the end, and of the run in which it grows to that."""


@dataclass(frozen=True, kw_only=True)
class FinePreset(Preset):
    """One size.

    Attributes:
        parents: Length of p.
        children: Length of c and of b.
        noise: Length of z.
        width: Of the generator's last features.
        halvings: See `Form`.
        code_scale: Scale of code weights in the first layers at initialisation, where that of z is 1.
        discriminator_width: Of the first features of all discriminators.
        patches: Width of the patch discriminator's.
        hard: Share of the run at which every other step is on hard examples.
        candidates: Examples that one hard example is the worst of.
        free: Share of the run from which codes are drawn independently.
    """

    parents: int = 10
    children: int = 50
    noise: int = 16
    width: int
    halvings: int = 2
    code_scale: float = 3.0
    discriminator_width: int
    patches: int = 16
    hard: float
    candidates: int
    free: float

    @property
    def form(self) -> Form:
        """The generator's numbers."""
        return Form(self.parents, self.children, self.noise, self.width, self.size, self.halvings)


@dataclass(frozen=True, eq=False)
class Draw:
    """What one picture a row is made from: z (N,noise) and the codes' numbers b, p and c, (N,) each."""

    z: Tensor
    background: Tensor
    parent: Tensor
    child: Tensor


class FineGANNetworks:
    """The networks, and the pictures of a step, which all modules share.

    Attributes:
        drawn: Codes and pictures of a step, with their graph.

    Args:
        setting: The run.
    """

    def __init__(self, setting: BirdSetting) -> None:
        preset = setting.preset
        assert isinstance(preset, FinePreset)
        self.preset, self.device, seed = preset, setting.device, setting.seed
        self.wants_hard = "hard" not in setting.without
        self.free = constant(0.0) if "free" in setting.without else through((preset.free, 0.0), (preset.free + _FREEING, _FREE))
        self.generator = scale_codes(placed(lambda: FineGenerator(preset.form), seed, self.device), preset.code_scale)
        self.patches = placed(lambda: PatchDiscriminator(preset.patches), seed + 1, self.device)
        self.parent = placed(lambda: CodeDiscriminator(preset.discriminator_width, preset.size, preset.parents), seed + 2, self.device)
        self.child = placed(lambda: CodeDiscriminator(preset.discriminator_width, preset.size, preset.children), seed + 3, self.device)
        self.texture = placed(lambda: CodeDiscriminator(preset.discriminator_width, preset.size, preset.children), seed + 4, self.device)
        self.features = ProjectedDiscriminator(seed + 5, self.device)
        self.drawn = Once(self._drawn)

    def codes(self, moment: Moment) -> Draw:
        """Random codes: the first rows' are independent; the others' are tied, b to c, and p to a fifth of all c in their order."""
        preset, count, chance = self.preset, self.preset.batch, moment.chance
        z = torch.randn((count, preset.noise), generator=chance)
        child, background = (torch.randint(preset.children, (count,), generator=chance) for _ in range(2))
        parent = torch.randint(preset.parents, (count,), generator=chance)
        tied = torch.arange(count) >= round(self.free(moment.progress) * count)
        background, parent = torch.where(tied, child, background), torch.where(tied, child // (preset.children // preset.parents), parent)
        return Draw(*(part.to(self.device) for part in (z, background, parent, child)))

    def stages(self, draw: Draw) -> Stages:
        """Pictures."""
        child, background = (F.one_hot(code, self.preset.children).float() for code in (draw.child, draw.background))
        parent = F.one_hot(draw.parent, self.preset.parents).float()
        with lean(torch.device(self.device), self.preset.plan.bfloat16):
            stages = self.generator(draw.z, background, parent, child)
        return Stages(**{name: value.float() for name, value in vars(stages).items()})

    def _drawn(self, _: Birds, moment: Moment) -> tuple[Draw, Stages]:
        hard = self.wants_hard and moment.progress >= self.preset.hard and moment.step % 2
        codes = self.hard(moment) if hard else self.codes(moment)
        return codes, self.stages(codes)

    @torch.no_grad()
    def hard(self, moment: Moment) -> Draw:
        """Hard examples: codes whose child code is predicted with least confidence (section 3.3)."""
        every = [self.codes(moment) for _ in range(self.preset.candidates)]
        confidence = torch.cat([self.confidence(codes) for codes in every])
        worst = confidence.topk(self.preset.batch, largest=False).indices
        return Draw(**{name: torch.cat([getattr(codes, name) for codes in every])[worst] for name in vars(every[0])})

    def confidence(self, codes: Draw) -> Tensor:
        """Probability of each picture's own child code by the code discriminator, (N,)."""
        logits = self.texture.logits(self.stages(codes).masked_child)
        return logits.softmax(dim=1).gather(1, codes.child[:, None]).squeeze(1)


class ProjectedDiscriminator(nn.Module):
    """A discriminator on the features of a frozen network (Projected GAN).

    Args:
        seed: Of the discriminator's first weights.
        device: Where it is.
    """

    def __init__(self, seed: int, device: torch.device | str) -> None:
        super().__init__()
        self.critic = plain(lambda: FeatureDiscriminator(LAYERS), seed).to(device)
        self._sight = [Perceptual(device)]  # in a list, so that its weights are not taken for the discriminator's

    def forward(self, picture: Image) -> list[Tensor]:
        """Scores of pictures (B,3,S,S), at every position of every layer and as a whole."""
        larger = F.interpolate(picture, _SIGHT, mode="bilinear")
        return self.critic([layer * layer.shape[1] ** 0.5 for layer in self._sight[0].features(larger)])

    def discriminator_loss(self, real: Image, made: Image) -> Tensor:
        """What it minimises."""
        return torch.stack([discriminator_loss(*pair) for pair in zip(self(real), self(made), strict=True)]).mean()

    def generator_loss(self, made: Image) -> Tensor:
        """What a generator minimises."""
        return torch.stack([generator_loss(score) for score in self(made)]).mean()


@torch.no_grad()
def scale_codes(generator: FineGenerator, code_scale: float) -> FineGenerator:
    """A new generator whose code weights are scaled up: a one-hot code has one 1 against all of z, and would have little effect."""
    for start in ("h_net1_bg", "h_net1"):
        generator.get_parameter(f"{start}.fc.0.weight")[:, : -generator.form.noise] *= code_scale
    return generator


def placed(build: Callable[[], Network], seed: int, device: torch.device | str) -> Network:
    """A fresh network where it is computed, channels last in memory: a sixth quicker on CPUs."""
    network = orthogonal(build, seed).to(device)
    for weight in network.parameters():
        if weight.dim() == 4:
            weight.data = weight.data.contiguous(memory_format=torch.channels_last)
    return network
