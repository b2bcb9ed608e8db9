import torch

from engines.spaces.latent import Inversion, Latent


def test_a_detached_code_shares_nothing() -> None:
    codes = torch.zeros(1, 4, requires_grad=True)
    copy = Latent("w", codes).detached()
    assert not copy.codes.requires_grad
    copy.codes.add_(1)
    assert float(codes.detach().sum()) == 0


def test_bytes_count_every_tensor() -> None:
    inversion = Inversion(Latent("w", torch.zeros(1, 4)), {"bias": torch.zeros(3)}, {"noise/conv_4": torch.zeros(1, 1, 4, 4)})
    assert inversion.nbytes() == 4 * (4 + 3 + 16)


def test_moving_keeps_every_part() -> None:
    inversion = Inversion(Latent("w_plus", torch.ones(1, 3, 4)), {"bias": torch.ones(3)}, {"style/conv_4": torch.ones(1, 2, 4, 4)})
    moved = inversion.to("cpu")
    assert moved.latent.space == "w_plus"
    assert moved.tuning.keys() == inversion.tuning.keys()
    assert moved.features.keys() == inversion.features.keys()
