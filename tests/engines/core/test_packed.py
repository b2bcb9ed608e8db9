import io
import json
import tarfile

import numpy as np
import pytest
import torch

from engines.core import packed as module
from scripts.convert_faces import GraphWeights, identity_convolution, packed


def test_codes_survive_the_file_exactly(monkeypatch: pytest.MonkeyPatch) -> None:
    codes = np.random.default_rng(0).integers(0, 256, (4, 3, 2, 2), dtype=np.uint8)
    scale, low = torch.tensor([1e-9, 3.14159, 0.1, 7e4]), torch.tensor([-1e-7, 1 / 3, -25.5, 0.0])
    stored = packed("kernel.weight", codes, scale, low) | {"kernel.bias": torch.ones(4)}
    monkeypatch.setattr(module, "load_weights", lambda name: stored)
    widened = module.load_packed("anything")
    wanted = torch.from_numpy(codes).float() * scale[:, None, None, None] + low[:, None, None, None]
    assert sorted(widened) == ["kernel.bias", "kernel.weight"]
    assert torch.equal(widened["kernel.weight"], wanted)


def test_a_convolution_and_the_affine_layer_behind_it_become_one() -> None:
    source = GraphWeights(_archive(), "m.json", "m.bin")
    folded = identity_convolution(source, "layer", "ours")
    limits = folded["ours.weight.range"].view(torch.float32)
    kernel = folded["ours.weight"].float() * limits[:, :1, None, None] + limits[:, 1:, None, None]
    picture = torch.randn(1, 3, 5, 5, generator=torch.Generator().manual_seed(0))
    plain = torch.nn.functional.conv2d(picture, source.kernel("layer/conv/filters"), source["layer/conv/bias"])
    wanted = plain * source["layer/scale/weights"][:, None, None] + source["layer/scale/biases"][:, None, None]
    torch.testing.assert_close(torch.nn.functional.conv2d(picture, kernel, folded["ours.bias"]), wanted, atol=1e-5, rtol=1e-5)


def _archive() -> tarfile.TarFile:
    """An npm archive that holds one coded convolution of two channels with its affine layer."""
    shapes = {"conv/filters": (3, 3, 3, 2), "conv/bias": (2,), "scale/weights": (2,), "scale/biases": (2,)}
    entries = [
        {"name": f"layer/{name}", "shape": shape, "dtype": "float32", "quantization": {"dtype": "uint8", "scale": 0.01, "min": -1.0}}
        for name, shape in shapes.items()
    ]
    count = sum(int(np.prod(shape)) for shape in shapes.values())
    contents = {"m.json": json.dumps([{"weights": entries}]).encode(), "m.bin": bytes(i * 37 % 256 for i in range(count))}
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as archive:
        for name, data in contents.items():
            member = tarfile.TarInfo(f"package/{name}")
            member.size = len(data)
            archive.addfile(member, io.BytesIO(data))
    return tarfile.open(fileobj=io.BytesIO(buffer.getvalue()))
