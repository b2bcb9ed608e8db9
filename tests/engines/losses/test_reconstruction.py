import pytest
import torch

from engines.core.images import area
from engines.core.seeds import normal
from engines.losses.perceptual import Perceptual, VggFeatures
from engines.losses.reconstruction import ReconstructionLoss

TARGET = 0.3 * normal((1, 3, 64, 64), 1)
IMAGE = 0.3 * normal((1, 3, 64, 64), 2)
WEIGHTS = {"pixel": 2.0, "perceptual": 0.5}


def test_the_target_itself_costs_nothing() -> None:
    terms = ReconstructionLoss(TARGET, WEIGHTS).terms(TARGET)
    assert terms.keys() == {"pixel", "perceptual"}
    assert all(float(term) == 0 for term in terms.values())


def test_terms_are_plain_and_the_total_is_weighted() -> None:
    loss = ReconstructionLoss(TARGET, WEIGHTS)
    terms = loss.terms(IMAGE)
    assert float(terms["pixel"]) == pytest.approx(float((IMAGE - TARGET).square().mean()), rel=1e-5)
    assert float(terms["perceptual"]) == pytest.approx(float(Perceptual()(IMAGE, TARGET)), rel=1e-5)
    extra = terms | {"noise": torch.tensor(7.0)}
    assert float(loss.total(extra)) == pytest.approx(2 * float(terms["pixel"]) + 0.5 * float(terms["perceptual"]) + 7, rel=1e-5)


def test_the_papers_distance_is_a_choice() -> None:
    terms = ReconstructionLoss(TARGET, WEIGHTS, "vgg16").terms(IMAGE)
    assert float(terms["perceptual"]) == pytest.approx(float(VggFeatures()(IMAGE, TARGET)), rel=1e-5)


def test_pictures_are_averaged_to_the_smaller_side() -> None:
    small = area(IMAGE, 32)
    terms = ReconstructionLoss(TARGET, WEIGHTS).terms(small)
    assert float(terms["pixel"]) == pytest.approx(float((small - area(TARGET, 32)).square().mean()), rel=1e-5)


def test_large_pictures_are_judged_at_256_px() -> None:
    large, target = (0.3 * normal((1, 3, 512, 512), seed) for seed in (3, 4))
    terms = ReconstructionLoss(target, WEIGHTS).terms(large)
    assert float(terms["pixel"]) == pytest.approx(float((area(large, 256) - area(target, 256)).square().mean()), rel=1e-5)


def test_what_the_mask_leaves_out_does_not_count() -> None:
    mask = torch.zeros(1, 1, 64, 64)
    mask[..., :32] = 1
    loss = ReconstructionLoss(TARGET, WEIGHTS, mask=mask)
    image = IMAGE.clone().requires_grad_()
    loss.total(loss.terms(image)).backward()
    assert image.grad is not None
    assert float(image.grad[..., 32:].abs().max()) == 0
    assert float(image.grad[..., :32].abs().min()) > 0
    half = torch.cat([TARGET[..., :32], IMAGE[..., 32:]], dim=3)
    assert all(float(term) == 0 for term in loss.terms(half).values())
