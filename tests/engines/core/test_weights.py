import hashlib
from pathlib import Path

import pytest
import torch
from safetensors.torch import save

from engines.core import weights
from engines.core.errors import WeightsError
from engines.core.weights import assets, entries, is_bundled, load_weights, manifest


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Assets with one small file, `sample`."""
    data = save({"half": torch.full((2, 3), 0.5).half(), "whole": torch.arange(3)})
    entry = {"file": "sample.safetensors", "sha256": hashlib.sha256(data).hexdigest()}
    (tmp_path / "models").mkdir()
    (tmp_path / "models" / "sample.safetensors").write_bytes(data)
    monkeypatch.setattr(weights, "assets", lambda: tmp_path)
    monkeypatch.setattr(weights, "manifest", lambda: {"sample": entry})
    return tmp_path


def test_halves_are_widened_and_whole_numbers_kept(folder: Path) -> None:
    loaded = load_weights("sample")
    assert loaded["half"].dtype == torch.float32
    assert torch.equal(loaded["half"], torch.full((2, 3), 0.5))
    assert torch.equal(loaded["whole"], torch.arange(3))


def test_an_altered_file_is_refused(folder: Path) -> None:
    path = folder / "models" / "sample.safetensors"
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(data)
    with pytest.raises(WeightsError, match=r"sample\.safetensors was altered \(its hash differs\): reinstall the package\."):
        load_weights("sample")


def test_a_missing_file_is_refused(folder: Path) -> None:
    (folder / "models" / "sample.safetensors").unlink()
    with pytest.raises(WeightsError, match=r"sample\.safetensors is missing: reinstall the package\."):
        load_weights("sample")


def test_what_the_wheel_leaves_out_is_told_with_its_place(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    entry = weights.manifest()["sample"] | {"ships": False}
    monkeypatch.setattr(weights, "manifest", lambda: {"sample": entry})
    assert is_bundled("sample") and load_weights("sample")
    (folder / "models" / "sample.safetensors").unlink()
    assert not is_bundled("sample")
    with pytest.raises(WeightsError, match=r"network sample is not .* the wheel leaves it out .* source tree, assets/models/sample"):
        load_weights("sample")


def test_an_unknown_name_is_refused(folder: Path) -> None:
    with pytest.raises(WeightsError, match=r"'ffhq'; there are: sample\."):
        load_weights("ffhq")
    assert not is_bundled("ffhq")


def test_missing_assets_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(weights, "_PACKAGE", tmp_path / "engines")
    with pytest.raises(WeightsError, match=r"install the wheel or run from a complete checkout\."):
        assets.__wrapped__()


def test_the_bundled_files_load() -> None:
    assert {"ffhq", "lpips_alex", "vgg16"} <= set(manifest())
    assert all(value.dtype == torch.float32 for value in load_weights("lpips_alex").values())


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (b"[[", "is damaged"),
        (b"\xff", "is damaged"),
        (b"sample = 3", "lacks its file's name"),
        (b"[sample]\nsha256 = 'x'", "lacks its file's name"),
        (b"[sample]\nfile = 'x'", "lacks its file's name"),
        (b"[sample]\nfile = '..%sx'\nsha256 = 'x'" % b"/", "lacks its file's name"),
    ],
)
def test_a_broken_manifest_is_told(text: bytes, sentence: str, tmp_path: Path) -> None:
    (tmp_path / "weights.toml").write_bytes(text)
    with pytest.raises(WeightsError, match=sentence):
        entries(tmp_path / "weights.toml")


def test_a_manifest_that_is_not_there_is_told(tmp_path: Path) -> None:
    for path in (tmp_path, tmp_path / "weights.toml"):
        with pytest.raises(WeightsError, match="cannot be read"):
            entries(path)


def test_a_file_of_another_kind_under_its_own_hash_is_refused(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (folder / "models" / "sample.safetensors").write_bytes(b"no tensors")
    entry = {"file": "sample.safetensors", "sha256": hashlib.sha256(b"no tensors").hexdigest()}
    monkeypatch.setattr(weights, "manifest", lambda: {"sample": entry})
    with pytest.raises(WeightsError, match="is no safetensors file"):
        load_weights("sample")
