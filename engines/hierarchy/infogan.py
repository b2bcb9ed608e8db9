"""InfoGAN on digits: a categorical code for the digit, two continuous ones for how it is written, and the Q head that predicts them.

Chen et al., "InfoGAN: Interpretable Representation Learning by Information Maximizing Generative Adversarial Nets", arXiv:1606.03657,
section 7 and figure 2. The networks are the bundled ones, trained here on MNIST, and the ablation without the information term.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Annotated, Literal, TypeAlias

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from scipy import ndimage
from torch import Tensor

from engines.contract import Card, DrawingRequest, Engine, Progress, Request, Result, Run, Table, on_device
from engines.core.knobs import Knob, Knobs
from engines.core.seeds import rng
from engines.core.shapes import Image
from engines.core.weights import manifest
from engines.generators.infogan import PLAIN, REACH, WEIGHTS, InfoCodes, InfoGAN, bundled_infogan, shown

_BUNDLED = tuple(name for name in (WEIGHTS, PLAIN) if name in manifest())

Axis: TypeAlias = Literal["nothing", "category", "first", "second"]
"""Which code a grid varies down its rows."""

_INK, _BOX = 0.1, 20
"""Least brightness that counts as ink; MNIST's digits fill a box of this side, in pixels, their centre of mass in the middle."""


_FAINT, _FULL = 0.35, 0.85
"""Of the strongest stroke: how strong ink must be to count, and from where it counts in full."""

_LEAST_INK = 0.04
"""A stroke takes at least this share of its ground's light; less is the grain of an empty sheet."""

_SPECK = 0.08
"""Parts with less ink than this share of the largest are no part of the digit."""


def steps(count: int) -> tuple[float, ...]:
    """`count` values of a continuous code from one end of its reach to the other; of one, the middle."""
    return tuple(2 * REACH * number / (count - 1) - REACH for number in range(count)) if count > 1 else (0.0,)


def grid_codes(gan: InfoGAN, axis: Axis, codes: InfoCodes, rows: int = 10, columns: int = 10) -> tuple[tuple[InfoCodes, ...], ...]:
    """Codes of a grid as in the paper's figure 2: each row one value of the varied code, each column one draw of all others.

    The first column keeps the given codes, so that they and their kin are among the pictures; "nothing" gives one row.
    """
    columns_of = (codes, *(_drawn(gan, axis, codes.seed + number) for number in range(1, columns)))
    values: Sequence[int | float] = (0,)
    if axis == "category":
        values = range(gan.form.categories)
    elif axis != "nothing":
        values = steps(rows)
    return tuple(tuple(with_value(column, axis, value) for column in columns_of) for value in values)


def with_value(codes: InfoCodes, axis: Axis, value: int | float) -> InfoCodes:
    """The codes with one of them set."""
    if axis == "nothing":
        return codes
    if axis == "category":
        return replace(codes, category=int(value))
    first, second = codes.continuous
    return replace(codes, continuous=(float(value), second) if axis == "first" else (first, float(value)))


def _drawn(gan: InfoGAN, axis: Axis, seed: int) -> InfoCodes:
    chance = rng(seed)
    category = int(torch.randint(gan.form.categories, (1,), generator=chance))
    first, second = (2 * torch.rand(2, generator=chance) - 1).tolist()
    return InfoCodes(category, (first, second), seed)


def codes_table(gan: InfoGAN, codes: Sequence[InfoCodes]) -> Table:
    """The numbers of codes, a row each, and the digit that the category turned out to be."""
    digits = gan.names or tuple(range(gan.form.categories))
    rows = tuple((one.category, digits[one.category], *(round(value, 4) for value in one.continuous), one.seed) for one in codes)
    return Table(("category", "digit", "first", "second", "seed"), rows)


@dataclass(frozen=True, kw_only=True)
class InfoSamplerKnobs(Knobs):
    """The codes, and which of them a grid varies."""

    category: Annotated[
        int, Knob("Number of the categorical code; they come in no order.", lo=0, hi=9, only_if=("vary", "nothing", "first", "second"))
    ] = 0
    first: Annotated[
        float, Knob("First continuous code; trained from -1 to 1.", lo=-REACH, hi=REACH, only_if=("vary", "nothing", "category", "second"))
    ] = 0.0
    second: Annotated[
        float, Knob("Second continuous code; trained from -1 to 1.", lo=-REACH, hi=REACH, only_if=("vary", "nothing", "category", "first"))
    ] = 0.0
    vary: Annotated[Axis, Knob("Which code changes down the rows; nothing gives one row.")] = "category"
    rows: Annotated[
        int, Knob("Values of a continuous code that varies.", lo=1, hi=20, advanced=True, only_if=("vary", "first", "second"))
    ] = 10
    columns: Annotated[int, Knob("Draws of everything else.", lo=1, hi=20)] = 10
    information: Annotated[bool, Knob("Off: the ablation that was trained without the information term.", weights={False: PLAIN})] = True


class InfoSampler(Engine[Request, InfoSamplerKnobs, InfoGAN]):
    """Digits from codes, a grid at a time (arXiv:1606.03657); the seed decides z."""

    card = Card(name="infogan", title="InfoGAN", paper="arXiv:1606.03657", needs=frozenset({"infogan"}), weights=_BUNDLED)
    accepts, knob_set = Request, InfoSamplerKnobs

    def run(self, request: Request, knobs: InfoSamplerKnobs) -> Run:
        """Draw row by row. Table "codes" says the numbers of each picture."""
        gan = self.generator if knobs.information else bundled_infogan(PLAIN, self.generator.device)
        codes = InfoCodes(knobs.category, (knobs.first, knobs.second), request.seed)
        grid, drawn = grid_codes(gan, knobs.vary, codes, knobs.rows, knobs.columns), list[Image]()
        for number, row in enumerate(grid, start=1):
            drawn.append(gan.draw(*row))
            table = codes_table(gan, [one for part in grid[:number] for one in part])
            result = Result(torch.cat(drawn), tables={"codes": table})
            yield Progress(number, len(grid), drawn[-1], best=result)
        return result


@dataclass(frozen=True, kw_only=True)
class InfoEncoderKnobs(Knobs):
    """How the picture is prepared, and how many reconstructions are drawn."""

    centre: Annotated[bool, Knob("Scale and centre the ink as MNIST's digits are; off for a picture that is one.")] = True
    redrawn: Annotated[int, Knob("Reconstructions from the codes, each with another z.", lo=1, hi=20)] = 8


class InfoEncoder(Engine[DrawingRequest, InfoEncoderKnobs, InfoGAN]):
    """From a picture of a digit to its codes, by the head Q of arXiv:1606.03657, and back."""

    card = Card(
        name="infogan_codes",
        title="InfoGAN (Q head)",
        paper="arXiv:1606.03657",
        needs=frozenset({"infogan"}),
        weights=(WEIGHTS,),
    )
    accepts, knob_set = DrawingRequest, InfoEncoderKnobs

    def run(self, request: DrawingRequest, knobs: InfoEncoderKnobs) -> Run:
        """Encode and reconstruct. Tables "categories", "codes"; stage "read" is what Q saw, for each; metric "sure" its surest."""
        image, size = on_device(request.image, self.generator), self.generator.form.size
        if knobs.centre:
            picture = centred(written(image), size)
        else:
            picture = F.interpolate(grey(image), (size, size), mode="bilinear", antialias=True)
        codes, sure = read_codes(self.generator, picture, request.seed)
        again = self.generator.draw(*(replace(codes, seed=request.seed + number) for number in range(knobs.redrawn)))
        digits = self.generator.names or tuple(range(len(sure)))
        rows = tuple((number, digits[number], round(share, 4)) for number, share in enumerate(sure))
        tables = {"categories": Table(("category", "digit", "probability"), rows), "codes": codes_table(self.generator, [codes])}
        seen = shown(picture).expand(len(again), -1, -1, -1)
        result = Result(again, stages={"read": seen}, tables=tables, metrics={"sure": max(sure)})
        yield Progress(1, 1, again, best=result)
        return result


def read_codes(gan: InfoGAN, picture: Tensor, seed: int = 0) -> tuple[InfoCodes, tuple[float, ...]]:
    """The likeliest codes of a picture (1,1,S,S) in [0, 1], held within reach, and the probability of each category."""
    reading = gan.read(picture)
    first, second = reading.continuous[0].clamp(-REACH, REACH).tolist()
    sure = reading.logits[0].softmax(dim=0)
    return InfoCodes(int(sure.argmax()), (first, second), seed), tuple(sure.tolist())


def grey(image: Image) -> Tensor:
    """Ink on black, (1,1,S,S) in [0, 1], of a digit (1,3,S,S) in [-1, 1] and no more, light on dark or dark on light."""
    light = (image.clamp(-1, 1).mean(dim=1, keepdim=True) + 1) / 2
    edge = torch.cat([light[..., 0, :], light[..., -1, :], light[..., :, 0], light[..., :, -1]], dim=-1)
    return 1 - light if float(edge.median()) > 0.5 else light


def written(image: Image) -> Tensor:
    """Ink on black, (1,1,S,S) in [0, 1], of a picture (1,3,S,S) in [-1, 1] from outside, such as a photo of paper.

    Nothing here is measured against a fixed brightness. Ink is what differs from the ground beside it, as a share of that ground, so a
    shadow changes nothing; 1 is the strongest stroke. What is faint against it (lines, grain) and what reaches in from the border is left
    out, if anything else is there.
    """
    light = ((image.clamp(-1, 1).mean(dim=1)[0].double() + 1) / 2).cpu().numpy()
    light = ndimage.gaussian_filter(light, light.shape[0] / 256)
    if _tail(light) > 0:
        light = 1 - light  # light strokes on dark: as their negative
    ground = ndimage.gaussian_filter(_closed(light), light.shape[0] / 32)
    ink = np.clip(1 - light / ground.clip(1e-3), 0, 1)
    noise = 1.4826 * float(np.median(np.abs(ink - np.median(ink))))
    most = float(np.quantile(ink, 0.995))
    least = max(_FAINT * most, 4 * noise)
    if most <= max(least, _LEAST_INK):
        return image.new_zeros(1, 1, *light.shape)
    ink = _strokes(np.clip((ink - least) / (_FULL * most - least), 0, 1))
    return image.new_tensor(ink)[None, None]


def _tail(light: NDArray[np.float64]) -> float:
    """Above 0 where what stands out from its surroundings is lighter than they are."""
    step = max(1, light.shape[0] // 64)
    coarse = light[: light.shape[0] // step * step, : light.shape[1] // step * step]
    coarse = coarse.reshape(coarse.shape[0] // step, step, -1, step).mean((1, 3))
    apart = coarse - ndimage.median_filter(coarse, coarse.shape[0] // 2 + 1, mode="nearest")
    return float((apart**3).sum())


def _closed(light: NDArray[np.float64]) -> NDArray[np.float64]:
    """The brightness of the paper: dark strokes thinner than a quarter of the picture are filled up."""
    return np.asarray(ndimage.grey_closing(light, max(3, light.shape[0] // 4), mode="nearest"))


def _strokes(ink: NDArray[np.float64]) -> NDArray[np.float64]:
    """Without specks, and without what touches the border where there is as much inside."""
    labels, count = ndimage.label(ink > 0, structure=np.ones((3, 3)))
    if count == 0:
        return ink
    numbers = np.arange(1, count + 1)
    mass, peak = ndimage.sum_labels(ink, labels, numbers), ndimage.maximum(ink, labels, numbers)
    edge = np.unique(np.concatenate([labels[0], labels[-1], labels[:, 0], labels[:, -1]]))
    free = ~np.isin(numbers, edge)
    usable = free if (mass * free).max() > _SPECK * mass.max() else np.ones(count, dtype=bool)
    keep = usable & (peak > 0.5) & (mass >= _SPECK * (mass * usable).max())
    return np.asarray(ink * np.isin(labels, numbers[keep]))


def centred(ink: Tensor, size: int = 28) -> Tensor:
    """A digit (1,1,S,S) as MNIST prepares it: its box scaled to 20 pixels, its centre of mass in the middle of (1,1,size,size)."""
    places = (ink[0, 0] > _INK).nonzero()
    if len(places) == 0:
        return ink.new_zeros(1, 1, size, size)
    (top, left), (bottom, right) = places.min(dim=0).values.tolist(), places.max(dim=0).values.tolist()
    box = ink[..., top : bottom + 1, left : right + 1]
    scale = _BOX / max(box.shape[-2:])
    fitted = [max(1, round(side * scale)) for side in box.shape[-2:]]
    small = F.interpolate(box, fitted, mode="bilinear", antialias=True)
    return _about_its_mass(small, size)


def _about_its_mass(small: Tensor, size: int) -> Tensor:
    """Pasted where its centre of mass comes to lie in the middle, as far as it stays inside."""
    corner = []
    for axis in (2, 3):
        weight = small.sum(dim=(0, 1, 5 - axis))
        middle = float((weight * torch.arange(len(weight), device=small.device)).sum() / weight.sum())
        corner.append(min(max(0, round((size - 1) / 2 - middle)), size - len(weight)))
    whole = small.new_zeros(1, 1, size, size)
    whole[..., corner[0] : corner[0] + small.shape[2], corner[1] : corner[1] + small.shape[3]] = small
    return whole
