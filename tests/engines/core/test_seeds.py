import torch

from engines.core.seeds import normal, rng, z_codes


def test_a_seed_decides_the_noise() -> None:
    assert torch.equal(normal((4, 5), 3), normal((4, 5), 3))
    assert not torch.equal(normal((4, 5), 3), normal((4, 5), 4))


def test_every_stream_is_fresh() -> None:
    stream = rng(3)
    first = torch.randn(4, generator=stream)
    assert torch.equal(torch.randn(4, generator=rng(3)), first)
    assert not torch.equal(torch.randn(4, generator=stream), first)


def test_devices_see_the_same_values(device: torch.device) -> None:
    assert torch.equal(normal((8,), 1, device).cpu(), normal((8,), 1))


def test_global_randomness_stays_untouched() -> None:
    before = torch.get_rng_state()
    z_codes(3, 8, 1)
    assert torch.equal(torch.get_rng_state(), before)


def test_codes_are_standard_normal() -> None:
    z = z_codes(4000, 8, 1)
    assert z.shape == (4000, 8)
    assert abs(float(z.mean())) < 0.02
    assert abs(float(z.std()) - 1) < 0.02
