import io
import os
import pickle
import struct
import sys
import zipfile
from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import save

from engines.core import arrays as module
from engines.core.arrays import read_arrays
from engines.core.errors import WeightsError

ROWS = np.arange(12, dtype=np.float32).reshape(3, 4) / 7


def npy(array: np.ndarray, **options: Any) -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, array, **options)
    return buffer.getvalue()


def npz(compressed: bool = False, **named: np.ndarray) -> bytes:
    buffer = io.BytesIO()
    (np.savez_compressed if compressed else np.savez)(buffer, **named)
    return buffer.getvalue()


def pt(content: Any) -> bytes:
    buffer = io.BytesIO()
    torch.save(content, buffer)
    return buffer.getvalue()


def with_header(text: str, values: bytes = b"", version: tuple[int, int] = (1, 0)) -> bytes:
    """A .npy file whose header says anything."""
    header = text.encode("latin1") + b"\n"
    return b"\x93NUMPY" + bytes(version) + struct.pack("<H" if version == (1, 0) else "<I", len(header)) + header + values


def calling(function: Callable[..., Any], *arguments: Any) -> object:
    """An object whose unpickling calls a function."""

    class Hostile:
        def __reduce__(self) -> tuple[Callable[..., Any], tuple[Any, ...]]:
            return function, arguments

    return Hostile()


FILES = {
    "npy": npy(ROWS),
    "npz": npz(array=ROWS),
    "pt": pt(torch.from_numpy(ROWS)),
    "pkl": pickle.dumps(ROWS, 4),
    "safetensors": save({"array": torch.from_numpy(ROWS)}),
}


@pytest.mark.parametrize("suffix", list(FILES))
@pytest.mark.parametrize("stem", ["a.", "A.B.", "/some/where/", "some\\where\\x."])
def test_each_kind_of_file_gives_its_array(suffix: str, stem: str) -> None:
    found, about = read_arrays(FILES[suffix], f"{stem}.{suffix.upper()}")
    assert list(found) == ["array"]
    assert found["array"].dtype == torch.float32
    assert torch.equal(found["array"], torch.from_numpy(ROWS))
    assert about == {}


@pytest.mark.parametrize("protocol", range(6))
@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize("code", ["<f4", ">f4", "<f8", ">f8", "<f2", "<i4", ">i2", "u1", "<i8"])
def test_pickled_arrays_read_back_whatever_their_protocol_and_bytes(protocol: int, order: str, code: str) -> None:
    array = np.asarray(np.arange(12).reshape(3, 4) - 3 * (code[-2:] != "u1"), dtype=code, order=order)
    found, _ = read_arrays(pickle.dumps(array, protocol), "a.pkl")
    assert torch.equal(found["array"], torch.from_numpy(array.astype("<f4")))


@pytest.mark.parametrize("protocol", range(6))
@pytest.mark.parametrize("kind", [dict, OrderedDict])
def test_a_pickled_mapping_gives_its_arrays_and_leaves_other_entries_out(protocol: int, kind: type[dict]) -> None:
    content = kind(comp=ROWS, std=ROWS[0], epoch=7, name="smile", scale=0.5, more=[1, (None, True)])
    found, _ = read_arrays(pickle.dumps(content, protocol), "a.pkl")
    assert set(found) == {"comp", "std"}
    assert torch.equal(found["std"], torch.from_numpy(ROWS[0]))


@pytest.mark.parametrize("protocol", range(6))
@pytest.mark.parametrize("array", [ROWS.T, ROWS[::2], ROWS[:, 1:3], ROWS[0, 0:1], np.array(3.0, np.float32)])
def test_views_and_single_numbers_read_back(protocol: int, array: np.ndarray) -> None:
    found, _ = read_arrays(pickle.dumps([array, array], protocol), "a.pkl")
    assert list(found) == ["0", "1"]
    assert torch.equal(found["1"], torch.from_numpy(array.copy()))


@pytest.mark.parametrize("array", [ROWS.astype(">f4"), np.asfortranarray(ROWS), ROWS.astype("f2"), ROWS > 1, (ROWS * 9).astype("u2")])
@pytest.mark.parametrize("suffix", ["npy", "npz"])
def test_numpy_files_read_back_whatever_their_bytes(array: np.ndarray, suffix: str) -> None:
    data = npy(array) if suffix == "npy" else npz(compressed=True, array=array)
    found, _ = read_arrays(data, f"a.{suffix}")
    assert torch.equal(found["array"], torch.from_numpy(array.astype("<f4")))


def test_torch_files_of_both_makes_and_all_kinds_of_numbers_read_back() -> None:
    content = {"half": torch.from_numpy(ROWS).half(), "whole": torch.arange(3), "rows": torch.from_numpy(ROWS).T, "note": "smile"}
    old = io.BytesIO()
    torch.save(content, old, _use_new_zipfile_serialization=False)
    for data in (pt(content), old.getvalue()):
        found, _ = read_arrays(data, "a.pt")
        assert set(found) == {"half", "whole", "rows"}
        assert torch.equal(found["rows"], torch.from_numpy(ROWS.T.copy()))
        assert {value.dtype for value in found.values()} == {torch.float32}


def test_notes_of_a_safetensors_file_come_along() -> None:
    found, about = read_arrays(save({"x": torch.ones(2).half()}, {"directions": "[]", "by": "somebody"}), "a.safetensors")
    assert found["x"].dtype == torch.float32
    assert about == {"directions": "[]", "by": "somebody"}


HOSTILE = {
    "os.system": (os.system, "touch {}"),
    "os.mkdir": (os.mkdir, "{}"),
    "builtins.eval": (eval, "__import__('os').mkdir('{}')"),
    "builtins.exec": (exec, "import os; os.mkdir('{}')"),
    "builtins.open": (open, "{}", "w"),
    "builtins.getattr": (getattr, "x", "upper"),
    "numpy.save": (np.save, "{}.npy", [1.0]),
    "numpy.fromfile": (np.fromfile, "/dev/null"),
    "numpy.load": (np.load, "{}"),
    "numpy.memmap": (np.memmap, "{}", "u1", "w+", 0, (8,)),
    "torch.load": (torch.load, "{}"),
    "sys.exit": (sys.exit, 3),
}


@pytest.mark.parametrize("protocol", range(6))
@pytest.mark.parametrize("name", list(HOSTILE))
def test_a_pickle_that_would_run_something_is_refused_and_runs_nothing(name: str, protocol: int, tmp_path: Path) -> None:
    function, *arguments = HOSTILE[name]
    target = tmp_path / "ran"
    content = calling(function, *(item.format(target) if isinstance(item, str) else item for item in arguments))
    try:
        data = pickle.dumps({"comp": ROWS, "x": content}, protocol)
    except pickle.PicklingError:
        pytest.skip("numpy does not pickle this function in this protocol")
    with pytest.raises(WeightsError, match=r"only plain arrays are read\. Save it as \.npy instead\."):
        read_arrays(data, "smile.pkl")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", list(HOSTILE))
def test_a_torch_file_that_would_run_something_is_refused_and_runs_nothing(name: str, tmp_path: Path) -> None:
    function, *arguments = HOSTILE[name]
    target = tmp_path / "ran"
    content = calling(function, *(item.format(target) if isinstance(item, str) else item for item in arguments))
    with pytest.raises(WeightsError, match="holds more than plain arrays"):
        read_arrays(pt({"comp": torch.ones(4), "x": content}), "smile.pt")
    assert list(tmp_path.iterdir()) == []


def test_arrays_of_objects_are_refused_and_run_nothing(tmp_path: Path) -> None:
    objects = np.array([calling(os.mkdir, str(tmp_path / "ran"))], dtype=object)
    for data, name in (
        (npy(objects, allow_pickle=True), "a.npy"),
        (npz(array=objects), "a.npz"),
        (pickle.dumps(np.array(["x", None], dtype=object)), "a.pkl"),
        (pickle.dumps(objects), "a.pkl"),
    ):
        with pytest.raises(WeightsError):
            read_arrays(data, name)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "array", [np.array(["a", "b"]), np.array([b"a"]), ROWS * 1j, np.zeros(2, "V3"), np.zeros(2, [("x", "f4")]), np.zeros(2, "M8[s]")]
)
@pytest.mark.parametrize("suffix", ["npy", "npz", "pkl"])
def test_arrays_of_other_things_than_numbers_are_refused(array: np.ndarray, suffix: str) -> None:
    data = {"npy": npy, "npz": lambda array: npz(array=array), "pkl": pickle.dumps}[suffix](array)
    with pytest.raises(WeightsError):
        read_arrays(data, f"a.{suffix}")


def test_a_pickle_that_points_outside_itself_is_refused() -> None:
    with pytest.raises(WeightsError, match="points outside itself"):
        read_arrays(b"\x80\x02U\x01aQ.", "a.pkl")


def test_the_note_numbers_of_a_pickle_cannot_fill_the_memory() -> None:
    with pytest.raises(WeightsError):
        read_arrays(b"\x80\x02Nr" + struct.pack("<I", 2**31 - 1) + b".", "a.pkl")
    with pytest.raises(WeightsError):
        read_arrays(b"\x80\x02" + b"N0" * 200_000 + b"N.", "a.pkl")


def twice_within_twice(levels: int) -> bytes:
    """A mapping whose key is a tuple of one tuple twice, and so on: small to write, endless to hash."""
    return b"\x80\x02})" + b"2\x86" * levels + b"K\x01s."


def many_notes(levels: int) -> bytes:
    """The same by way of notes."""
    steps = b"".join(b"q" + bytes([level]) + b"h" + bytes([level]) + b"\x86" for level in range(levels))
    return b"\x80\x02})\x85" + steps + b"K\x01s."


@pytest.mark.parametrize("data", [twice_within_twice(60), many_notes(60), b"\x80\x02})" + b"\x85" * 90_000 + b"K\x01s."])
@pytest.mark.parametrize("make", ["pkl", "pt", "old pt"])
def test_tuples_within_tuples_are_never_hashed(data: bytes, make: str) -> None:
    if make == "pt":
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w") as archive:
            archive.writestr("archive/data.pkl", data)
        data = buffer.getvalue()
    with pytest.raises(WeightsError):
        read_arrays(data, f"a.{make.removeprefix('old ')}")


def test_text_that_grows_without_end_is_never_spelt_out() -> None:
    """A list of one list twice, sixty deep, where the code of a dtype belongs."""
    nested: object = "f4"
    for _ in range(60):
        nested = [nested, nested]
    data = b"\x80\x02cnumpy\ndtype\n" + pickle.dumps(nested, 2)[2:-1] + b"\x85R."
    assert len(data) < 1000
    with pytest.raises(WeightsError):
        read_arrays(data, "a.pkl")


@pytest.mark.parametrize(
    "header",
    [
        "{'descr': '<f4', 'fortran_order': False, 'shape': (1000000000, 512), }",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (99999999999999999999999, 512), }",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (-1, 512), }",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (-2, -512), }",
        "{'descr': '<f4', 'fortran_order': False, 'shape': 'all', }",
        "{'descr': '|O', 'fortran_order': False, 'shape': (2,), }",
        "{'descr': '|V0', 'fortran_order': False, 'shape': (1000000000000,), }",
        "{'descr': '<f4', 'fortran_order': 1, 'shape': (2,), }",
        "{'descr': '<q9', 'fortran_order': False, 'shape': (2,), }",
        "{'descr': __import__('os').system('true'), 'fortran_order': False, 'shape': (2,), }",
        "((((((((((" * 900,
        "{'descr': '''",
        "L" * 60_000,
        "",
        "[1]",
    ],
)
@pytest.mark.parametrize("version", [(1, 0), (2, 0), (3, 0), (9, 9)])
def test_a_numpy_header_that_lies_is_refused_before_memory_is_taken(header: str, version: tuple[int, int]) -> None:
    data = with_header(header, bytes(64), version)
    for content, name in ((data, "a.npy"), (zipped({"array.npy": data}), "a.npz")):
        with pytest.raises(WeightsError):
            read_arrays(content, name)


def zipped(members: dict[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", method) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return buffer.getvalue()


@pytest.mark.parametrize("suffix", ["npz", "pt"])
def test_an_archive_that_unpacks_to_far_more_than_it_weighs_is_refused(suffix: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "LARGEST_BYTES", 2**20)
    bomb = zipped({"array.npy": npy(np.zeros(2**19, np.float32))})
    assert len(bomb) < 2**14
    with pytest.raises(WeightsError, match=r"unpacks to 2 MB; at most 1 are read\."):
        read_arrays(bomb, f"a.{suffix}")


def test_a_large_file_is_refused_unread(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "LARGEST_BYTES", 2**20)
    with pytest.raises(WeightsError, match=r"This file has 2 MB; at most 1 are read\."):
        read_arrays(bytes(2**21), "a.npy")


def test_a_small_file_that_claims_a_huge_tensor_is_refused() -> None:
    """One value, repeated by a stride of 0: reading it as float32 would take 400 GB."""
    with pytest.raises(WeightsError, match="another kind than plain numbers"):
        read_arrays(pt(torch.zeros(1, dtype=torch.float16).expand(200_000_000, 512)), "a.pt")


@pytest.mark.parametrize(
    "content", [torch.ones(2, device="meta"), torch.ones(2).to_sparse(), torch.ones(2) * 1j], ids=["meta", "sparse", "complex"]
)
def test_tensors_that_hold_no_plain_numbers_are_refused(content: torch.Tensor) -> None:
    with pytest.raises(WeightsError):
        read_arrays(pt(content), "a.pt")


@pytest.mark.parametrize(
    ("data", "name"),
    [
        (pickle.dumps({"a": 1, "b": "x"}), "a.pkl"),
        (pickle.dumps(None), "a.pkl"),
        (pickle.dumps({(1, 2): ROWS}), "a.pkl"),
        (pt({}), "a.pt"),
        (save({}), "a.safetensors"),
    ],
)
def test_a_file_without_an_array_says_so(data: bytes, name: str) -> None:
    with pytest.raises(WeightsError, match=r"This file holds no array of numbers\."):
        read_arrays(data, name)


@pytest.mark.parametrize("name", ["smile.txt", "smile.pickle", "smile", "", ".", "a.npy.exe", "x." + "long" * 50])
def test_another_kind_of_file_gets_a_short_sentence(name: str) -> None:
    with pytest.raises(WeightsError, match=r"Arrays of numbers are read from \.npy, \.npz, \.pt, \.pth, \.pkl, \.safetensors\.") as caught:
        read_arrays(b"\x00\x01 no file of arrays", name)
    assert len(str(caught.value)) < 160


@pytest.mark.parametrize("suffix", list(FILES))
@pytest.mark.parametrize("other", list(FILES))
def test_the_content_decides_how_a_file_is_read_not_its_name(suffix: str, other: str) -> None:
    for name in (f"a.{other}", "a.pth", "a.ckpt", "a.bin", "a.tar", "a"):
        found, _ = read_arrays(FILES[suffix], name)
        assert torch.equal(found["array"], torch.from_numpy(ROWS))
