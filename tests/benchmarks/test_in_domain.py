from typing import Any

import pytest

from benchmarks import in_domain
from engines.data import face_bank
from engines.generators import FfhqGenerator


@pytest.fixture(scope="module")
def results(toy: FfhqGenerator) -> dict[str, Any]:
    """A quick run of the whole."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(in_domain, "load_generator", lambda _: toy)
        patch.setattr(in_domain, "EDITED", face_bank(toy).names[0])
        return in_domain.measure(quick=True, encoder="e4e")


@pytest.fixture
def rows(results: dict[str, Any]) -> list[dict[str, Any]]:
    return results["runs"]


def test_every_weight_is_measured_beside_the_plain_run(rows: list[dict[str, Any]]) -> None:
    assert [(row["start"], row["descent"], row["domain_weight"]) for row in rows] == list(in_domain.WAYS)
    steps = {"mean": in_domain.QUICK_LONG, "encoder": in_domain.QUICK_SHORT}
    assert all(row["steps"] == steps[row["start"]] for row in rows)
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


def test_real_and_generated_faces_are_kept_apart_and_the_table_is_whole(rows: list[dict[str, Any]]) -> None:
    real = [row | {"kind": "real", "steps_to_plain": None} for row in rows]
    found = in_domain.medians([*rows, *real])
    assert [(row["kind"], row["faces"]) for row in found] == [("generated", 1)] * len(in_domain.WAYS) + [("real", 1)] * len(in_domain.WAYS)
    pairs = [{"seam_pasted": 0.3, "seam": value, "lpips_part": 0.1} for value in (0.1, 0.2, 0.4)]
    text = in_domain.rendered({"encoder": "psp", "medians": found, "diffusion": pairs})
    table = [line for line in text.splitlines() if line.startswith("|")]
    assert len(table) == 2 + 2 * len(in_domain.WAYS)
    assert {line.count("|") for line in table} == {9}
    assert "on 2 of 3 pairs" in text
    assert "not reached" in table[-1]


def test_a_quick_run_is_whole(results: dict[str, Any]) -> None:
    assert len(results["runs"]) == len(in_domain.WAYS)
    assert results["diffusion"][0].keys() == {"giver", "receiver", "seam_pasted", "seam", "lpips_part"}
    assert "encoder: e4e" in in_domain.rendered(results)
