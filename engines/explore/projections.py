"""PCA of W: the directions in which faces differ most, and where each face lies among the others.

W is mapped from many z; its principal components are what GANSpace (Härkönen et al., arXiv:2004.02546, section 2.1) edits with.
Here they are a map: sampled faces as points, a visitor's own codes among them. A code of W+ is placed by the mean of its
active slots.
"""

from dataclasses import dataclass
from typing import Annotated

import numpy as np
import torch
from sklearn.decomposition import PCA
from torch import Tensor

from engines.contract import Card, Engine, ExploreRequest, Progress, Result, Run, Table
from engines.core.knobs import Knob, Knobs
from engines.core.seeds import z_codes
from engines.core.shapes import Codes
from engines.generators.base import Generator
from engines.spaces.directions import Direction
from engines.spaces.statistics import statistics

_CHUNK = 2_000


@dataclass(frozen=True, kw_only=True)
class ProjectionKnobs(Knobs):
    """How many faces are mapped, how many of them drawn, and how far from the mean they may lie."""

    samples: Annotated[int, Knob("Codes that are mapped and analysed.", lo=100, hi=200_000, log=True)] = 10_000
    shown: Annotated[int, Knob("Points that are drawn.", lo=50, hi=5_000)] = 1_500
    components: Annotated[int, Knob("Principal components to keep.", lo=3, hi=64, advanced=True)] = 20
    truncation: Annotated[float, Knob("Truncation of the drawn faces: 1 keeps their variety, smaller ones look safer.", lo=0.1, hi=1.0)] = (
        0.7
    )


class Projection(Engine[ExploreRequest, ProjectionKnobs]):
    """PCA of W as a map of faces (after arXiv:2004.02546)."""

    card = Card(
        name="pca",
        title="PCA of W",
        paper="arXiv:2004.02546",
        needs=frozenset({"z", "w"}),
    )
    accepts, knob_set = ExploreRequest, ProjectionKnobs

    def run(self, request: ExploreRequest, knobs: ProjectionKnobs) -> Run:
        """Map, fit, project; tables "points" (sample, PC 1, PC 2, PC 3), "codes" (the request's), "variance"."""
        chunks: list[Tensor] = []
        total = -(-knobs.samples // _CHUNK) + 1
        z = z_codes(knobs.samples, self.generator.width, request.seed, self.generator.device)
        for step, part in enumerate(z.split(_CHUNK), start=1):
            with torch.no_grad():
                chunks.append(self.generator.map(part))
            yield Progress(step, total)
        w = torch.cat(chunks)
        pca = PCA(n_components=min(knobs.components, self.generator.width), svd_solver="covariance_eigh").fit(w.double().cpu().numpy())
        yield Progress(total, total)
        return self._result(request, knobs, w, pca)

    def _result(self, request: ExploreRequest, knobs: ProjectionKnobs, w: Codes, pca: PCA) -> Result:
        mean = torch.from_numpy(pca.mean_).to(w)
        drawn = statistics(self.generator).truncate(w[: knobs.shown], knobs.truncation)
        points = pca.transform(drawn.double().cpu().numpy())[:, :3]
        own = np.zeros((0, 3)) if request.codes is None else pca.transform(self._as_w(request.codes).double().cpu().numpy())[:, :3]
        ratios = pca.explained_variance_ratio_
        variance = [
            (index + 1, float(ratio), float(total)) for index, (ratio, total) in enumerate(zip(ratios, ratios.cumsum(), strict=True))
        ]
        tables = {
            "points": Table(("sample", "pc_1", "pc_2", "pc_3"), tuple((index, *map(float, row)) for index, row in enumerate(points))),
            "codes": Table(("code", "pc_1", "pc_2", "pc_3"), tuple((index, *map(float, row)) for index, row in enumerate(own))),
            "variance": Table(("component", "explained", "cumulative"), tuple(variance)),
        }
        with torch.no_grad():
            average = self.generator.synthesize(mean[None], size=self.generator.exits[0])
        return Result(average, directions=self._directions(pca, w), tables=tables, metrics={"explained by 3": float(ratios[:3].sum())})

    def _as_w(self, codes: Codes) -> Codes:
        return codes if codes.dim() == 2 else codes[:, list(self.generator.slots.active)].mean(dim=1)

    def _directions(self, pca: PCA, w: Codes) -> tuple[Direction, ...]:
        components = torch.from_numpy(pca.components_).to(w)
        slots = self.generator.slots.active
        spreads = np.sqrt(pca.explained_variance_)
        return tuple(
            Direction(f"PC {index + 1}", "w", vector, slots, float(spread), f"PCA of W over {len(w)} samples")
            for index, (vector, spread) in enumerate(zip(components, spreads, strict=True))
        )


@torch.no_grad()
def sampled_w(generator: Generator, seed: int, index: int, samples: int, truncation: float) -> Codes:
    """The w (1,width) behind point `index` of a projection with the same seed, samples and truncation."""
    z = z_codes(samples, generator.width, seed, generator.device)[index : index + 1]
    return statistics(generator).truncate(generator.map(z), truncation)
