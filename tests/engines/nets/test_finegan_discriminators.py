import pytest
import torch

from engines.nets.factor_classifier import FactorClassifier
from engines.nets.finegan_discriminators import PATCH, STRIDE, CodeDiscriminator, FeatureDiscriminator, PatchDiscriminator, free_patches
from engines.nets.initial import orthogonal, plain


def test_a_patch_sees_sixteen_pixels_and_no_more() -> None:
    critic = orthogonal(lambda: PatchDiscriminator(4), 0)
    picture = torch.zeros(1, 3, 64, 64)
    before = critic(picture)[1]
    picture[0, :, 20, 31] = 1.0
    changed = (critic(picture)[1] != before)[0].nonzero()
    assert before.shape == (1, 25, 25)
    for row, column in changed.tolist():
        assert STRIDE * row <= 20 < STRIDE * row + PATCH
        assert STRIDE * column <= 31 < STRIDE * column + PATCH
    assert len(changed) == 64


def test_free_patches_touch_no_pixel_of_the_box() -> None:
    box = torch.tensor([[20, 30, 41, 45], [0, 0, 64, 64], [0, 0, 0, 0]])
    free = free_patches(box, 64)
    picture = torch.zeros(64, 64)
    picture[30:45, 20:41] = 1
    for row in range(25):
        for column in range(25):
            inside = picture[2 * row : 2 * row + PATCH, 2 * column : 2 * column + PATCH].sum()
            assert bool(free[0, row, column]) == (float(inside) == 0)
    assert not free[1].any()
    assert free[2].all()


@pytest.mark.parametrize("size", [32, 64, 128])
def test_a_critic_of_codes_takes_every_size(size: int) -> None:
    critic = orthogonal(lambda: CodeDiscriminator(4, size, 7), 1)
    picture = torch.rand(3, 3, size, size)
    assert critic.logits(picture).shape == (3, 7)
    assert critic.score(picture).shape == (3,)
    assert critic.trunk(picture).shape == (3, 32, 4, 4)


def test_orthogonal_weights_follow_from_the_seed_alone() -> None:
    torch.manual_seed(5)
    state = torch.random.get_rng_state()
    first, second = (orthogonal(lambda: CodeDiscriminator(4, 32, 7), seed) for seed in (1, 1))
    assert torch.equal(torch.random.get_rng_state(), state)
    assert all(torch.equal(ours, theirs) for ours, theirs in zip(first.state_dict().values(), second.state_dict().values(), strict=True))
    weight = first.code[0].weight.flatten(1)
    assert torch.allclose(weight @ weight.T, torch.eye(len(weight)), atol=1e-4)


def test_a_critic_of_features_is_the_seeds_and_bounded_in_its_slope() -> None:
    state = torch.random.get_rng_state()
    first, second = (plain(lambda: FeatureDiscriminator((3, 5, 6), 4), seed) for seed in (1, 1))
    assert torch.equal(torch.random.get_rng_state(), state)
    assert all(torch.equal(ours, theirs) for ours, theirs in zip(first.state_dict().values(), second.state_dict().values(), strict=True))
    features = [torch.rand(2, channels, side, side, requires_grad=True) for channels, side in ((3, 8), (5, 7), (6, 7))]
    for _ in range(20):
        scores = first(features)
    assert [tuple(score.shape) for score in scores] == [(2, 1, 8, 8), (2, 1, 7, 7), (2, 1, 7, 7), (2, 1, 1, 1)]
    (slope,) = torch.autograd.grad(scores[1][0, 0, 2, 2], features[1], retain_graph=True)
    assert 0 < float(slope.norm()) < 9
    (slope,) = torch.autograd.grad(scores[3][0, 0, 0, 0], features[2])
    assert (slope[0] != 0).flatten(1).any(dim=0).all() and not slope[1].any()


def test_the_oracle_names_factors_and_finds_the_object() -> None:
    classifier = orthogonal(lambda: FactorClassifier({"shape": 10, "coat": 5}), 2)
    logits, mask = classifier(torch.rand(2, 3, 64, 64))
    assert {name: tuple(value.shape) for name, value in logits.items()} == {"shape": (2, 10), "coat": (2, 5)}
    assert mask.shape == (2, 1, 64, 64)
    assert classifier.features(torch.rand(2, 3, 64, 64)).shape == (2, 256)
