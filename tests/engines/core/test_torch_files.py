"""Checkpoints from outside: both forms of torch's files, whatever else lies in them, and what is said of files that are none."""

import argparse
import collections
import datetime
import gzip
import io
import os
import pathlib
import pickle
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from engines.core.arrays import read_arrays
from engines.core.errors import WeightsError
from engines.core.stand_ins import ALLOWED, Left
from engines.core.torch_files import load_torch

KINDS = (
    torch.float32,
    torch.float64,
    torch.float16,
    torch.bfloat16,
    torch.int64,
    torch.int32,
    torch.int16,
    torch.int8,
    torch.uint8,
    torch.bool,
)
OLD, NEW = {"_use_new_zipfile_serialization": False}, dict[str, Any]()


def saved(path: Path, content: Any, **options: Any) -> Path:
    torch.save(content, path, **options)
    return path


@pytest.mark.parametrize("options", [OLD, NEW], ids=["old form", "zip"])
@pytest.mark.parametrize("protocol", [2, 3, 4, 5])
def test_tensors_of_all_kinds_read_back_from_both_forms(options: dict[str, Any], protocol: int, tmp_path: Path) -> None:
    base = torch.arange(24).reshape(4, 6)
    content = {str(kind): base.to(kind) for kind in KINDS}
    content |= {"columns": base.float().T, "part": base.float()[1:3, 2:4], "empty": torch.zeros(0, 3), "one": torch.tensor(2.5)}
    content |= {"trained": torch.nn.Parameter(torch.ones(2))}
    found = load_torch(saved(tmp_path / "any.pth", content, pickle_protocol=protocol, **options))
    assert set(found) == set(content)
    for name, value in content.items():
        assert found[name].dtype == value.dtype and torch.equal(found[name], value.detach()), name


class Strange:
    """A class that no reader knows."""

    def __init__(self) -> None:
        self.value = 3


EXTRAS = {
    "numpy float": np.float64(0.5),
    "numpy int": np.int64(7),
    "numpy bool": np.bool_(True),
    "numpy text": np.str_("smile"),
    "numpy array": np.arange(3.0),
    "texts": np.array(["a", "b"]),
    "objects": np.array([{"a": 1}, None], dtype=object),
    "complex": np.ones(2) * 1j,
    "nothing": None,
    "text": "smile",
    "bytes": b"abc",
    "set": {1, 2},
    "namespace": argparse.Namespace(size=3, folder=pathlib.PurePosixPath("/a/b")),
    "path": pathlib.PosixPath("/a/b"),
    "date": datetime.datetime(2020, 1, 2),
    "defaults": collections.defaultdict(list, {"a": [1]}),
    "size": torch.Size([1, 2]),
    "device": torch.device("cpu"),
    "dtype": torch.float32,
    "sparse": torch.ones(2).to_sparse(),
    "strange": Strange(),
    "nested": {"deep": [{"deeper": (1, None)}]},
}


@pytest.mark.parametrize("name", list(EXTRAS))
@pytest.mark.parametrize("form", ["old form", "zip", "pickle 0", "pickle 2", "pickle 5", "npy", "npz"])
def test_an_extra_entry_of_any_kind_refuses_no_file(name: str, form: str, tmp_path: Path) -> None:
    """All forms forgive the same."""
    extra = EXTRAS[name]
    if isinstance(extra, torch.Tensor | torch.device | torch.dtype) and form in ("npy", "npz", "pickle 0", "pickle 2", "pickle 5"):
        pytest.skip("torch's own things go into torch's own files")
    buffer, wanted = io.BytesIO(), np.arange(4, dtype=np.float32)
    content = {"boundary": wanted, "extra": extra}
    if form in ("old form", "zip"):
        torch.save({"boundary": torch.from_numpy(wanted), "extra": extra}, buffer, _use_new_zipfile_serialization=form == "zip")
    elif form.startswith("pickle"):
        pickle.dump(content, buffer, int(form[-1]))
    elif form == "npy":
        np.save(buffer, np.array(content, dtype=object), allow_pickle=True)
    else:
        np.savez(buffer, boundary=wanted, extra=extra if isinstance(extra, np.ndarray) else np.array(extra, dtype=object))
    found, notes = read_arrays(buffer.getvalue(), "smile.bin")
    assert torch.equal(found["boundary"], torch.from_numpy(wanted))
    if name in ("text", "numpy text"):
        assert notes["extra"] == "smile"
    if name == "numpy float":
        assert float(notes["extra"]) == 0.5


def test_numpy_names_of_both_makes_are_known() -> None:
    for data in (pickle.dumps({"a": np.ones(3, "f4"), "b": np.float32(2)}, protocol) for protocol in (2, 4)):
        for old, new in ((b"numpy._core", b"numpy.core"), (b"numpy.core", b"numpy._core")):
            if old in data and len(old) != len(new) and data[1] == 2:
                data = data.replace(old, new)
            found, notes = read_arrays(data, "a.pkl")
            assert found["a"].tolist() == [1, 1, 1] and notes["b"] == "2.0"


@pytest.mark.parametrize("options", [OLD, NEW], ids=["old form", "zip"])
@pytest.mark.parametrize("share", [0.02, 0.3, 0.7, 0.98])
def test_a_file_that_is_cut_off_is_called_damaged(options: dict[str, Any], share: float, tmp_path: Path) -> None:
    path = saved(tmp_path / "net.pth", {"a": torch.arange(5000.0)}, **options)
    path.write_bytes(path.read_bytes()[: int(path.stat().st_size * share)])
    with pytest.raises(WeightsError, match=r"net\.pth is cut off or damaged.*Download it again"):
        load_torch(path)


def calling(function: Callable[..., Any], *arguments: Any) -> object:
    class Hostile:
        def __reduce__(self) -> tuple[Callable[..., Any], tuple[Any, ...]]:
            return function, arguments

    return Hostile()


@pytest.mark.parametrize("options", [OLD, NEW], ids=["old form", "zip"])
@pytest.mark.parametrize("function", [os.mkdir, eval, torch.load, np.load, getattr])
def test_a_whole_file_that_wants_to_run_something_is_not_called_damaged(function: Any, options: Any, tmp_path: Path) -> None:
    path = saved(tmp_path / "net.pth", {"a": torch.ones(2), "x": calling(function, str(tmp_path / "ran"))}, **options)
    with pytest.raises(WeightsError, match=r"holds more than tensors and plain options: it wants to run \w+\.\w+") as caught:
        load_torch(path)
    assert "damaged" not in str(caught.value) and "cut off" not in str(caught.value)
    assert [item.name for item in tmp_path.iterdir()] == ["net.pth"]


def npz() -> bytes:
    buffer = io.BytesIO()
    np.savez(buffer, a=np.ones(2))
    return buffer.getvalue()


def zipped(**members: bytes) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "is empty"),
        (b"<!doctype html><title>Quota exceeded", "a web page"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:1", "pointer of Git LFS"),
        (gzip.compress(b"x"), "packed with gzip"),
        (npz(), "an archive of numpy"),
        (pickle.dumps({"G": 1}), "a pickle that torch did not write"),
        (zipped(a=b"x"), "an archive of other files"),
        (b"nonsense" * 50, "of a kind that is not known"),
        (b"\x89HDF\r\n\x1a\n", "a file of HDF5"),
    ],
    ids=lambda value: value if isinstance(value, str) else "file",
)
def test_what_is_no_file_of_torch_is_told_for_what_it_is(data: bytes, words: str, tmp_path: Path) -> None:
    path = tmp_path / "net.pth"
    path.write_bytes(data)
    with pytest.raises(WeightsError, match=words):
        load_torch(path)


def test_compressed_members_are_read_and_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path, packed = saved(tmp_path / "a.pth", {"a": torch.zeros(1000)}), tmp_path / "b.pth"
    with zipfile.ZipFile(path) as source, zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as target:
        for name in source.namelist():
            target.writestr(name, source.read(name))
    assert torch.equal(load_torch(packed)["a"], torch.zeros(1000))
    monkeypatch.setattr("engines.core.torch_files._LARGEST_PICKLE", 3000)
    with pytest.raises(WeightsError, match="unpacks to more than"):
        load_torch(packed)


def test_no_stand_in_can_be_written_into(tmp_path: Path) -> None:
    """BUILD on a class that a pickle may name would change it for everybody after."""
    before = {key: sorted(vars(item)) for key, item in ALLOWED.items() if isinstance(item, type)}
    for module, name in ALLOWED:
        for state in (b"}(X\x01\x00\x00\x00aK\x01u", b"N}(X\x01\x00\x00\x00aK\x01u\x86"):
            data = b"\x80\x02c" + f"{module}\n{name}\n".encode() + state + b"b."
            with pytest.raises(WeightsError):
                read_arrays(data, "a.pkl")
    assert {key: sorted(vars(item)) for key, item in ALLOWED.items() if isinstance(item, type)} == before
    assert not vars(Left())
