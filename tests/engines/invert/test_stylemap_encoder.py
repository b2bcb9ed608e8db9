"""The stylemap encoder: what it says, and that refining lowers the error."""

import torch

from engines import InvertRequest
from engines.generators.ffhq import FfhqGenerator
from engines.invert.encode.stylemap import SIDES, StylemapEncoder
from engines.spaces.statistics import random_w


def test_it_says_a_code_for_each_cell_around_their_mean(toy: FfhqGenerator) -> None:
    target = toy.synthesize(random_w(toy, 3)).clamp(-1, 1)
    mean, grid = StylemapEncoder(toy).encode(target)
    assert mean.shape == (1, toy.width) and grid.shape == (1, toy.width, SIDES[-1], SIDES[-1])
    assert float(grid.mean(dim=(2, 3)).abs().max()) < 1e-4 and float(grid.abs().max()) > 0


def test_the_inversion_redraws_the_picture_and_refining_comes_closer(toy: FfhqGenerator) -> None:
    target = toy.synthesize(random_w(toy, 3)).clamp(-1, 1)
    engine = StylemapEncoder(toy)
    once, refined = engine(InvertRequest(image=target)), engine(InvertRequest(image=target), refine_steps=15)
    for result in (once, refined):
        kept = result.inversions[0]
        assert torch.allclose(toy.synthesize(kept.latent, features=kept.features), result.images, atol=1e-5)
    assert torch.equal(refined.stages["one pass"], once.images)
    assert float((refined.images - target).square().mean()) < 0.8 * float((once.images - target).square().mean())
