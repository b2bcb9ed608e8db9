import numpy as np
import pytest
import torch

from engines.core.images import to_picture
from engines.core.weights import manifest
from engines.data import attributes, face_bank, measure, thumbnail
from engines.data.faces import SEED, SIZE, THUMBNAIL, TRUNCATION, codes
from engines.data.pixels import measure_pixels
from engines.generators import FfhqGenerator
from engines.spaces.statistics import statistics

shipped = pytest.mark.skipif("face_bank" not in manifest(), reason="the bank of faces is not bundled")


def test_a_generator_without_a_shipped_bank_gets_a_quick_one(toy: FfhqGenerator) -> None:
    bank = face_bank(toy)
    assert len(bank) == 400
    assert bank.names == tuple(attribute.name for attribute in attributes(toy)) == ("brightness", "warmth", "contrast")
    assert bank.z.shape == bank.w.shape == (400, toy.width)
    assert bank.scores.shape == (400, 3)
    assert bool(bank.scores.isfinite().all())
    assert bool((bank.deviation() > 0).all())


def test_a_bank_is_made_once(toy: FfhqGenerator) -> None:
    assert face_bank(toy) is face_bank(toy)


def test_codes_come_from_their_seed_and_the_first_ones_do_not_depend_on_how_many(toy: FfhqGenerator) -> None:
    z, w = codes(toy, 30)
    again, _ = codes(toy, 30)
    assert torch.equal(z, again)
    assert torch.equal(codes(toy, 10)[0], z[:10])
    assert torch.allclose(codes(toy, 10)[1], w[:10], atol=1e-5)
    assert not torch.equal(codes(toy, 30, seed=SEED + 1)[0], z)
    assert torch.allclose(w, statistics(toy).truncate(toy.map(z), TRUNCATION), atol=1e-5)
    assert torch.equal(face_bank(toy).z[:30], z)


def test_scores_are_what_the_instrument_says_of_the_drawn_faces(toy: FfhqGenerator) -> None:
    bank = face_bank(toy)
    assert torch.allclose(measure(toy)(toy.synthesize(bank.w[[3, 77]])), bank.scores[[3, 77]], atol=1e-4)


def test_a_thumbnail_is_the_face_in_small(toy: FfhqGenerator) -> None:
    picture = thumbnail(toy, 5)
    assert picture.size == (THUMBNAIL, THUMBNAIL)
    assert picture.tobytes() == to_picture(toy.synthesize(face_bank(toy).w[5:6])).tobytes()


def test_pixels_are_measured_by_hand_made_pictures() -> None:
    dark, red, striped = torch.full((3, 4, 4), -1.0), torch.zeros(3, 4, 4), torch.zeros(3, 4, 4)
    red[0], red[2] = 1, -1
    striped[:, ::2], striped[:, 1::2] = 1, -1
    scores = measure_pixels(torch.stack([dark, red, striped]))
    assert scores[:, 0].tolist() == pytest.approx([-1, 0, 0])
    assert scores[:, 1].tolist() == pytest.approx([0, 2, 0])
    assert scores[:, 2].tolist() == pytest.approx([0, float(red.std()), float(striped.std())])


def test_every_attribute_says_what_it_is(toy: FfhqGenerator, ffhq: FfhqGenerator) -> None:
    for generator in (toy, ffhq):
        for attribute in attributes(generator):
            assert attribute.name.isidentifier()
            assert all((attribute.title, attribute.unit, attribute.source, attribute.low, attribute.high))


@shipped
def test_the_shipped_bank_holds_ten_thousand_measured_faces(ffhq: FfhqGenerator) -> None:
    bank = face_bank(ffhq)
    assert len(bank) >= 10_000
    assert bank.z.shape == bank.w.shape == (len(bank), 512)
    assert bank.names == tuple(attribute.name for attribute in attributes(ffhq))
    assert len(bank.names) == 12
    assert bool(bank.scores.isfinite().all())
    assert bool((bank.deviation() > 0).all())
    assert bank.truncation == TRUNCATION


@shipped
def test_codes_of_the_shipped_bank_are_those_of_its_seed(ffhq: FfhqGenerator) -> None:
    bank, (z, w) = face_bank(ffhq), codes(ffhq, 100)
    rows = [int((z == row).all(dim=1).nonzero()[0]) for row in bank.z[:50]]
    assert rows == sorted(set(rows))
    assert torch.allclose(bank.w[:50], w[rows], atol=1e-4)


@shipped
@pytest.mark.parametrize("number", [0, 1234, -1])
def test_a_shipped_thumbnail_shows_the_face_that_its_code_draws(ffhq: FfhqGenerator, number: int) -> None:
    bank = face_bank(ffhq)
    row = range(len(bank))[number]
    small = thumbnail(ffhq, row)
    assert small.size == (THUMBNAIL, THUMBNAIL)

    def grey(picture: object) -> np.ndarray:
        return np.asarray(picture.convert("L").resize((32, 32)), np.float64)  # type: ignore[attr-defined]

    ours, other = (to_picture(ffhq.synthesize(bank.w[place : place + 1], size=SIZE)) for place in (row, (row + 7) % len(bank)))
    same, different = (np.abs(grey(small) - grey(picture)).mean() for picture in (ours, other))
    assert same < 6
    assert same < 0.5 * different


@shipped
def test_shipped_scores_are_those_of_the_faces_redrawn(ffhq: FfhqGenerator) -> None:
    """Small differences come from the JPEG that the recipe measured."""
    bank = face_bank(ffhq)
    pictures = torch.cat([ffhq.synthesize(bank.w[row : row + 1], size=SIZE) for row in (5, 50, 500)])
    change = (measure(ffhq)(pictures.clamp(-1, 1)) - bank.scores[[5, 50, 500]]) / bank.deviation()
    assert float(change.abs().median()) < 0.1
    assert float(change.abs().max()) < 1.5
