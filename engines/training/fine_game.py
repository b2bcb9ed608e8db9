"""FineGAN's game: its networks, the codes of a step, and the pictures that all players of a step share.

Singh, Ojha, Lee, arXiv:1811.11155, section 3; the critic of features is that of Sauer et al., "Projected GANs Converge Faster",
arXiv:2111.01007.
"""

from collections.abc import Callable
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from engines.core.shapes import Image
from engines.losses.adversarial import convinced, told_apart
from engines.losses.perceptual import LAYERS, Perceptual
from engines.nets.finegan import FineGenerator, Form, Stages
from engines.nets.finegan_critics import CodeCritic, FeatureCritic, PatchCritic
from engines.nets.initial import Network, orthogonal, plain
from engines.training.command import Preset
from engines.training.datasets.birds import Birds
from engines.training.drawn import BirdSetting
from engines.training.loop import Moment, Once
from engines.training.precision import lean
from engines.training.schedules import constant, through

_SIGHT = 128
"""Side at which AlexNet looks: its last layers then have 7 x 7 places."""

_FREE, _FREEING = 0.5, 0.06
"""Share of a batch whose codes are free of each other in the end, and of the run in which it grows to that."""


@dataclass(frozen=True, kw_only=True)
class FinePreset(Preset):
    """One size.

    Attributes:
        parents: Length of p.
        children: Length of c and of b.
        noise: Length of z.
        width: Of the generator's last features.
        halvings: See `Form`.
        loudness: Of codes in the first layers before training, where a part of z is 1.
        critics: Width of the first features of critics and readers.
        patches: Width of the patch critic's.
        hard: Share of the run at which every other step is on hard examples.
        candidates: Examples that one hard example is the worst of.
        free: Share of the run at which first codes come free of each other.
    """

    parents: int = 10
    children: int = 50
    noise: int = 16
    width: int
    halvings: int = 2
    loudness: float = 3.0
    critics: int
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


class Game:
    """The networks, and the pictures of a step, which all players share.

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
        self.generator = loud(placed(lambda: FineGenerator(preset.form), seed, self.device), preset.loudness)
        self.patches = placed(lambda: PatchCritic(preset.patches), seed + 1, self.device)
        self.parent = placed(lambda: CodeCritic(preset.critics, preset.size, preset.parents), seed + 2, self.device)
        self.child = placed(lambda: CodeCritic(preset.critics, preset.size, preset.children), seed + 3, self.device)
        self.coat = placed(lambda: CodeCritic(preset.critics, preset.size, preset.children), seed + 4, self.device)
        self.features = Features(seed + 5, self.device)
        self.drawn = Once(self._drawn)

    def codes(self, moment: Moment) -> Draw:
        """Random codes: the first rows' are free of each other; the others' are tied, b to c, and p to a fifth of all c in their order."""
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
        """Codes whose appearance the child's critic reads worst (section 3.3)."""
        every = [self.codes(moment) for _ in range(self.preset.candidates)]
        sure = torch.cat([self.sure(codes) for codes in every])
        worst = sure.topk(self.preset.batch, largest=False).indices
        return Draw(**{name: torch.cat([getattr(codes, name) for codes in every])[worst] for name in vars(every[0])})

    def sure(self, codes: Draw) -> Tensor:
        """How much the reader believes in the child code of each picture, (N,)."""
        logits = self.coat.logits(self.stages(codes).masked_child)
        return logits.softmax(dim=1).gather(1, codes.child[:, None]).squeeze(1)


class Features(nn.Module):
    """The critic of features, with the frozen network whose features they are.

    Args:
        seed: Of the critic's first weights.
        device: Where it is.
    """

    def __init__(self, seed: int, device: torch.device | str) -> None:
        super().__init__()
        self.critic = plain(lambda: FeatureCritic(LAYERS), seed).to(device)
        self._sight = [Perceptual(device)]  # in a list, so that its weights are not taken for the critic's

    def forward(self, picture: Image) -> list[Tensor]:
        """How real pictures (B,3,S,S) look, at every place of every layer and as a whole."""
        larger = F.interpolate(picture, _SIGHT, mode="bilinear")
        return self.critic([layer * layer.shape[1] ** 0.5 for layer in self._sight[0].features(larger)])

    def apart(self, real: Image, made: Image) -> Tensor:
        """What it minimises."""
        return torch.stack([told_apart(*pair) for pair in zip(self(real), self(made), strict=True)]).mean()

    def convinced(self, made: Image) -> Tensor:
        """What a generator minimises."""
        return torch.stack([convinced(score) for score in self(made)]).mean()


@torch.no_grad()
def loud(generator: FineGenerator, loudness: float) -> FineGenerator:
    """A fresh generator that hears its codes: a single one is 1 where z is 1 in each of its parts, and would be lost among them."""
    for start in ("h_net1_bg", "h_net1"):
        generator.get_parameter(f"{start}.fc.0.weight")[:, : -generator.form.noise] *= loudness
    return generator


def placed(build: Callable[[], Network], seed: int, device: torch.device | str) -> Network:
    """A fresh network where it is computed, channels last in memory: a sixth quicker on CPUs."""
    network = orthogonal(build, seed).to(device)
    for weight in network.parameters():
        if weight.dim() == 4:
            weight.data = weight.data.contiguous(memory_format=torch.channels_last)
    return network
