"""What a network is shown: one batch a step, decided by the step's number alone, so that a killed run goes on as if it never stopped."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Literal, TypeAlias

import torch
from torch import Tensor

from engines.core.seeds import rng
from engines.core.shapes import Codes, Image
from engines.nets.irse import Levels
from engines.training.features import Change, Features
from engines.training.samples import Samples

Kind: TypeAlias = Literal["both", "single", "mixed"]


@dataclass(frozen=True, eq=False)
class Batch:
    """One step's examples.

    Attributes:
        picture: What the network sees, (B,3,S,S) in [-1, 1].
        target: What it should redraw; the same unless the picture was spoilt.
        codes: The codes behind the target, active slots only, (B,16,width).
        rows: Numbers of the samples, (B,).
        levels: The body's features of the changed picture, where the stream keeps them.
    """

    picture: Image
    target: Image
    codes: Codes
    rows: Tensor
    levels: Levels | None = None


Stream: TypeAlias = Callable[[int], Batch]
"""From a step's number to its batch."""


class Pairs:
    """Pictures with their codes; the set grows while the network learns, so that training starts at once and sees few faces twice.

    Args:
        samples: Where they come from.
        batch: Examples a step.
        seed: Decides which.
        first: Samples that are drawn before the first step.
        fresh: New samples a step.
        capacity: Where growing ends.
        kind: Samples of one w, samples that mix two, or both.
    """

    def __init__(self, samples: Samples, batch: int, *, seed: int, first: int, fresh: int, capacity: int, kind: Kind = "both") -> None:
        self.samples, self.batch, self.seed, self.kind = samples, batch, seed, kind
        self.first, self.fresh, self.capacity = first, fresh, capacity

    def ready(self, step: int) -> int:
        """How many samples a step chooses from."""
        return min(self.capacity, self.first + self.fresh * step)

    def __call__(self, step: int) -> Batch:
        """The batch of a step."""
        ready = self.ready(step)
        self.samples.fill(ready)
        rows = torch.randint(ready, (self.batch,), generator=rng(self.seed + step))
        if self.kind != "both":
            rows = rows // 2 * 2 + (self.kind == "mixed")
        picture = self.samples.pictures(rows)
        codes = self.samples.codes(rows)
        return Batch(picture, picture, codes, rows)


class Changed:
    """A stream whose pictures are changed anew at every step: spoilt as uploads are, or in a way that the network is to undo.

    Args:
        stream: What is changed.
        change: One picture (1,3,S,S) into another of its size.
        seed: Decides how.
    """

    def __init__(self, stream: Stream, change: Change, *, seed: int) -> None:
        self.stream, self.change, self.seed = stream, change, seed

    def __call__(self, step: int) -> Batch:
        """The batch of a step."""
        batch, chance = self.stream(step), rng(self.seed + step)
        return replace(batch, picture=torch.cat([self.change(picture[None], chance) for picture in batch.picture]))


class WithFeatures:
    """A stream whose pictures a frozen body has read already, changed in one way each.

    Args:
        stream: Whose samples; its pictures stay as they are.
        features: What the body saw in them.
    """

    def __init__(self, stream: Stream, features: Features) -> None:
        self.stream, self.features = stream, features

    def __call__(self, step: int) -> Batch:
        """The batch of a step."""
        batch = self.stream(step)
        return replace(batch, levels=self.features(batch.rows))
