"""Image losses: the picture that a network's codes draw beside the one that the true codes draw.

Both come from the same early exit, so an exit's own imperfections cancel; what its head cannot show is left to the latent loss.
"""

import torch
import torch.nn.functional as F

from engines.core.shapes import Codes, Image
from engines.faces.identity import identity_distance, identity_embedder
from engines.generators.base import Generator
from engines.losses.perceptual import Perceptual
from engines.training.loop import Moment, Terms

LARGER_EVERY = 8
"""One step in so many is drawn at the larger exit, whose trunk reaches the next two slots."""

_CHUNK = 4


def draw(generator: Generator, codes: Codes, side: int) -> Image:
    """Pictures of codes of the active slots (B,16,width) at one exit, in [-1, 1] or a little beyond."""
    full = generator.slots.scatter(codes)
    exit_size = min(generator.exits, key=lambda size: abs(size - side))
    return torch.cat([generator.synthesize(part, size=exit_size) for part in full.split(_CHUNK)])


class Redrawing:
    """Squared error, LPIPS and identity of redrawn pictures.

    Args:
        generator: Who draws.
        side: Exit of most steps.
        larger: Exit of the others.
        identity: Whether faces are compared too.
    """

    def __init__(self, generator: Generator, *, side: int = 128, larger: int = 256, identity: bool = True) -> None:
        self.generator = generator
        self.sides = (side, larger)
        self.perceptual = Perceptual(generator.device)
        self.embedder = identity_embedder(str(generator.device)) if identity else None

    def at(self, moment: Moment) -> int:
        """The exit of a step."""
        return self.sides[moment.step % LARGER_EVERY == LARGER_EVERY - 1]

    def __call__(self, codes: Codes, true_codes: Codes, moment: Moment) -> Terms:
        """Terms "pixel", "perceptual" and "identity" of codes of the active slots."""
        side = self.at(moment)
        with torch.no_grad():
            target = draw(self.generator, true_codes, side).clamp(-1, 1)
        return self.compare(draw(self.generator, codes, side), target)

    def compare(self, image: Image, target: Image) -> Terms:
        """The terms for pictures that are drawn already."""
        terms = {"pixel": F.mse_loss(image, target), "perceptual": self.perceptual(image, target).mean()}
        if self.embedder is not None:
            with torch.no_grad():
                wanted = self.embedder.embed(target)
            terms["identity"] = identity_distance(self.embedder.embed(image), wanted).mean()
        return terms
