import torch

from engines.core.seeds import normal
from engines.nets.delta import DeltaNet
from engines.nets.initial import plain, small


def random_net() -> DeltaNet:
    """With a curved part that is not 0."""
    return small(lambda: DeltaNet(20, 4, 6), 1, deviation=0.5).requires_grad_(False)


def test_equal_codes_are_no_change_and_no_change_adds_nothing() -> None:
    net, code = random_net(), normal((3, 20), 1)
    assert float(net.encode(code, code).abs().max()) < 1e-6
    assert float(net.decode(code, torch.zeros(3, 4)).abs().max()) < 1e-6


def test_a_change_depends_on_both_codes_and_what_it_adds_on_the_face() -> None:
    net, before, after, other = random_net(), normal((3, 20), 1), normal((3, 20), 2), normal((3, 20), 3)
    delta = net.encode(before, after)
    assert not torch.allclose(delta, net.encode(before + 1, after + 1))
    assert not torch.allclose(net.decode(before, delta), net.decode(other, delta))


def test_it_begins_as_a_linear_autoencoder_of_differences() -> None:
    net, before, after = plain(lambda: DeltaNet(20, 4, 6), 1), normal((3, 20), 1), normal((3, 20), 2)
    delta = net.encode(before, after)
    assert torch.allclose(delta, net.encode(before + 1, after + 1), atol=1e-6)
    assert torch.allclose(net.encode(after, before), -delta, atol=1e-6)
    assert torch.allclose(net.decode(before, 2 * delta), 2 * net.decode(after, delta), atol=1e-6)
