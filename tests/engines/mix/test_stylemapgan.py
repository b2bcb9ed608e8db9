"""StyleMapGAN's own networks at work on masks: what a mask leaves alone, what moves, and at which levels."""

from itertools import pairwise
from typing import get_args

import pytest
import torch
from torch import Tensor

from engines import Inversion, Latent, MixRequest, Part, load_generator
from engines.core.errors import ImageError, KnobError, WeightsError
from engines.core.images import area, to_tensor
from engines.data.faces import face_bank, thumbnail
from engines.generators import FfhqGenerator
from engines.generators.stylemapgan import StyleMapGAN, bundled_stylemapgan, toy_stylemapgan
from engines.metrics.mixing import border_gradient, border_of
from engines.mix import stylemapgan
from engines.mix.boundaries import Boundary, Pushed, bundled_boundary
from engines.mix.stylemap import COARSE, Cells, clipped, rectangle
from engines.mix.stylemapgan import CELLS, EDGE, StyleMapMix, StyleMapMixKnobs, copied, mixed, placed, pushes, touched, widened
from engines.spaces.statistics import random_w
from engines.training.tables.stylemapgan_boundaries import FACES, HELD_OUT

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


def test_a_soft_edge_in_w_plus_takes_shares_of_cells_and_nothing_beyond_its_reach() -> None:
    ours, theirs = (torch.full((1, 8, 32, 32), value) for value in (0.0, 1.0))
    hard, soft = (placed(ours, theirs, widened(Part(FACE, LEFT), edge), 4, edge)[0, 0, 16] for edge in (0.0, 0.125))
    assert torch.equal(hard, (torch.arange(32) < 16).float())
    assert torch.allclose(soft[:14], torch.ones(14), atol=1e-5) and not soft[22:].any()
    assert bool((soft.diff() <= 1e-6).all()) and float(soft[15]) > 0.9 and 0.2 < float(soft[18]) < 0.5 < float(soft[17]) < 0.8


def test_a_soft_edge_hides_the_border_that_whole_cells_leave() -> None:
    """In W+ the networks of the paper's kind draw light dots along a hard line."""
    generator, model = load_generator("ffhq"), bundled_stylemapgan("stylemapgan_16")
    maps = [model.encode(to_tensor(thumbnail(generator, face))) for face in range(8)]
    plane = torch.linspace(-1, 1, 64)
    mask = ((plane.square() + plane[:, None].square()) < 0.4).float()[None, None]
    border = border_of(mask)
    jumps = [
        [
            border_gradient(area(model.draw(mixed(model, pair, [Part(FACE, mask)], StyleMapMixKnobs(edge=edge))), 256), border)
            for pair in pairwise(maps)
        ]
        for edge in (0.0, EDGE)
    ]
    assert sum(jumps[1]) < 0.6 * sum(jumps[0])


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


def test_a_push_is_felt_where_it_is_asked_for() -> None:
    source, boundary = maps()[0], Boundary(torch.full((1, 8, 4, 4), 128**-0.5), 2.0)
    mask = touched(Part(FACE, LEFT), 4)
    pictures = pushes(source, boundary, 1.5, [torch.zeros_like(mask), mask])
    assert list(pictures) == ["pushed inside the mask", "pushed everywhere"]
    inside, whole = (pictures[name] - source for name in pictures)  # type: ignore[operator]
    assert float(whole.norm()) == pytest.approx(3.0, rel=1e-4)
    assert torch.equal(inside[..., :2], whole[..., :2]) and not inside[..., 2:].any()
    assert list(pushes(source, boundary, 1.5, [torch.zeros_like(mask)])) == ["pushed everywhere"] == list(pushes(source, boundary, 1.5, []))


def test_the_rectangle_around_a_mask_goes_elsewhere_as_far_as_it_fits() -> None:
    assert rectangle(torch.zeros(1, 1, 4, 4)) is None
    mask = torch.zeros(1, 1, 4, 4)
    mask[..., 2, 1] = mask[..., 3, 2] = 1
    around = rectangle(mask)
    assert around == Cells(2, 1, 2, 2)
    assert clipped(around, 2, -1, 4) == (Cells(1, 3, 2, 1), Cells(2, 1, 2, 1)), "its right column leaves the grid"
    assert clipped(around, -2, -3, 4) == (Cells(0, 0, 1, 1), Cells(3, 2, 1, 1)), "what leaves to the left and above is cut off there"
    assert clipped(around, 3, 0, 4) is None and clipped(around, 0, -4, 4) is None
    ours, theirs = maps()
    for keep in (False, True):
        found = copied([ours, theirs], [mask], StyleMapMixKnobs(copy_right=1, copy_down=-2, copy_in_place=keep))
        assert torch.equal(found[..., :2, 2:4], theirs[..., 2:4, 1:3]) and torch.equal(found[..., :2, :2], ours[..., :2, :2])
        assert torch.equal(found[..., 2:4, 1:3], (theirs if keep else ours)[..., 2:4, 1:3])
    assert torch.equal(copied([ours, theirs], [mask], StyleMapMixKnobs(copy_right=15)), ours)


def test_an_attribute_that_has_no_boundary_gets_a_sentence() -> None:
    with pytest.raises(KnobError, match=r"Boundary: 'mood' came; choose one of smile, age"):
        StyleMapMixKnobs.of({"boundary": "mood"})
    with pytest.raises(WeightsError, match="No boundary of 'mood' was fitted for stylemapgan_8"):
        bundled_boundary("stylemapgan_8", "mood")


@pytest.mark.parametrize("cells", CELLS)
def test_a_boundary_ships_for_every_network_and_attribute(cells: str) -> None:
    for attribute in get_args(Pushed):
        boundary = bundled_boundary(f"stylemapgan_{cells}", attribute)
        assert boundary.normal.shape[0] == 1 and boundary.normal.shape[-2:] == (int(cells), int(cells))
        assert float(boundary.normal.norm()) == pytest.approx(1, abs=1e-3) and boundary.sigma > 0


@pytest.mark.parametrize("cells", CELLS)
def test_boundaries_belong_to_the_encoders_that_ship(cells: str) -> None:
    """Whoever trains an encoder again fits its boundaries again: faces that they were not fitted to lie on their sides."""
    generator, name = load_generator("ffhq"), f"stylemapgan_{cells}"
    bank, model = face_bank(generator), bundled_stylemapgan(name)
    others = torch.arange(round(FACES * (1 - HELD_OUT)), FACES)
    for attribute in ("hair_darkness", "skin_lightness"):
        order = others[bank.score(attribute)[others].argsort()]
        rows = torch.cat([order[:8], order[-8:]])
        maps = model.encode(torch.cat([to_tensor(thumbnail(generator, int(row))) for row in rows]))
        boundary = bundled_boundary(name, attribute)
        low, high = ((maps * boundary.normal).flatten(1).sum(dim=1) / boundary.sigma).split(8)
        assert 1 < float(high.mean() - low.mean()) < 8 and float(low.max()) < float(high.min()) + 1


@pytest.fixture
def engine(toy: FfhqGenerator, monkeypatch: pytest.MonkeyPatch) -> StyleMapMix:
    """On toy networks."""

    def small(name: str, device: str) -> StyleMapGAN:
        return MODEL

    def boundary(name: str, attribute: str, device: torch.device) -> Boundary:
        return Boundary(torch.full((1, 8, 4, 4), 128**-0.5), 1.0)

    monkeypatch.setattr(stylemapgan, "bundled_stylemapgan", small)
    monkeypatch.setattr(stylemapgan, "bundled_boundary", boundary)
    return StyleMapMix(toy)


def faces(toy: FfhqGenerator) -> tuple[Inversion, Inversion]:
    first, second = (Inversion(Latent("w", random_w(toy, seed))) for seed in (1, 2))
    return first, second


def test_the_engine_shows_the_faces_again_and_the_other_uses(engine: StyleMapMix, toy: FfhqGenerator) -> None:
    source, reference = faces(toy)
    result = engine(MixRequest(source=source, parts=(Part(reference, LEFT),)))
    assert result.images.shape == (1, 3, 32, 32)
    assert list(result.stages) == [
        *("source", "source again", "reference", "reference again", "mixed in W+", "mixed in the map"),
        *("pushed inside the mask", "pushed everywhere", "rectangle copied", "between both, at your share"),
        *("25% of the way", "50% of the way", "75% of the way", "reference's coarse levels", "reference's fine levels"),
        *("random face 1", "random face 2", "random face 3"),
    ]
    assert result.metrics["mse"] == pytest.approx(float((result.stages["source again"] - result.stages["source"]).square().mean()))
    assert not torch.equal(result.images, result.stages["source again"]) and torch.equal(result.images, result.stages["mixed in W+"])
    strangers = [result.stages[f"random face {place}"] for place in (1, 2, 3)]
    assert len({float(face.sum()) for face in strangers}) == 3
    assert not torch.equal(engine(MixRequest(source=source, seed=1)).stages["random face 1"], strangers[0])
    with pytest.raises(ImageError, match="no numbers"):
        engine(MixRequest(source=source, parts=(Part(reference, LEFT * float("nan")),)))


def test_where_nothing_is_painted_nothing_is_mixed(engine: StyleMapMix, toy: FfhqGenerator) -> None:
    source, reference = faces(toy)
    empty = engine(MixRequest(source=source, parts=(Part(reference, EMPTY),)))
    assert torch.equal(empty.images, empty.stages["source again"])
    assert not {"mixed in W+", "mixed in the map", "rectangle copied", "pushed inside the mask"} & set(empty.stages)
    assert {"reference again", "pushed everywhere", "50% of the way", "random face 1"} <= set(empty.stages)
    alone = engine(MixRequest(source=source))
    assert torch.equal(alone.images, alone.stages["source again"]) and "reference" not in alone.stages


def test_knobs_turn_what_they_name(engine: StyleMapMix, toy: FfhqGenerator) -> None:
    source, reference = faces(toy)
    request = MixRequest(source=source, parts=(Part(reference, LEFT),))
    average = engine(request, truncation=0.0, share=1.0, amount=0.0).stages
    assert torch.allclose(average["random face 1"], average["random face 2"], atol=1e-5)
    assert torch.allclose(average["between both, at your share"], average["reference again"], atol=1e-5)
    assert torch.allclose(average["pushed everywhere"], average["source again"], atol=1e-5)
