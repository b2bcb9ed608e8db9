"""Sequences that walk along a direction, re-spaced so that what is measured rises evenly.

The direction is InterFaceGAN's with its conditions, within the principal components of W. So the path is straight by construction; what is
not is how fast the factor moves along it. Five strengths are drawn and measured, a rising curve is fitted, and the frames are put where the
curve says what is wanted.
"""

import torch
from sklearn.isotonic import IsotonicRegression
from torch import Tensor

from engines.contract import FitRequest
from engines.core.shapes import Code
from engines.data import face_bank
from engines.data.changes import FRAMES, NEUTRAL
from engines.edit.interfacegan import InterFaceGAN, InterFaceGANKnobs, conditional_direction
from engines.generators.base import Generator
from engines.training.changes.reading import Reader
from engines.training.changes.sequences import READINGS, Factor, Frames

STRENGTHS = (-3.0, -1.5, 0.0, 1.5, 3.0)
"""In standard deviations of the bank's faces along the direction."""


def direction(generator: Generator, factor: Factor, reader: Reader) -> Tensor:
    """What one standard deviation along a factor's direction is, as an offset (active,components)."""
    engine, bank = InterFaceGAN(generator), face_bank(generator)
    fitted = [engine.fit(FitRequest(bank=bank, attribute=name), InterFaceGANKnobs()).direction for name in (factor.name, *factor.kept)]
    vector = conditional_direction(fitted[0], fitted[1:], bank).vector
    frame = reader.coordinates
    seen = frame.basis @ vector
    seen = seen / seen.norm()
    sigma = (bank.w @ (seen @ frame.basis)).std()
    slots = {slot for group in factor.groups for slot in generator.slots.groups[group]}
    moves = torch.tensor([slot in slots for slot in generator.slots.active], device=seen.device)
    return moves[:, None] * (sigma * seen / frame.std)


def walked(reader: Reader, face: Code, factor: Factor, along: Tensor) -> Frames:
    """The sequence of one face (1,width) along an offset (active,components)."""
    column = READINGS.index(factor.name)
    strengths = torch.tensor(STRENGTHS)
    measured = reader.attributes(reader.pictures(face, strengths[:, None, None] * along))[:, column].cpu()
    wanted = measured[len(STRENGTHS) // 2] + factor.step * (torch.arange(FRAMES) - NEUTRAL)
    places = spaced(strengths, measured, wanted)
    return reader.frames(face, places[:, None, None] * along, wanted)


def spaced(strengths: Tensor, measured: Tensor, wanted: Tensor) -> Tensor:
    """Strengths at which a reading is as wanted, by the rising curve nearest to what was measured; not a number beyond its ends.

    Args:
        strengths: (N,), rising, with 0 in the middle.
        measured: (N,) at those.
        wanted: (9,), rising, what was measured at strength 0 in the middle.
    """
    known = measured.isfinite()
    rising = torch.from_numpy(IsotonicRegression().fit_transform(strengths[known].numpy(), measured[known].numpy())).float()
    rising = rising + 1e-4 * torch.arange(len(rising))  # strictly, so that it can be inverted
    places = torch.tensor([_inverse(strengths[known], rising, float(value)) for value in wanted])
    places[len(wanted) // 2] = 0.0
    return places


def _inverse(strengths: Tensor, rising: Tensor, value: float) -> float:
    if not float(rising[0]) <= value <= float(rising[-1]):
        return float("nan")
    right = min(max(1, int((rising < value).sum())), len(rising) - 1)
    low, high = rising[right - 1], rising[right]
    return float(torch.lerp(strengths[right - 1], strengths[right], (value - low) / (high - low)))
