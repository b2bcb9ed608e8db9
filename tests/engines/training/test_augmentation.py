"""Pictures in other poses."""

import numpy as np
import torch

from engines.core.seeds import rng
from engines.training.augmentation import BIRDS, DIGITS, AffineRange, affine_augmented

_STILL = AffineRange(0.0, 0.0, 0.0)


def corner() -> torch.Tensor:
    """A picture that its mirror image is unlike: a wedge, many times."""
    rows, columns = torch.meshgrid(torch.arange(28), torch.arange(28), indexing="ij")
    wedge = ((rows > 6) & (rows < 21) & (columns > 6) & (columns < rows)).float()
    return wedge.expand(60, 1, 28, 28)


def alike(first: torch.Tensor, second: torch.Tensor) -> torch.Tensor:
    return (first * second).sum(dim=(1, 2, 3)) / (first.square().sum(dim=(1, 2, 3)) * second.square().sum(dim=(1, 2, 3))).sqrt()


def test_digits_are_moved_but_never_mirrored_and_birds_are() -> None:
    plain = corner()
    for poses, least, most in ((DIGITS, 0, 10), (BIRDS, 20, 40)):
        moved = affine_augmented(plain, rng(1), poses)
        mirrored = alike(moved, plain.flip(3)) > alike(moved, plain)
        assert least <= int(mirrored.sum()) <= most
        assert len(moved.flatten(1).unique(dim=0)) == 60
        assert float(moved.min()) >= 0 and float(moved.max()) <= 1


def test_shear_pushes_rows_aside_and_leaves_their_height() -> None:
    plain = corner()
    sheared = affine_augmented(plain, rng(2), AffineRange(0.0, 0.0, 0.0, shear=0.3))
    assert torch.allclose(affine_augmented(plain, rng(2), _STILL), plain, atol=1e-4)
    assert torch.allclose(sheared.sum(dim=3), plain.sum(dim=3), atol=0.6)
    assert float((sheared - plain).abs().sum(dim=(1, 2, 3)).median()) > 5


def test_a_blot_comes_to_lie_where_the_matrix_takes_it() -> None:
    """Its centre c of mass against M p + t = c, with M a turn, a growth and a mirror image, and a shear beside them."""
    steps = (np.arange(65) + 0.5) / 32.5 - 1
    c = np.array([0.25, -0.1])
    blot = torch.from_numpy(np.exp(-((steps[None] - c[0]) ** 2 + (steps[:, None] - c[1]) ** 2) / 0.01)).float()
    poses = AffineRange(0.5, 0.1, 0.2, shear=0.3, mirrored=True)
    moved = affine_augmented(blot.expand(12, 1, -1, -1), rng(5), poses)[:, 0].double().numpy()
    turn, right, down, growth, side = (2 * torch.rand((5, 12), generator=rng(5)) - 1).double().numpy()
    assert (side < 0).any() and (side > 0).any()
    for number, picture in enumerate(moved):
        angle, scale = 0.5 * turn[number], 1 + 0.2 * growth[number]
        mirror = np.diag([np.sign(side[number]), 1.0])
        turned = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]) @ mirror
        matrix = scale * turned + np.array([[0, 0.3 * side[number]], [0, 0]])
        place = np.linalg.solve(matrix, c - 0.1 * np.array([right[number], down[number]]))
        seen = [(picture.sum(axis=axis) * steps).sum() / picture.sum() for axis in (0, 1)]
        assert np.allclose(seen, place, atol=0.01)
