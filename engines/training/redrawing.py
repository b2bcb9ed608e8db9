"""Image losses: the picture that a network's codes draw beside the one that the true codes draw.

Both come from the same early exit, so an exit's own imperfections cancel; what its head cannot show is left to the latent loss. They are
faces that no other step sees: the target has to be drawn anyway, so it is the network's input, too.
"""

from collections.abc import Callable

import torch
import torch.nn.functional as F

from engines.core.shapes import Codes, Image
from engines.faces.identity import identity_distance, identity_embedder
from engines.generators.base import Generator
from engines.losses.latent import latent_distance
from engines.losses.perceptual import Perceptual
from engines.spaces.statistics import statistics
from engines.training.loop import Moment, Terms
from engines.training.samples import Samples

LARGER_EVERY = 8
"""One step in so many is drawn at the larger exit, whose trunk uses the next two W+ layers, unless a recipe says otherwise."""

_CHUNK = 4


def draw(generator: Generator, codes: Codes, side: int, faces: type[Samples] = Samples) -> Image:
    """Pictures of codes of one kind of faces at one exit, in [-1, 1] or a little beyond."""
    exit_size = generator.nearest_exit(side)
    return torch.cat([faces.drawn(generator, part, exit_size) for part in codes.split(_CHUNK)])


class Redrawing:
    """Squared error, LPIPS and identity of redrawn pictures.

    Args:
        generator: Who draws.
        side: Exit of most steps.
        larger: Exit of the others.
        identity: Whether faces are compared too.
        faces: What is drawn.
        larger_every: One step in so many is drawn at the larger exit.
    """

    def __init__(
        self,
        generator: Generator,
        *,
        side: int = 128,
        larger: int = 256,
        identity: bool = True,
        faces: type[Samples] = Samples,
        larger_every: int = LARGER_EVERY,
    ) -> None:
        self.generator, self.faces, self.larger_every = generator, faces, larger_every
        self.sides = (side, larger)
        self.perceptual = Perceptual(generator.device)
        self.embedder = identity_embedder(str(generator.device)) if identity else None

    def at(self, moment: Moment) -> int:
        """The exit of a step."""
        return self.sides[moment.step % self.larger_every == self.larger_every - 1]

    def target(self, count: int, moment: Moment) -> tuple[Codes, Image]:
        """New faces of this step alone: their codes and their pictures at the step's exit."""
        codes = self.faces.fresh(self.generator, count, moment.chance)
        with torch.no_grad():
            return codes, draw(self.generator, codes, self.at(moment), self.faces).clamp(-1, 1)

    def __call__(self, encode: Callable[[Image], Codes], count: int, moment: Moment) -> Terms:
        """Terms "pixel", "perceptual" and "identity" of new faces, and "unseen", the latent loss on them.

        Args:
            encode: From pictures of any side to codes of the active slots.
            count: Faces.
            moment: The step.
        """
        true_codes, target = self.target(count, moment)
        codes = encode(target)
        unseen = latent_distance(codes, true_codes, statistics(self.generator).deviation)
        return {"unseen": unseen} | dict(self.compare(draw(self.generator, codes, self.at(moment)), target))

    def compare(self, image: Image, target: Image) -> Terms:
        """The terms for pictures that are drawn already."""
        terms = {"pixel": F.mse_loss(image, target), "perceptual": self.perceptual(image, target).mean()}
        if self.embedder is not None:
            with torch.no_grad():
                wanted = self.embedder.embed(target)
            terms["identity"] = identity_distance(self.embedder.embed(image), wanted).mean()
        return terms
