import numpy as np
import pytest
import torch
from PIL import Image as Pictures

from engines.core.errors import ImageError
from engines.core.packed import load_packed
from engines.faces import SAME_PERSON, align, identity_distance, identity_embedder
from engines.faces.identity import CHIP_POINTS, chips
from tests.engines.faces.pictures import GENERATED, astronaut, astronaut_face, generated, generated_face, tensor


@pytest.fixture(scope="module")
def portrait() -> torch.Tensor:
    return tensor(align(astronaut(), astronaut_face().alignment, 512))


def test_people_lie_apart_and_mirrors_together(portrait: torch.Tensor) -> None:
    embedder = identity_embedder()
    people = torch.cat([embedder.embed(tensor(generated(number))) for number in GENERATED] + [embedder.embed(portrait)])
    pairs = torch.cdist(people, people)[*torch.triu_indices(5, 5, 1)]
    assert pairs.min() > 0.45 and 0.65 < pairs.mean() < 0.95
    mirrored = identity_distance(embedder.embed(portrait.flip(3)), people[4:])
    assert 0.05 < float(mirrored) < 0.35


def test_a_person_stays_the_same_in_another_size_and_light(portrait: torch.Tensor) -> None:
    embedder = identity_embedder()
    known = embedder.embed(portrait)
    small = tensor(align(astronaut(), astronaut_face().alignment, 128))
    assert float(identity_distance(embedder.embed(small), known)) < 0.15
    assert float(identity_distance(embedder.embed(portrait * 0.7 - 0.2), known)) < SAME_PERSON


def test_the_photo_with_its_points_gives_the_person_of_the_aligned_crop(portrait: torch.Tensor) -> None:
    points = torch.tensor(astronaut_face().landmarks.five, dtype=torch.float32)[None]
    embedder = identity_embedder()
    assert float(identity_distance(embedder.embed(tensor(astronaut()), points), embedder.embed(portrait))) < 0.25


def test_gradients_reach_every_pixel_of_the_chip(portrait: torch.Tensor) -> None:
    picture = portrait.clone().requires_grad_()
    identity_embedder().embed(picture).square().sum().backward()
    assert picture.grad is not None
    reached = (picture.grad.abs().sum((0, 1)) > 0).float()
    assert float(reached[150:400, 150:360].mean()) > 0.999
    assert not any(parameter.requires_grad for parameter in identity_embedder().parameters())


def test_descending_the_distance_brings_a_face_nearer() -> None:
    embedder = identity_embedder()
    target = embedder.embed(tensor(generated(1)))
    picture = tensor(generated(3)).requires_grad_()
    before = identity_distance(embedder.embed(picture), target)
    before.sum().backward()
    assert picture.grad is not None
    after = identity_distance(embedder.embed(picture.detach() - 2 * picture.grad / picture.grad.norm()), target)
    assert float(after.detach()) < float(before.detach()) - 0.01


def test_chips_bring_the_points_to_their_places() -> None:
    canvas = torch.full((1, 3, 400, 600), -1.0)
    turn = np.array([[1.4, -0.5], [0.5, 1.4]])
    points = np.array(CHIP_POINTS) @ turn.T + (150, 40)
    for x, y in points:
        canvas[:, :, round(y) - 3 : round(y) + 3, round(x) - 3 : round(x) + 3] = 1
    chip = chips(canvas, torch.tensor(points, dtype=torch.float32)[None])
    assert chip.shape == (1, 3, 150, 150)
    bright = torch.stack([chip[0, 0, int(y), int(x)] for x, y in CHIP_POINTS])
    assert float(bright.min()) > 0.8
    assert float((chip[0, 0] > 0).float().mean()) < 0.01


def test_gradients_of_equal_faces_are_finite() -> None:
    embedding = torch.zeros(1, 128, requires_grad=True)
    identity_distance(embedding, torch.zeros(1, 128)).sum().backward()
    assert embedding.grad is not None and bool(torch.isfinite(embedding.grad).all())


def test_pictures_that_are_not_square_need_points() -> None:
    with pytest.raises(ImageError, match="give its five points"):
        identity_embedder().embed(torch.zeros(1, 3, 64, 80))


def test_coded_kernels_are_widened_within_their_range() -> None:
    weights = load_packed("face_identity")
    assert not any(key.endswith(".range") for key in weights)
    assert all(value.dtype == torch.float32 for value in weights.values())
    assert weights["head.weight"].abs().max() == pytest.approx(0.0458, abs=5e-4)


def test_batches_equal_single_pictures() -> None:
    both = torch.cat([tensor(generated(number)) for number in GENERATED[:2]])
    together = identity_embedder().embed(both)
    torch.testing.assert_close(together[1:], identity_embedder().embed(both[1:]), atol=1e-5, rtol=0)


def test_points_serve_faces_of_any_size() -> None:
    picture = generated(3).resize((777, 777), Pictures.Resampling.BICUBIC)
    points = torch.tensor(generated_face(3).landmarks.five * 777 / 256, dtype=torch.float32)[None]
    embedder = identity_embedder()
    assert float(identity_distance(embedder.embed(tensor(picture), points), embedder.embed(tensor(generated(3))))) < 0.35
