import sys
from pathlib import Path
from typing import Any

import pytest

from benchmarks import headlines, table
from benchmarks.machine import facts, peak_memory, write

MACHINE = {"cpu": "A processor", "cores": 2, "ram_gib": 8.0, "torch": "2.13.0", "threads": 2, "date": "2026-01-01"}
TIME = {"median": 0.2, "low": 0.19, "high": 0.21}


def generator_results(openvino: dict[str, Any]) -> dict[str, Any]:
    way = {
        "pages": "kept",
        "sizes": {"1024": {"forward": TIME, "backward": TIME}},
        "peak_mib": {"forward": 700.0, "backward": 1400.0},
    }
    return {"machine": MACHINE, "repeats": 21, "ways": [way], "openvino": openvino}


BESIDE = {"ways": [{"pages": "kept", "version": "2026.1-abc", "student": TIME, "openvino": TIME, "ratio": 1.0}]}
FIGURES = {"lpips": 0.1, "mse": 0.02, "psnr": 23.0, "ms_ssim": 0.8, "identity_distance": 0.4, "drift": 0.3}
MEDIAN = {"kind": "generated", "method": "Projector", "moment": "end", "faces": 3, "seconds": 40.0} | FIGURES

PAGE = {
    "machine": MACHINE,
    "start_seconds": 6.0,
    "random_face_seconds": {"first": 0.6, "median": 0.5},
    "slider_seconds": {"coarse": {"median": 0.123, "slowest": 0.2, "moves": 50}},
    "explorer": {"points": 5000, "seconds": {"first view in 3-D": 0.9}},
    "strokes": {"strokes": 10, "median": 0.4, "most": 0.5},
    "inversion": {"method": "image2stylegan", "photo": "a.jpg", "seconds": 50.0} | FIGURES,
    "memory_mib": {"idle": 600.0, "peak": 1500.0, "after": 1000.0},
}

EDITING = {
    "machine": MACHINE,
    "bank": 12_000,
    "faces": 16,
    "interfacegan": {name: {"accuracy": 0.987, "balanced_accuracy": 0.85} for name in ("smile", "beard")},
    "interfacegan_z": {"smile": {"accuracy": 0.8, "balanced_accuracy": 0.7}},
    "own_over_others": {"smile": 3.5, "beard": 1.2},
    "rescoring": {
        "columns": ["direction", "smile", "beard", "identity_distance"],
        "rows": [["smile", 1.5, -0.2, 0.3], ["beard", 0, 1, 0.2]],
    },
    "conditional": [
        {
            "attribute": "smile",
            "kept": "beard",
            "leak_before": 0.4,
            "leak_after": 0.1,
            "own_before": 1.5,
            "own_after": 1.4,
            "leak_ratio_cut": 0.7,
            "cut_by_boundary_alone": 0.34,
        }
    ],
    "dependency": [
        {"attribute": "smile", "method": method, "mean_ad_at_0.5": value, "mean_ad_at_1": None}
        for method, value in (("StyleSpace", 0.111), ("GANSpace", 0.3), ("InterFaceGAN", 0.2))
    ],
    "dci": {"w": {"disentanglement": 0.5, "completeness": 0.6, "informativeness": 0.9}},
    "photo": {"smile": {"strengths": [-2.0, 2.0], "identity_distance": [0.3, 0.4], "change": [-1.0, 1.0]}},
    "ganspace": {"samples": 1000, "seconds": 3.0, "agreement_of_ten": 0.99, "spreads": [2.8, 2.6, 2.5]},
    "sefa": [{"layers": "all", "seconds": 0.1, "ratio": 2.0}],
    "locality": [
        {"region": "mouth", "outside": [0.05, 0.06], "outside_by_gradients": 0.3},
        {"region": "skin", "outside": [], "outside_by_gradients": None},
    ],
}

MIXED = {"mse_src": 0.0123, "mse_ref": 0.0456, "seam": 1.23, "seam_source": 1.11, "seam_reference": 1.01, "pairs": 9}
MIXING = {
    "machine": MACHINE,
    "pairs": 100,
    "edge": 0.03,
    "parts": {"eyes": {"styles by pixel": MIXED | {"mse_ref": None}}},
    "all": {"styles by pixel": MIXED, "pasted pixels": MIXED},
    "own": {"edge": 0.08, "ways": {"16 cells, in the map": MIXED}},
    "seconds": {"plain": {"median": 0.2, "over_plain": 1.0}, "mouth": {"median": 0.28, "over_plain": 1.4}},
}


def text_of(folder: Path) -> str:
    """All pages, one after another."""
    return "\n".join(table.pages(folder).values())


@pytest.fixture
def results(tmp_path: Path) -> Path:
    write("generator", generator_results(BESIDE), tmp_path)
    write("page", PAGE, tmp_path)
    write("inversion", {"machine": MACHINE, "medians": [MEDIAN, MEDIAN | {"kind": "real", "faces": 1}]}, tmp_path)
    write("editing", EDITING, tmp_path)
    write("mixing", MIXING, tmp_path)
    return tmp_path


def test_every_row_has_as_many_cells_as_its_head(results: Path) -> None:
    grid: list[int] = []
    for line in [*text_of(results).splitlines(), ""]:
        if line.startswith("|"):
            grid.append(line.count("|"))
        else:
            assert len(set(grid)) <= 1
            grid = []


def test_mixing_shows_its_figures_and_a_dash_for_what_was_not_measured(results: Path) -> None:
    text = text_of(results)
    assert "100 pairs" in text and "| pasted pixels | 0.012 | 0.046 | 1.230 |" in text
    assert "| 16 cells, in the map | 0.012 | 0.046 | 1.230 |" in text and "the soft edge (8% of the side)" in text
    assert "| eyes | 0.012 | - | 1.230 |" in text and "mouth 0.280 s (1.40x)" in text


def test_figures_and_machine_are_shown(results: Path) -> None:
    text = text_of(results)
    assert "A processor, 2 cores, 8 GiB, torch 2.13.0 on 2 threads, 2026-01-01" in text
    assert "| pages kept | 0.200 | 0.200 | 700 / 1400 MiB |" in text
    assert "| pages kept | 0.200 | 0.200 | 1.00 |" in text
    assert "median of 50 | 123 ms |" in text
    assert "| 600 / 1500 / 1000 MiB |" in text
    assert "| 3 generated | Projector | 40 (end) | 0.100 |" in text
    assert "| smile | 0.987 | 0.850 | 0.800 | 3.5 |" in text
    assert "| smile, beard kept | +0.40 → +0.10 | +1.50 → +1.40 | 70% | 34% |" in text
    assert "| mouth | 0.050 | 0.060 | - | 0.300 |" in text and "first view in 3-D | 900 ms |" in text
    assert "median of 10 | 400 ms, at most 500 ms |" in text
    assert "| smile | 0.111 | 0.300 | 0.200 | - | - | - |" in text


def test_real_faces_come_first_and_stay_apart(results: Path) -> None:
    text = text_of(results)
    assert text.index("| 1 real |") < text.index("| 3 generated |")


def test_what_was_not_measured_is_said(tmp_path: Path) -> None:
    assert text_of(tmp_path).count("has not been run.") == 14
    write("generator", generator_results({"skipped": "OpenVINO is not installed."}), tmp_path)
    assert "OpenVINO is not installed." in text_of(tmp_path)


def test_renewing_replaces_what_stands_between_the_marks_only() -> None:
    text = f"before\n{table.BEGIN}\nold\n{table.END}\nafter\n"
    once = table.renewed(text, "| new |")
    assert once == f"before\n{table.BEGIN}\n| new |\n{table.END}\nafter\n"
    assert table.renewed(once, "| new |") == once


@pytest.mark.parametrize("text", ["", "no marks", f"{table.BEGIN} only", f"{table.END} before {table.BEGIN}"])
def test_without_the_marks_nothing_is_renewed(text: str) -> None:
    assert table.renewed(text, "new") is None


@pytest.mark.parametrize("exists", [True, False])
def test_the_command_prints_where_it_cannot_write(
    results: Path, exists: bool, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    readme = results / "README.md"
    if exists:
        readme.write_text("# No marks\n", encoding="utf-8")
    monkeypatch.setattr(sys, "argv", ["table", "--results", str(results), "--root", str(results)])
    assert table.main() == 1
    printed = capsys.readouterr()
    assert "Drawing one face" in printed.out
    assert "nothing was written" in printed.err
    assert readme.exists() == exists and not (results / "docs").exists()


def test_the_command_writes_where_it_can(results: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    readme = results / "README.md"
    readme.write_text(f"# Title\n{table.BEGIN}\n{table.END}\n", encoding="utf-8")
    monkeypatch.setattr(sys, "argv", ["table", "--results", str(results), "--root", str(results)])
    assert table.main() == 0
    assert "Nothing was measured yet." in readme.read_text(encoding="utf-8")
    assert "Inverting a face" in (results / "docs" / "benchmarks" / "inversion.md").read_text(encoding="utf-8")
    assert "(inversion.md)" in (results / "docs" / "benchmarks" / "README.md").read_text(encoding="utf-8")


def test_what_is_committed_is_current() -> None:
    """`python -m benchmarks.table` would change nothing."""
    folder = table.ROOT / "docs" / "benchmarks"
    assert {path.stem: path.read_text(encoding="utf-8") for path in folder.glob("*.md")} == table.pages(table.RESULTS)
    readme = (table.ROOT / "README.md").read_text(encoding="utf-8")
    assert table.renewed(readme, table.headline(table.RESULTS)) == readme


def test_headlines_stand_beside_what_a_paper_reports() -> None:
    real = {"faces": 3, "seconds": 12.34, "figures": {"lpips": [0.077, 0.02], "identity_distance": [0.4, 0.03]}}
    results = {
        "methods": {
            "recommended": {"title": "Recommended", "real": real},
            "e4e": {"title": "e4e", "real": real},
            "psp": {"real": {"faces": 0}},
        }
    }
    lines = headlines.rendered(results).splitlines()
    assert lines[2] == "| Recommended | 0.077 ± 0.020 | - | 0.40 ± 0.03 | - | 12.3 | - |"
    assert lines[3] == "| e4e | 0.077 ± 0.020 | 0.20 | 0.40 ± 0.03 | 0.50 | 12.3 | 0.1 |" and len(lines) == 4


def test_every_result_has_a_page() -> None:
    assert {path.stem for path in table.RESULTS.glob("*.json")} <= set(table.sections())


def test_the_machine_is_described() -> None:
    found = facts()
    assert found["cores"] >= 1
    assert found["ram_gib"] > 0
    assert peak_memory() > 10
