"""Drawing the frames of a sequence and measuring them."""

from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor

from engines.core.shapes import Code, Image
from engines.data.changes import NEUTRAL, coordinates
from engines.faces.attributes import ATTRIBUTES, AttributeScorer, attribute_scorer
from engines.faces.identity import identity_distance, identity_embedder
from engines.faces.picture_factors import picture_scores
from engines.generators.base import Generator
from engines.spaces.coordinates import Coordinates, Offsets
from engines.training.changes.sequences import READINGS, Frames

SIZE = 128
"""Side at which frames are drawn for measuring, in pixels."""


@dataclass(frozen=True, eq=False)
class Reader:
    """Draws offsets from a face, and measures the pictures.

    Attributes:
        generator: That draws.
    """

    generator: Generator

    @cached_property
    def coordinates(self) -> Coordinates:
        """The frame of W+ that offsets are in."""
        return coordinates(self.generator)

    def draw(self, face: Code, offsets: Offsets, size: int) -> Image:
        """Pictures (B,3,size,size) of a face (1,width) or one of each (B,slots,width), moved by offsets (B,active,components)."""
        codes = self.generator.slots.spread(face) + self.coordinates.change(offsets)
        return self.generator.synthesize(codes, size=self.generator.nearest_exit(size))

    @torch.no_grad()
    def pictures(self, face: Code, offsets: Offsets) -> Image:
        """The same one by one, which is as quick on a CPU and takes less memory; clamped."""
        return torch.cat([self.draw(face, row[None], SIZE) for row in offsets]).clamp(-1, 1)

    @torch.no_grad()
    def read(self, pictures: Image) -> Tensor:
        """All readings of pictures, (B,16) in the order of `READINGS`."""
        return torch.cat([self.attributes(pictures), self.factors(pictures)], dim=1)

    @torch.no_grad()
    def attributes(self, pictures: Image) -> Tensor:
        """The attributes alone, (B,12)."""
        return torch.cat([self._scorer(one[None]) for one in pictures])

    @torch.no_grad()
    def factors(self, pictures: Image) -> Tensor:
        """The factors of the picture alone, (B,4)."""
        return torch.cat([picture_scores(self._scorer, one[None]) for one in pictures])

    def factor(self, pictures: Image, name: str) -> Tensor:
        """One reading of pictures, (B,)."""
        column, known = READINGS.index(name), len(ATTRIBUTES)
        return self.attributes(pictures)[:, column] if column < known else self.factors(pictures)[:, column - known]

    @property
    def _scorer(self) -> AttributeScorer:
        return attribute_scorer(str(self.generator.device))

    @torch.no_grad()
    def embedded(self, pictures: Image) -> Tensor:
        """Identities of pictures, (B,128)."""
        return torch.cat([identity_embedder(str(self.generator.device)).embed(one[None]) for one in pictures])

    def frames(self, face: Code, offsets: Tensor, wanted: Tensor) -> Frames:
        """Draw and measure a sequence; frames that could not be made stay not a number."""
        made = offsets.flatten(1).isfinite().all(dim=1)
        pictures = self.pictures(face, offsets[made])
        readings, distance = torch.full((len(offsets), len(READINGS)), torch.nan), torch.full((len(offsets),), torch.nan)
        readings[made] = self.read(pictures).cpu()
        embedded = self.embedded(pictures)
        own = embedded[int(made[:NEUTRAL].sum())][None].expand_as(embedded)
        distance[made] = identity_distance(embedded, own).cpu()
        return Frames(offsets.cpu(), readings, wanted.cpu(), distance)
