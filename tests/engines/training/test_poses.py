"""Pictures in other poses."""

import torch

from engines.core.seeds import rng
from engines.training.poses import BIRDS, DIGITS, Poses, posed

_STILL = Poses(0.0, 0.0, 0.0)


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
        moved = posed(plain, rng(1), poses)
        mirrored = alike(moved, plain.flip(3)) > alike(moved, plain)
        assert least <= int(mirrored.sum()) <= most
        assert len(moved.flatten(1).unique(dim=0)) == 60
        assert float(moved.min()) >= 0 and float(moved.max()) <= 1


def test_shear_pushes_rows_aside_and_leaves_their_height() -> None:
    plain = corner()
    sheared = posed(plain, rng(2), Poses(0.0, 0.0, 0.0, shear=0.3))
    assert torch.allclose(posed(plain, rng(2), _STILL), plain, atol=1e-4)
    assert torch.allclose(sheared.sum(dim=3), plain.sum(dim=3), atol=0.6)
    assert float((sheared - plain).abs().sum(dim=(1, 2, 3)).median()) > 5
