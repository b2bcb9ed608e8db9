"""Twins: paired differences, and that a twin is read from its own checkpoint."""

import pytest
import torch

from benchmarks import ablations
from benchmarks.ablations import COMPARED, compared, rendered
from engines.training.catalogue import recipes


def test_a_difference_is_paired() -> None:
    ours = {"error": torch.tensor([0.1, 0.9]), "error_fine": torch.tensor([0.1, 0.9]), "offsets": torch.tensor([1.0, 2.0])}
    theirs = {name: values + torch.tensor([0.1, 0.2]) for name, values in ours.items()}
    found = compared(ours, theirs)
    assert found["error"]["difference"] == pytest.approx(0.15, abs=1e-4)
    assert found["error"]["error"] == pytest.approx(0.05, abs=1e-4)
    text = rendered({"twins": [{"recipe": "psp", "idea": "level-split heads"} | found]})
    assert "| psp | level-split heads | +0.1500 ± 0.0500 |" in text


def test_each_look_is_held_against_the_one_pass_and_the_look_before() -> None:
    answers = {"one pass": [0.5, 0.3], "look 1": [0.4, 0.3], "look 2": [0.3, 0.3]}
    rows = ablations._refined("e4e", {name: torch.tensor([[value, 2 * value] for value in values]) for name, values in answers.items()})
    assert [(row["lpips"], row["mse"], row["faces"]) for row in rows] == [(0.4, 0.8, 2), (0.35, 0.7, 2), (0.3, 0.6, 2)]
    assert [row["won_over_base"] for row in rows] == [0.0, 0.05, 0.1]
    assert [row["won_over_last"] for row in rows] == [0.0, 0.05, 0.05]
    assert rows[2]["won_over_base_error"] == pytest.approx(0.1)
    assert "| e4e | step 2 | 0.3000 | 0.6000 | 0.1000 ± 0.1000 | 0.0500 ± 0.0500 |" in rendered({"twins": [], "looks": rows})


def test_every_idea_is_one_of_its_recipe() -> None:
    known = recipes()
    for pair in COMPARED:
        assert pair.component in known[pair.recipe].components


def test_one_part_is_measured_again_and_the_others_stay(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ablations, "PARTS", {name: lambda faces, name=name: [f"{name} on {faces}"] for name in ("twins", "looks", "cells")})
    whole = ablations.measure(3)
    again = ablations.measure(5, "cells", whole)
    assert again["cells"] == ["cells on 5"]
    assert {name: again[name] for name in ("twins", "looks")} == {"twins": ["twins on 3"], "looks": ["looks on 3"]}
