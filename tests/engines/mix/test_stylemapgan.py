"""StyleMapGAN's own networks at work on masks: what a mask leaves alone, what moves, and at which levels."""

import pytest
import torch
from torch import Tensor

from engines import Inversion, Latent, MixRequest, Part
from engines.core.errors import ImageError
from engines.generators import Student
from engines.generators.stylemapgan import StyleMapGAN, toy_stylemapgan
from engines.mix import stylemapgan
from engines.mix.stylemap import COARSE
from engines.mix.stylemapgan import StyleMapMix, StyleMapMixKnobs, mixed, placed
from engines.spaces.statistics import random_w

EMPTY, FULL = torch.zeros(1, 1, 64, 64), torch.ones(1, 1, 64, 64)
LEFT = (torch.arange(64) < 32).float().expand(1, 1, 64, 64)
MODEL = toy_stylemapgan()
FACE = Inversion(Latent("w", torch.zeros(1, 4)))


def maps(count: int = 2) -> list[Tensor]:
    return [MODEL.sample(seed, truncation=1.0) for seed in range(count)]


def same(first: list[Tensor], second: list[Tensor]) -> list[bool]:
    return [torch.allclose(a, b, atol=1e-5) for a, b in zip(first, second, strict=True)]


@pytest.mark.parametrize("space", ["w", "w_plus"])
def test_nothing_painted_is_the_source_and_all_painted_the_reference(space: str) -> None:
    ours, theirs = maps()
    for mask, whole in ((EMPTY, ours), (FULL, theirs)):
        found = mixed(MODEL, [ours, theirs], [Part(FACE, mask)], StyleMapMixKnobs.of({"space": space}))
        assert all(same(found, MODEL.resized(whole)))


@pytest.mark.parametrize("levels", ["coarse", "fine"])
def test_levels_that_are_not_reached_stay(levels: str) -> None:
    ours, theirs = maps()
    found = mixed(MODEL, [ours, theirs], [Part(FACE, FULL)], StyleMapMixKnobs.of({"levels": levels}))
    expected = [(place < COARSE) == (levels == "coarse") for place in range(len(found))]
    assert same(found, MODEL.resized(theirs)) == expected
    assert same(found, MODEL.resized(ours)) == [not reached for reached in expected]


def test_a_moved_part_brings_the_cells_that_it_comes_from() -> None:
    ours, theirs = maps()
    found = placed(ours, theirs, Part(FACE, LEFT, shift=(0.5, 0.0)), 4)
    assert torch.allclose(found[..., 2:], theirs[..., :2], atol=1e-5) and torch.equal(found[..., :2], ours[..., :2])
    half = placed(ours, theirs, Part(FACE, LEFT, strength=0.5), 4)
    assert torch.allclose(half[..., :2], (ours + theirs)[..., :2] / 2, atol=1e-5) and torch.equal(half[..., 2:], ours[..., 2:])


def test_the_engine_shows_the_faces_again_and_the_other_uses(toy: Student, monkeypatch: pytest.MonkeyPatch) -> None:
    def small(name: str, device: str) -> StyleMapGAN:
        return MODEL

    monkeypatch.setattr(stylemapgan, "bundled_stylemapgan", small)
    source, reference = (Inversion(Latent("w", random_w(toy, seed))) for seed in (1, 2))
    engine = StyleMapMix(toy)
    result = engine(MixRequest(source=source, parts=(Part(reference, LEFT),)))
    assert result.images.shape == (1, 3, 32, 32)
    assert {"source again", "reference again", "fine levels", "50% of the way"} <= set(result.stages)
    assert result.metrics["mse"] == pytest.approx(float((result.stages["source again"] - result.stages["source"]).square().mean()))
    assert not torch.equal(result.images, result.stages["source again"])
    strangers = [result.stages[f"random face {place}"] for place in (1, 2, 3)]
    assert len({float(face.sum()) for face in strangers}) == 3
    assert not torch.equal(engine(MixRequest(source=source, seed=1)).stages["random face 1"], strangers[0])
    alone = engine(MixRequest(source=source))
    assert torch.allclose(alone.images, alone.stages["source again"], atol=1e-5) and "reference" not in alone.stages
    with pytest.raises(ImageError, match="no numbers"):
        engine(MixRequest(source=source, parts=(Part(reference, LEFT * float("nan")),)))
