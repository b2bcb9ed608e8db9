"""The authors' own checkpoints of pSp, e4e and ReStyle on our generator: a person brings the file, nothing in it is run.

The files hold a dict: `state_dict` (prefixes `encoder.` and `decoder.`), `latent_avg`, and `opts`, the options of the training run. Only
the encoder is used. Its 18 vectors go to this generator's slots, whose W is StyleGAN2-FFHQ's own.

from engines.invert.encode.official import OfficialEncoder, load_official

result = OfficialEncoder(generator, load_official(Path("psp_ffhq_encode.pt")))(InvertRequest(image=photo))

Papers: arXiv:2008.00951, arXiv:2102.02766, arXiv:2104.02699.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import torch
from torch import Tensor

from engines.contract import Card, Engine, InvertRequest, Progress, Result, Run, on_device
from engines.core.errors import SpaceError, WeightsError
from engines.core.images import area
from engines.core.knobs import Knob, Knobs
from engines.core.shapes import Codes, Image
from engines.generators.base import Generator
from engines.nets.irse50 import Kind, PublishedEncoder
from engines.spaces.latent import Inversion, Latent
from engines.spaces.slots import PUBLISHED_LAYERS

SIDE = 256
RESOLUTION = 1024
_KINDS: Mapping[tuple[str, int], Kind] = {
    ("GradualStyleEncoder", 3): "psp",
    ("Encoder4Editing", 3): "e4e",
    ("BackboneEncoder", 6): "restyle_psp",
    ("ProgressiveBackboneEncoder", 6): "restyle_e4e",
}
TITLES: Mapping[Kind, str] = {"psp": "pSp", "e4e": "e4e", "restyle_psp": "ReStyle over pSp", "restyle_e4e": "ReStyle over e4e"}
"""What a person calls each kind."""

_PREFIX, _STEM = "encoder.", "input_layer.0.weight"


@dataclass(frozen=True, eq=False)
class Official:
    """A published encoder, ready to run.

    Attributes:
        kind: Whose form it has.
        network: In evaluation mode, without gradients.
        average: The code that its answers are offsets from, (1,18,width).
    """

    kind: Kind
    network: PublishedEncoder
    average: Codes

    @property
    def refines(self) -> bool:
        """Whether it looks at its own last attempt."""
        return self.kind.startswith("restyle")

    def codes(self, image: Image, generator: Generator, steps: int = 5) -> Iterator[tuple[Codes, Image]]:
        """W+ of this generator (B,slots,width) and the picture it draws, after each look: one for pSp and e4e, `steps` for ReStyle."""
        seen = area(image, SIDE).clamp(-1, 1)
        published = self.average.expand(len(image), -1, -1)
        attempt = self._drawn(published, generator)[1] if self.refines else None
        for _ in range(steps if self.refines else 1):
            published = self._look(published, seen, attempt)
            found = self._drawn(published, generator)
            attempt = found[1]
            yield found

    @torch.no_grad()
    def _look(self, published: Codes, seen: Image, attempt: Image | None) -> Codes:
        picture = seen if attempt is None else torch.cat([seen, area(attempt, SIDE).clamp(-1, 1)], dim=1)
        return published + self.network(picture)

    @torch.no_grad()
    def _drawn(self, published: Codes, generator: Generator) -> tuple[Codes, Image]:
        codes = generator.slots.from_published(published)
        return codes, generator.synthesize(codes)


@dataclass(frozen=True, kw_only=True)
class OfficialKnobs(Knobs):
    """One pass for pSp and e4e; ReStyle looks again."""

    steps: Annotated[int, Knob("Looks at the photo, of a ReStyle checkpoint.", lo=1, hi=10)] = 5


class OfficialEncoder(Engine[InvertRequest, OfficialKnobs]):
    """A published encoder on our generator (arXiv:2008.00951); outside the catalogue, since it takes a file that a person brings.

    Args:
        generator: Draws.
        official: What `load_official` read.

    Raises:
        SpaceError: A generator that published codes do not fit.
    """

    card = Card(name="official", title="Published checkpoint", paper="arXiv:2008.00951", needs=frozenset({"w_plus"}))
    accepts, knob_set = InvertRequest, OfficialKnobs

    def __init__(self, generator: Generator, official: Official) -> None:
        super().__init__(generator)
        width = official.average.shape[-1]
        if width != generator.width:
            raise SpaceError(
                f"The checkpoint's codes have {width} values; those of {generator.name} have {generator.width}. "
                f"Bring one that was trained for FFHQ at {RESOLUTION} px."
            )
        self.official, self.title = official, f"{TITLES[official.kind]} (published checkpoint)"
        generator.slots.from_published(official.average)  # a generator of another size is refused now, not in the run

    def run(self, request: InvertRequest, knobs: OfficialKnobs) -> Run:
        """Look once, or several times; every look is kept to be stopped at."""
        looks = knobs.steps if self.official.refines else 1
        found = self.official.codes(on_device(request.image, self.generator), self.generator, looks)
        for step, (codes, image) in enumerate(found, start=1):
            result = Result(image, (Inversion(Latent("w_plus", codes)),))
            yield Progress(step, looks, image, best=result)
        return result


def load_official(path: Path, device: torch.device | str = "cpu") -> Official:
    """Read a published checkpoint.

    Raises:
        WeightsError: Cut off, another kind of file or network, another resolution, or without its average code.
    """
    content = _content(path)
    state, options = content.get("state_dict"), content.get("opts")
    if not isinstance(state, Mapping) or not all(isinstance(value, Tensor) for value in state.values()):
        raise WeightsError(f"{path.name} has no state_dict: it is no checkpoint of pSp, e4e or ReStyle.")
    weights = {key.removeprefix(_PREFIX): value.float() for key, value in state.items() if str(key).startswith(_PREFIX)}
    if _STEM not in weights or weights[_STEM].dim() != 4:
        raise WeightsError(
            f"{path.name} has no encoder of the IR-SE50 form: it may be a generator's file. Bring pSp's, e4e's or ReStyle's for faces."
        )
    kind = _kind(options if isinstance(options, Mapping) else {}, weights, path.name)
    return Official(kind, _network(kind, weights, path.name).to(device), _average(content, weights, path.name).to(device))


def _content(path: Path) -> Mapping[str, Any]:
    try:
        content = torch.load(path, map_location="cpu", weights_only=True, mmap=True)
    except Exception as error:  # whatever a foreign file makes the reader stumble over
        raise WeightsError(
            f"{path.name} is cut off, or holds more than tensors and plain options. Download it again from its authors."
        ) from error
    if not isinstance(content, Mapping):
        raise WeightsError(f"{path.name} holds no dict: it is no checkpoint of pSp, e4e or ReStyle.")
    return content


def _kind(options: Mapping[str, Any], weights: Mapping[str, Tensor], name: str) -> Kind:
    size, encoder, inputs = options.get("output_size", RESOLUTION), options.get("encoder_type"), weights[_STEM].shape[1]
    size = options.get("stylegan_size", size)
    if size != RESOLUTION:
        raise WeightsError(
            f"{name} was trained for a generator of {size} px; this one draws {RESOLUTION}. Bring a checkpoint for FFHQ at {RESOLUTION}."
        )
    if options.get("learn_in_w"):
        raise WeightsError(f"{name} predicts one w for all layers (learn_in_w), which is not read here. Bring a W+ encoder.")
    kind = _KINDS.get((str(encoder), inputs))
    if kind is None:
        known = ", ".join(sorted({encoder for encoder, _ in _KINDS}))
        raise WeightsError(f"{name} holds an encoder {encoder!r} of {inputs} channels; read are {known} for photos of faces.")
    return kind


def _network(kind: Kind, weights: Mapping[str, Tensor], name: str) -> PublishedEncoder:
    try:
        network = PublishedEncoder(kind, weights)
        network.load_state_dict(dict(weights), strict=True)
    except (KeyError, RuntimeError, ValueError, IndexError) as error:
        raise WeightsError(f"The encoder in {name} lacks weights, or has them in other shapes than the published one.") from error
    if len(network.styles) != PUBLISHED_LAYERS:
        raise WeightsError(f"{name} predicts {len(network.styles)} vectors; a generator of {RESOLUTION} px takes {PUBLISHED_LAYERS}.")
    return network.eval().requires_grad_(False)


def _average(content: Mapping[str, Any], weights: Mapping[str, Tensor], name: str) -> Codes:
    average, width = content.get("latent_avg"), weights["styles.0.linear.weight"].shape[0]
    if not isinstance(average, Tensor):
        raise WeightsError(
            f"{name} lacks latent_avg, the average code that its answers are offsets from. Bring the authors' full checkpoint."
        )
    if tuple(average.shape[-2:]) != (PUBLISHED_LAYERS, width) and tuple(average.shape) != (width,):
        raise WeightsError(f"latent_avg in {name} has shape {tuple(average.shape)}; wanted ({PUBLISHED_LAYERS}, {width}) or ({width},).")
    return average.float().reshape(1, -1, width).expand(1, PUBLISHED_LAYERS, width).clone()
