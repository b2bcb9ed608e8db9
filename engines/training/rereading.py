"""Edits read back: an encoder is shown what its own codes draw after an edit, and is to say the edited code.

Latent editing consistency (Tov et al., arXiv:2102.02766, section 6.3) measures this, but no loss of that paper teaches it: redrawn photos
alone tell nothing of edited ones. So here is the measure as a loss, over all attributes' boundaries at strengths either way.
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


class Rereading:
    """The latent loss on edited faces.

    Args:
        generator: Who draws them.
        side: Exit.
    """

    def __init__(self, generator: Generator, *, side: int = 128) -> None:
        self.generator, self.side = generator, side
        self.ways = torch.stack([self._way(direction) for direction in boundaries(generator).values()])

    def _way(self, direction: Direction) -> Codes:
        """What one sigma of a direction of W adds to the active slots, (slots,width)."""
        way = torch.zeros((self.generator.slots.count, self.generator.width), device=self.generator.device)
        way[list(direction.slots)] = direction.sigma * direction.vector.to(way)
        return way[list(self.generator.slots.active)]

    def edited(self, codes: Codes, moment: Moment) -> Codes:
        """Codes (B,slots,width), each moved along one boundary by up to `STRONGEST` sigma either way."""
        chosen = torch.randint(len(self.ways), (len(codes),), generator=moment.chance)
        strength = STRONGEST * (2 * torch.rand((len(codes), 1, 1), generator=moment.chance) - 1)
        return codes + strength.to(codes) * self.ways[chosen.to(codes.device)]

    def __call__(self, encode: Encode, codes: Codes, moment: Moment) -> Tensor:
        """How far the codes that are read off edited pictures are from the edited codes: one number.

        Args:
            encode: From pictures to codes of the active slots.
            codes: What the encoder said of some faces, (B,slots,width). It learns by them, too: to say what it can read again.
            moment: The step.
        """
        edited = self.edited(codes, moment)
        with torch.no_grad():
            pictures = draw(self.generator, edited, self.side).clamp(-1, 1)
        return latent_distance(encode(pictures), edited, statistics(self.generator).deviation)
