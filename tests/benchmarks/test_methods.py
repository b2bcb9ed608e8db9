import json
from pathlib import Path
from typing import Any

import pytest
import torch

from benchmarks import methods, methods_table
from benchmarks.methods import AVERAGE, QUICK, Bench, Plan, compared, mean_and_error, ratio, summary
from benchmarks.papers import PUBLISHED, differing
from engines.core.images import read_image, to_tensor
from engines.core.weights import assets
from engines.faces import align, find_faces, pick_face
from engines.generators import FfhqGenerator


@pytest.fixture(scope="module")
def aligned_hopper(toy: FfhqGenerator) -> torch.Tensor:
    photo = read_image(assets() / "examples" / "hopper.jpg")
    return to_tensor(align(photo, pick_face(find_faces(photo)).alignment, toy.resolution))


@pytest.fixture(scope="module")
def results(toy: FfhqGenerator, aligned_hopper: torch.Tensor, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """Every method on the toy generator with two steps and one portrait, and one method measured again, on all portraits."""
    path = tmp_path_factory.mktemp("results") / "methods.json"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Bench, "portraits", property(lambda _: {"hopper": aligned_hopper}))
        methods.measure(toy, QUICK, path, say=lambda _: None)
    before = json.loads(path.read_text(encoding="utf-8"))
    methods.measure(toy, QUICK, path, "projector", say=lambda _: None)
    after = json.loads(path.read_text(encoding="utf-8"))
    assert list(after["methods"]) == list(before["methods"])
    assert after["methods"]["image2stylegan"] == before["methods"]["image2stylegan"]
    return after


def test_every_method_and_the_average_face_are_measured(results: dict[str, Any], toy: FfhqGenerator) -> None:
    assert next(iter(results["methods"])) == AVERAGE and {"projector", "image2stylegan"} <= set(results["methods"])
    assert {"astronaut", "hopper", "president"} <= set(results["portraits"])
    for name, method in results["methods"].items():
        portraits = len(results["portraits"]) if name == "projector" else 1
        assert method["generated"]["faces"] >= 1
        assert method["real"]["faces"] == method["real"]["edited"] == portraits
        for kind in ("generated", "real"):
            figures = method[kind]["figures"]
            assert {"lpips", "mse", "psnr", "ms_ssim", "identity_distance", "identity_after", "change"} <= set(figures)
            assert len(method[kind]["each"]["lpips"]) == method[kind]["faces"]
            assert results["ratios"][name][kind][AVERAGE]["lpips"][0] == pytest.approx(1) or name != AVERAGE
    assert results["methods"]["projector"]["values"] == toy.width and results["methods"][AVERAGE]["values"] == 0


def test_a_code_that_a_method_reads_again_has_the_paper_s_consistency(results: dict[str, Any]) -> None:
    found = results["methods"]["projector"]["generated"]
    assert results["methods"]["projector"]["slow"] or found["figures"]["own_consistency"][0] > 0
    assert "own_consistency" not in results["methods"][AVERAGE]["generated"]["figures"]


def test_what_an_earlier_reader_read_is_marked(results: dict[str, Any]) -> None:
    assert len(results["read_by"]) >= 8 and all(method["read_by"] == results["read_by"] for method in results["methods"].values())
    assert "earlier weights" not in methods_table.rendered(results)
    older = json.loads(json.dumps(results))
    older["methods"]["projector"]["read_by"] = "other"
    text = methods_table.rendered(older)
    title = older["methods"]["projector"]["title"]
    marked = [line for line in text.splitlines() if " * |" in line]
    assert len(marked) == 2 and all(line.startswith(f"| {title} |") for line in marked)
    assert text.count("earlier weights") == 2


def test_an_unknown_method_is_refused_before_anything_is_measured(toy: FfhqGenerator, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="no method 'nobody'; there are: average"):
        methods.measure(toy, QUICK, tmp_path / "methods.json", "nobody")
    assert not (tmp_path / "methods.json").exists()


def test_slow_methods_take_few_faces_and_quick_ones_their_share(toy: FfhqGenerator, monkeypatch: pytest.MonkeyPatch) -> None:
    bench = Bench(toy, Plan(faces=9, slow=2, edited=0, share=100.0))
    bench.__dict__["portraits"] = {}
    seconds = iter([5.0, 5.0, 5.0] + [0.1] * 8 + [0.1] * 2)
    monkeypatch.setattr(bench, "_face", lambda *_: {"seconds": next(seconds), "space": "W", "values": 1, "lpips": 0.1})
    entrant = next(bench.entrants())
    assert bench.measure(entrant)["generated"]["faces"] == 2
    assert bench.measure(entrant)["generated"]["faces"] == 9  # the first face alone was slow: its weights were loaded
    monkeypatch.setattr(bench, "plan", Plan(faces=9, slow=2, edited=0, share=0.0))
    assert bench.measure(entrant)["generated"]["faces"] == 2


def test_the_faces_are_the_held_out_ones(toy: FfhqGenerator, tmp_path: Path) -> None:
    from engines.training.samples import TEST, Samples

    samples = Samples(toy, tmp_path, seed=TEST, size=64, drawn_at=64)
    samples.fill(3)
    bench, rows = Bench(toy, Plan(faces=3)), torch.arange(3)
    assert torch.equal(bench._codes[:3], samples.codes(rows))
    apart = torch.cat([bench.generated(row) for row in range(3)]).float() / 127.5 - 1 - samples.pictures(rows)
    assert float(apart.abs().max()) < 1.5 / 127.5  # one and three at a time may round a level apart


def test_means_errors_and_ratios() -> None:
    assert mean_and_error([1.0, 2.0, 3.0]) == [2.0, pytest.approx(1 / 3**0.5, abs=1e-5)]
    assert mean_and_error([4.0]) == [4.0, None]
    assert ratio([1.0, 2.0, 9.0], [2.0, 4.0]) == [0.5, 0.0]
    assert ratio([1.0, 3.0], [2.0, 2.0]) == [1.0, pytest.approx(0.5, abs=1e-4)]
    assert ratio([None, 1.0, 2.0], [5.0, 2.0, 4.0, 8.0]) == [0.5, 0.0]
    assert ratio([], [1.0]) == [None, None]


def test_the_median_leaves_out_the_first_runs() -> None:
    rows = [{"seconds": value} for value in (9.0, 9.0, 9.0, 1.0, 1.0, 1.0, 2.0)]
    assert summary(rows)["seconds"] == 1.0
    assert summary(rows[:2])["seconds"] == 9.0
    assert summary([])["seconds"] is None


def each(**figures: Any) -> dict[str, Any]:
    seconds = figures.pop("seconds", None)
    kind = {"faces": 3, "edited": 0, "seconds": seconds, "figures": {k: mean_and_error(v) for k, v in figures.items()}, "each": figures}
    return {"title": "T", "space": "W", "values": 5, "generated": kind, "real": kind}


def test_orderings_that_differ_from_the_papers_are_found() -> None:
    first, second = [0.30, 0.31, 0.32], [0.10, 0.11, 0.13]
    found = differing({"psp": each(lpips=first), "e4e": each(lpips=second)}, "real")
    assert {line["figure"] for line in found["reversed"]} == {"lpips"} and len(found["reversed"]) == 3
    assert found["reversed"][0]["published"] == [0.17, 0.20] and found["reversed"][0]["ours"] == [0.31, pytest.approx(0.11333, abs=1e-5)]
    found = differing({"psp": each(lpips=second), "e4e": each(lpips=first)}, "real")
    assert (found["agreeing"], found["reversed"], found["unclear"]) == (3, [], [])
    found = differing({"psp": each(lpips=[0.1, 0.2, 0.31]), "e4e": each(lpips=[0.2, 0.1, 0.3])}, "real")
    assert not found["reversed"] and len(found["unclear"]) == 3


def test_identity_is_a_similarity_in_papers_and_a_distance_here() -> None:
    near, far = [0.3, 0.31, 0.32], [0.6, 0.61, 0.62]
    assert differing({"pti": each(identity_distance=near), "psp": each(identity_distance=far)}, "real")["agreeing"] == 2
    assert len(differing({"pti": each(identity_distance=far), "psp": each(identity_distance=near)}, "real")["reversed"]) == 2
    slow, quick = each(seconds=9.0), each(seconds=0.1)
    assert differing({"pti": slow, "psp": quick}, "generated")["agreeing"] == 3


def test_published_tables_name_figures_that_can_be_compared() -> None:
    known = {"identity_similarity", "ms_ssim", "lpips", "mse", "psnr", "seconds"}
    for table in PUBLISHED.values():
        assert len(table) > 1
        for figures in table.values():
            assert set(figures) <= known


def test_the_readme_s_table_is_rectangular_and_keeps_the_kinds_apart(results: dict[str, Any]) -> None:
    text = methods_table.rendered(results | {"reader": None})
    widths: list[int] = []
    for line in [*text.splitlines(), ""]:
        widths = [*widths, line.count("|")] if line.startswith("|") else []
        assert len(set(widths)) <= 1
    assert text.index("Held-out generated faces:") < text.index("Real portraits:")
    assert "±" in text and "no encoder was there" in text and "| Average face |" in text


def test_ratios_to_psp_and_reversed_orderings_are_printed(results: dict[str, Any]) -> None:
    figures = {"lpips": [0.1, 0.2, 0.3], "mse": [0.1, 0.1, 0.1], "identity_distance": [0.5, 0.5, 0.5], "seconds": 0.2}
    better = {"lpips": [0.01, 0.02, 0.03], "mse": [0.01, 0.01, 0.01], "identity_distance": [0.1, 0.1, 0.1], "seconds": 0.1}
    found = {"average": each(**dict(figures)), "psp": each(**dict(figures)), "e4e": each(**dict(better))}
    here, there = results["methods"]["psp"]["machine"], {"cpu": "Elsewhere"}
    found = {name: method | {"machine": here | (there if name == "e4e" else {})} for name, method in found.items()}
    text = methods_table.rendered(results | {"methods": found} | compared(found))
    assert "| 0.10 ± 0.00 / 0.10 ± 0.00 / 0.20 ± 0.00 |" in text
    assert f"{here['date']}; T: Elsewhere, " in text
    assert "clearly the other way round" in text and "arXiv:2111.15666" in text


def test_a_list_of_numbers_takes_one_line(tmp_path: Path) -> None:
    methods.write({"a": {"b": [1.5, None, -2e-05]}, "c": ["x", "y"], "d": []}, tmp_path / "out.json")
    text = (tmp_path / "out.json").read_text(encoding="utf-8")
    assert "[1.5, null, -2e-05]" in text
    assert json.loads(text) == {"a": {"b": [1.5, None, -2e-05]}, "c": ["x", "y"], "d": []}
    assert [path.name for path in tmp_path.iterdir()] == ["out.json"]
