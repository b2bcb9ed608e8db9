"""StyleSpace: single channels of the styles that do one thing, found from a few examples.

Paper: Wu et al., "StyleSpace Analysis: Disentangled Controls for StyleGAN Image Generation", arXiv:2011.12799. Channels are ranked by how
far the examples lie from all faces (section 4.2): theta = |mean of delta| / std of delta, delta in each channel's deviations. The
paper looks at the best ranked by eye; here they are drawn on a few faces and measured, and those that change the attribute most for
what else they change come first. For the bundled generator the recipe `style_channels` did that once, more thoroughly. Where a channel
acts comes from the gradients of the picture over face regions (section 4.1), estimated with random signs by the recipe `style_regions`.
The mean-shift form moves the best channels together.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

import torch
from torch import Tensor

from engines.contract import Card, Engine, FitRequest, Progress, Result, Run, Table
from engines.core.errors import SpaceError
from engines.core.knobs import Knob, Knobs
from engines.core.seeds import z_codes
from engines.core.shapes import Image
from engines.core.weights import load_weights, manifest
from engines.data import measure
from engines.faces.regions import REGIONS
from engines.generators.base import Generator
from engines.generators.incremental import IncrementalRenderer
from engines.spaces.bank import Bank
from engines.spaces.directions import Direction, apply_directions
from engines.spaces.latent import Latent
from engines.spaces.statistics import statistics

LOCALISED, MARGIN = 0.5, 0.25
"""Share of the votes that makes a channel local, and its lead over the second region (section 4.1)."""

SEVERAL = "several"
"""What is said of a channel that no region wins."""

TRIED_AT = 8.0
"""Strength in sigma at which candidates are tried, of the paper's -20 to 20."""

FEWEST = 5
_CHUNK, _TRUNCATION, _TRIAL_SEED = 500, 0.7, 4_000


@dataclass(frozen=True, kw_only=True)
class StyleSpaceKnobs(Knobs):
    """How channels are ranked, tried and kept."""

    count: Annotated[int, Knob("Channels to keep, best first.", lo=1, hi=30)] = 5
    share: Annotated[float, Knob("Share of the bank that counts as examples.", lo=0.002, hi=0.3, advanced=True)] = 0.02
    tried: Annotated[int, Knob("Best ranked channels that are drawn and measured; 0 trusts the ranking.", lo=0, hi=60)] = 16
    faces: Annotated[int, Knob("Faces that each is tried on.", lo=1, hi=8, advanced=True, only_if=("tried",))] = 2
    anew: Annotated[bool, Knob("Try channels now, whatever is shipped for the bundled generator.", advanced=True)] = False
    shifted: Annotated[int, Knob("Channels that the mean-shift form moves together.", lo=1, hi=500, advanced=True)] = 40


@dataclass(frozen=True, eq=False)
class Channels:
    """All channels of S as a set of examples sees them.

    Attributes:
        theta: The ranking score, (values,).
        shift: Mean of the examples less that of the bank, in style units, (values,).
        std: Standard deviation over the bank, (values,).
    """

    theta: Tensor
    shift: Tensor
    std: Tensor


class StyleSpace(Engine[FitRequest, StyleSpaceKnobs]):
    """Single channels of S as directions (arXiv:2011.12799)."""

    card = Card(
        name="stylespace",
        title="StyleSpace (single channels)",
        paper="arXiv:2011.12799",
        needs=frozenset({"z", "s"}),
    )
    accepts, knob_set = FitRequest, StyleSpaceKnobs

    def run(self, request: FitRequest, knobs: StyleSpaceKnobs) -> Run:
        """Rank, try the best, and draw those that are kept on the seed's face."""
        channels = rank(self.generator, request.bank, examples(request, knobs.share))
        effects = {} if knobs.anew or request.labels is not None else shipped_effects(self.generator, request.attribute)
        order = list(effects) or channels.theta.argsort(descending=True).tolist()[: max(knobs.tried, knobs.count)]
        trying = bool(knobs.tried) and request.labels is None and not effects
        total = 1 + (len(order) if trying else 0) + min(knobs.count, len(order))
        yield Progress(1, total)
        if trying:
            trial = Trial(self.generator, request, knobs.faces)
            for step, channel in enumerate(order, start=2):
                effects[channel] = trial(self.direction(request, channels, channel), (TRIED_AT,))[0]
                yield Progress(step, total)
            order = sorted(effects, key=lambda channel: specificity(*effects[channel]), reverse=True)
        chosen = [self.direction(request, channels, channel) for channel in order[: knobs.count]]
        directions = (*chosen, self._mean_shift(request, channels, knobs.shifted))
        tables = {"channels": self._table(channels, order, effects)}
        pictures: list[Image] = []
        for step, direction in enumerate(chosen, start=total - len(chosen) + 1):
            pictures.append(_draw(self.generator, request.seed, direction, TRIED_AT))
            result = Result(torch.cat(pictures), directions=directions, tables=tables)
            yield Progress(step, total, pictures[-1], best=result)
        return result

    def direction(self, request: FitRequest, channels: Channels, channel: int) -> Direction:
        """One channel as a direction, signed as the examples lie."""
        vector = torch.zeros_like(channels.theta)
        vector[channel] = 1.0 if float(channels.shift[channel]) >= 0 else -1.0
        name, slot = self._name(channel)
        return Direction(f"{request.attribute}: {name}", "s", vector, (slot,), self._sigma(vector), f"StyleSpace, channel {name}")

    def _mean_shift(self, request: FitRequest, channels: Channels, count: int) -> Direction:
        best = channels.theta.argsort(descending=True)[:count]
        vector = torch.zeros_like(channels.theta)
        vector[best] = channels.shift[best]
        vector = vector / vector.norm()
        slots = tuple(sorted({self._name(channel)[1] for channel in best.tolist()}))
        source = f"StyleSpace, mean shift of {len(best)} channels"
        return Direction(f"{request.attribute} (mean shift)", "s", vector, slots, self._sigma(vector), source)

    def _sigma(self, vector: Tensor) -> float:
        """Spread of n.s over the sample bank, through the affine maps: S is linear in w."""
        layout = self.generator.layout("s")
        touched = [layer for layer, part in layout.items() if bool(vector[part].any())]
        way = sum(vector[layout[layer]] @ self.generator.affine((layer,)) for layer in touched)
        assert isinstance(way, Tensor)
        return float((statistics(self.generator).bank @ way).std())

    def _name(self, channel: int) -> tuple[str, int]:
        """A channel as "layer:index", and the slot that its layer reads."""
        for layer, part in self.generator.layout("s").items():
            if part.start <= channel < part.stop:
                return f"{layer}:{channel - part.start}", self.generator.slots.of_layer(layer)
        raise SpaceError(f"There is no channel {channel} in S.")

    def _table(self, channels: Channels, order: list[int], effects: dict[int, tuple[float, float]]) -> Table:
        where = localised(self.generator)
        rows = []
        for channel in order:
            own, other = effects.get(channel, (0.0, 0.0))
            rows.append((self._name(channel)[0], float(channels.theta[channel]), own, other, where[channel] if where else "unknown"))
        return Table(("channel", "theta", "own_change", "other_change", "region"), tuple(rows))


class Trial:
    """Draws candidates on a few faces and measures what they change, in spreads."""

    def __init__(self, generator: Generator, request: FitRequest, faces: int) -> None:
        self.generator, self.measure = generator, measure(generator)
        self.deviation, self.target = request.bank.deviation(), request.bank.names.index(request.attribute)
        self.size = generator.nearest_exit(256)
        self.faces = [Latent("z", row[None]) for row in z_codes(faces, generator.width, _TRIAL_SEED + request.seed, generator.device)]
        self.renderers = [IncrementalRenderer(generator) for _ in self.faces]
        self.before = torch.cat([self._picture(index, None) for index in range(faces)])
        self.scores = self.measure(self.before.clamp(-1, 1))

    @torch.no_grad()
    def __call__(self, direction: Direction, strengths: Sequence[float]) -> list[tuple[float, float]]:
        """Mean change of the attribute, and of all others without their signs, at each strength."""
        found = []
        for strength in strengths:
            after = torch.cat([self._picture(index, direction, strength) for index in range(len(self.faces))])
            changes = (self.measure(after.clamp(-1, 1)) - self.scores) / self.deviation
            others = torch.cat([changes[:, : self.target], changes[:, self.target + 1 :]], dim=1).abs()
            found.append((float(changes[:, self.target].nanmean().nan_to_num(0.0)), float(others.nanmean().nan_to_num(9.0))))
        return found

    def _picture(self, index: int, direction: Direction | None, strength: float = 0.0) -> Image:
        edits = [] if direction is None else [(direction, strength)]
        moved = apply_directions(self.faces[index], edits, self.generator, truncation=_TRUNCATION)
        return self.renderers[index].draw(moved, self.size)


def specificity(own: float, other: float) -> float:
    """How much is gained for what else changes; the constant keeps channels that do nothing from winning."""
    return own / (other + 0.1)


def shipped_effects(generator: Generator, attribute: str) -> dict[int, tuple[float, float]]:
    """Channels of an attribute that the recipe `style_channels` tried, best first, with their own and the others' change."""
    entry = f"style_channels_{generator.name}"
    stored = load_weights(entry) if entry in manifest() else {}
    if f"{attribute}.channels" not in stored:
        return {}
    changes = stored[f"{attribute}.changes"].tolist()
    return {int(channel): (own, other) for channel, (own, other) in zip(stored[f"{attribute}.channels"].tolist(), changes, strict=True)}


def _draw(generator: Generator, seed: int, direction: Direction, strength: float) -> Image:
    face = Latent("z", z_codes(1, generator.width, seed, generator.device))
    return IncrementalRenderer(generator).draw(
        apply_directions(face, [(direction, strength)], generator, truncation=_TRUNCATION), generator.exits[0]
    )


def examples(request: FitRequest, share: float) -> Tensor:
    """Row numbers of the positive examples: the highest scores, or the person's own yes.

    Raises:
        SpaceError: Too few.
    """
    if request.labels is not None:
        rows = (request.labels > 0).nonzero().flatten()
    else:
        rows = request.bank.score(request.attribute).argsort()[-max(FEWEST, int(len(request.bank) * share)) :]
    if len(rows) < FEWEST:
        raise SpaceError(f"{len(rows)} examples came; at least {FEWEST} are needed to rank channels. Mark a few more faces with yes.")
    return rows


@torch.no_grad()
def rank(generator: Generator, bank: Bank, rows: Tensor) -> Channels:
    """Rank every channel of S by a set of examples out of a bank."""
    total, squares = torch.zeros((), dtype=torch.float64), torch.zeros((), dtype=torch.float64)
    for part in bank.w.split(_CHUNK):
        styles = generator.styles(part).codes.double().cpu()
        total, squares = total + styles.sum(dim=0), squares + styles.square().sum(dim=0)
    mean = total / len(bank)
    std = (squares / len(bank) - mean.square()).clamp_min(1e-12).sqrt()
    delta = (torch.cat([generator.styles(part).codes.double().cpu() for part in bank.w[rows].split(_CHUNK)]) - mean) / std
    theta = delta.mean(dim=0).abs() / delta.std(dim=0).clamp_min(1e-6)
    place = generator.device
    return Channels(theta.float().to(place), (delta.mean(dim=0) * std).float().to(place), std.float().to(place))


def localised(generator: Generator) -> list[str]:
    """The region that each channel acts in, "several" where none wins clearly; empty where nothing was measured for the generator."""
    entry = f"style_regions_{generator.name}"
    if entry not in manifest():
        return []
    return localised_by(load_weights(entry)["votes"])


def localised_by(votes: Tensor) -> list[str]:
    """The region that wins the votes (values,regions) of each channel clearly, or "several"."""
    best, second = votes.topk(2, dim=1).values.T
    clear = (best > LOCALISED) & (best - second > MARGIN)
    return [REGIONS[int(region)] if bool(sure) else SEVERAL for region, sure in zip(votes.argmax(dim=1), clear, strict=True)]
