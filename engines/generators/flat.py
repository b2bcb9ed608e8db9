"""A generator of one flat code, as InfoGAN has it (arXiv:1606.03657), of FineGAN's own parts: the yardstick for its hierarchy."""

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
from engines.nets.finegan_critics import CodeCritic

WEIGHTS = "infogan_birds"
_AT_ONCE = 32
_READER = "reader."


@dataclass(frozen=True, eq=False)
class FlatGAN:
    """Both networks with their form; only ever read.

    Attributes:
        form: The generator's numbers; its code has `parents` values.
        drawer: The generator, in evaluation mode.
        reader: What reads the code off pictures, in evaluation mode.
    """

    form: Form
    drawer: FlatGenerator
    reader: CodeCritic

    @property
    def device(self) -> torch.device:
        """Where the weights are."""
        return next(self.drawer.parameters()).device

    @torch.no_grad()
    def draw(self, z: Tensor, code: Tensor) -> Image:
        """Pictures of z (N,noise) and the code's numbers (N,)."""
        hot = F.one_hot(code, self.form.parents).to(z)
        parts = zip(z.split(_AT_ONCE), hot.split(_AT_ONCE), strict=True)
        return torch.cat([self.drawer(*part) for part in parts])

    def sampled(self, count: int, seed: int) -> tuple[Tensor, Image]:
        """Random numbers (N,) of the code, and their pictures."""
        chance = rng(seed)
        code = torch.randint(self.form.parents, (count,), generator=chance)
        z = torch.randn((count, self.form.noise), generator=chance)
        return code, self.draw(z.to(self.device), code.to(self.device))

    @torch.no_grad()
    def features(self, images: Image) -> Tensor:
        """What the reader sees in pictures (N,3,S,S), over all places: (N,F)."""
        return self.reader.trunk(images).mean(dim=(2, 3))

    def to_weights(self) -> dict[str, Tensor]:
        """Both networks: the generator by the names of FineGAN's first stages, and reader.*."""
        return dict(self.drawer.state_dict()) | {f"{_READER}{key}": value for key, value in self.reader.state_dict().items()}


def from_weights(weights: Mapping[str, Tensor], name: str = WEIGHTS) -> FlatGAN:
    """What `FlatGAN.to_weights` gave, all dimensions read from the shapes.

    Raises:
        WeightsError: Weights are missing, or do not fit together.
    """
    form = form_of(weights, name)
    of_reader = {key.removeprefix(_READER): value for key, value in weights.items() if key.startswith(_READER)}
    if "trunk.0.weight" not in of_reader:
        raise WeightsError(f"{name} lacks trunk.0.weight, by which its code is read.")
    width = len(of_reader["trunk.0.weight"])
    drawer = filled(lambda: FlatGenerator(form), weights, name)
    return FlatGAN(form, drawer, filled(lambda: CodeCritic(width, form.size, form.parents), of_reader, name))


@cache
def bundled_flat(device: torch.device | str = "cpu") -> FlatGAN:
    """The network that was trained here, read once for all.

    Raises:
        WeightsError: It is not bundled.
    """
    flat = from_weights(load_weights(WEIGHTS))
    return FlatGAN(flat.form, flat.drawer.to(device), flat.reader.to(device))
