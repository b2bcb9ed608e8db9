import pytest
import torch

from engines.core.images import area
from engines.faces.attributes import attribute_scorer
from engines.faces.picture_factors import PICTURE_FACTORS, PictureFactor, picture_scores
from engines.generators import FfhqGenerator
from engines.spaces.statistics import random_w

AMOUNTS = (-0.3, -0.1, 0.0, 0.1, 0.3)


@pytest.mark.parametrize("factor", PICTURE_FACTORS, ids=lambda factor: factor.name)
def test_no_amount_changes_nothing_and_more_reads_as_more(factor: PictureFactor, ffhq: FfhqGenerator) -> None:
    image = ffhq.synthesize(random_w(ffhq, 3), size=256).clamp(-1, 1)
    assert float((factor.change(image, 0.0) - image).abs().mean()) < 1 / 255
    changed = torch.cat([factor.change(image, amount) for amount in AMOUNTS])
    assert float(changed.abs().max()) <= 1
    read = picture_scores(attribute_scorer(), changed)[:, PICTURE_FACTORS.index(factor)]
    assert bool((read.diff() > 0.2).all())


def test_light_from_the_side_changes_sides_in_a_mirror(ffhq: FfhqGenerator) -> None:
    image = ffhq.synthesize(random_w(ffhq, 3), size=256).clamp(-1, 1)
    seen, mirrored = picture_scores(attribute_scorer(), torch.cat([image, image.flip(3)]))[:, 0].tolist()
    assert seen == pytest.approx(-mirrored, abs=2)


def test_where_there_is_no_face_nothing_is_read() -> None:
    assert bool(picture_scores(attribute_scorer(), area(torch.zeros(1, 3, 256, 256), 128)).isnan().all())
