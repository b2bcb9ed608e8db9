from itertools import islice, pairwise

import torch

from engines.contract import Result
from engines.training.lesson import COLUMNS, EVERY, ROWS, finegan_lesson


def test_pictures_come_while_it_learns_and_change() -> None:
    seen = list(islice(finegan_lesson(10, seed=3), 2 * EVERY))
    previews = [moment.preview for moment in seen if moment.preview is not None]
    assert len(previews) == 2 and previews[0].shape == (1, 3, 32 * ROWS, 32 * COLUMNS)
    assert not torch.equal(previews[0], previews[1])
    assert {"parent", "child", "disagree", "discriminator"} <= set(seen[-1].losses)
    assert all(first.step <= second.step <= first.total == 1000 for first, second in pairwise(seen))


def test_the_clock_ends_it_with_a_picture() -> None:
    run = finegan_lesson(0.001)
    while True:
        try:
            next(run)
        except StopIteration as stop:
            result = stop.value
            break
    assert isinstance(result, Result) and bool(torch.isfinite(result.images).all())


def test_equal_seeds_learn_alike() -> None:
    first, second = (list(islice(finegan_lesson(1000, seed=5), EVERY))[-1].preview for _ in range(2))
    assert first is not None and second is not None and torch.equal(first, second)
