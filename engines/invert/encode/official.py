"""The authors' own checkpoints of pSp, e4e and ReStyle on our generator: a person brings the file, nothing in it is run.

The files hold a dict: `state_dict` (prefixes `encoder.` and `decoder.`), `latent_avg`, and `opts`, the options of the training run. Only
the encoder is used. Its 18 vectors go to this generator's slots. W is StyleGAN2-FFHQ's own, W+ is not: this generator was never trained
where those encoders' layers lie apart, and draws melted faces there. Within the first principal components of W in each layer e4e's codes
draw whole faces again; pSp's lie so far outside that nothing brings them back, and are refused.

from engines.invert.encode.official import OfficialEncoder, load_official

result = OfficialEncoder(generator, load_official(Path("e4e_ffhq_encode.pt")))(InvertRequest(image=photo))

Papers: arXiv:2008.00951, arXiv:2102.02766, arXiv:2104.02699.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Any

import torch
from torch import Tensor

from engines.contract import Card, Engine, InvertRequest, Progress, Result, Run, on_device
from engines.core.errors import SpaceError, WeightsError
from engines.core.images import area
from engines.core.knobs import Knob, Knobs
from engines.core.shapes import Codes, Image
from engines.core.torch_files import load_torch
from engines.generators.base import Generator
from engines.nets.irse50 import Kind, PublishedEncoder
from engines.spaces.latent import Inversion, Latent
from engines.spaces.slots import PUBLISHED_LAYERS
from engines.spaces.statistics import statistics

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

KEPT = 60
"""Components at which codes of the authors' e4e draw best on the bundled generator: LPIPS .31 to the photos; .56 as they come."""

_UNFOLLOWED: Mapping[Kind, str] = {
    "psp": "pSp's published codes lie some nine standard deviations outside W, where this generator was never trained: they draw noise "
    "here. Take the pSp that is built in, or bring the authors' e4e or ReStyle over e4e, whose codes can be followed."
}
"""Kinds whose answers cannot be drawn here, and what a person is told."""

_PREFIX, _STEM = "encoder.", "input_layer.0.weight"


@dataclass(frozen=True, eq=False)
class Official:
    """A published encoder, ready to run.

    Attributes:
        kind: Whose form it has.
        network: In evaluation mode, without gradients.
        average: The code that its answers are offsets from, (1,18,width): zeros for one whose answers are codes as they are; nothing
            where the file lacks it, so that the mean of the generator's W stands for it.
        remarks: What a person should know of the file, a sentence each.
    """

    kind: Kind
    network: PublishedEncoder
    average: Codes | None
    remarks: tuple[str, ...] = ()

    @property
    def width(self) -> int:
        """Length of one of its vectors."""
        return int(self.network.state_dict()["styles.0.linear.weight"].shape[0])

    @property
    def refines(self) -> bool:
        """Whether it refines iteratively."""
        return self.kind.startswith("restyle")

    def codes(self, image: Image, generator: Generator, steps: int = 5, components: int = 512) -> Iterator[tuple[Codes, Image]]:
        """W+ of this generator (B,slots,width) and its picture, after each pass: one for pSp and e4e, `steps` for ReStyle.

        Args:
            image: (B,3,R,R) in [-1, 1].
            generator: Draws.
            steps: Of ReStyle.
            components: Principal components of W that each layer keeps; all from the width of W on.
        """
        seen = area(image, SIDE).clamp(-1, 1)
        published = self.start(generator).expand(len(image), -1, -1)
        attempt = self._drawn(published, generator, components)[1] if self.refines else None
        for _ in range(steps if self.refines else 1):
            published = self._refine(published, seen, attempt)
            found = self._drawn(published, generator, components)
            attempt = found[1]
            yield found

    def start(self, generator: Generator) -> Codes:
        """The code (1,18,width) that its answers are offsets from on this generator."""
        if self.average is not None:
            return self.average
        return statistics(generator).mean.reshape(1, 1, -1).expand(1, PUBLISHED_LAYERS, -1)

    @torch.no_grad()
    def _refine(self, published: Codes, seen: Image, attempt: Image | None) -> Codes:
        picture = seen if attempt is None else torch.cat([seen, area(attempt, SIDE).clamp(-1, 1)], dim=1)
        return published + self.network(picture)

    @torch.no_grad()
    def _drawn(self, published: Codes, generator: Generator, components: int) -> tuple[Codes, Image]:
        if components < published.shape[-1]:
            published = statistics(generator).within(published, components)
        codes = generator.slots.from_published(published)
        return codes, generator.synthesize(codes)


@dataclass(frozen=True, kw_only=True)
class OfficialKnobs(Knobs):
    """One pass for e4e; refinement steps of ReStyle."""

    steps: Annotated[int, Knob("Refinement steps, of a ReStyle checkpoint.", lo=1, hi=10)] = 5
    components: Annotated[
        int, Knob("Principal components of W that each layer keeps; 512 takes codes as they come.", lo=1, hi=512, advanced=True)
    ] = KEPT


class OfficialEncoder(Engine[InvertRequest, OfficialKnobs]):
    """A published encoder on our generator (arXiv:2008.00951); outside the catalogue, since it takes a file that a person brings.

    Args:
        generator: Draws.
        official: What `load_official` read.

    Raises:
        SpaceError: A generator that published codes do not fit, or an encoder whose codes no generator here can follow.
    """

    card = Card(name="official", title="Published checkpoint", paper="arXiv:2008.00951", needs=frozenset({"w_plus"}))
    accepts, knob_set = InvertRequest, OfficialKnobs

    def __init__(self, generator: Generator, official: Official) -> None:
        super().__init__(generator)
        if official.kind in _UNFOLLOWED:
            raise SpaceError(_UNFOLLOWED[official.kind])
        width = official.width
        if width != generator.width:
            raise SpaceError(
                f"The checkpoint's codes have {width} values; those of {generator.name} have {generator.width}. "
                f"Bring one that was trained for FFHQ at {RESOLUTION} px."
            )
        self.official = replace(official, average=official.start(generator))
        self.title = f"{TITLES[official.kind]} (published checkpoint)"
        generator.slots.from_published(self.official.start(generator))  # a generator of another size is refused now, not in the run

    @property
    def remarks(self) -> tuple[str, ...]:
        """What a person should know of the file, a sentence each."""
        return self.official.remarks

    def run(self, request: InvertRequest, knobs: OfficialKnobs) -> Run:
        """Encode once, or refine several times; every step is kept to be stopped at."""
        steps = knobs.steps if self.official.refines else 1
        found = self.official.codes(on_device(request.image, self.generator), self.generator, steps, knobs.components)
        for step, (codes, image) in enumerate(found, start=1):
            result = Result(image, (Inversion(Latent("w_plus", codes)),))
            yield Progress(step, steps, image, best=result)
        return result


def load_official(path: Path, device: torch.device | str = "cpu") -> Official:
    """Read a published checkpoint; entries that are not wanted are left out, whatever they are.

    Raises:
        WeightsError: Damaged, another kind of file or network, another resolution, or of answers that cannot be followed here.
    """
    content = load_torch(path)
    if not isinstance(content, Mapping):
        raise WeightsError(f"{path.name} holds no dict: it is no checkpoint of pSp, e4e or ReStyle.")
    state, options = content.get("state_dict"), content.get("opts")
    if not isinstance(state, Mapping):
        raise WeightsError(f"{path.name} has no state_dict: it is no checkpoint of pSp, e4e or ReStyle.")
    tensors = {str(key): value for key, value in state.items() if isinstance(value, Tensor)}
    weights = {key.removeprefix(_PREFIX): value.float() for key, value in tensors.items() if key.startswith(_PREFIX)}
    if _STEM not in weights or weights[_STEM].dim() != 4:
        raise WeightsError(
            f"{path.name} has no encoder of the IR-SE50 form: it may be a generator's file. Bring pSp's, e4e's or ReStyle's for faces."
        )
    options = options if isinstance(options, Mapping) else {}
    kind = _kind(options, weights, path.name)
    network = _network(kind, weights, path.name)
    average, words = _average(content.get("latent_avg"), options, network, kind, path.name)
    remarks = (*words, *_decoder(options, any(key.startswith("decoder.") for key in tensors)))
    return Official(kind, network.to(device), None if average is None else average.to(device), remarks)


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
        task = f", trained for {str(options['dataset_type'])[:40]}" if options.get("dataset_type") else ""
        raise WeightsError(f"{name} holds an encoder {encoder!r} of {inputs} channels{task}; read are {known} for photos of faces.")
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


def _average(
    average: Any, options: Mapping[str, Any], network: PublishedEncoder, kind: Kind, name: str
) -> tuple[Codes | None, tuple[str, ...]]:
    """The code that answers are offsets from, as the authors' own code takes it, and a sentence where that is not the file's.

    pSp and e4e add it only where `start_from_latent_avg` is set; ReStyle starts from it always, and its training takes the mean of W.
    """
    width, starts = int(network.state_dict()["styles.0.linear.weight"].shape[0]), options.get("start_from_latent_avg")
    if not kind.startswith("restyle") and starts is not None and not starts:
        return torch.zeros(1, PUBLISHED_LAYERS, width), ("It was trained without an average code: its answers are taken as they are.",)
    if isinstance(average, Tensor):
        if average.numel() not in (width, PUBLISHED_LAYERS * width) or average.shape[-1] != width:
            raise WeightsError(
                f"latent_avg in {name} has shape {tuple(average.shape)}; wanted ({PUBLISHED_LAYERS}, {width}) or ({width},)."
            )
        return average.float().reshape(1, -1, width).expand(1, PUBLISHED_LAYERS, width).clone(), ()
    if starts is None and not kind.startswith("restyle"):
        raise WeightsError(
            f"{name} lacks latent_avg, and its options do not say whether its answers are offsets from it. "
            "Bring the authors' full checkpoint."
        )
    return None, ("The file lacks its average code (latent_avg): the mean of this generator's W stands for it, as in its authors' code.",)


def _decoder(options: Mapping[str, Any], there: bool) -> tuple[str, ...]:
    """A sentence about the decoder that the encoder was trained with, where the file has one or names one."""
    path = options.get("stylegan_weights")
    title = str(path).replace("\\", "/").rsplit("/", 1)[-1][:60] if isinstance(path, str) and path else ""
    if not there and not title:
        return ()
    trained = ", although it was trained along with the encoder" if options.get("train_decoder") else ""
    return (f"The file's own decoder{f' ({title})' if title else ''} is not used{trained}: this generator draws its codes.",)
