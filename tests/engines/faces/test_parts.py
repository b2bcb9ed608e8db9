import torch

from engines.faces.parts import PARTS, grown, parts
from engines.generators import Student
from engines.spaces.statistics import random_w


def test_parts_of_a_face_lie_where_faces_have_them(ffhq: Student) -> None:
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
