"""Re-encoding loss: an encoder is trained on pictures of its own codes after an edit, with the edited code as target.

Latent editing consistency (Tov et al., arXiv:2102.02766, section 6.3) (LEC) measures this, but no loss of that paper trains it. So here is
the metric as a loss, over all attributes' boundaries at strengths either way.
"""

import torch
from torch import Tensor

from engines.core.shapes import Codes
from engines.generators.base import Generator
from engines.losses.latent import latent_distance
from engines.spaces.directions import Direction
from engines.spaces.statistics import statistics
from engines.training.loop import Moment
from engines.training.redrawing import draw
from engines.training.validation import Encode, boundaries

STRONGEST = 3.0
"""In each direction's sigma."""


class ReEncoding:
    """The latent loss on edited faces.

    Args:
        generator: Who draws them.
        side: Exit.
    """

    def __init__(self, generator: Generator, *, side: int = 128) -> None:
        self.generator, self.side = generator, side
        self.steps = torch.stack([self._step(direction) for direction in boundaries(generator).values()])

    def _step(self, direction: Direction) -> Codes:
        """What one sigma of a direction of W adds to the active slots, (slots,width)."""
        step = torch.zeros((self.generator.slots.count, self.generator.width), device=self.generator.device)
        step[list(direction.slots)] = direction.sigma * direction.vector.to(step)
        return step[list(self.generator.slots.active)]

    def edited(self, codes: Codes, moment: Moment) -> Codes:
        """Codes (B,slots,width), each moved along one boundary by up to `STRONGEST` sigma either way."""
        chosen = torch.randint(len(self.steps), (len(codes),), generator=moment.chance)
        strength = STRONGEST * (2 * torch.rand((len(codes), 1, 1), generator=moment.chance) - 1)
        return codes + strength.to(codes) * self.steps[chosen.to(codes.device)]

    def __call__(self, encode: Encode, codes: Codes, moment: Moment) -> Tensor:
        """Latent distance between the re-encoding of edited pictures and the edited codes: one number.

        Args:
            encode: From pictures to codes of the active slots.
            codes: What the encoder said of some faces, (B,slots,width). Gradients pass to them, too.
            moment: The step.
        """
        edited = self.edited(codes, moment)
        with torch.no_grad():
            pictures = draw(self.generator, edited, self.side).clamp(-1, 1)
        return latent_distance(encode(pictures), edited, statistics(self.generator).deviation)
