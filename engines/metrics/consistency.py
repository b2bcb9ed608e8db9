"""Latent editing consistency (LEC): how well an encoder's codes survive editing.

Tov et al., "Designing an Encoder for StyleGAN Image Manipulation", arXiv:2102.02766, section 6.3: encode a photo, edit the code, draw it,
re-encode the picture, undo the edit, and compare the codes. Lower is better; 0 means that editing and encoding are consistent.
"""

from collections.abc import Callable

import torch
from torch import Tensor

from engines.core.shapes import Codes, Image
from engines.generators.base import Generator
from engines.spaces.directions import Direction, Edit, apply_directions
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
        edited = apply_directions(Latent("w_plus", codes), [(direction, strength)], generator)
        again = encode(generator.synthesize(edited.latent, features=edited.features).clamp(-1, 1))
        back = apply_directions(Latent("w_plus", again), [(direction, -strength)], generator)
        difference = (back.latent.codes - codes) / statistics(generator).deviation
        left.append(difference[:, list(generator.slots.active)].flatten(1).norm(dim=1))
    return torch.cat(left)


@torch.no_grad()
def re_encoding_consistency(encode: Callable[[Image], Codes], generator: Generator, before: Image, after: Image, edit: Edit) -> Tensor:
    """LEC by one fixed encoder: what an edit changed beside the edit itself, in standard deviations of W, (batch,).

    The measure above wants each method to encode its own edited picture, which takes an optimiser as long as the photo did, and for tuned
    weights has no meaning. So one encoder re-encodes every method's picture before and after: E(after) without the edit, less E(before).

    Args:
        encode: From pictures (B,3,R,R) to w_plus (B,slots,width).
        generator: Whose W it is.
        before: Inversions as they are, (B,3,R,R).
        after: The same edited, (B,3,R,R).
        edit: A direction of W or W+ with the strength that was applied.
    """
    direction, strength = edit
    again = Latent("w_plus", encode(after.clamp(-1, 1)))
    back = apply_directions(again, [(direction, -strength)], generator).latent.codes
    difference = (back - encode(before.clamp(-1, 1))) / statistics(generator).deviation
    return difference[:, list(generator.slots.active)].flatten(1).norm(dim=1)


def trimmed_mean(values: Tensor) -> float:
    """Mean without the lowest and highest hundredth, as the paper's script takes it."""
    low, high = values.quantile(values.new_tensor(_TRIMMED))
    return float(values[(values >= low) & (values <= high)].mean())
