"""The judge of paper birds knows drawings, and the figures tell a generator that has the factors from one that has none."""

import torch

from engines.core.seeds import rng
from engines.generators.finegan import FineCodes
from engines.metrics.birds import classified, known
from engines.metrics.factors import overlap
from engines.training.datasets.birds import draw_birds, random_factors


def test_the_bundled_judge_names_drawings_that_it_never_saw() -> None:
    birds = draw_birds(random_factors(200, 987_654))
    labels, masks = classified(birds.images)
    for name, values in labels.items():
        assert float((values == getattr(birds.factors, name)).float().mean()) >= 0.97, name
    assert float(overlap(masks, birds.masks).mean()) > 0.85


def test_the_judge_is_not_fooled_by_noise_into_one_answer_per_code() -> None:
    codes = [FineCodes(*row) for row in torch.randint(10, (400, 3), generator=rng(1)).tolist()]
    labels, _ = classified(torch.rand((400, 3, 64, 64), generator=rng(2)) * 2 - 1)
    figures = known(codes, labels)
    assert figures["shape_by_parent"] < 0.3 and figures["texture_by_child"] < 0.3


def test_codes_that_are_the_factors_score_one() -> None:
    chance = rng(4)
    b, p, c = (torch.randint(most, (3_000,), generator=chance) for most in (50, 10, 50))
    codes = [FineCodes(*row) for row in torch.stack([b, p, c], dim=1).tolist()]
    figures = known(codes, {"shape": p, "texture": c % 5, "background": b % 6})
    assert min(figures[name] for name in ("shape_by_parent", "texture_by_child", "background_by_b")) > 0.999
    assert max(figures[name] for name in ("texture_by_parent", "shape_by_child", "shape_by_b")) < 0.1
