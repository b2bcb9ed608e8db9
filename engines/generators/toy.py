"""A generator of the same architecture as the FFHQ one, 64 px, narrow and random, so that every method runs in milliseconds."""

import torch
from torch import Tensor

from engines.core.seeds import normal
from engines.generators.auxiliary_heads import new_head
from engines.generators.ffhq import FfhqGenerator, ffhq_slots

WIDTH, CHANNELS, BLOCKS = 32, 16, (8, 16, 32)
_EXITS = (16, 32)


def toy(device: torch.device | str = "cpu", seed: int = 0) -> FfhqGenerator:
    """A random generator of 64 px with exits at 16 and 32 px; equal seeds give equal weights."""
    weights = _weights(seed)
    slots = ffhq_slots(len(BLOCKS))
    exits: dict[str, Tensor] = {}
    for size in _EXITS:
        reads = sum(slot >= slots.of_layer(f"conv2_{size // 2}") for slot in slots.active)
        head = new_head(torch.ones(CHANNELS), 8, reads, WIDTH, seed + size, context=8)
        exits |= {f"exit_{size}.{name}": value for name, value in head.items()}
    return FfhqGenerator("toy", weights, exits, device, frozenset({"encoders", "untrained"}))


def _weights(seed: int) -> dict[str, Tensor]:
    shapes: dict[str, tuple[int, ...]] = {f"mapping.{index}.weight": (WIDTH, WIDTH) for index in range(8)}
    shapes |= {"const": (1, CHANNELS, 4, 4), "conv_4.weight": (CHANNELS, CHANNELS, 3, 3), "to_img_32.weight": (12, CHANNELS, 1, 1)}
    inputs = {"conv_4": CHANNELS, "to_img_32": CHANNELS}
    for size in BLOCKS:
        inputs |= {f"up_{size}": CHANNELS, f"conv1_{size}": CHANNELS // 4, f"conv2_{size}": CHANNELS}
        for layer in (f"conv1_{size}", f"conv2_{size}"):
            shapes |= {f"{layer}.depthwise": (inputs[layer], 1, 3, 3), f"{layer}.pointwise": (CHANNELS, inputs[layer], 1, 1)}
    shapes |= {f"{layer}.modulation.weight": (channels, WIDTH) for layer, channels in inputs.items()}
    weights = {}
    for index, (name, shape) in enumerate(sorted(shapes.items())):
        fan_in = max(1, torch.Size(shape[1:]).numel())
        weights[name] = normal(shape, seed * 1000 + index) * (1.0 if name == "const" else fan_in**-0.5) * _gain(name)
    weights |= {f"{layer}.modulation.bias": torch.ones(channels) for layer, channels in inputs.items()}
    weights |= {f"mapping.{index}.bias": torch.zeros(WIDTH) for index in range(8)} | {"to_img_32.bias": torch.zeros(12)}
    noisy = {"conv_4": 4} | {f"{kind}_{size}": size for size in BLOCKS for kind in ("conv1", "conv2")}
    for layer, size in noisy.items():
        weights |= {f"{layer}.bias": torch.zeros(CHANNELS), f"{layer}.noise": 0.1 * normal((1, 1, size, size), seed * 1000 + 500 + size)}
    return weights


def _gain(name: str) -> float:
    """Keeps pictures about in [-1, 1]: gentle styles, and the Haar step's 1/2 where the real weights have it."""
    if name.endswith("modulation.weight"):
        return 0.2
    return 0.5 if name.startswith("conv1_") and name.endswith(".depthwise") else 1.0
