"""Image2StyleGAN++ within a painted mask: inpainting, crossover, local style transfer, scribbles and attribute-level feature transfer.

Paper: Abdal, Qin and Wonka, "Image2StyleGAN++: How to Edit the Embedded Images?", arXiv:1911.11544, section 5: each use is a chain of the
blocks in engines/invert/optimize/blocks.py that ends with the noise maps. It stands among the inversions, for each is one: of a picture
that does not exist. Followed: the three masks, blurred at the edge; inpainting moves the first nine and the last layers apart, no others;
scribbles hold the codes near their start. Changed: fewer steps, LPIPS on AlexNet with masked features for the perceptual term, textures
compared at 128 px beside a little of the source's own features, weights tuned anew. The last block also keeps the source outside the mask
in every use. Added: a crossover may keep the tones that the code found for both, since two photos seldom have one light, and a filled hole
takes the tones of what is around it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Annotated, Literal

import torch
import torch.nn.functional as F
from torch import Tensor

from engines.contract import Card, Engine, InvertRequest, Result, Run, on_device
from engines.core.errors import ImageError
from engines.core.images import PROTOCOL_SIDE, area
from engines.core.knobs import Knob, Knobs
from engines.core.masks import dilated, feathered
from engines.core.shapes import Codes, Image, Mask
from engines.generators.base import Generator
from engines.inputs import FacePhoto, PaintedMask
from engines.invert.optimize.blocks import Search, copied, seek_codes, seek_noise
from engines.losses.local import Goal, LocalLoss
from engines.metrics.mixing import border_gradient, border_of, error_outside
from engines.spaces.latent import Latent

INPAINT, CROSSOVER, STYLE, SCRIBBLE, ATTRIBUTE = "inpaint", "crossover", "style", "scribble", "attribute"
USES = (INPAINT, CROSSOVER, STYLE, SCRIBBLE, ATTRIBUTE)
_FILLING = 9
"""First layers of W+ that get a code of their own where a hole is filled, beside the last: they decide what is there."""

_CONTENT = 0.3
"""How much of the source's own features must stay where a style is brought: its parts keep their places."""

_MASK_SIDE, _TONE_CELLS = 512, 16
_LEAST = 1e-6


@dataclass(frozen=True, kw_only=True, eq=False)
class LocalRequest(InvertRequest):
    """A picture that stays outside a mask, and what is wanted inside.

    Attributes:
        image: The picture that stays, (1,3,R,R), aligned as FFHQ is.
        mask: Where something is to happen, 1 inside, (1,1,R,R).
        other: What is wanted inside: another face, or the same with a scribble on it; not needed to fill in.
        other_start: The other face's code, where one is known.
    """

    other: Annotated[
        Image | None, FacePhoto("The photo of what is wanted inside the mask.", "context", "context_face", is_required=False)
    ] = None
    mask: Annotated[Mask | None, PaintedMask("A mask that was painted over the aligned face.")] = None
    other_start: Latent | None = None


@dataclass(frozen=True, kw_only=True)
class LocalEmbeddingKnobs(Knobs):
    """Defaults suit about a minute on two CPU cores."""

    use: Annotated[
        Literal["inpaint", "crossover", "style", "scribble", "attribute"],
        Knob(
            "Use of the mask: inpainting, crossover with the other face, local style transfer, scribble, or feature transfer (attribute)."
        ),
    ] = "crossover"
    quick_steps: Annotated[int, Knob("Updates of one w at an early exit, where no code is known to begin with.", lo=0, hi=1000)] = 25
    steps: Annotated[int, Knob("Updates of every layer's own w, on the full picture.", lo=1, hi=1000)] = 40
    noise_steps: Annotated[int, Knob("Updates of the noise maps, at the end.", lo=0, hi=1000)] = 75
    edge: Annotated[float, Knob("How far the mask's soft edge reaches on either side, as a share of the side.", lo=0, hi=0.15)] = 0.05
    style_weight: Annotated[
        float, Knob("Weight of the Gram matrices (textures), for a style.", lo=0, hi=10, log=True, only_if=("use", "style"))
    ] = 0.05
    tones: Annotated[
        Literal["code", "photo"],
        Knob(
            "Light and skin tones of a crossover inside the mask: those of the optimised code, or the other photo's.",
            only_if=("use", "crossover"),
        ),
    ] = "code"
    closeness: Annotated[float, Knob("Weight of ||w - w_0||, for a scribble.", lo=0, hi=1, only_if=("use", "scribble"))] = 0.02
    layer: Annotated[
        Literal["16", "32", "64", "128"],
        Knob("The layer, by its resolution in pixels, whose features are transferred as an attribute.", only_if=("use", "attribute")),
    ] = "32"
    learning_rate: Annotated[float, Knob("Adam step size of the codes at its height.", lo=1e-4, hi=1.0, log=True, advanced=True)] = 0.06
    noise_rate: Annotated[
        float, Knob("Adam step size of the noise maps.", lo=1e-3, hi=1, log=True, advanced=True, only_if=("noise_steps",))
    ] = 0.1
    editability_weight: Annotated[float, Knob("Weight of the layers' offsets (W+ spread).", lo=0, hi=1, advanced=True)] = 3e-3
    pixel_weight: Annotated[float, Knob("Weight of the squared pixel error.", lo=0, hi=10, advanced=True)] = 1.0
    perceptual_weight: Annotated[float, Knob("Weight of LPIPS.", lo=0, hi=10, advanced=True)] = 0.8
    preview_every: Annotated[int, Knob("Updates between previews.", lo=1, hi=100, advanced=True)] = 5


@dataclass(frozen=True, eq=False)
class _Wanted:
    """A checked request: the picture that stays, what is wanted inside, and the soft mask."""

    image: Image
    other: Image
    inside: Mask
    hard: Mask

    @property
    def outside(self) -> Mask:
        return 1 - self.inside


class LocalEmbedding(Engine[LocalRequest, LocalEmbeddingKnobs]):
    """The masked uses of Image2StyleGAN++ (arXiv:1911.11544)."""

    card = Card(
        name="image2stylegan_pp_mix",
        title="Image2StyleGAN++ (local editing in a mask)",
        paper="arXiv:1911.11544",
        needs=frozenset({"w_plus", "noise"}),
        weights=("lpips_alex", "vgg16"),
    )
    accepts, knob_set = LocalRequest, LocalEmbeddingKnobs

    def run(self, request: LocalRequest, knobs: LocalEmbeddingKnobs) -> Run:
        """The codes, then the noise maps.

        Stages: "asked", the plain copy, or a grey hole where one is filled; "mask"; "before the noise". Figures: `mse_outside`, of the
        pictures at 256 px outside the mask and its soft edge; `border`, the gradient along the mask's border over its mean in the picture.

        Raises:
            ImageError: No mask, another size, or no second picture where one is needed.
            KnobError: A layer that the generator does not have.
        """
        wanted = _checked(request, knobs, self.generator)
        starts = [(request.image, request.start)] + ([(wanted.other, request.other_start)] if knobs.use == ATTRIBUTE else [])
        left = sum(_steps(knobs, start) for _, start in starts) + knobs.noise_steps
        codes, done, features = list[Codes](), 0, dict[str, Tensor]()
        for number, (_, start) in enumerate(starts):
            left -= _steps(knobs, start)
            loss = LocalLoss(_goals(wanted, knobs, number), _weights(knobs))
            result = yield from seek_codes(self.generator, loss, start, self._search(knobs, start), {}, done, left)
            codes.append(result.inversions[0].latent.codes)
            done += _steps(knobs, start)
        if knobs.use == ATTRIBUTE:
            features |= copied(self.generator, codes[0], codes[1], wanted.inside, int(knobs.layer))
        with torch.no_grad():
            picture = self.generator.synthesize(codes[0], features=features)
        loss = LocalLoss(_details(wanted, knobs, picture), {}, self.generator.resolution)
        result = yield from seek_noise(
            self.generator, loss, codes[0], knobs.noise_steps, knobs.noise_rate, features, knobs.preview_every, done
        )
        return _explained(result, wanted, picture, knobs)

    def _search(self, knobs: LocalEmbeddingKnobs, start: Latent | None) -> Search:
        active = self.generator.slots.active
        return Search(
            0 if start is not None else knobs.quick_steps,
            knobs.steps,
            knobs.learning_rate if start is None else 0.5 * knobs.learning_rate,
            knobs.editability_weight,
            knobs.closeness if knobs.use == SCRIBBLE else 0.0,
            (*active[:_FILLING], active[-1]) if knobs.use == INPAINT else None,
            knobs.preview_every,
        )


def _steps(knobs: LocalEmbeddingKnobs, start: Latent | None) -> int:
    """Updates of one face's codes."""
    return knobs.steps + (knobs.quick_steps if start is None else 0)


def _weights(knobs: LocalEmbeddingKnobs) -> Mapping[str, float]:
    return {"pixel": knobs.pixel_weight, "perceptual": knobs.perceptual_weight, "style": knobs.style_weight}


def _goals(wanted: _Wanted, knobs: LocalEmbeddingKnobs, number: int) -> list[Goal]:
    """What the codes of the first face, or the second, are sought by."""
    whole = torch.ones_like(wanted.inside)
    if knobs.use == ATTRIBUTE:
        return [Goal((wanted.image, wanted.other)[number], pixel=whole, perceptual=whole)]
    stays = Goal(wanted.image, pixel=wanted.outside, perceptual=wanted.outside)
    inside = {
        CROSSOVER: [Goal(wanted.other, pixel=wanted.inside, perceptual=wanted.inside)],
        STYLE: [Goal(wanted.image, perceptual=_CONTENT * wanted.inside), Goal(wanted.other, style=wanted.inside)],
        SCRIBBLE: [Goal(wanted.other, pixel=wanted.inside)],
    }
    return [stays, *inside.get(knobs.use, [])]


def _details(wanted: _Wanted, knobs: LocalEmbeddingKnobs, picture: Image) -> list[Goal]:
    """What the noise maps are sought by: the source outside, and inside the other photo, or else what the codes made there."""
    inside = picture
    if knobs.use == INPAINT:
        inside = picture + continued(wanted.image - picture, wanted.outside)
    if knobs.use == CROSSOVER:
        inside = wanted.other if knobs.tones == "photo" else _toned(wanted.other, picture, wanted.inside)
    return [Goal(wanted.image, pixel=wanted.outside), Goal(inside, pixel=wanted.inside)]


def continued(difference: Image, known: Mask) -> Image:
    """A difference that is known at some pixels, carried on softly over the others: each takes the mean of the finest cells that know one.

    Args:
        difference: (1,3,R,R).
        known: Where it is known, 1, or not, 0, (1,1,M,M); a cell that is known by less than half is not.
    """
    side = min(_MASK_SIDE // 4, known.shape[-1])
    weight = (area(known, side) > 0.5).float()
    levels = [(area(difference, side) * weight, weight)]
    while levels[-1][0].shape[-1] > 1:
        levels.append((F.avg_pool2d(levels[-1][0], 2), F.avg_pool2d(levels[-1][1], 2)))
    value, weight = levels.pop()
    smooth = value / weight.clamp_min(_LEAST)
    for value, weight in reversed(levels):
        smooth = F.interpolate(smooth, value.shape[-1], mode="bilinear")
        smooth = torch.where(weight > 0, value / weight.clamp_min(_LEAST), smooth)
    return area(smooth, difference.shape[-1])


def _toned(image: Image, like: Image, mask: Mask) -> Image:
    """A picture in the tones of another: their difference within the mask, averaged over coarse cells, is made up for."""
    side = image.shape[-1]
    cells, share = min(_TONE_CELLS, side), area(mask, side)
    mean = area(share * (like - image), cells) / area(share, cells).clamp_min(1e-3)
    return image + area(mean, side)


def _checked(request: LocalRequest, knobs: LocalEmbeddingKnobs, generator: Generator) -> _Wanted:
    """The request on the generator's device, its mask softened."""
    if request.mask is None or not bool((request.mask > 0).any()):
        raise ImageError("Nothing is marked. Paint a mask that is 1 where something is to happen, or choose a ready-made part.")
    if request.other is None and knobs.use != INPAINT:
        raise ImageError(f"The use {knobs.use!r} needs a second picture: another face, or this one with a scribble on it.")
    image = on_device(request.image, generator)
    other = image if request.other is None else on_device(request.other, generator)
    sizes = {tuple(picture.shape[-2:]) for picture in (image, other, request.mask)}
    if len(sizes) > 1:
        raise ImageError(f"The pictures and the mask must have one size; {' and '.join(f'{h} x {w}' for h, w in sorted(sizes))} came.")
    hard = request.mask.to(image).clamp(0, 1)
    return _Wanted(image, other, _soft(hard, knobs), hard)


def _soft(hard: Mask, knobs: LocalEmbeddingKnobs) -> Mask:
    """The mask with its soft edge, which lies outside where a hole is filled: nothing of what is in the hole may count."""
    side = min(_MASK_SIDE, hard.shape[-1])
    mask = area(hard, side)
    reach = round(knobs.edge * side) if knobs.use == INPAINT else 0
    return feathered(dilated(mask, reach), knobs.edge)


@torch.no_grad()
def _explained(result: Result, wanted: _Wanted, picture: Image, knobs: LocalEmbeddingKnobs) -> Result:
    """With the pictures on the way, what the outside lost, and whether the border shows."""
    inside = torch.zeros_like(wanted.image) if knobs.use == INPAINT else wanted.other
    asked = torch.lerp(wanted.image, inside, wanted.hard)
    drawn = area(result.images.clamp(-1, 1), PROTOCOL_SIDE)
    figures = {
        "mse_outside": error_outside(result.images, wanted.image, wanted.hard, knobs.edge),
        "border": border_gradient(drawn, border_of(wanted.hard)),
    }
    mask = (2 * wanted.inside - 1).expand(-1, 3, -1, -1).contiguous()
    return replace(result, stages={"asked": asked, "mask": mask, "before the noise": picture}, metrics=figures)
