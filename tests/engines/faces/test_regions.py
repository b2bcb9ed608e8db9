import pytest
import torch
from torch import Tensor

from engines.faces.regions import REGIONS, area_of, regions
from tests.engines.faces.pictures import GENERATED, generated, tensor


@pytest.fixture(scope="module", params=GENERATED)
def masks(request: pytest.FixtureRequest) -> Tensor:
    return regions(tensor(generated(request.param)))


def part(masks: Tensor, name: str) -> Tensor:
    return masks[REGIONS.index(name), 0]


def centre(mask: Tensor) -> tuple[float, float]:
    """Mean column and row."""
    rows, columns = mask.nonzero().float().T
    return float(columns.mean()), float(rows.mean())


def test_each_pixel_lies_in_one_region(masks: Tensor) -> None:
    assert masks.shape == (len(REGIONS), 1, 256, 256)
    assert bool(((masks == 0) | (masks == 1)).all())
    assert torch.equal(masks.sum(dim=0), torch.ones(1, 256, 256))


@pytest.mark.parametrize("size", [16, 64, 128])
def test_each_cell_of_a_coarser_grid_lies_in_the_region_that_has_most_of_it(size: int) -> None:
    coarse = regions(tensor(generated(GENERATED[0])), size)
    assert coarse.shape == (len(REGIONS), 1, size, size)
    assert torch.equal(coarse.sum(dim=0), torch.ones(1, size, size))
    shares = area_of(regions(tensor(generated(GENERATED[0]))), size)
    assert torch.allclose((shares * coarse).sum(dim=0), shares.amax(dim=0))


def test_the_parts_of_a_face_lie_as_in_a_face(masks: Tensor) -> None:
    down = {name: centre(part(masks, name))[1] for name in ("hair", "brows", "eyes", "nose", "mouth")}
    assert down["brows"] < down["eyes"] < down["nose"] < down["mouth"]
    across = [centre(part(masks, name))[0] for name in ("eyes", "nose", "mouth")]
    assert all(90 < column < 166 for column in across)
    assert down["hair"] < down["mouth"]
    body = part(masks, "body")
    assert not bool(body.any()) or centre(body)[1] > down["mouth"]


def test_the_parts_of_a_face_are_about_as_large_as_in_a_face(masks: Tensor) -> None:
    share = {name: float(part(masks, name).mean()) for name in REGIONS}
    assert 0.1 < share["skin"] < 0.5
    for name in ("eyes", "brows", "mouth", "nose"):
        assert 0.002 < share[name] < 0.08
    assert share["background"] + share["hair"] + share["body"] > 0.3


def test_there_are_two_eyes_one_on_each_side_of_the_nose(masks: Tensor) -> None:
    eyes, middle = part(masks, "eyes"), int(centre(part(masks, "nose"))[0])
    left, right = float(eyes[:, :middle].sum()), float(eyes[:, middle:].sum())
    assert min(left, right) > 0.3 * max(left, right)


def test_a_larger_picture_of_the_same_face_has_the_same_regions() -> None:
    picture = tensor(generated(1))
    larger = torch.nn.functional.interpolate(picture, (512, 512), mode="nearest")
    assert float((regions(larger) == regions(picture)).float().mean()) > 0.99
