"""Edit paths and interpolations with their pictures: an edit from one end to the other, or lerp and slerp between two faces.

Interpolation: White, "Sampling Generative Networks", arXiv:1609.04468, section 3.1. Lerp is drawn beside slerp around the
mean of W, on which faces stay as far from the average as the two ends are.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Annotated

import torch
from torch import Tensor

from engines.contract import Card, Engine, Progress, Request, Result, Run, Table
from engines.core.errors import SpaceError
from engines.core.knobs import Knob, Knobs
from engines.core.shapes import Codes, Image
from engines.generators.incremental import IncrementalRenderer
from engines.spaces.directions import Direction, apply_directions
from engines.spaces.latent import Inversion, Latent
from engines.spaces.paths import fade, lerp, slerp
from engines.spaces.statistics import random_w, statistics

LERP, SLERP, EDIT, Z_SLERP = "line", "arc", "edit", "z_arc"
_JOINED = "Only codes of W and W+ can be walked from here. Choose a random face, or one of the shelf that was inverted."
_ADDED = ("grid", "shift", "feature")
"""Features that are added to something, and so are nothing at 0."""


@dataclass(frozen=True, kw_only=True, eq=False)
class TrajectoryRequest(Request):
    """What to walk along. Without a start, faces of the seed and its successor are joined.

    Attributes:
        start: The chosen face, in w or w_plus.
        end: A second face to walk to.
        direction: A direction to walk along, through the chosen face.
        z: Both faces' z (1,width), where they are known: then there is slerp in Z, too.
        truncation: Psi of codes on the path in Z.
    """

    start: Inversion | None = None
    end: Inversion | None = None
    direction: Direction | None = None
    z: tuple[Codes, Codes] | None = None
    truncation: float = 1.0


@dataclass(frozen=True, kw_only=True)
class TrajectoryKnobs(Knobs):
    """How many pictures, and how far an edit goes."""

    frames: Annotated[int, Knob("Pictures along the path.", lo=2, hi=61)] = 7
    reach: Annotated[float, Knob("An edit runs from minus to plus this many sigma.", lo=0.5, hi=10)] = 3.0
    preview: Annotated[bool, Knob("Draw small pictures, which is several times quicker.")] = False


class Trajectories(Engine[TrajectoryRequest, TrajectoryKnobs]):
    """Edit paths and interpolations, linear and spherical (arXiv:1609.04468)."""

    card = Card(name="trajectories", title="Interpolation (lerp and slerp)", paper="arXiv:1609.04468", needs=frozenset({"w_plus"}))
    accepts, knob_set = TrajectoryRequest, TrajectoryKnobs

    def run(self, request: TrajectoryRequest, knobs: TrajectoryKnobs) -> Run:
        """Interpolate and draw; table "path" (way, step, t, from_mean, changed), one inversion and picture a row."""
        with torch.no_grad():
            walked = [(way, t, inversion) for way, steps in self._ways(request, knobs).items() for t, inversion in steps]
        size = self.generator.nearest_exit(256) if knobs.preview else None
        renderer, images = IncrementalRenderer(self.generator), list[Image]()
        for step, (_, _, inversion) in enumerate(walked, start=1):
            images.append(renderer.draw(inversion, size))
            yield Progress(step, len(walked))
        table = self._table(walked, images, knobs.frames)
        return Result(torch.cat(images), tuple(inversion for _, _, inversion in walked), tables={"path": table})

    def _ways(self, request: TrajectoryRequest, knobs: TrajectoryKnobs) -> Mapping[str, list[tuple[float, Inversion]]]:
        start = request.start or Inversion(Latent("w", random_w(self.generator, request.seed)))
        if start.latent.space == "s":
            raise SpaceError(_JOINED)
        if request.direction is not None:
            strengths = [lerp(torch.tensor(-knobs.reach), torch.tensor(knobs.reach), t).item() for t in _times(knobs.frames)]
            return {EDIT: [(strength, self._edited(start, request.direction, strength)) for strength in strengths]}
        end = request.end or Inversion(Latent("w", random_w(self.generator, request.seed + 1)))
        ways = {
            way: [(t, between(self.generator.slots.spread, start, end, t, self._centre(way))) for t in _times(knobs.frames)]
            for way in (LERP, SLERP)
        }
        return ways if request.z is None else ways | {Z_SLERP: self._mapped(request.z, request.truncation, knobs.frames)}

    def _mapped(self, ends: tuple[Codes, Codes], truncation: float, frames: int) -> list[tuple[float, Inversion]]:
        """Slerp between two z, each step mapped; lerp gives the same path there, as only the direction of z counts."""
        z = torch.cat([slerp(*ends, t) for t in _times(frames)])
        codes = self.generator.slots.spread(statistics(self.generator).truncate(self.generator.map(z), truncation))
        return [(t, Inversion(Latent("w_plus", code[None]))) for t, code in zip(_times(frames), codes, strict=True)]

    def _centre(self, way: str) -> Tensor | None:
        return statistics(self.generator).mean[0] if way == SLERP else None

    def _edited(self, start: Inversion, direction: Direction, strength: float) -> Inversion:
        moved = apply_directions(start, [(direction, strength)], self.generator)
        return replace(moved, latent=Latent("w_plus", self.generator.slots.spread(moved.latent.codes)))

    def _table(self, walked: list[tuple[str, float, Inversion]], images: list[Image], frames: int) -> Table:
        """For each picture, how far its code lies from the mean of W in standard deviations of W, and how much it changed."""
        known, rows = statistics(self.generator), list[tuple[float | int | str, ...]]()
        for index, (way, t, inversion) in enumerate(walked):
            codes = inversion.latent.codes[:, list(self.generator.slots.active)]
            far = float((codes - known.mean).norm(dim=-1).mean()) / known.std
            first = index % frames == 0
            changed = 0.0 if first else float((images[index] - images[index - 1]).clamp(-2, 2).abs().mean())
            rows.append((way, index % frames, t, far, changed))
        return Table(("way", "step", "t", "from_mean", "changed"), tuple(rows))


def between(spread: Callable[[Codes], Codes], start: Inversion, end: Inversion, t: float, centre: Tensor | None) -> Inversion:
    """The inversion at `t` of the path: by lerp, or by slerp around `centre` where one is given.

    Weight changes and what is added to features fade from one end's to the other's; features that replace something are the nearer end's.

    Raises:
        SpaceError: An end lies in another space than W or W+.
    """
    if {start.latent.space, end.latent.space} - {"w", "w_plus"}:
        raise SpaceError(_JOINED)
    a, b = spread(start.latent.codes), spread(end.latent.codes)
    codes = lerp(a, b, t) if centre is None else slerp(a, b, t, centre=centre)
    nearer = start if t < 0.5 else end
    kept = {key: value for key, value in nearer.features.items() if key.split("/")[0] not in _ADDED}
    return Inversion(Latent("w_plus", codes), _faded(start.tuning, end.tuning, t), kept | _faded(_added(start), _added(end), t))


def _added(inversion: Inversion) -> dict[str, Tensor]:
    return {key: value for key, value in inversion.features.items() if key.split("/")[0] in _ADDED}


def _faded(start: Mapping[str, Tensor], end: Mapping[str, Tensor], t: float) -> dict[str, Tensor]:
    """Additive parts between two ends; what an end lacks is 0 there."""
    return {name: fade(start.get(name), end.get(name), t) for name in dict.fromkeys((*start, *end))}


def _times(frames: int) -> list[float]:
    return [index / (frames - 1) for index in range(frames)]
