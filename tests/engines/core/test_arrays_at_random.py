"""Files of arrays that chance wrote, cut off or damaged."""

import pickle

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from safetensors.torch import save

from engines.core.arrays import read_arrays
from engines.core.errors import WeightsError
from tests.engines.core.test_arrays import FILES, npy, npz, pt


@given(st.sampled_from(list(FILES)), st.floats(0, 1, exclude_max=True))
def test_a_file_that_ends_early_is_refused(suffix: str, share: float) -> None:
    data = FILES[suffix]
    with pytest.raises(WeightsError):
        read_arrays(data[: int(len(data) * share)], f"a.{suffix}")


@given(st.sampled_from(list(FILES)), st.lists(st.tuples(st.floats(0, 1, exclude_max=True), st.integers(0, 255)), min_size=1, max_size=6))
def test_a_damaged_file_is_read_or_refused_and_nothing_else(suffix: str, changes: list[tuple[float, int]]) -> None:
    data = bytearray(FILES[suffix])
    for place, value in changes:
        data[int(len(data) * place)] = value
    try:
        found, _ = read_arrays(bytes(data), f"a.{suffix}")
    except WeightsError as error:
        assert str(error).endswith(".")
    else:
        assert all(value.dtype == torch.float32 for value in found.values())


@given(st.sampled_from(list(FILES)), st.binary(max_size=300))
def test_noise_is_refused(suffix: str, noise: bytes) -> None:
    heads = {
        "npy": b"\x93NUMPY\x01\x00",
        "npz": b"PK\x03\x04",
        "pt": b"PK\x03\x04",
        "pkl": b"\x80\x04",
        "safetensors": b"\x40" + bytes(7) + b"{",
    }
    for data in (noise, heads[suffix] + noise):
        try:
            read_arrays(data, f"a.{suffix}")
        except WeightsError:
            continue


shapes = st.lists(st.integers(1, 5), min_size=1, max_size=3).map(tuple)


@given(shapes, st.integers(0, 5), st.sampled_from(["<f4", ">f8", "<f2", "<i2", "u1"]), st.booleans(), st.integers(0, 99))
def test_any_array_survives_any_kind_of_file(shape: tuple[int, ...], protocol: int, code: str, columns: bool, seed: int) -> None:
    values = np.random.default_rng(seed).integers(0, 100, shape)
    array = np.asarray(values, dtype=code, order="F" if columns else "C")
    native = torch.from_numpy(np.ascontiguousarray(values, np.float32))
    for data, suffix in (
        (npy(array), "npy"),
        (npz(compressed=columns, array=array), "npz"),
        (pickle.dumps(array, protocol), "pkl"),
        (pt(native.T.contiguous().T if columns and len(shape) == 2 else native), "pt"),
        (save({"array": native}), "safetensors"),
    ):
        assert torch.equal(read_arrays(data, f"a.{suffix}")[0]["array"], native)
