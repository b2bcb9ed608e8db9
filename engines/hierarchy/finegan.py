"""FineGAN's sampler: background, shape and appearance each by its own code, and the picture in its stages.

Singh, Ojha, Lee, "FineGAN: Unsupervised Hierarchical Disentanglement for Fine-Grained Object Generation and Discovery", arXiv:1811.11155,
section 3 and figure 2. The network is the bundled one, trained here on drawn birds, or any in the authors' form. Ours:
interpolation through several codes, slerp of z and lerp of the codes.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

import torch
from torch import Tensor

from engines.contract import Card, Engine, HierarchyRequest, Progress, Result, Run, Table
from engines.core.knobs import Knob, Knobs
from engines.core.seeds import rng
from engines.core.shapes import Image
from engines.generators.finegan import WEIGHTS, FineCodes, FineGAN, FineInputs
from engines.nets.finegan import Stages

FINISHED = "finished picture"
STAGES = (
    "background",
    "parent mask",
    "parent foreground",
    "masked parent foreground",
    "stitched parent picture",
    "child mask",
    "child foreground",
    "masked child foreground",
    FINISHED,
)
"""In the order in which a picture comes about."""

AT_ONCE = 8
"""Pictures drawn between two heartbeats."""


@dataclass(frozen=True, kw_only=True)
class FineSamplerKnobs(Knobs):
    """Whether to interpolate."""

    frames: Annotated[int, Knob("Frames of the interpolation from the first codes to the last; 0 draws the codes alone.", lo=0, hi=240)] = 0


class FineSampler(Engine[HierarchyRequest, FineSamplerKnobs, FineGAN]):
    """Pictures in all their stages (arXiv:1811.11155)."""

    card = Card(name="finegan", title="FineGAN", paper="arXiv:1811.11155", needs=frozenset({"finegan"}), weights=(WEIGHTS,))
    accepts, knob_set = HierarchyRequest, FineSamplerKnobs

    def run(self, request: HierarchyRequest, knobs: FineSamplerKnobs) -> Run:
        """Draw each codes' picture, or interpolate between them; a preview has the pictures drawn since the last.

        Stages, which an interpolation lacks, are those of `STAGES`: masks black and white, what is masked on grey. Table "codes" says the
        numbers.

        Raises:
            SpaceError: Codes that are none.
        """
        codes = request.codes or (self._drawn_by(request.seed),)
        inputs, table = self.generator.inputs(*codes), codes_table(codes)
        inputs = walk(inputs, knobs.frames) if knobs.frames else inputs
        drawn, done = list[dict[str, Tensor]](), 0
        for part in inputs.split(AT_ONCE):
            with torch.no_grad():
                stages = pictures(self.generator.synthesize(part))
            drawn.append({FINISHED: stages[FINISHED]} if knobs.frames else stages)
            done += len(part)
            result = _result(drawn, table)
            yield Progress(done, len(inputs), stages[FINISHED], best=result)
        return result

    def _drawn_by(self, seed: int) -> FineCodes:
        child = int(torch.randint(self.generator.form.children, (1,), generator=rng(seed)))
        return self.generator.tied(child, seed)


def pictures(stages: Stages) -> dict[str, Tensor]:
    """Stages by name as pictures (N,3,S,S) in [-1, 1]."""
    parent, child = (_shown(mask) for mask in (stages.parent_mask, stages.child_mask))
    drawn = (
        *(stages.background, parent, stages.parent_foreground, stages.masked_parent, stages.parent),
        *(child, stages.child_foreground, stages.masked_child, stages.child),
    )
    return dict(zip(STAGES, drawn, strict=True))


def _shown(mask: Tensor) -> Image:
    return (2 * mask - 1).expand(-1, 3, -1, -1).contiguous()


def walk(ends: FineInputs, frames: int) -> FineInputs:
    """Interpolate through several codes, from the first to the last, at even steps: as many points as frames."""
    rows, last = ends.split(1), len(ends) - 1
    points = []
    for index in range(frames):
        place = last * index / max(1, frames - 1)
        first = min(int(place), max(0, last - 1))
        points.append(rows[first].towards(rows[min(first + 1, last)], place - first))
    return FineInputs.joined(points)


def codes_table(codes: Sequence[FineCodes]) -> Table:
    """The numbers of codes, a row each."""
    return Table(("background", "parent", "child", "seed"), tuple((one.background, one.parent, one.child, one.seed) for one in codes))


def _result(drawn: Sequence[dict[str, Tensor]], codes: Table) -> Result:
    whole = {name: torch.cat([part[name] for part in drawn]) for name in drawn[0]}
    return Result(whole[FINISHED], stages=whole if len(whole) > 1 else {}, tables={"codes": codes})
