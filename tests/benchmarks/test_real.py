"""The thirty real portraits: none is missing, groups hold each once a kind, and the table's figures are means over them."""

import csv
from pathlib import Path

import pytest
import torch

from benchmarks import real
from engines.core.errors import StudioError
from engines.generators import FfhqGenerator
from scripts.align_portraits import LIST, listed

MACHINE = {"cpu": "A processor", "cores": 2, "ram_gib": 8.0, "torch": "2.13.0", "threads": 2, "date": "2026-01-01"}


def rows(lpips: float, identity: float) -> dict[str, dict[str, float]]:
    return {
        name: {"lpips": lpips + off, "mse": 0.04, "identity_distance": identity + off, "seconds": 0.5}
        for name, off in (("a", -0.1), ("b", 0.0), ("c", 0.1))
    }


RESULTS = {
    "machine": MACHINE,
    "groups": {"women": ["a"], "men": ["b", "c"]},
    "methods": {
        "average": {"machine": MACHINE, "portraits": rows(0.5, 0.9)},
        "psp": {"machine": MACHINE, "portraits": rows(0.2, 0.5)},
        "e4e": {"machine": MACHINE, "portraits": rows(0.25, 0.6)},
    },
}


def test_the_table_has_means_published_figures_and_paired_differences() -> None:
    text = real.rendered(RESULTS)
    assert "| psp | 0.200 ± 0.058 | 0.17 | 0.040 ± 0.000 | 0.034 | 0.50 ± 0.06 | 0.44 of another network | 2 of 3 | 0.50 | - |" in text
    assert "| e4e | 0.250 ± 0.058 |" in text and "| +0.050 ± 0.000 |" in text
    assert text.index("| psp |") < text.index("| e4e |") < text.index("| the average face |")
    assert "| women | 1 | 0.100 (0.50) |" in text and "| men | 2 | 0.250 (1.25) |" in text


def test_the_portraits_are_thirty_of_512_px_and_all_listed(toy: FfhqGenerator) -> None:
    found = real.portraits(toy)
    assert len(found) == 30 and {image.shape for image in found.values()} == {(1, 3, toy.resolution, toy.resolution)}
    assert {f"{name}.jpg" for name in found} == {Path(row.file).name for row in listed() if row.file.startswith("benchmark/")}


def test_no_person_is_in_two_folders_and_no_name_is_in_the_list() -> None:
    persons = [(row.source, row.id) for row in listed()]
    assert len(persons) == len(set(persons)) == 922
    with LIST.open(newline="") as file:
        assert next(csv.reader(file)) == ["file", "source", "id"]


def test_an_installed_package_says_that_it_lacks_them(tmp_path: Path, toy: FfhqGenerator) -> None:
    with pytest.raises(StudioError, match="source tree alone"):
        real.portraits(toy, tmp_path)


def test_groups_hold_every_portrait_once_a_kind(monkeypatch: pytest.MonkeyPatch) -> None:
    scores = iter(torch.arange(12.0).expand(1, 12) * sign + sign for sign in (1, -1, 2, -2, 3, -3))
    monkeypatch.setattr(real, "attribute_scorer", lambda: lambda photo: next(scores))
    names = list("abcdef")
    found = real.groups(dict.fromkeys(names, torch.zeros(1, 3, 4, 4)))
    for kind in (("women", "men"), ("darkest third", "middle third", "lightest third"), ("young", "middle", "old")):
        assert sorted(name for title in kind for name in found[title]) == names
    assert found["women"] == ["b", "d", "f"] and found["old"] == ["c", "e"]
