"""How well an encoder's codes survive editing: latent editing consistency.

Tov et al., "Designing an Encoder for StyleGAN Image Manipulation", arXiv:2102.02766, section 6.3: encode a photo, edit the code, draw it,
encode the drawing, undo the edit, and see how far the code has come. Lower is better; 0 means that editing and encoding know each other.
"""

from collections.abc import Callable

import torch
from torch import Tensor

from engines.core.shapes import Codes, Image
from engines.generators.base import Generator
from engines.spaces.directions import Direction, apply
from engines.spaces.latent import Latent
from engines.spaces.statistics import statistics

_TRIMMED = (0.01, 0.99)


@torch.no_grad()
def editing_consistency(
    encode: Callable[[Image], Codes], generator: Generator, images: Image, direction: Direction, strength: float = 3.0
) -> Tensor:
    """Length of what is left of each code after an edit there and back, in standard deviations of W, (batch,).

    Args:
        encode: From pictures (B,3,R,R) to w_plus (B,slots,width).
        generator: Who draws.
        images: Aligned faces, (B,3,R,R).
        direction: Of the edit.
        strength: In the direction's sigma.
    """
    left = []
    for image in images.split(1):
        codes = encode(image)
        edited = apply(Latent("w_plus", codes), [(direction, strength)], generator)
        again = encode(generator.synthesize(edited.latent, features=edited.features).clamp(-1, 1))
        back = apply(Latent("w_plus", again), [(direction, -strength)], generator)
        difference = (back.latent.codes - codes) / statistics(generator).deviation
        left.append(difference[:, list(generator.slots.active)].flatten(1).norm(dim=1))
    return torch.cat(left)


def trimmed_mean(values: Tensor) -> float:
    """Mean without the lowest and highest hundredth, as the paper's script takes it."""
    low, high = values.quantile(values.new_tensor(_TRIMMED))
    return float(values[(values >= low) & (values <= high)].mean())
