import pytest
import torch

from engines.explore.learned import Kind, code_map, embeddings
from engines.generators.finegan import FineGAN, toy_finegan


@pytest.fixture(scope="module")
def birds() -> FineGAN:
    return toy_finegan()


@pytest.mark.parametrize(("kind", "count"), [("background", 8), ("parent", 4), ("child", 8)])
def test_every_code_has_a_place(kind: Kind, count: int, birds: FineGAN) -> None:
    found = code_map(birds, kind)
    assert found.places.shape == (count, 2) and torch.isfinite(found.places).all()
    assert 0 < float(found.explained[1]) <= float(found.explained[0]) <= 1
    assert torch.allclose(found.places.mean(dim=0), torch.zeros(2), atol=1e-4)


def test_all_axes_together_keep_the_distances_of_embeddings(birds: FineGAN) -> None:
    rows = embeddings(birds, "child")
    assert torch.allclose(
        torch.cdist(code_map(birds, "child", 8).places, code_map(birds, "child", 8).places), torch.cdist(rows, rows), atol=1e-3
    )


def test_codes_with_equal_weights_lie_together(birds: FineGAN) -> None:
    twins = toy_finegan()
    weight = twins.network.h_net3.jointConv[0].weight
    with torch.no_grad():
        weight[:, 3] = weight[:, 5]
    places = code_map(twins, "child").places
    assert torch.allclose(places[3], places[5], atol=1e-5) and not torch.allclose(places[3], places[4], atol=1e-2)
