from pathlib import Path

import pytest
import torch
from torch import Tensor

from engines.core.images import read_image, to_tensor
from engines.faces.parts import PARTS, grown, part_mask, parts, rectangle_mask
from engines.generators import FfhqGenerator
from engines.spaces.statistics import random_w

FACES = Path(__file__).resolve().parents[2] / "golden" / "faces"


@pytest.fixture(scope="module")
def faces() -> list[Tensor]:
    return [to_tensor(read_image(FACES / f"generated_{number}.jpg"), 256) for number in (1, 2)]


def test_parts_lie_where_ffhq_puts_them(faces: list[Tensor]) -> None:
    eyes, mouth, face = (part_mask(part, faces[0])[0, 0] for part in ("eyes", "mouth", "face"))
    rows = torch.arange(256)[:, None]
    assert 90 < float((eyes * rows).sum() / eyes.sum()) < 135 < float((mouth * rows).sum() / mouth.sum()) < 215
    assert float(face.mean()) > 2 * float(eyes.mean()) > 0
    assert float((face * mouth).sum() / mouth.sum()) > 0.9


@pytest.mark.parametrize("part", PARTS)
def test_a_mask_covers_the_part_of_every_face(part: str, faces: list[Tensor]) -> None:
    both = part_mask(part, *faces)
    assert both.shape == (1, 1, 256, 256)
    for face in faces:
        assert bool((both >= part_mask(part, face)).all())


def test_a_rectangle_is_where_it_was_asked_for() -> None:
    mask = rectangle_mask(64, 0.5, 0.25, 0.5, 0.25)
    assert mask.shape == (1, 1, 64, 64)
    assert float(mask.mean()) == pytest.approx(0.125)
    assert bool(mask[0, 0, 8:24, 16:48].all())
    assert float(rectangle_mask(64, 0.0, 0.0, 0.5, 0.5).mean()) == pytest.approx(1 / 16)


def test_parts_of_a_face_lie_where_faces_have_them(ffhq: FfhqGenerator) -> None:
    with torch.no_grad():
        found = parts(ffhq.synthesize(random_w(ffhq, 7), size=256))
    assert tuple(found) == PARTS
    rows = {name: float(mask[0, 0].nonzero()[:, 0].float().mean()) for name, mask in found.items()}
    assert rows["eyes"] < rows["nose"] < rows["mouth"]
    for name, mask in found.items():
        assert mask.shape == (1, 1, 256, 256)
        assert set(mask.unique().tolist()) == {0.0, 1.0}, name
    assert torch.equal(found["left half"] + found["right half"], torch.ones(1, 1, 256, 256))
    assert float((found["face"] * found["background"]).sum()) == 0
    assert float((found["skin"] <= found["face"]).float().mean()) == 1


def test_a_part_grows_by_its_margin() -> None:
    dot = torch.zeros(1, 1, 21, 21)
    dot[0, 0, 10, 10] = 1
    assert float(grown(dot, 3)[0, 0, 10].sum()) == 7
    assert float(grown(dot, 3)[0, 0, 7:14, 7:14].mean()) < 0.75
    assert grown(dot, 0) is dot
