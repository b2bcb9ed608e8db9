import pytest

from benchmarks import in_domain
from benchmarks.inversion import Face
from engines import Direction
from engines.core.seeds import normal
from engines.data import face_bank
from engines.generators import Student
from engines.invert.optimize import InDomainRefine
from engines.spaces.statistics import random_w, statistics


@pytest.fixture(scope="module")
def rows(toy: Student) -> list[dict]:
    vector = normal((toy.width,), 3)
    vector = vector / vector.norm()
    direction = Direction("toy", "w", vector, toy.slots.active, statistics(toy).sigma(vector), "test")
    face = Face("seed 5", "generated", toy.synthesize(random_w(toy, 5)).clamp(-1, 1))
    return in_domain.compared(InDomainRefine(toy), in_domain.Judge(toy), face, direction, "psp", long=6, short=3)


def test_every_weight_is_measured_beside_the_plain_run(rows: list[dict]) -> None:
    assert [(row["start"], row["domain_weight"], row["steps"]) for row in rows] == [
        ("mean", 0.0, 6),
        *(("encoder", weight, 3) for weight in in_domain.WEIGHTS),
    ]
    for row in rows:
        assert row["consistency"] > 0
        assert max(row["curve"]) == row["steps"]
        assert row["curve"][row["steps"]] == pytest.approx(row["lpips"], abs=1e-3)
    assert rows[0]["steps_to_plain"] is not None


def test_steps_are_counted_to_the_first_that_is_as_good() -> None:
    curve = {1: 0.5, 10: 0.2, 5: 0.3, 15: 0.25}
    assert in_domain.reached(curve, 0.3) == 5
    assert in_domain.reached(curve, 0.2) == 10
    assert in_domain.reached(curve, 0.1) is None


def test_real_and_generated_faces_are_kept_apart_and_the_table_is_whole(rows: list[dict]) -> None:
    real = [row | {"kind": "real", "steps_to_plain": None} for row in rows]
    found = in_domain.medians([*rows, *real])
    assert [(row["kind"], row["faces"]) for row in found] == [("generated", 1)] * 5 + [("real", 1)] * 5
    pairs = [{"seam_pasted": 0.3, "seam": value, "lpips_part": 0.1} for value in (0.1, 0.2, 0.4)]
    text = in_domain.rendered({"encoder": "psp", "medians": found, "diffusion": pairs})
    table = [line for line in text.splitlines() if line.startswith("|")]
    assert len(table) == 12
    assert {line.count("|") for line in table} == {9}
    assert "on 2 of 3 pairs" in text
    assert "not reached" in table[-1]


def test_a_quick_run_is_whole(toy: Student, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(in_domain, "load_generator", lambda _: toy)
    monkeypatch.setattr(in_domain, "EDITED", face_bank(toy).names[0])
    results = in_domain.measure(quick=True, encoder="e4e")
    assert len(results["runs"]) == 1 + len(in_domain.WEIGHTS)
    assert results["diffusion"][0].keys() == {"giver", "receiver", "seam_pasted", "seam", "lpips_part"}
    assert "encoder: e4e" in in_domain.rendered(results)
