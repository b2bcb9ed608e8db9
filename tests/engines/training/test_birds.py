"""Paper birds: exact masks and boxes, labels that mean what they say, and the same picture for the same factors."""

from dataclasses import replace

import pytest
import torch

from engines.training.datasets.backgrounds import BACKGROUNDS
from engines.training.datasets.birds import CORRELATED, SHAPES, Birds, Factors, boxes, draw_birds, random_factors
from engines.training.datasets.textures import TEXTURES


@pytest.fixture(scope="module")
def birds() -> Birds:
    return draw_birds(random_factors(120, 5))


def test_pictures_follow_from_the_seed_alone(birds: Birds) -> None:
    again = draw_birds(random_factors(120, 5))
    assert torch.equal(again.images, birds.images) and torch.equal(again.masks, birds.masks)
    assert not torch.equal(draw_birds(random_factors(120, 6)).images, birds.images)
    few = Factors(*(getattr(birds.factors, name)[7:12] for name in ("shape", "texture", "background", "pose")))
    assert torch.allclose(draw_birds(few).images, birds.images[7:12], atol=1e-6)


def test_pictures_and_masks_are_in_range(birds: Birds) -> None:
    assert birds.images.shape == (120, 3, 64, 64) and birds.masks.shape == (120, 1, 64, 64)
    assert float(birds.images.min()) >= -1 and float(birds.images.max()) <= 1
    assert float(birds.masks.min()) == 0 and float(birds.masks.max()) == 1


def test_a_bird_covers_a_part_of_the_picture_and_its_box_fits(birds: Birds) -> None:
    share = birds.masks.mean(dim=(1, 2, 3))
    assert float(share.min()) > 0.04 and float(share.max()) < 0.45 and 0.12 < float(share.mean()) < 0.3
    for mask, (left, top, right, bottom) in zip(birds.masks[:, 0] >= 0.5, birds.boxes.tolist(), strict=True):
        assert mask[top:bottom, left:right].sum() == mask.sum()
        assert mask[top].any() and mask[bottom - 1].any() and mask[:, left].any() and mask[:, right - 1].any()


def test_outside_the_mask_only_the_background_counts(birds: Birds) -> None:
    other = replace(birds.factors, texture=(birds.factors.texture + 1) % len(TEXTURES), shape=birds.factors.shape)
    changed = (draw_birds(other).images - birds.images).abs().amax(dim=1, keepdim=True)
    assert float(changed[birds.masks == 0].max()) == 0
    assert float(changed[birds.masks == 1].mean()) > 0.2


def test_inside_the_mask_the_background_does_not_count(birds: Birds) -> None:
    other = replace(birds.factors, background=(birds.factors.background + 1) % len(BACKGROUNDS))
    changed = (draw_birds(other).images - birds.images).abs().amax(dim=1, keepdim=True)
    assert float(changed[birds.masks == 1].max()) < 1e-5
    assert float(changed[birds.masks == 0].mean()) > 0.1


def test_shapes_have_silhouettes_of_their_own() -> None:
    count = len(SHAPES)
    pose = torch.tensor([[0.0, 0.0, 1.3, 0.0, 1.0, 0.0, 0.3]]).expand(count, -1)
    masks = draw_birds(Factors(torch.arange(count), torch.zeros(count).long(), torch.zeros(count).long(), pose)).masks
    for one in range(count):
        for other in range(one):
            shared, either = torch.minimum(masks[one], masks[other]).sum(), torch.maximum(masks[one], masks[other]).sum()
            assert float(shared / either) < 0.85, (SHAPES[one], SHAPES[other])


def test_backgrounds_go_with_textures_as_in_nature() -> None:
    factors = random_factors(6000, 1)
    together = float((factors.background == factors.texture).float().mean())
    assert together == pytest.approx(CORRELATED + (1 - CORRELATED) / len(BACKGROUNDS), abs=0.03)
    assert set(factors.background.tolist()) == set(range(len(BACKGROUNDS)))


def test_an_empty_mask_has_the_whole_picture_as_its_box() -> None:
    assert boxes(torch.zeros(1, 1, 8, 8)).tolist() == [[0, 0, 8, 8]]
