import errno
import json
import tomllib
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from engines.core import disk, weights
from engines.core.errors import OutputError, WeightsError
from engines.training import command
from engines.training.catalogue import recipes
from engines.training.manifest import Records, chosen


def test_recording_writes_the_file_and_renews_its_entry_only(tmp_path: Path) -> None:
    records = Records(tmp_path / "own")
    records.record("b", {"x": torch.ones(3)}, licence="MIT", origin="first")
    records.record("a", {"n": torch.arange(3)}, licence="MIT", origin='a "quoted" \\ one', metrics={"psnr": 30.5})
    records.record("b", {"x": torch.full((3,), 0.5)}, licence="MIT", origin="second")
    entries = tomllib.loads(records.manifest.read_text(encoding="utf-8"))
    assert list(entries) == ["a", "b"]
    assert entries["b"]["origin"] == "second" and entries["a"]["origin"] == 'a "quoted" \\ one'
    assert entries["a"]["metrics"] == {"psnr": 30.5}
    stored = load_file(records.folder / "models" / "b.safetensors")["x"]
    assert stored.dtype == torch.float16
    assert stored.tolist() == [0.5, 0.5, 0.5]
    assert load_file(records.folder / "models" / "a.safetensors")["n"].dtype == torch.int64
    assert sorted(path.name for path in records.folder.rglob("*")) == ["a.safetensors", "b.safetensors", "models", "weights.toml"]


def test_what_the_wheel_leaves_out_stays_left_out_and_so_is_what_lacks_a_part(tmp_path: Path) -> None:
    records = Records(tmp_path)
    records.manifest.write_text('[a]\nfile = "a.safetensors"\nsha256 = ""\nships = false\n')
    for name in ("a", "b", "b-without-critic"):
        records.record(name, {"x": torch.ones(3)}, licence="MIT", origin="made")
    entries = tomllib.loads(records.manifest.read_text(encoding="utf-8"))
    assert {name: entry.get("ships", True) for name, entry in entries.items()} == {"a": False, "b": True, "b-without-critic": False}


def test_a_log_is_one_object_a_line(tmp_path: Path) -> None:
    Records(tmp_path).log("a", [{"step": 1}, {"step": 2}])
    assert [json.loads(line) for line in (tmp_path / "training" / "a.jsonl").read_text().splitlines()] == [{"step": 1}, {"step": 2}]


def test_a_full_disk_leaves_what_was_recorded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    records = Records(tmp_path)
    records.record("a", {"x": torch.ones(3)}, licence="MIT", origin="first")
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}

    def full(path: Path, data: bytes) -> int:
        with path.open("wb") as file:
            file.write(data[:10])
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(OutputError, match="The disk is full"):
        records.record("a", {"x": torch.zeros(3)}, licence="MIT", origin="second")
    monkeypatch.undo()
    assert {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()} == before


def test_without_a_name_a_source_tree_records_into_its_assets_and_an_installed_package_into_the_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package, run = tmp_path / "here" / "engines", tmp_path / "run"
    package.mkdir(parents=True)
    monkeypatch.setattr(weights, "_PACKAGE", package)
    assert chosen("", run).folder == run / "assets"
    assert chosen(str(tmp_path / "own"), run).folder == tmp_path / "own"
    (tmp_path / "here" / "pyproject.toml").touch()
    assert chosen("", run).folder == tmp_path / "here" / "assets"
    (package / "_assets").mkdir()
    assert chosen("", run).folder == run / "assets"


def test_a_folder_that_cannot_be_written_is_told_before_the_first_step(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    recipe, file = recipes()["face_body"], tmp_path / "file"
    file.touch()
    monkeypatch.setattr(type(recipe), "trainer", lambda *_: pytest.fail("the work began"))
    words = ["--generator", "toy", "--samples", str(tmp_path), "--folder", str(tmp_path / "run"), "--record"]
    with pytest.raises(OutputError, match="is a file where a folder was wanted"):
        command.run(recipe, [*words, str(file / "inside")])
    (tmp_path / "weights.toml").write_text("[[")
    with pytest.raises(WeightsError, match="is damaged"):
        command.run(recipe, [*words, str(tmp_path)])
    with pytest.raises(OutputError, match="is a file where a folder was wanted"):
        command.run(recipe, [*words[:-3], "--folder", str(file)])
    monkeypatch.setattr(disk, "_try_writing", lambda folder: (_ for _ in ()).throw(OSError(errno.EROFS, "Read-only")))
    with pytest.raises(OutputError, match="can only be read"):
        command.run(recipe, [*words, str(tmp_path / "other")])
