"""Which codes draw this picture? All backgrounds, shapes and appearances of FineGAN are tried, and the best are refined.

Paper: Singh, Ojha, Lee, "FineGAN", arXiv:1811.11155, whose generator has no encoder; the search is ours. It goes down the generator's own
hierarchy: the background that fits the picture's border, then shapes by their masks, whatever their colours, then all appearances of the
best shapes. Then z alone descends on squared error and LPIPS, fewer and fewer candidates for more and more steps; between the rounds the
codes are chosen anew.
"""

from collections.abc import Generator as Coroutine
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Annotated, TypeAlias

import torch
import torch.nn.functional as F
from torch import Tensor

from engines.contract import Card, DrawingRequest, Engine, Progress, Result, Run, Table, on_device
from engines.core.images import area
from engines.core.knobs import Knob, Knobs
from engines.core.seeds import z_codes
from engines.core.shapes import Image
from engines.generators.finegan import WEIGHTS, FineCodes, FineGAN
from engines.hierarchy.finegan import FINISHED, codes_table, pictures
from engines.losses.perceptual import Perceptual

_BORDER = 8
"""The background is looked for along each edge, in one of so many parts of the side."""

_VIEWS = 2
"""Random z that every background is tried with."""

_SHAPES = 8
"""Shapes that all appearances are tried on, for each candidate that is to be refined."""

_BATCH = 10
"""Backgrounds drawn at a time."""


@dataclass(frozen=True, kw_only=True)
class FineFinderKnobs(Knobs):
    """How widely it looks, and how long it refines."""

    poses: Annotated[int, Knob("Random z that every shape is tried with.", lo=1, hi=64)] = 16
    kept: Annotated[int, Knob("Candidates that are refined; each round keeps half of them.", lo=1, hi=8)] = 4
    steps: Annotated[int, Knob("Steps that the last candidate is refined for.", lo=1, hi=400)] = 40
    learning_rate: Annotated[float, Knob("Adam step size for z.", lo=1e-3, hi=0.5, log=True, advanced=True)] = 0.08
    perceptual_weight: Annotated[float, Knob("Weight of LPIPS beside the squared error.", lo=0, hi=2, advanced=True)] = 0.1
    prior_weight: Annotated[float, Knob("How strongly z is held where random z lie.", lo=0, hi=0.1, advanced=True)] = 0.002
    preview_every: Annotated[int, Knob("Steps between previews.", lo=1, hi=50, advanced=True)] = 4


@dataclass(frozen=True, eq=False)
class _Candidate:
    """Numbers and z (1,noise) with the error of their picture."""

    background: int
    parent: int
    child: int
    z: Tensor
    error: float

    @property
    def codes(self) -> FineCodes:
        return FineCodes(self.background, self.parent, self.child, z=tuple(self.z[0].tolist()))


_Search: TypeAlias = Coroutine[None, None, list[_Candidate]]


class FineFinder(Engine[DrawingRequest, FineFinderKnobs, FineGAN]):
    """From a picture to the codes that draw it, over the generator of arXiv:1811.11155."""

    card = Card(
        name="finegan_codes",
        title="FineGAN inversion (search over codes)",
        paper="arXiv:1811.11155",
        needs=frozenset({"finegan"}),
        weights=(WEIGHTS,),
    )
    accepts, knob_set = DrawingRequest, FineFinderKnobs

    def __init__(self, generator: FineGAN) -> None:
        super().__init__(generator)
        self.perceptual = Perceptual(generator.device)

    def run(self, request: DrawingRequest, knobs: FineFinderKnobs) -> Run:
        """Search and refine; tables "codes" and "z" say what was found, `found_codes` reads them; metrics "mse" and "lpips"."""
        target = area(on_device(request.image, self.generator).clamp(-1, 1), self.generator.form.size)
        rounds = _rounds(knobs.kept, knobs.steps)
        total = _VIEWS + knobs.poses + knobs.kept + sum(steps for _, steps in rounds)
        step, search = 0, self._searched(target, knobs, request.seed)
        while True:
            try:
                next(search)
            except StopIteration as stop:
                candidates = stop.value
                break
            step += 1
            yield Progress(step, total)
        for number, (count, steps) in enumerate(rounds):
            chosen = sorted(candidates, key=lambda one: one.error)[:count]
            candidates = [self._chosen_anew(target, one) for one in chosen] if number else chosen
            for refined, losses in self._refined(target, candidates, knobs, steps):
                step, candidates = step + 1, refined
                best = None if step % knobs.preview_every and step < total else self._result(target, candidates)
                yield Progress(step, total, None if best is None else best.images, losses, best)
        return self._result(target, candidates)

    def _searched(self, target: Image, knobs: FineFinderKnobs, seed: int) -> _Search:
        """The best candidates by trying: yields after each part of the work."""
        form = self.generator.form
        z = z_codes(max(_VIEWS, knobs.poses), form.noise, seed, self.generator.device)
        scores = torch.zeros(form.children, device=target.device)
        for view in range(_VIEWS):
            scores += self._border_errors(target, z[view : view + 1])
            yield
        background = int(scores.argmin())
        shapes = list[tuple[float, int, Tensor]]()
        for pose in range(knobs.poses):
            errors = self._shape_errors(target, background, z[pose : pose + 1])
            shapes += [(error, parent, z[pose : pose + 1]) for parent, error in enumerate(errors.tolist())]
            yield
        ranked = sorted(shapes, key=lambda shape: shape[0])
        found = list[_Candidate]()
        for number in range(knobs.kept):
            part = ranked[number :: knobs.kept][:_SHAPES]
            found += [self._dressed(target, _Candidate(background, parent, 0, pose, 0.0)) for _, parent, pose in part]
            yield
        return found

    @torch.no_grad()
    def _border_errors(self, target: Image, z: Tensor) -> Tensor:
        """How far every background (children,) is off along the picture's edges."""
        codes = torch.eye(self.generator.form.children, device=z.device)
        edge = _edge(target)
        drawn = torch.cat([self._behind(part, z) for part in codes.split(_BATCH)])
        return ((drawn - target).square() * edge).mean(dim=(1, 2, 3))

    @torch.no_grad()
    def _shape_errors(self, target: Image, background: int, z: Tensor) -> Tensor:
        """How far every parent's shape (parents,) is from any part of the picture that has one colour and the background around it."""
        network, parents = self.generator.network, torch.eye(self.generator.form.parents, device=z.device)
        mask = network.img_net2_mask(self._shape(parents, z))
        behind = self._behind(self._hot(background, self.generator.form.children), z)
        inside = (mask * target).sum(dim=(2, 3), keepdim=True) / mask.sum(dim=(2, 3), keepdim=True).clamp_min(1.0)
        return torch.lerp((target - behind).square(), (target - inside).square(), mask).mean(dim=(1, 2, 3))

    @torch.no_grad()
    def _dressed(self, target: Image, candidate: _Candidate) -> _Candidate:
        """With the child code that fits best."""
        form, z = self.generator.form, candidate.z
        behind = self._behind(self._hot(candidate.background, form.children), z)
        shape = self._shape(self._hot(candidate.parent, form.parents), z)
        drawn = self._stitched(behind, shape, torch.eye(form.children, device=z.device))
        errors = (drawn - target).square().mean(dim=(1, 2, 3))
        return replace(candidate, child=int(errors.argmin()), error=float(errors.min()))

    @torch.no_grad()
    def _chosen_anew(self, target: Image, candidate: _Candidate) -> _Candidate:
        """With the background, then the appearance, that fit best now that z has moved."""
        form, z = self.generator.form, candidate.z
        shape = self._shape(self._hot(candidate.parent, form.parents), z)
        child = self._hot(candidate.child, form.children)
        errors = torch.cat(
            [
                (self._stitched(self._behind(part, z), shape, child) - target).square().mean(dim=(1, 2, 3))
                for part in torch.eye(form.children, device=z.device).split(_BATCH)
            ]
        )
        return self._dressed(target, replace(candidate, background=int(errors.argmin())))

    def _refined(
        self, target: Image, candidates: list[_Candidate], knobs: FineFinderKnobs, steps: int
    ) -> Iterator[tuple[list[_Candidate], dict[str, float]]]:
        """Descend on z; yields the candidates, each with the error that it had before its last step, and the best one's losses."""
        inputs = self.generator.inputs(*(one.codes for one in candidates))
        z = inputs.z.clone().requires_grad_()
        optimizer = torch.optim.Adam([z], lr=knobs.learning_rate)
        for _ in range(steps):
            before = z.detach().clone()
            with torch.enable_grad():
                image = self.generator.synthesize(replace(inputs, z=z)).child
                pixel = (image - target).square().mean(dim=(1, 2, 3))
                perceptual = self.perceptual(image, target.expand_as(image))
                error = pixel + knobs.perceptual_weight * perceptual
                optimizer.zero_grad()
                (error + knobs.prior_weight * z.square().mean(dim=1)).sum().backward()
            optimizer.step()
            best = int(error.detach().argmin())
            candidates = [replace(one, z=before[row : row + 1], error=error[row].item()) for row, one in enumerate(candidates)]
            yield candidates, {"pixel": pixel[best].item(), "perceptual": perceptual[best].item()}

    def _result(self, target: Image, candidates: list[_Candidate]) -> Result:
        best = min(candidates, key=lambda one: one.error)
        stages = pictures(self.generator.draw(best.codes))
        image = stages[FINISHED]
        metrics = {"mse": float((image - target).square().mean()), "lpips": float(self.perceptual(image, target))}
        z = Table(tuple(f"z{number}" for number in range(best.z.shape[1])), (tuple(best.z[0].tolist()),))
        return Result(image, stages=stages, tables={"codes": codes_table([best.codes]), "z": z}, metrics=metrics)

    def _behind(self, background: Tensor, z: Tensor) -> Image:
        network = self.generator.network
        return network.img_net1_bg(network.h_net1_bg(background, z.expand(len(background), -1)))

    def _shape(self, parent: Tensor, z: Tensor) -> Tensor:
        network = self.generator.network
        return network.h_net2(network.h_net1(parent, z.expand(len(parent), -1)), parent)

    def _stitched(self, behind: Tensor, shape: Tensor, child: Tensor) -> Image:
        """Finished pictures of one shape in several appearances, or of one appearance before several backgrounds."""
        network = self.generator.network
        stitched = torch.lerp(behind, network.img_net2(shape), network.img_net2_mask(shape))
        appearance = network.h_net3(shape.expand(len(child), -1, -1, -1), child)
        return torch.lerp(stitched, network.img_net3(appearance), network.img_net3_mask(appearance))

    def _hot(self, number: int, count: int) -> Tensor:
        return F.one_hot(torch.tensor([number], device=self.generator.device), count).float()


def found_codes(result: Result) -> FineCodes:
    """The codes that `FineFinder` found."""
    background, parent, child, _ = result.tables["codes"].rows[0]
    return FineCodes(int(background), int(parent), int(child), z=tuple(float(value) for value in result.tables["z"].rows[0]))


def _rounds(kept: int, steps: int) -> list[tuple[int, int]]:
    """How many candidates are refined for how many steps: half as many, twice as long, until one is left."""
    rounds = [(kept, max(1, steps // kept))]
    while rounds[-1][0] > 1:
        count = rounds[-1][0] // 2
        rounds.append((count, max(1, steps // count)))
    return rounds


def _edge(target: Image) -> Tensor:
    """1 along the edges of a picture, (1,1,S,S)."""
    side = target.shape[-1]
    width = max(1, side // _BORDER)
    inner = F.pad(target.new_ones(1, 1, side - 2 * width, side - 2 * width), [width] * 4)
    return 1 - inner
