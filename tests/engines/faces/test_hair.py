import pytest
import torch
from torch import Tensor

from engines.core.seeds import normal
from engines.faces.hair import hair
from engines.faces.parts import parts
from engines.faces.regions import REGIONS
from tests.engines.faces.pictures import generated, tensor

DARK, PALE, RED = (-0.7, -0.75, -0.8), (0.7, 0.4, 0.25), (0.6, -0.6, -0.6)
ROWS, COLUMNS = torch.arange(256)[:, None], torch.arange(256)


def box(top: int, bottom: int, left: int, right: int) -> Tensor:
    return (top <= ROWS) & (bottom > ROWS) & (left <= COLUMNS) & (right > COLUMNS)


FACE, EYES, MOUTH, BROWS = box(90, 220, 80, 176), box(125, 132, 95, 161), box(185, 195, 110, 146), box(112, 116, 95, 161)
EARS = box(120, 170, 60, 80) | box(120, 170, 176, 196)
HEAD, LOCKS, FRINGE, BEARD, NECK, CLOTHES = (
    box(20, 120, 60, 196),
    box(100, 256, 30, 60),
    box(90, 108, 90, 140),
    box(212, 220, 110, 146),
    box(220, 256, 100, 156),
    box(225, 256, 60, 256),
)


def drawn(scalp: tuple[float, float, float] = DARK) -> tuple[Tensor, Tensor]:
    """A face (1,3,256,256) with locks on the left down to the lower edge, and its regions as landmarks would give them."""
    picture = torch.zeros(1, 3, 256, 256)
    kinds = [(HEAD | LOCKS, scalp), (CLOTHES, RED), (FACE | EARS | NECK, PALE), (FRINGE, scalp), (BEARD, DARK)]
    person = torch.zeros(256, 256, dtype=torch.bool)
    for where, colour in kinds:
        picture[0, :, where] = torch.tensor(colour)[:, None]
        person |= where
    labels = torch.where(person, torch.where(ROWS < 220, 1, 2), 0)
    for where, name in [(FACE, "skin"), (BROWS, "brows"), (EYES, "eyes"), (MOUTH, "mouth")]:
        labels[where] = REGIONS.index(name)
    picture += 0.03 * normal((1, 3, 256, 256), 0)
    return picture.clamp(-1, 1), torch.stack([labels == index for index in range(len(REGIONS))])[:, None].float()


def share(mask: Tensor, where: Tensor) -> float:
    return float(mask[0, 0][where].mean())


def test_ears_neck_beard_and_clothes_are_no_hair_but_locks_and_a_fringe_are() -> None:
    found = hair(*drawn())
    assert found.shape == (1, 1, 256, 256) and set(found.unique().tolist()) == {0.0, 1.0}
    for where in (HEAD & ~FACE & ~EARS, LOCKS, FRINGE):
        assert share(found, where) > 0.9
    for where in (EARS, NECK, CLOTHES & ~LOCKS, BEARD, FACE & ~FRINGE):
        assert share(found, where) < 0.07


def test_locks_may_grow_brighter_on_their_way_down() -> None:
    picture, masks = drawn()
    picture[0, :, LOCKS] += (0.004 * (ROWS - 100)).expand(256, 256)[LOCKS]
    assert share(hair(picture, masks), LOCKS) > 0.9


def test_a_shaven_head_is_what_lies_above_the_brows() -> None:
    picture, masks = drawn(PALE)
    region = masks[REGIONS.index("hair")][None]
    assert torch.equal(hair(picture, masks), region * (ROWS < 112))


@pytest.mark.parametrize("name", ["hair", "skin"])
def test_where_too_little_is_seen_the_region_stays(name: str) -> None:
    picture, masks = drawn()
    masks[REGIONS.index(name)] *= box(90, 95, 80, 90)
    assert torch.equal(hair(picture, masks), masks[REGIONS.index("hair")][None])


def test_a_generated_woman_keeps_her_long_hair_and_a_man_loses_his_ears() -> None:
    woman, man = (parts(tensor(generated(number)))["hair"][0, 0] for number in (1, 3))
    assert float(woman[245:].mean()) > 0.2
    assert float(man[:100].mean()) > 0.2 and float(man[150:].mean()) < 0.01
