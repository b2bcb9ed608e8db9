import pytest
import torch

from benchmarks import image2stylegan_pp as benchmark
from benchmarks.inversion import Face
from engines import Direction
from engines.comparison import InversionEvaluator
from engines.core.seeds import normal
from engines.generators import FfhqGenerator
from engines.spaces.statistics import random_w, statistics


@pytest.fixture(scope="module")
def rows(toy: FfhqGenerator) -> list[dict]:
    vector = normal((toy.width,), 3)
    vector = vector / vector.norm()
    direction = Direction("toy", "w", vector, toy.slots.active, statistics(toy).sigma(vector), "test")
    faces = [Face(f"seed {seed}", "generated", toy.synthesize(random_w(toy, seed)).clamp(-1, 1)) for seed in (5, 6)]
    settings = {"quick_steps": 1, "steps": 2, "noise_steps": 2}
    return [row for face in faces for row in benchmark.redrawn(toy, InversionEvaluator(toy), face, (direction, 1.0), settings)]


def test_each_way_has_a_row_a_face_with_the_steps_it_took(rows: list[dict]) -> None:
    assert [(row["face"], row["way"], row["steps"]) for row in rows] == [
        (face, way, steps) for face in ("seed 5", "seed 6") for way, steps in (("W+", 3), ("W+, then noise", 5))
    ]


def test_medians_say_on_how_many_faces_noise_is_better(rows: list[dict]) -> None:
    alone, with_noise = benchmark.medians(rows)
    assert (alone["faces"], with_noise["faces"]) == (2, 2) and "better_on" not in alone
    better = [rows[index + 1]["psnr"] > rows[index]["psnr"] for index in (0, 2)]
    assert with_noise["better_on"] == sum(better)
    assert alone["psnr"] == pytest.approx((rows[0]["psnr"] + rows[2]["psnr"]) / 2, abs=1e-4)


def test_an_error_within_a_mask_is_that_of_its_whole_cells() -> None:
    image, mask = torch.zeros(1, 3, 512, 512), torch.zeros(1, 1, 512, 512)
    mask[..., :101] = 1  # the last column fills half a cell of 256
    target = image.clone()
    target[..., :100] = 0.5
    target[..., 100:] = 1.0
    assert benchmark.mse_within(image, target, mask) == pytest.approx(0.25)
    assert benchmark.mse_within(image, target, 1 - mask) == pytest.approx(1.0)


def test_one_part_can_be_measured_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(benchmark, "load_generator", lambda name: None)
    monkeypatch.setattr(benchmark, "_real", lambda generator: ["a"])
    monkeypatch.setattr(benchmark, "_generated", lambda generator, seeds: ["b"])
    monkeypatch.setattr(benchmark, "PARTS", {"reconstruction": lambda *_: {"is": "new"}, "masks": lambda *_: {"is": "new"}})
    before = {"reconstruction": {"is": "old"}, "masks": {"is": "old"}}
    assert benchmark.measure(True, "masks", before) == {"reconstruction": {"is": "old"}, "masks": {"is": "new"}}
    assert benchmark.measure(True, None, before) == {"reconstruction": {"is": "new"}, "masks": {"is": "new"}}
    with pytest.raises(ValueError, match="reconstruction, masks"):
        benchmark.measure(True, "holes", before)
