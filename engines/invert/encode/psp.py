"""pSp: an encoder into W+ in one pass, coarse layers from coarse features, fine ones from fine features.

Paper: Richardson et al., "Encoding in Style: a StyleGAN Encoder for Image-to-Image Translation", arXiv:2008.00951. Followed: codes as
offsets from the average face (section 3), the level-split heads (3.1), mixing in random styles for variants
(section 4), image translation (section 5). Changed: the pyramid's trunks are networks that ship already and have seen real pictures, with
linear maps and a hidden layer over them instead of a map2style block a layer; translations stand on the body that other encoders share.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Literal

import torch

from engines.contract import Card, Engine, InvertRequest, Progress, Result, Run, on_device
from engines.core.knobs import Knob, Knobs
from engines.core.seeds import rng
from engines.core.shapes import Codes, Image
from engines.core.weights import manifest
from engines.data.degradations import TRANSLATIONS
from engines.generators.base import Generator
from engines.invert.encode.encoder import BODY, SIZE, Scale, load_body, load_heads, seen
from engines.invert.encode.pyramid import TRUNKS, load_pyramid
from engines.nets.heads import LevelHeads
from engines.nets.irse import STAGES
from engines.spaces.latent import Inversion, Latent
from engines.spaces.statistics import random_w

NETWORKS = {"inversion": "psp"} | {task: f"psp_{task}" for task in TRANSLATIONS if f"psp_{task}" in manifest()}
"""Weights by task; others than inversion only where their weights are."""


@dataclass(frozen=True, kw_only=True)
class PspKnobs(Knobs):
    """One pass needs no settings; variants and the other tasks do."""

    task: Annotated[
        str,
        Knob(
            "Task of the network: inversion, super-resolution or colourisation.",
            choices=tuple(NETWORKS),
            weights=NETWORKS,
        ),
    ] = "inversion"
    take_away: Annotated[
        bool,
        Knob(
            "For the other tasks: degrade the photo first. Off for a photo that is coarse or grey already.",
            only_if=("task", "super_resolution", "colourise"),
        ),
    ] = True
    variants: Annotated[int, Knob("Further pictures with other fine styles.", lo=0, hi=8)] = 0
    mixed: Annotated[Literal["fine", "middle and fine"], Knob("Layers that take the variants' random styles.", only_if=("variants",))] = (
        "fine"
    )
    mix_strength: Annotated[float, Knob("How far those layers go to the random style.", lo=0, hi=1, only_if=("variants",))] = 1.0
    truncation: Annotated[float, Knob("How varied the random styles are.", lo=0, hi=1, advanced=True, only_if=("variants",))] = 0.7


class Psp(Engine[InvertRequest, PspKnobs]):
    """One pass from photo to W+ (arXiv:2008.00951)."""

    card = Card(
        name="psp",
        title="pSp",
        paper="arXiv:2008.00951",
        needs=frozenset({"w_plus", "encoders"}),
        weights=(BODY, *TRUNKS, *NETWORKS.values()),
    )
    accepts, knob_set = InvertRequest, PspKnobs
    one_pass = True

    def __init__(self, generator: Generator) -> None:
        super().__init__(generator)
        self.pyramid = load_pyramid("psp", generator)
        self._known: dict[str, Callable[[Image], Codes]] = {"inversion": self.pyramid.encode}

    def run(self, request: InvertRequest, knobs: PspKnobs) -> Run:
        """Encode, draw, and draw again with other styles."""
        given = self._given(on_device(request.image, self.generator), request.seed, knobs)
        codes, total = [self.encode(given, knobs.task)], 2 + knobs.variants
        stages = {} if knobs.task == "inversion" else {"what it saw": given}
        yield Progress(1, total)
        images: list[Image] = []
        for number in range(1 + knobs.variants):
            if number:
                codes.append(self._variant(codes[0], request.seed + number, knobs))
            images.append(self._drawn(codes[-1]))
            yield Progress(2 + number, total, images[-1], best=self._result(images, codes, stages))
        return self._result(images, codes, stages)

    @torch.no_grad()
    def encode(self, image: Image, task: str = "inversion") -> Codes:
        """Codes (B,slots,width) of aligned photos (B,3,R,R), by the network of a task."""
        return self.generator.slots.scatter(self._network(task)(image))

    def _network(self, task: str) -> Callable[[Image], Codes]:
        """Read when a task is first asked for; translations have heads on the shared body."""
        if task not in self._known:
            body, scale = load_body(self.generator), Scale(self.generator)
            heads, size = load_heads(NETWORKS[task], self.generator, lambda: heads_for(self.generator))
            self._known[task] = lambda image: scale.codes(heads(body(seen(image, size))))
        return self._known[task]

    def _given(self, image: Image, seed: int, knobs: PspKnobs) -> Image:
        """The photo, or what the network sees of it once something was taken away."""
        if knobs.task == "inversion" or not knobs.take_away:
            return image
        return TRANSLATIONS[knobs.task](seen(image, SIZE), rng(seed))

    @torch.no_grad()
    def _drawn(self, codes: Codes) -> Image:
        return self.generator.synthesize(codes)

    def _variant(self, codes: Codes, seed: int, knobs: PspKnobs) -> Codes:
        groups = self.generator.slots.groups
        places = list(groups["fine"] if knobs.mixed == "fine" else groups["middle"] + groups["fine"])
        other, mixed = random_w(self.generator, seed, knobs.truncation), codes.clone()
        mixed[:, places] += knobs.mix_strength * (other[:, None] - mixed[:, places])
        return self.generator.slots.fill_dead(mixed)

    @staticmethod
    def _result(images: Sequence[Image], codes: Sequence[Codes], stages: Mapping[str, Image]) -> Result:
        return Result(torch.cat(list(images)), tuple(Inversion(Latent("w_plus", code.clone())) for code in codes), stages)


def heads_for(generator: Generator) -> LevelHeads:
    """Heads of pSp's form, untrained."""
    fine, middle, coarse = (width for width, _ in STAGES[1:])
    return LevelHeads((fine, middle, coarse), generator.slots, generator.width)
