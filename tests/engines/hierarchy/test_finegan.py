"""FineGAN's sampler and the search for codes, on a small network of random weights."""

import pytest
import torch

from engines import DrawingRequest, HierarchyRequest
from engines.checks.subject import driven
from engines.core.errors import SpaceError
from engines.core.images import area
from engines.generators.finegan import FARTHEST, FineCodes, FineGAN, toy_finegan
from engines.hierarchy.finegan import STAGES, FineSampler
from engines.hierarchy.finegan_codes import FineFinder, found_codes

TRUTH = FineCodes(3, 2, 5, 11)


@pytest.fixture(scope="module")
def birds() -> FineGAN:
    return toy_finegan()


@pytest.fixture(scope="module")
def sampler(birds: FineGAN) -> FineSampler:
    return FineSampler(birds)


def test_the_toy_is_the_same_for_a_seed_and_not_blank(birds: FineGAN) -> None:
    assert torch.equal(toy_finegan().draw(TRUTH).child, birds.draw(TRUTH).child)
    drawn = birds.draw(*(birds.tied(child, child) for child in range(8)))
    assert float(drawn.child.std(dim=0).mean()) > 0.1 and 0.1 < float(drawn.child_mask.mean()) < 0.9


def test_all_stages_come_in_the_papers_order_and_belong_together(sampler: FineSampler, birds: FineGAN) -> None:
    result = sampler(HierarchyRequest(codes=(TRUTH, birds.tied(1))))
    assert tuple(result.stages) == STAGES
    assert all(image.shape == (2, 3, 32, 32) for image in result.stages.values())
    stages = result.stages
    mask = (stages["parent mask"] + 1) / 2
    assert torch.allclose(stages["masked parent foreground"], mask * stages["parent foreground"], atol=1e-6)
    assert torch.allclose(
        stages["stitched parent picture"], stages["masked parent foreground"] + (1 - mask) * stages["background"], atol=1e-5
    )
    assert torch.equal(result.images, stages["finished picture"])
    assert result.tables["codes"].rows == ((3, 2, 5, 11), (1, 0, 1, 0))


def test_pictures_do_not_depend_on_what_is_drawn_beside_them(sampler: FineSampler, birds: FineGAN) -> None:
    many = sampler(HierarchyRequest(codes=tuple(birds.tied(child % 8, child) for child in range(11)))).images
    assert len(many) == 11
    assert torch.allclose(sampler(HierarchyRequest(codes=(birds.tied(1, 9),))).images, many[9:10], atol=1e-5)


def test_a_way_starts_and_ends_at_its_codes_and_keeps_z_long(sampler: FineSampler, birds: FineGAN) -> None:
    ends = (TRUTH, birds.tied(1, 4))
    frames = sampler(HierarchyRequest(codes=ends), frames=5)
    assert len(frames.images) == 5 and not frames.stages
    for end, frame in zip(ends, (frames.images[:1], frames.images[-1:]), strict=True):
        assert torch.allclose(birds.draw(end).child, frame, atol=1e-4)
    a, b = (birds.inputs(end) for end in ends)
    middle = a.towards(b, 0.5)
    assert float(middle.z.norm()) > 0.9 * min(float(a.z.norm()), float(b.z.norm()))
    assert float(middle.child[0, 5]) == float(middle.child[0, 1]) == 0.5


def test_shifts_move_z_along_orthogonal_components_the_strongest_first(birds: FineGAN) -> None:
    axes = birds.components
    assert torch.allclose(axes @ axes.T, torch.eye(6), atol=1e-5)
    plain = birds.z_of(TRUTH)
    shifted = birds.z_of(FineCodes(3, 2, 5, 11, shifts=(0.0, 2.0)))
    assert torch.allclose(shifted - plain, 2 * axes[1:2], atol=1e-5)
    first = torch.cat([birds.network.h_net1_bg.fc[0].weight[:, 8:], birds.network.h_net1.fc[0].weight[:, 4:]])
    norms = [birds.network.h_net1_bg.fc[1], birds.network.h_net1.fc[1]]
    scale = torch.cat([norm.weight / (norm.running_var + norm.eps).sqrt() for norm in norms])
    moved = (scale[:, None] * (first @ axes.T)).norm(dim=0)
    assert (moved[:-1] >= moved[1:] - 1e-4).all() and moved[0] > moved[-1]


def test_a_found_z_takes_the_place_of_the_seed(birds: FineGAN) -> None:
    own = FineCodes(3, 2, 5, 0, z=tuple(birds.z_of(TRUTH)[0].tolist()))
    assert torch.equal(birds.draw(own).child, birds.draw(TRUTH).child)


@pytest.mark.parametrize(
    ("codes", "words"),
    [
        (FineCodes(0, 0, 0, shifts=(FARTHEST + 0.1,)), "A shift is a number"),
        (FineCodes(0, 0, 0, shifts=(float("nan"),)), "A shift is a number"),
        (FineCodes(0, 0, 0, shifts=(0.0,) * 7), "at most 6 components"),
        (FineCodes(0, 0, 0, z=(0.0,) * 5), "z has 6 finite numbers"),
        (FineCodes(0, 0, 0, z=(float("inf"),) * 6), "z has 6 finite numbers"),
        (FineCodes(8, 0, 0), "background code 8 came"),
    ],
)
def test_codes_that_are_none_get_a_sentence(codes: FineCodes, words: str, sampler: FineSampler) -> None:
    with pytest.raises(SpaceError, match=words):
        sampler(HierarchyRequest(codes=(codes,)))


def test_the_codes_of_a_drawing_are_found(birds: FineGAN) -> None:
    image = birds.draw(TRUTH).child
    finished = driven(FineFinder(birds).run(DrawingRequest(image=image), FineFinder.knob_set(poses=8, kept=2, steps=30)))
    found = found_codes(finished.result)
    assert (found.background, found.parent, found.child) == (3, 2, 5)
    assert finished.result.metrics["mse"] < 0.01
    assert torch.equal(birds.draw(found).child, finished.result.images)
    previews = [step for step in finished.steps if step.best is not None]
    assert previews[-1].best.metrics["mse"] < previews[0].best.metrics["mse"]
    assert finished.steps[-1].step == finished.steps[-1].total


def test_a_picture_of_another_size_is_averaged(birds: FineGAN) -> None:
    image = birds.draw(TRUTH).child
    big = torch.nn.functional.interpolate(image, scale_factor=3, mode="nearest")
    assert torch.allclose(area(big, 32), image, atol=1e-6)
    result = FineFinder(birds)(DrawingRequest(image=big), poses=1, kept=1, steps=1)
    assert result.images.shape == (1, 3, 32, 32)
