"""StyleMapGAN as its authors publish it: a generator with a stylemap and the encoder that was trained with it.

A file holds `g_ema` and `e_ema` (the averaged weights), or `generator` and `encoder`, beside `train_args`, from which the networks' form is
read. Nothing in it is run; the arguments may be a dict or a namespace.
Paper: arXiv:2104.14754.
"""

import copy
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from engines.core.errors import WeightsError
from engines.core.seeds import normal
from engines.core.shapes import Image
from engines.core.torch_files import load_torch
from engines.core.weights import is_bundled, load_weights
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
        name: What the catalogue, or the file, calls it.
    """

    form: Form
    generator: StyleMapGenerator
    encoder: StyleMapEncoder
    name: str = "stylemapgan"
    capabilities: ClassVar[frozenset[str]] = frozenset({"stylemapgan"})

    @property
    def resolution(self) -> int:
        """Side of its pictures in pixels."""
        return self.form.size

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
    model = StyleMapGAN(form, networks[0].to(device), networks[1].to(device), name)
    taught = taught and is_bundled(f"{name}{MAPPING}")
    return with_mapping(model, load_weights(f"{name}{MAPPING}")) if taught else model


def with_mapping(model: StyleMapGAN, state: Mapping[str, Tensor]) -> StyleMapGAN:
    """The same networks with another mapping network."""
    generator = copy.deepcopy(model.generator)
    _fill(generator.mapping_z, state)
    return StyleMapGAN(model.form, generator, model.encoder, model.name)


def toy_stylemapgan(device: torch.device | str = "cpu", seed: int = 1) -> StyleMapGAN:
    """Narrow networks of random weights, for tests."""
    form = small_form(32, 4, 8, 8)
    generator, encoder = StyleMapGenerator(form), StyleMapEncoder(form)
    for place, network in enumerate((generator, encoder)):
        drawn_anew(network, seed + place)
        network.eval().requires_grad_(False).to(device)
    return StyleMapGAN(form, generator, encoder, "stylemapgan-toy")


def load_stylemapgan(path: Path, device: torch.device | str = "cpu") -> StyleMapGAN:
    """Read a published checkpoint.

    Raises:
        WeightsError: Damaged, another kind of file, or networks of another form than its arguments say.
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
    return StyleMapGAN(form, networks[0].to(device), networks[1].to(device), path.name)


def _content(path: Path) -> Mapping[str, Any]:
    content = load_torch(path)
    if not isinstance(content, Mapping):
        raise WeightsError(f"{path.name} holds no dict: it is no checkpoint of StyleMapGAN.")
    return content


def _form(arguments: Any, name: str) -> Form:
    """The form that training arguments describe."""
    if not isinstance(arguments, Mapping):
        raise WeightsError(f"{name} lacks train_args, which say how large its networks are.")
    if arguments.get("normalize_mode", "LayerNorm") != "LayerNorm":
        raise WeightsError(f"{name} normalises by {arguments['normalize_mode']}; LayerNorm, the published models' way, is read.")
    plain = Form()
    multiplier = arguments.get("channel_multiplier", 2)
    numbers = {
        "size": arguments.get("size", plain.size),
        "side": arguments.get("latent_spatial_size", plain.side),
        "channels": arguments.get("latent_channel_size", plain.channels),
        "layers": arguments.get("mapping_layer_num", plain.layers),
    }
    whole = all(isinstance(value, int) for value in (*numbers.values(), multiplier))
    if not whole or numbers["size"] not in _SIZES or numbers["side"] not in _SIDES or not 0 < numbers["side"] < numbers["size"]:
        raise WeightsError(f"{name} says {numbers}; read are pictures of {_SIZES} px and stylemaps of resolution {_SIDES}.")
    if not (1 <= numbers["channels"] <= 512 and 1 <= numbers["layers"] <= 16 and 1 <= multiplier <= 4):
        raise WeightsError(f"{name} describes networks that are far from any published one: {numbers}.")
    widths = {side: width if side < 64 else width * multiplier // 2 for side, width in plain.widths.items()}
    rate, small = arguments.get("lr_mul", plain.rate), bool(arguments.get("small_generator", False))
    if not isinstance(rate, int | float):
        raise WeightsError(f"{name} says {rate!r} for lr_mul, where a number is wanted.")
    return Form(**numbers, rate=float(rate), small=small, widths=widths)


def _filled(form: Form, generator: Mapping[str, Tensor], encoder: Mapping[str, Tensor]) -> tuple[StyleMapGenerator, StyleMapEncoder]:
    with torch.random.fork_rng(devices=[]):
        networks = StyleMapGenerator(form), StyleMapEncoder(form)
    for network, state in zip(networks, (generator, encoder), strict=True):
        _fill(network, state)
    return networks


def _fill(network: nn.Module, state: Mapping[str, Tensor]) -> None:
    network.load_state_dict({key: value.float() for key, value in state.items()}, strict=True)
    network.eval().requires_grad_(False)
