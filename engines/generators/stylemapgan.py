"""StyleMapGAN as its authors publish it: a generator with a style per place and the encoder that was trained with it.

A file holds `g_ema` and `e_ema` (the averaged weights), or `generator` and `encoder`, beside `train_args`, from which the networks' form is
read. It is read without running anything in it: besides tensors and plain values, the one class allowed is the empty `argparse.Namespace`.
Paper: arXiv:2104.14754.
"""

import argparse
import copy
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from engines.core.errors import WeightsError
from engines.core.seeds import normal
from engines.core.shapes import Image
from engines.core.weights import load_weights, manifest
from engines.nets.equalised import drawn_anew
from engines.nets.stylemapgan import Form, StyleMapEncoder, StyleMapGenerator, small_form

MAPPING = "_mapping"
"""What the name of a mapping network that was trained afterwards ends in."""

_AVERAGED_OVER = 5000
_SIZES, _SIDES = (64, 128, 256, 512, 1024), (4, 8, 16, 32)


@dataclass(frozen=True, eq=False)
class StyleMapGAN:
    """The networks, ready to run; only ever read.

    Attributes:
        form: Their numbers.
        generator: Mapping and decoder.
        encoder: From pictures to stylemaps.
    """

    form: Form
    generator: StyleMapGenerator
    encoder: StyleMapEncoder

    @property
    def device(self) -> torch.device:
        """Where the weights are."""
        return next(self.generator.parameters()).device

    @cached_property
    def average(self) -> Tensor:
        """The mean stylemap (1,C,s,s) of random z."""
        z = normal((_AVERAGED_OVER, self.form.channels), 0, self.device)
        with torch.no_grad():
            return torch.cat([self.generator.map(part) for part in z.split(500)]).mean(dim=0, keepdim=True)

    @torch.no_grad()
    def sample(self, seed: int, count: int = 1, truncation: float = 0.7) -> Tensor:
        """Random stylemaps (count,C,s,s), drawn towards the average as far as the truncation says."""
        mapped = self.generator.map(normal((count, self.form.channels), seed, self.device))
        return self.average + truncation * (mapped - self.average)

    @torch.no_grad()
    def encode(self, image: Image) -> Tensor:
        """Stylemaps (B,C,s,s) of pictures (B,3,size,size) in [-1, 1]."""
        return self.encoder(image)

    @torch.no_grad()
    def resized(self, stylemap: Tensor) -> list[Tensor]:
        """W+ of stylemaps: two maps at s, and two at each doubling."""
        return self.generator.decoder.resized(stylemap)

    @torch.no_grad()
    def draw(self, code: Tensor | list[Tensor]) -> Image:
        """Pictures (B,3,size,size), about in [-1, 1] and not clamped, of stylemaps or of their W+."""
        return self.generator.decoder.drawn(self.resized(code) if isinstance(code, Tensor) else code)


@cache
def bundled_stylemapgan(name: str = "stylemapgan_8", device: torch.device | str = "cpu", *, taught: bool = True) -> StyleMapGAN:
    """A small one that was trained here, read once for all.

    Args:
        name: In the manifest.
        device: Where it computes.
        taught: Whether its mapping network is the one that was trained afterwards, if there is one.

    Raises:
        WeightsError: There is none of this name.
    """
    weights = load_weights(name)
    form = small_form(*(int(number) for number in weights["form"]))
    parts = [
        {key.removeprefix(f"{part}."): value for key, value in weights.items() if key.startswith(f"{part}.")}
        for part in ("generator", "encoder")
    ]
    networks = _filled(form, *parts)
    model = StyleMapGAN(form, networks[0].to(device), networks[1].to(device))
    taught = taught and f"{name}{MAPPING}" in manifest()
    return with_mapping(model, load_weights(f"{name}{MAPPING}")) if taught else model


def with_mapping(model: StyleMapGAN, state: Mapping[str, Tensor]) -> StyleMapGAN:
    """The same networks with another mapping network."""
    generator = copy.deepcopy(model.generator)
    _fill(generator.mapping_z, state)
    return StyleMapGAN(model.form, generator, model.encoder)


def toy_stylemapgan(seed: int = 1) -> StyleMapGAN:
    """Narrow networks of random weights, for tests."""
    form = small_form(32, 4, 8, 8)
    generator, encoder = StyleMapGenerator(form), StyleMapEncoder(form)
    for place, network in enumerate((generator, encoder)):
        drawn_anew(network, seed + place)
    return StyleMapGAN(form, generator.eval().requires_grad_(False), encoder.eval().requires_grad_(False))


def load_stylemapgan(path: Path, device: torch.device | str = "cpu") -> StyleMapGAN:
    """Read a published checkpoint.

    Raises:
        WeightsError: Cut off, another kind of file, or networks of another form than its arguments say.
    """
    content = _content(path)
    generator, encoder = (content.get(mean, content.get(last)) for mean, last in (("g_ema", "generator"), ("e_ema", "encoder")))
    if not isinstance(generator, Mapping) or not isinstance(encoder, Mapping):
        raise WeightsError(f"{path.name} lacks g_ema or e_ema: it is no checkpoint of StyleMapGAN. Bring the authors' full file.")
    form = _form(content.get("train_args"), path.name)
    try:
        networks = _filled(form, generator, encoder)
    except (RuntimeError, KeyError, TypeError, AttributeError) as error:
        raise WeightsError(f"The networks in {path.name} have other weights than its training arguments say.") from error
    return StyleMapGAN(form, networks[0].to(device), networks[1].to(device))


def _content(path: Path) -> Mapping[str, Any]:
    try:
        with torch.serialization.safe_globals([argparse.Namespace]):
            content = torch.load(path, map_location="cpu", weights_only=True, mmap=True)
    except Exception as error:  # whatever a foreign file makes the reader stumble over
        raise WeightsError(f"{path.name} is cut off, or holds more than tensors and plain options. Download it again.") from error
    if not isinstance(content, Mapping):
        raise WeightsError(f"{path.name} holds no dict: it is no checkpoint of StyleMapGAN.")
    return content


def _form(arguments: Any, name: str) -> Form:
    """The form that training arguments describe."""
    known = vars(arguments) if isinstance(arguments, argparse.Namespace) else arguments
    if not isinstance(known, Mapping):
        raise WeightsError(f"{name} lacks train_args, which say how large its networks are.")
    if known.get("normalize_mode", "LayerNorm") != "LayerNorm":
        raise WeightsError(f"{name} normalises by {known['normalize_mode']}; LayerNorm, the published models' way, is read.")
    plain = Form()
    multiplier = known.get("channel_multiplier", 2)
    numbers = {
        "size": known.get("size", plain.size),
        "side": known.get("latent_spatial_size", plain.side),
        "channels": known.get("latent_channel_size", plain.channels),
        "layers": known.get("mapping_layer_num", plain.layers),
    }
    whole = all(isinstance(value, int) for value in (*numbers.values(), multiplier))
    if not whole or numbers["size"] not in _SIZES or numbers["side"] not in _SIDES or not 0 < numbers["side"] < numbers["size"]:
        raise WeightsError(f"{name} says {numbers}; read are pictures of {_SIZES} px and stylemaps of {_SIDES} cells a side.")
    if not (1 <= numbers["channels"] <= 512 and 1 <= numbers["layers"] <= 16 and 1 <= multiplier <= 4):
        raise WeightsError(f"{name} describes networks that are far from any published one: {numbers}.")
    widths = {side: width if side < 64 else width * multiplier // 2 for side, width in plain.widths.items()}
    return Form(**numbers, rate=float(known.get("lr_mul", plain.rate)), small=bool(known.get("small_generator", False)), widths=widths)


def _filled(form: Form, generator: Mapping[str, Tensor], encoder: Mapping[str, Tensor]) -> tuple[StyleMapGenerator, StyleMapEncoder]:
    with torch.random.fork_rng(devices=[]):
        networks = StyleMapGenerator(form), StyleMapEncoder(form)
    for network, state in zip(networks, (generator, encoder), strict=True):
        _fill(network, state)
    return networks


def _fill(network: nn.Module, state: Mapping[str, Tensor]) -> None:
    network.load_state_dict({key: value.float() for key, value in state.items()}, strict=True)
    network.eval().requires_grad_(False)
