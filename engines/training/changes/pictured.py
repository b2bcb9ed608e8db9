"""Sequences that change the picture and invert each frame, beginning from the frame before.

The neutral frame's code is known exactly, so all chains begin there. How the picture answers to the code is measured once a face: groups of
layers are moved along the first components of W one by one, and the answers are the columns of a matrix J. A frame's code is that of the
frame before and a step by ridge regression, x <- x + (J'J + r I)^-1 J' (wanted - drawn), repeated with what is then drawn, as long as it
helps: Gauss-Newton with one J for all frames of a face. The pictures are those of the exit of 128 px, averaged to 32.

Descent by gradients was tried first. Eight steps of Adam moved all 1 280 numbers alike and codes went up to ten times as far for the same
picture; steps along the gradient hardly left the neutral frame. Both took longer. Roll and zoom were tried and left out: this generator
learnt from faces that were aligned, and what it drew for a roll from -11 to 9 degrees went from -1 to 0.4; for the eye distance from
exp(-1.47) to exp(-1.27) of the side, from exp(-1.40) to exp(-1.34).
"""

import torch
from torch import Tensor

from engines.core.images import area
from engines.core.shapes import Code, Image
from engines.data.changes import FRAMES, NEUTRAL
from engines.faces.picture_factors import PICTURE_FACTORS, PictureFactor
from engines.training.changes.reading import SIZE, Reader
from engines.training.changes.sequences import Factor, Frames

COMPARED_AT, COMPONENTS, CORRECTIONS = 32, 16, 2
PROBE, RIDGE = 0.7, 0.02
"""How far each component is moved to see its answer, in deviations; and r as a share of the mean of J'J's diagonal."""

_SPLIT = 14
"""The first slot of the finer half of the fine layers."""

_AT_ONCE = 4


def changes(factor: Factor) -> PictureFactor:
    """What is done to the picture for a factor."""
    return next(one for one in PICTURE_FACTORS if one.name == factor.name)


class Answers:
    """How the pictures of one face answer to its code.

    Args:
        reader: Draws.
        face: (1,width).
    """

    def __init__(self, reader: Reader, face: Code) -> None:
        self.reader, self.face = reader, face
        probes = self._probes()
        self.neutral = self.draw(torch.zeros_like(probes[:1]))
        drawn = torch.cat([self.draw(part) for part in (PROBE * probes).split(_AT_ONCE)])
        self.probes = probes
        self.columns = self._seen(drawn - self.neutral) / PROBE  # (probes, values)
        square = self.columns @ self.columns.T
        square.diagonal().add_(RIDGE * square.diagonal().mean())
        self.solver = torch.linalg.inv(square) @ self.columns

    def draw(self, offsets: Tensor) -> Image:
        """Pictures (B,3,128,128) of offsets."""
        with torch.no_grad():
            return self.reader.draw(self.face, offsets, SIZE)

    def inverted(self, targets: Image) -> Tensor:
        """Offsets (N,active,components) of pictures (N,3,128,128), each begun from the one before, the first from the neutral face."""
        found, offset, drawn = [], torch.zeros_like(self.probes[0]), self.neutral
        for target in targets:
            offset, drawn = self._corrected(offset, drawn, target[None])
            found.append(offset)
        return torch.stack(found)

    def _corrected(self, offset: Tensor, drawn: Image, target: Image) -> tuple[Tensor, Image]:
        """An offset nearer to a picture, and what it draws; a step that does not help is tried again at half its length."""
        missing, share = self._seen(target - drawn)[0], 1.0
        for _ in range(CORRECTIONS):
            tried = offset + share * torch.einsum("p,pac->ac", self.solver @ missing, self.probes)
            picture = self.draw(tried[None])
            left = self._seen(target - picture)[0]
            if left.norm() < missing.norm():
                offset, drawn, missing = tried, picture, left
            else:
                share /= 2
        return offset, drawn

    def _seen(self, pictures: Image) -> Tensor:
        return area(pictures, COMPARED_AT).flatten(1)

    def _probes(self) -> Tensor:
        """One component of one group of layers each, (probes,active,components)."""
        slots, count = self.reader.generator.slots, len(self.reader.coordinates.std)
        fine = slots.groups["fine"]
        groups = [slots.groups["coarse"], slots.groups["middle"], [s for s in fine if s < _SPLIT], [s for s in fine if s >= _SPLIT]]
        probes = torch.zeros(len(groups), COMPONENTS, len(slots.active), count, device=self.reader.generator.device)
        for row, group in zip(probes, groups, strict=True):
            for component in range(COMPONENTS):
                row[component, [slots.active.index(slot) for slot in group], component] = 1.0
        return probes.flatten(0, 1)


def pictured(answers: Answers, factor: Factor) -> Frames:
    """The sequence of one face."""
    reader, change, column = answers.reader, changes(factor).change, PICTURE_FACTORS.index(changes(factor))
    targets = torch.cat([change(answers.neutral.clamp(-1, 1), factor.step * (frame - NEUTRAL)) for frame in range(FRAMES)])
    down, up = answers.inverted(targets[:NEUTRAL].flip(0)).flip(0), answers.inverted(targets[NEUTRAL + 1 :])
    offsets = torch.cat([down, torch.zeros_like(down[:1]), up])
    return reader.frames(answers.face, offsets, reader.factors(targets)[:, column])
