from pathlib import Path

import pytest
import torch

from engines.data.degradations import greyed, spoilt
from engines.generators import FfhqGenerator
from engines.nets.initial import seeded
from engines.nets.irse import Body
from engines.training.features import Features
from engines.training.samples import TRAINING, Samples
from engines.training.streams import Changed, Kind, Pairs, WithFeatures


@pytest.fixture
def samples(toy: FfhqGenerator, tmp_path: Path) -> Samples:
    return Samples(toy, tmp_path, seed=TRAINING, size=16, drawn_at=16)


def pairs(samples: Samples, kind: Kind = "both") -> Pairs:
    return Pairs(samples, 6, seed=1, first=64, fresh=8, capacity=128, kind=kind)


def test_a_batch_depends_on_the_step_alone(samples: Samples, toy: FfhqGenerator, tmp_path: Path) -> None:
    forward = [Changed(pairs(samples), spoilt(0.5), seed=2)(step) for step in range(4)]
    late = Samples(toy, tmp_path / "late", seed=TRAINING, size=16, drawn_at=16)
    again = Changed(pairs(late), spoilt(0.5), seed=2)(3)
    assert torch.equal(again.picture, forward[3].picture)
    assert torch.equal(again.codes, forward[3].codes)
    assert not torch.equal(forward[2].picture, forward[3].picture)


def test_the_set_grows_to_its_capacity(samples: Samples) -> None:
    stream = pairs(samples)
    assert [stream.ready(step) for step in (0, 1, 7, 8, 1000)] == [64, 72, 120, 128, 128]
    assert int(stream(1000).rows.max()) < 128


@pytest.mark.parametrize(("kind", "odd"), [("single", 0), ("mixed", 1)])
def test_a_kind_can_be_asked_for(samples: Samples, kind: Kind, odd: int) -> None:
    assert (pairs(samples, kind)(0).rows % 2 == odd).all()


def test_spoiling_changes_the_picture_and_keeps_target_and_code(samples: Samples) -> None:
    clean, poor = pairs(samples)(0), Changed(pairs(samples), spoilt(1.0), seed=2)(0)
    assert torch.equal(poor.target, clean.target)
    assert torch.equal(poor.codes, clean.codes)
    assert not torch.equal(poor.picture, clean.picture)
    assert float(poor.picture.abs().max()) <= 1
    assert torch.equal(Changed(pairs(samples), spoilt(0.0), seed=2)(0).picture, clean.picture)


def test_a_translation_keeps_the_target(samples: Samples) -> None:
    batch = Changed(pairs(samples), greyed, seed=3)(0)
    assert torch.equal(batch.picture[:, 0], batch.picture[:, 1])
    assert not torch.equal(batch.target[:, 0], batch.target[:, 1])


def features(samples: Samples, kind: str = "spoilt50") -> Features:
    return Features(samples, seeded(Body, 0).eval(), spoilt(0.5) if kind != "clean" else spoilt(0.0), kind=kind, seed=7)


@pytest.fixture
def larger(toy: FfhqGenerator, tmp_path: Path) -> Samples:
    return Samples(toy, tmp_path, seed=TRAINING, size=32, drawn_at=32)


def test_kept_features_are_what_the_body_sees(larger: Samples) -> None:
    batch = WithFeatures(pairs(larger), features(larger, "clean"))(0)
    assert batch.levels is not None
    with torch.no_grad():
        seen = seeded(Body, 0).eval()(batch.picture)
    for kept, fresh in zip(batch.levels, seen, strict=True):
        assert kept.shape == fresh.shape
        assert float((kept - fresh).abs().max() / fresh.abs().max()) < 0.05  # bfloat16


def test_kept_features_are_rebuilt_bit_by_bit_and_belong_to_one_body(larger: Samples, toy: FfhqGenerator, tmp_path: Path) -> None:
    rows, first = torch.tensor([3, 70]), features(larger)
    again = features(Samples(toy, tmp_path / "elsewhere", seed=TRAINING, size=32, drawn_at=32))
    assert all(torch.equal(one, other) for one, other in zip(first(rows), again(rows), strict=True))
    assert first.path.name == again.path.name
    assert first.path != Features(larger, seeded(Body, 1).eval(), spoilt(0.5), kind="spoilt50", seed=7).path
    first.path.write_bytes(first.path.read_bytes()[:-10])  # cut off
    assert all(torch.equal(one, other) for one, other in zip(features(larger)(rows), again(rows), strict=True))
