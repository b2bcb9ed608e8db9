import io
import json
import os
import pickle
import tarfile
from pathlib import Path

import numpy as np
import pytest
import torch

from scripts.convert_digits import first_of_each, idx
from scripts.convert_faces import GraphWeights, separable
from scripts.convert_ffhq import by_band
from scripts.convert_lpips import ArraysOnly, layers


class Trap:
    """A pickle that would run a command."""

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return os.system, ("false",)


@pytest.mark.parametrize("value", [Trap(), Path("x"), torch.Size([1]), eval], ids=["command", "path", "torch", "builtin"])
def test_the_unpickler_rebuilds_arrays_and_nothing_else(value: object) -> None:
    with pytest.raises(pickle.UnpicklingError, match="is not part of an array"):
        ArraysOnly(io.BytesIO(pickle.dumps({"kernel": value}))).load()


def test_arrays_pass_the_unpickler() -> None:
    arrays = {"kernel": np.arange(6, dtype=np.float32).reshape(2, 3)}
    assert np.array_equal(ArraysOnly(io.BytesIO(pickle.dumps(arrays))).load()["kernel"], arrays["kernel"])


def test_kernels_get_torchs_order_of_axes(tmp_path: Path) -> None:
    kernel = np.arange(2 * 3 * 4 * 5, dtype=np.float32).reshape(2, 3, 4, 5)  # height, width, in, out
    data = pickle.dumps({"Net_0": {"Conv_0": {"kernel": kernel, "bias": np.zeros(5, np.float32)}}})
    with tarfile.open(tmp_path / "package.tar", "w") as archive:
        member = tarfile.TarInfo("package/weights/net.ckpt")
        member.size = len(data)
        archive.addfile(member, io.BytesIO(data))
    with tarfile.open(tmp_path / "package.tar") as archive:
        weights = layers(archive, "weights/net.ckpt", "Net_0", ("first",))
    assert weights["first.weight"].shape == (5, 4, 2, 3)
    assert float(weights["first.weight"][4, 3, 1, 2]) == float(kernel[1, 2, 3, 4])


def test_bands_are_made_contiguous() -> None:
    """Two channels: LL of both, then LH, HL, HH of the first, then of the second."""
    assert by_band(torch.arange(8)).tolist() == [0, 1, 2, 5, 3, 6, 4, 7]


def test_coded_kernels_keep_their_codes(tmp_path: Path) -> None:
    """A depthwise 3x3 over two channels and the pointwise convolution from two to three."""
    depthwise, pointwise = np.arange(18, dtype=np.uint8), np.arange(6, dtype=np.uint8) + 100
    bias = np.array([1, 2, 3], np.float32)
    coded = {"dtype": "uint8", "scale": 0.5, "min": -1.0}
    entries = [
        {"name": "layer/depthwise_filter", "shape": [3, 3, 2, 1], "dtype": "float32", "quantization": coded},
        {"name": "layer/pointwise_filter", "shape": [1, 1, 2, 3], "dtype": "float32", "quantization": coded},
        {"name": "layer/bias", "shape": [3], "dtype": "float32"},
    ]
    files = {"net.json": json.dumps([{"weights": entries}]).encode(), "net.bin": depthwise.tobytes() + pointwise.tobytes() + bias.tobytes()}
    with tarfile.open(tmp_path / "package.tar", "w") as archive:
        for name, data in files.items():
            member = tarfile.TarInfo(f"package/{name}")
            member.size = len(data)
            archive.addfile(member, io.BytesIO(data))
    with tarfile.open(tmp_path / "package.tar") as archive:
        weights = separable(GraphWeights(archive, "net.json", "net.bin"), "layer", "ours")
    assert weights["ours.depthwise.weight"].shape == (2, 1, 3, 3)
    assert weights["ours.depthwise.weight"][1, 0].flatten().tolist() == list(range(1, 18, 2))
    assert weights["ours.pointwise.weight"].flatten(1).tolist() == [[100, 103], [101, 104], [102, 105]]
    assert weights["ours.pointwise.weight.range"].view(torch.float32).tolist() == [[0.5, -1.0]] * 3
    assert weights["ours.pointwise.bias"].tolist() == [1, 2, 3]


def test_idx_files_are_read_by_their_own_shape() -> None:
    data = bytes([0, 0, 8, 3, 0, 0, 0, 2, 0, 0, 0, 2, 0, 0, 0, 3]) + bytes(range(12))
    assert torch.equal(idx(data), torch.arange(12, dtype=torch.uint8).reshape(2, 2, 3))


@pytest.mark.parametrize("data", [b"\x00\x00\x08\x01\x00\x00\x00\x05abc", b"\x00\x00\x0d\x01\x00\x00\x00\x01a"], ids=["cut off", "floats"])
def test_other_files_are_no_digits(data: bytes) -> None:
    with pytest.raises(ValueError, match="idx file"):
        idx(data)


def test_the_first_of_each_label_are_shown_in_the_order_of_labels() -> None:
    assert first_of_each(torch.tensor([2, 0, 2, 1, 0, 0]), 2).tolist() == [1, 4, 3, 0, 2]
