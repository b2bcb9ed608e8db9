"""What the optimisers share: the plan of sizes, the step on one code, and the report of each step.

A step at an early exit costs a third of one on the full picture. It serves to find a code in W, or to begin in W+ and a stylemap; the last
steps use the full picture, because the auxiliary toRGB heads were fitted to faces of W and mislead a code far from it.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import torch
from torch import Tensor

from engines.contract import Progress, Result, Run
from engines.core.shapes import Codes, Image
from engines.generators.base import Generator
from engines.losses.reconstruction import Objective
from engines.spaces.latent import Inversion, Latent

_WORKING_SIDE = 256
Seen: TypeAlias = tuple[Image, dict[str, float]]
"""A step's picture, and its terms by name."""


def working_size(generator: Generator) -> int:
    """The exit that quick steps run at: 256 px, or the nearest that the generator has."""
    return generator.nearest_exit(_WORKING_SIDE)


@dataclass(eq=False)
class Descent:
    """Gradient descent towards one photo.

    Attributes:
        generator: Draws.
        loss: The objective.
        code: Current codes from the step's progress in [0, 1): what is drawn in this step, with gradient.
        parameters: What is optimised.
        rate: Learning rate from the progress.
        kept: The codes to keep as they stand, without jitter.
        penalties: Further terms of the objective.
        then: Called behind each update, without gradient.
        features: Feature overrides of this step, such as noise maps that are optimised too.
    """

    generator: Generator
    loss: Objective
    code: Callable[[float], Codes]
    parameters: list[Tensor]
    rate: Callable[[float], float]
    kept: Callable[[], Latent]
    penalties: Callable[[], Mapping[str, Tensor]] = dict
    then: Callable[[], None] = lambda: None
    features: Callable[[], Mapping[str, Tensor]] = dict

    def run(self, sizes: Sequence[int], preview_every: int, *, before: int = 0, after: int = 0) -> Run:
        """Take one step for each of `sizes`, the side of the picture that it draws; returns the final full picture and its code.

        Args:
            sizes: Sides, each an exit of the generator.
            preview_every: Steps between previews.
            before: Steps of the whole run that came before these.
            after: Steps of the whole run that come after these.
        """
        total = before + len(sizes) + after
        for step, (image, terms) in enumerate(self._steps(sizes), start=before + 1):
            showing = step % preview_every == 0 or step == 1
            yield Progress(step, total, image if showing else None, terms, self._best(image) if showing else None)
        with torch.no_grad():
            inversion = self._inversion()
            return Result(self.generator.synthesize(inversion.latent, features=inversion.features), (inversion,))

    def _steps(self, sizes: Sequence[int]) -> Iterator[Seen]:
        """Update once for each size; yields each update's picture and terms."""
        optimizer = torch.optim.Adam(self.parameters, lr=1.0, betas=(0.9, 0.999))
        for step, size in enumerate(sizes):
            progress = step / len(sizes)
            optimizer.param_groups[0]["lr"] = self.rate(progress)
            seen = self._evaluate(progress, size)
            optimizer.step()
            with torch.no_grad():
                self.then()
            yield seen

    def _evaluate(self, progress: float, size: int) -> Seen:
        """The picture as it stands and its terms; leaves the objective's gradients with the parameters."""
        for parameter in self.parameters:
            parameter.grad = None
        with torch.enable_grad():  # closed again before any yield
            image = self.generator.synthesize(self.code(progress), features=self.features(), size=size)
            terms = self.loss.terms(image) | dict(self.penalties())
            self.loss.total(terms).backward()
        return image.detach(), {name: float(term.detach()) for name, term in terms.items()}

    def _inversion(self) -> Inversion:
        fixed = {name: value.detach().clone() for name, value in self.features().items()}
        return Inversion(self.kept().detached(), {}, fixed)

    def _best(self, image: Image) -> Result:
        return Result(image, (self._inversion(),))
