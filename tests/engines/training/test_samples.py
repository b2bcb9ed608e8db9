from pathlib import Path

import pytest
import torch

from engines.generators import FfhqGenerator
from engines.generators.toy import toy as make_toy
from engines.spaces.statistics import statistics
from engines.training.samples import CHUNK, TEST, TRAINING, TRUNCATION, VALIDATION, Samples

ROWS = torch.tensor([0, 1, 5, CHUNK - 1, CHUNK, 2 * CHUNK - 1])


def samples(generator: FfhqGenerator, folder: Path, seed: int = TRAINING) -> Samples:
    return Samples(generator, folder, seed=seed, size=16, drawn_at=32)


@pytest.fixture
def filled(toy: FfhqGenerator, tmp_path: Path) -> Samples:
    found = samples(toy, tmp_path)
    found.fill(2 * CHUNK)
    return found


def test_a_sample_is_the_picture_of_its_code(toy: FfhqGenerator, filled: Samples) -> None:
    drawn = toy.synthesize(toy.slots.scatter(filled.codes(ROWS)), size=32).clamp(-1, 1)
    averaged = torch.nn.functional.avg_pool2d(drawn, 2)
    assert torch.allclose(filled.pictures(ROWS), averaged, atol=1.01 / 255)


def test_the_cache_is_rebuilt_bit_by_bit(toy: FfhqGenerator, filled: Samples, tmp_path: Path) -> None:
    again = samples(make_toy(), tmp_path / "elsewhere")
    again.fill(2 * CHUNK)
    assert again.path.read_bytes() == filled.path.read_bytes()
    assert torch.equal(again.codes(ROWS), filled.codes(ROWS))


def test_a_file_that_was_cut_off_is_completed(toy: FfhqGenerator, filled: Samples, tmp_path: Path) -> None:
    whole = filled.path.read_bytes()
    filled.path.write_bytes(whole[: len(whole) * 2 // 3])
    beats: list[int] = []
    again = samples(toy, tmp_path)
    again.fill(2 * CHUNK, beats.append)
    assert filled.path.read_bytes() == whole
    assert beats == [2 * CHUNK]  # the first chunk was still there


def test_what_is_kept_is_not_drawn_again(toy: FfhqGenerator, filled: Samples, tmp_path: Path) -> None:
    beats: list[int] = []
    again = samples(toy, tmp_path)
    again.fill(2 * CHUNK, beats.append)
    assert not beats
    assert torch.equal(again.pictures(ROWS), filled.pictures(ROWS))


def test_another_generator_has_another_file(toy: FfhqGenerator, tmp_path: Path) -> None:
    assert samples(toy, tmp_path).path != samples(make_toy(seed=1), tmp_path).path


def test_half_have_one_w_and_half_change_it_at_a_border_of_groups(toy: FfhqGenerator, filled: Samples) -> None:
    codes = filled.codes(torch.arange(2 * CHUNK))
    active = list(toy.slots.active)
    borders = [active.index(toy.slots.groups[group][0]) for group in ("middle", "fine")]
    assert torch.equal(codes[0::2], codes[0::2, :1].expand_as(codes[0::2]))
    seen = set()
    for code in codes[1::2]:
        changes = [slot for slot in range(1, len(active)) if not torch.equal(code[slot], code[slot - 1])]
        assert len(changes) == 1
        seen.add(changes[0])
    assert seen == set(borders)


def test_codes_are_truncated_between_a_half_and_one(toy: FfhqGenerator, filled: Samples) -> None:
    known, low, high = statistics(toy), *TRUNCATION
    offsets = filled.codes(torch.arange(0, 2 * CHUNK, 2))[:, 0] - known.mean
    spread = float(offsets.square().sum(dim=1).mean().sqrt()) / known.std
    assert low < spread < high


def test_no_face_is_in_two_sets(toy: FfhqGenerator, tmp_path: Path) -> None:
    firsts = [samples(toy, tmp_path, seed) for seed in (TRAINING, VALIDATION, TEST)]
    for one in firsts:
        one.fill(CHUNK)
    rows = torch.cat([one.codes(torch.arange(CHUNK))[:, 0] for one in firsts])
    assert len(torch.unique(rows, dim=0)) == 3 * CHUNK
