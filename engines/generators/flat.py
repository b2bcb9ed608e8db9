"""A generator of one flat code, as InfoGAN has it (arXiv:1606.03657), of FineGAN's own parts: the baseline for its hierarchy."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

import torch
import torch.nn.functional as F
from torch import Tensor

from engines.core.errors import WeightsError
from engines.core.seeds import rng
from engines.core.shapes import Image
from engines.core.weights import load_weights
from engines.generators.finegan import filled, form_of
from engines.nets.finegan import FlatGenerator, Form
from engines.nets.finegan_discriminators import CodeDiscriminator

WEIGHTS = "infogan_birds"
_AT_ONCE = 32
_Q = "reader."


@dataclass(frozen=True, eq=False)
class FlatGAN:
    """Both networks with their form; only ever read.

    Attributes:
        form: The generator's numbers; its code has `parents` values.
        generator: The generator, in evaluation mode.
        q_network: The Q network that predicts the code, in evaluation mode.
    """

    form: Form
    generator: FlatGenerator
    q_network: CodeDiscriminator

    @property
    def device(self) -> torch.device:
        """Where the weights are."""
        return next(self.generator.parameters()).device

    @torch.no_grad()
    def draw(self, z: Tensor, code: Tensor) -> Image:
        """Pictures of z (N,noise) and the code's numbers (N,)."""
        hot = F.one_hot(code, self.form.parents).to(z)
        parts = zip(z.split(_AT_ONCE), hot.split(_AT_ONCE), strict=True)
        return torch.cat([self.generator(*part) for part in parts])

    def sampled(self, count: int, seed: int) -> tuple[Tensor, Image]:
        """Random numbers (N,) of the code, and their pictures."""
        chance = rng(seed)
        code = torch.randint(self.form.parents, (count,), generator=chance)
        z = torch.randn((count, self.form.noise), generator=chance)
        return code, self.draw(z.to(self.device), code.to(self.device))

    @torch.no_grad()
    def features(self, images: Image) -> Tensor:
        """Q's features of pictures (N,3,S,S), averaged over positions: (N,F)."""
        return self.q_network.trunk(images).mean(dim=(2, 3))

    def to_weights(self) -> dict[str, Tensor]:
        """Both networks: the generator by the names of FineGAN's first stages, and reader.*."""
        return dict(self.generator.state_dict()) | {f"{_Q}{key}": value for key, value in self.q_network.state_dict().items()}


def from_weights(weights: Mapping[str, Tensor], name: str = WEIGHTS) -> FlatGAN:
    """What `FlatGAN.to_weights` gave, all dimensions read from the shapes.

    Raises:
        WeightsError: Weights are missing, or do not fit together.
    """
    form = form_of(weights, name)
    of_q = {key.removeprefix(_Q): value for key, value in weights.items() if key.startswith(_Q)}
    if "trunk.0.weight" not in of_q:
        raise WeightsError(f"{name} lacks trunk.0.weight, by which its code is read.")
    width = len(of_q["trunk.0.weight"])
    generator = filled(lambda: FlatGenerator(form), weights, name)
    return FlatGAN(form, generator, filled(lambda: CodeDiscriminator(width, form.size, form.parents), of_q, name))


@cache
def bundled_flat(device: torch.device | str = "cpu") -> FlatGAN:
    """The network that was trained here, read once for all.

    Raises:
        WeightsError: It is not bundled.
    """
    flat = from_weights(load_weights(WEIGHTS))
    return FlatGAN(flat.form, flat.generator.to(device), flat.q_network.to(device))
