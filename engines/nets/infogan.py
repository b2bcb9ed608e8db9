"""InfoGAN's networks: a generator of noise and codes, and a discriminator with a Q head that predicts the codes.

Chen et al., "InfoGAN: Interpretable Representation Learning by Information Maximizing Generative Adversarial Nets", arXiv:1606.03657,
appendix C.1 (digits) and C.3 (32 px in colour). Changed: widths are parameters, and a score is a logit.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from engines.core.errors import WeightsError

VERSION = 1


@dataclass(frozen=True)
class Form:
    """The numbers of one pair of networks.

    Attributes:
        noise: Length of z.
        categories: Values of the categorical code.
        continuous: Continuous codes.
        size: Side of the pictures.
        channels: 1, in [0, 1], or 3, in [-1, 1].
        widths: Channels behind each convolution of the trunk, each halving the side.
        trunk: Length of the features of score and codes.
        q_width: Width of the Q head's hidden layer.
        hidden: Width of the generator's first layer; 0 where there is none.
        drawn: Channels before each of the generator's transposed convolutions, each doubling the side.
        slope: Of leaky ReLU.
    """

    noise: int = 62
    categories: int = 10
    continuous: int = 2
    size: int = 28
    channels: int = 1
    widths: tuple[int, ...] = (64, 128)
    trunk: int = 1024
    q_width: int = 128
    hidden: int = 1024
    drawn: tuple[int, ...] = (128, 64)
    slope: float = 0.1

    @property
    def length(self) -> int:
        """Of the generator's input: z, one-hot category, continuous codes, in this order."""
        return self.noise + self.categories + self.continuous


@dataclass(frozen=True, eq=False)
class Reading:
    """Outputs of both heads: scores (N,), above 0 for real; logits (N,categories); continuous codes (N,continuous)."""

    score: Tensor
    logits: Tensor
    continuous: Tensor


def build_generator(form: Form) -> nn.Sequential:
    """From inputs (N,length) to pictures (N,channels,size,size)."""
    side = form.size // 2 ** len(form.drawn)
    layers: list[nn.Module] = []
    length = form.length
    for width in [form.hidden] * bool(form.hidden) + [form.drawn[0] * side**2]:
        layers += [nn.Linear(length, width), nn.BatchNorm1d(width), nn.ReLU()]
        length = width
    layers.append(nn.Unflatten(1, (form.drawn[0], side, side)))
    for wide, narrow in zip(form.drawn, form.drawn[1:], strict=False):
        layers += [nn.ConvTranspose2d(wide, narrow, 4, 2, 1), nn.BatchNorm2d(narrow), nn.ReLU()]
    layers.append(nn.ConvTranspose2d(form.drawn[-1], form.channels, 4, 2, 1))
    return nn.Sequential(*layers, nn.Sigmoid() if form.channels == 1 else nn.Tanh())


class Discriminator(nn.Module):
    """One trunk, two heads: is it real (D), and which codes made it (Q)."""

    def __init__(self, form: Form) -> None:
        super().__init__()
        self.form = form
        first, *others = form.widths
        layers: list[nn.Module] = [nn.Conv2d(form.channels, first, 4, 2, 1), nn.LeakyReLU(form.slope)]
        for width in others:
            layers += [nn.Conv2d(first, width, 4, 2, 1), nn.BatchNorm2d(width), nn.LeakyReLU(form.slope)]
            first = width
        length = first * (form.size // 2 ** len(form.widths)) ** 2
        layers += [nn.Flatten(), nn.Linear(length, form.trunk), nn.BatchNorm1d(form.trunk), nn.LeakyReLU(form.slope)]
        self.trunk = nn.Sequential(*layers)
        self.d_head = nn.Linear(form.trunk, 1)
        answers = nn.Linear(form.q_width, form.categories + form.continuous)
        self.q_head = nn.Sequential(nn.Linear(form.trunk, form.q_width), nn.BatchNorm1d(form.q_width), nn.LeakyReLU(form.slope), answers)

    def forward(self, images: Tensor, *, apart: bool = False) -> Reading:
        """Both heads on pictures (N,channels,size,size); where Q stays `apart`, its gradients stop before the trunk."""
        seen = self.trunk(images)
        read = self.q_head(seen.detach() if apart else seen)
        logits, continuous = read.split((self.form.categories, self.form.continuous), dim=1)
        return Reading(self.d_head(seen).squeeze(1), logits, continuous)

    def score(self, images: Tensor) -> Tensor:
        """D's logits (N,) alone."""
        return self.d_head(self.trunk(images)).squeeze(1)


def inputs(z: Tensor, category: Tensor, continuous: Tensor, categories: int) -> Tensor:
    """What the generator takes: z (N,noise), numbers (N,) of categories, continuous codes (N,continuous), side by side."""
    return torch.cat([z, F.one_hot(category, categories).to(z.dtype), continuous], dim=1)


def to_weights(form: Form, generator: nn.Module, discriminator: nn.Module) -> dict[str, Tensor]:
    """Both networks by the names g.*, trunk.*, d_head.*, q_head.*, and "form": version, noise, categories, continuous codes, size."""
    numbers = torch.tensor([VERSION, form.noise, form.categories, form.continuous, form.size])
    return {f"g.{key}": value for key, value in generator.state_dict().items()} | discriminator.state_dict() | {"form": numbers}


def from_weights(weights: Mapping[str, Tensor]) -> tuple[Form, nn.Sequential, Discriminator]:
    """Both networks, ready to be asked; all widths are read off the shapes.

    Raises:
        WeightsError: The tensors are not those of `to_weights`.
    """
    try:
        form = _form(weights)
        with torch.random.fork_rng(devices=[]):
            generator, discriminator = build_generator(form), Discriminator(form)
        generator.load_state_dict({key.removeprefix("g."): value for key, value in weights.items() if key.startswith("g.")})
        discriminator.load_state_dict({key: value for key, value in weights.items() if key.startswith(("trunk.", "d_head.", "q_head."))})
    except (KeyError, IndexError, ValueError, RuntimeError) as error:
        raise WeightsError("These are not the weights of an InfoGAN of this version: g.*, trunk.*, d_head.*, q_head.* and form.") from error
    return form, generator.eval().requires_grad_(False), discriminator.eval().requires_grad_(False)


def _form(weights: Mapping[str, Tensor]) -> Form:
    version, noise, categories, continuous, size = weights["form"].tolist()
    if version != VERSION:
        raise ValueError(f"version {version}")
    up = [value for key, value in sorted(weights.items(), key=_place) if key.startswith("g.") and value.dim() == 4]
    down = [value for key, value in sorted(weights.items(), key=_place) if key.startswith("trunk.") and value.dim() == 4]
    linear = [value for key, value in weights.items() if key.startswith("g.") and value.dim() == 2]
    return Form(
        noise=noise,
        categories=categories,
        continuous=continuous,
        size=size,
        channels=up[-1].shape[1],
        widths=tuple(value.shape[0] for value in down),
        trunk=weights["d_head.weight"].shape[1],
        q_width=weights["q_head.0.weight"].shape[0],
        hidden=weights["g.0.weight"].shape[0] if len(linear) == 2 else 0,
        drawn=tuple(value.shape[0] for value in up),
    )


def _place(item: tuple[str, Tensor]) -> tuple[str, int]:
    head, *rest = item[0].split(".")
    return head, int(rest[0]) if rest and rest[0].isdigit() else 0
