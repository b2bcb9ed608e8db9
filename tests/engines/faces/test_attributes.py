from functools import cache

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from engines.core.errors import ImageError
from engines.core.shapes import Image
from engines.faces import ATTRIBUTES, align, attribute_scorer
from engines.faces.estimates import age_gender_net, expression_net
from engines.faces.measure import OVAL, inside_oval
from engines.faces.person import person_mask
from engines.registry import load_generator
from engines.spaces.statistics import random_w
from tests.engines.faces.pictures import GENERATED, astronaut, astronaut_face, generated, tensor

NAMES = [attribute.name for attribute in ATTRIBUTES]
SEEDS = {"bearded": 12, "grey": 32, "baby": 18, "facing right": 20, "facing left": 17, "blond": 21, "looking down": 36, "looking up": 22}


def scores(image: Image) -> dict[str, torch.Tensor]:
    return dict(zip(NAMES, attribute_scorer()(image).T, strict=True))


def golden() -> Image:
    """A woman turned to the left, a man with glasses, a man with short grey hair, a child in earnest."""
    return torch.cat([tensor(generated(number)) for number in GENERATED])


@cache
def drawn() -> dict[str, dict[str, float]]:
    """Scores of drawn faces by what is seen in them."""
    generator = load_generator("ffhq")
    with torch.no_grad():
        faces = torch.cat([generator.synthesize(random_w(generator, seed), size=256) for seed in SEEDS.values()])
    table = scores(faces)
    return {name: {key: float(column[row]) for key, column in table.items()} for row, name in enumerate(SEEDS)}


def test_the_networks_agree_with_their_package() -> None:
    """Values computed by tfjs from the packages' own files, on the same 112 px crop and the same picture."""
    picture = tensor(generated(1))
    crop = F.interpolate(picture[:, :, 60:240, 38:218], (112, 112), mode="bilinear")
    age, gender = age_gender_net()(crop)
    assert float(age) == pytest.approx(22.4199, abs=0.01)
    assert float(gender) == pytest.approx(-2.2718 - 0.9008, abs=0.01)
    wanted = torch.tensor([-13.0121, 19.8076, -15.0811, -14.7749, -15.0918, -17.5107, -14.9407])
    torch.testing.assert_close(expression_net()(crop)[0], wanted, atol=0.01, rtol=0)
    mask = person_mask()(picture)
    assert float(mask.mean()) == pytest.approx(0.79005, abs=2e-4)
    assert float(mask[0, 0, 0, 64]) == pytest.approx(0.3067, abs=5e-3)


def test_order_and_words() -> None:
    assert [
        *("yaw", "pitch", "smile", "mouth_open", "eyes_open", "age", "gender", "eyeglasses"),
        *("hair_darkness", "skin_lightness", "background_lightness", "beard"),
    ] == NAMES
    assert all(attribute.title and attribute.unit and attribute.source for attribute in ATTRIBUTES)
    assert all(attribute.low != attribute.high for attribute in ATTRIBUTES)


def test_four_people_are_told_apart() -> None:
    found = scores(golden())
    turned, glasses, grey, child = range(4)
    assert found["yaw"][turned] < -12 and found["yaw"][child] < -10 and found["yaw"][[glasses, grey]].abs().max() < 5
    assert found["smile"].argmin() == child and found["smile"][:3].min() > found["smile"][child] + 15
    assert found["mouth_open"].argmin() == child and found["mouth_open"][child] < 0.03 and found["mouth_open"][:3].min() > 0.12
    assert found["age"].argmin() == child and found["age"][child] < 12 and found["age"][[glasses, grey]].min() > 30
    assert found["gender"][turned] < -1 and found["gender"][[glasses, grey]].min() > 0.5
    assert found["eyeglasses"][glasses] > 2.5 and found["eyeglasses"][[turned, grey, child]].max() < 0.6
    assert found["hair_darkness"].argmax() == turned
    assert found["skin_lightness"].argmin() == glasses and found["skin_lightness"].argmax() == child
    assert found["background_lightness"].argmax() == turned and found["background_lightness"].argmin() == glasses


def test_drawn_people_are_told_apart() -> None:
    faces = drawn()
    assert faces["facing left"]["yaw"] < -12 and faces["facing right"]["yaw"] > 12
    assert faces["looking down"]["pitch"] < -8 and faces["looking up"]["pitch"] > 12
    bearded = {name for name, face in faces.items() if face["beard"] > 1}
    assert {"bearded", "grey"} <= bearded and not bearded & {"baby", "blond", "looking down"}
    assert faces["baby"]["age"] < 8 and faces["grey"]["age"] > 45
    assert faces["bearded"]["eyeglasses"] > 2 > max(faces[name]["eyeglasses"] for name in SEEDS if name != "bearded")
    assert faces["blond"]["hair_darkness"] < 45 and faces["facing right"]["hair_darkness"] > 55
    assert faces["blond"]["smile"] > 20 > 0 > max(faces[name]["smile"] for name in ("baby", "grey", "looking up"))
    assert faces["blond"]["mouth_open"] > 0.15 > 0.05 > faces["grey"]["mouth_open"]


def test_a_mirrored_face_looks_the_other_way_and_is_else_the_same() -> None:
    there, back = scores(golden()), scores(golden().flip(3))
    torch.testing.assert_close(back["yaw"], -there["yaw"], atol=4, rtol=0)
    most = {"pitch": 3, "smile": 9, "mouth_open": 0.03, "eyes_open": 0.05, "age": 7, "gender": 2, "eyeglasses": 0.3}
    most |= {"hair_darkness": 1, "skin_lightness": 3, "background_lightness": 1, "beard": 0.6}
    for name, limit in most.items():
        assert float((back[name] - there[name]).abs().max()) < limit, name


def test_a_darker_background_changes_itself_only() -> None:
    picture = golden()[2:3]
    outside = (person_mask()(picture) < 0.02).expand_as(picture)
    before, after = scores(picture), scores(torch.where(outside, picture * 0.4 - 0.6, picture))
    assert float(after["background_lightness"] - before["background_lightness"]) < -15
    for name, limit in {"hair_darkness": 2, "skin_lightness": 0.5, "beard": 0.3, "age": 2, "eyeglasses": 0.3, "yaw": 1}.items():
        assert float((after[name] - before[name]).abs()) < limit, name


def test_a_darker_picture_has_darker_skin_and_hair() -> None:
    picture = golden()[2:3]
    before, after = scores(picture), scores(picture * 0.7 - 0.3)
    assert float(after["skin_lightness"]) < float(before["skin_lightness"]) - 10
    assert float(after["hair_darkness"]) > float(before["hair_darkness"]) + 5
    assert float((after["beard"] - before["beard"]).abs()) < 0.5


def test_batches_equal_single_pictures() -> None:
    together = attribute_scorer()(golden())
    assert together.shape == (4, 12) and together.dtype == torch.float32
    torch.testing.assert_close(together[2:3], attribute_scorer()(golden()[2:3]), atol=2e-3, rtol=1e-3)


@pytest.mark.parametrize("size", [128, 512])
def test_any_size_gives_about_the_same_numbers(size: int) -> None:
    picture = golden()[1:3]
    other = F.interpolate(picture, (size, size), mode="bilinear", align_corners=False, antialias=size < 256)
    change = (attribute_scorer()(other) - attribute_scorer()(picture)).abs().amax(0)
    limits = torch.tensor([1, 1.5, 2, 0.05, 0.02, 5, 1, 1, 1.5, 1.5, 0.5, 0.7])
    assert (change < limits).all(), dict(zip(NAMES, change.tolist(), strict=True))


def test_an_aligned_photo_is_scored_as_seen() -> None:
    found = scores(tensor(align(astronaut(), astronaut_face().alignment, 512)))
    assert abs(float(found["yaw"])) < 6
    assert float(found["smile"]) > 15 and float(found["mouth_open"]) > 0.12
    assert float(found["gender"]) < 0 and 20 < float(found["age"]) < 45
    assert float(found["eyeglasses"]) < 1 and float(found["beard"]) < 0.5
    assert float(found["background_lightness"]) > 65


def test_pictures_without_a_face_have_no_numbers() -> None:
    noise = torch.from_numpy(np.random.default_rng(0).uniform(-1, 1, (1, 3, 200, 200))).float()
    plain = torch.full((1, 3, 200, 200), -1.0)
    face = F.interpolate(golden()[:1], (200, 200), mode="bilinear")
    found = attribute_scorer()(torch.cat([noise, face, plain]))
    assert found[[0, 2]].isnan().all()
    assert found[1].isfinite().all()


def test_pictures_that_are_not_square_are_refused() -> None:
    with pytest.raises(ImageError, match="Align it"):
        attribute_scorer()(torch.zeros(1, 3, 64, 80))


def test_the_oval_is_filled() -> None:
    """Against a circle, whose area and middle are known."""
    angles = torch.linspace(0, 2 * torch.pi, 37)[:-1]
    points = torch.zeros(1, 468, 3)
    points[0, list(OVAL), 0] = 30 + 20 * angles.cos()
    points[0, list(OVAL), 1] = 26 + 20 * angles.sin()
    inside = inside_oval(points, 64)[0]
    assert int(inside.sum()) == pytest.approx(torch.pi * 400, rel=0.02)
    rows, columns = inside.nonzero().T
    assert float(columns.float().mean()) + 0.5 == pytest.approx(30, abs=0.2)
    assert float(rows.float().mean()) + 0.5 == pytest.approx(26, abs=0.2)


def test_nothing_is_left_to_train() -> None:
    nets = (age_gender_net(), expression_net(), person_mask())
    assert not any(parameter.requires_grad or net.training for net in nets for parameter in net.parameters())
