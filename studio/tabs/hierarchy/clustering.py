"""Kinds that nobody named: paper birds are drawn and clustered, and the clusters are held against what the birds are."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from PIL import Image as Pil
from PIL import ImageDraw, ImageFont
from torch import Tensor

from engines.contract import Progress, Run, Table, within
from engines.core.images import side_by_side, to_picture
from engines.core.seeds import rng
from engines.core.weights import manifest
from engines.hierarchy.discovery import (
    CLASSIFIER,
    PIXELS,
    WEIGHTS,
    Agreement,
    Confusion,
    agreements,
    confusion,
    discover,
    finegan_classifier,
    kinds,
)
from engines.hierarchy.discovery import steps as steps_of
from engines.nets.factor_classifier import FactorClassifier
from engines.training.datasets.backgrounds import BACKGROUNDS
from engines.training.datasets.birds import SHAPES, Factors, draw_birds, random_factors
from engines.training.datasets.textures import TEXTURES
from engines.training.drawn import TEST
from studio.media.animation import INK, PAPER

SHAPE, TEXTURE, PLACE, KIND = "shape", "texture", "place", "kind"
NAMES: dict[str, tuple[str, ...]] = {SHAPE: SHAPES, TEXTURE: tuple(texture.name for texture in TEXTURES), PLACE: BACKGROUNDS}
"""What a drawing has of each factor."""

CHANCE = "chance"
FEWEST, MOST, MOST_CLUSTERS = 100, 1000, 50
TILES = 8
"""Drawings of a cluster that are shown."""

_AT_ONCE = 32
_SILENT = 0.05
"""NMI beyond that of random clusters, below which clusters are said to follow nothing."""


@dataclass(frozen=True)
class Discovery:
    """What was found, small enough to be kept for each visitor: drawings come again from their seed.

    Attributes:
        seed: Of the drawings and of k-means.
        size: Side of the drawings in pixels.
        found: The cluster of each drawing, by the way of seeing.
    """

    seed: int
    size: int
    found: Mapping[str, tuple[int, ...]]

    @classmethod
    def of(cls, clusters: Table, seed: int, size: int) -> "Discovery":
        """What `discover` returned, as it is kept."""
        return cls(seed, size, {way: tuple(int(row[column]) for row in clusters.rows) for column, way in enumerate(clusters.columns)})

    @property
    def drawings(self) -> int:
        """How many there are."""
        return len(next(iter(self.found.values())))

    def clusters(self, way: str) -> Tensor:
        """The cluster of each drawing, (N,)."""
        return torch.tensor(self.found[way])

    def truth(self) -> dict[str, Tensor]:
        """What each drawing is, (N,) by factor."""
        return _named(held_out(self.drawings, self.seed))

    def figures(self) -> dict[str, dict[str, Agreement]]:
        """How clusters agree with each factor and with kinds, by way; at last that of the first way's clusters in random order."""
        truth = self.truth()
        truth[KIND] = kinds(truth[SHAPE], truth[TEXTURE])
        found = {way: self.clusters(way) for way in self.found}
        lot = torch.randperm(self.drawings, generator=rng(self.seed))
        found[CHANCE] = next(iter(found.values()))[lot]
        return {way: agreements(clusters, truth) for way, clusters in found.items()}

    def confusion(self, way: str, factor: str) -> Confusion:
        """Clusters of a way against a factor."""
        return confusion(self.clusters(way), self.truth()[factor], len(NAMES[factor]))

    def table(self) -> Table:
        """All drawings with what they are and where they were put, as a spreadsheet takes them; clusters count from 1."""
        truth, columns = self.truth(), [[cluster + 1 for cluster in found] for found in self.found.values()]
        rows = zip(
            [self.seed] * self.drawings,
            range(self.drawings),
            *([NAMES[name][value] for value in values.tolist()] for name, values in truth.items()),
            *columns,
            strict=True,
        )
        return Table(("seed", "drawing", *truth, *(f"cluster_{way}" for way in self.found)), tuple(rows))


def held_out(count: int, seed: int) -> Factors:
    """What drawings are that no network here has learnt from."""
    return random_factors(count, TEST + seed)


def _named(factors: Factors) -> dict[str, Tensor]:
    return {SHAPE: factors.shape, TEXTURE: factors.texture, PLACE: factors.background}


def reader_if_bundled(device: torch.device | str) -> FactorClassifier | None:
    """The classifier of FineGAN's codes, or nothing where its weights are not bundled."""
    return finegan_classifier(device) if WEIGHTS in manifest() else None


def discovering(drawings: int, count: int, seed: int, size: int, device: torch.device, reader: FactorClassifier | None) -> Run:
    """Draw birds, then `discover` clusters among them; stages and tables are those of `discover`."""
    factors, parts, done = held_out(drawings, seed), list[Tensor](), 0
    total = -(-drawings // _AT_ONCE) + steps_of(drawings, reader is not None)
    for done, rows in enumerate(torch.arange(drawings).split(_AT_ONCE), start=1):
        parts.append(_drawn(factors, rows, size))
        yield Progress(done, total)
    return (yield from within(discover(torch.cat(parts).to(device), count, seed, reader), done, total))


def _drawn(factors: Factors, rows: Tensor, size: int) -> Tensor:
    return draw_birds(Factors(*(values[rows] for values in vars(factors).values())), size).images


@dataclass(frozen=True, eq=False)
class Cluster:
    """A cluster as the page shows it.

    Attributes:
        number: From 1, the largest first.
        size: How many drawings it has.
        most: Of each factor what it has most of, and that one's share.
        picture: Its first `TILES` drawings side by side.
    """

    number: int
    size: int
    most: Mapping[str, tuple[str, float]]
    picture: Pil.Image

    @property
    def words(self) -> str:
        """What it has most of."""
        return ", ".join(f"{name} {share:.0%}" for name, share in self.most.values())


def shown(discovery: Discovery, way: str) -> list[Cluster]:
    """Every cluster of a way by its first drawings."""
    factors, found = held_out(discovery.drawings, discovery.seed), discovery.clusters(way)
    members = [(found == cluster).nonzero().squeeze(1) for cluster in range(int(found.max()) + 1)]
    firsts = [rows[:TILES] for rows in members]
    images = _drawn(factors, torch.cat(firsts), discovery.size).split([len(rows) for rows in firsts])
    return [
        Cluster(number, len(rows), _most(factors, rows), to_picture(side_by_side(tiles)))
        for number, (rows, tiles) in enumerate(zip(members, images, strict=True), start=1)
    ]


def _most(factors: Factors, rows: Tensor) -> dict[str, tuple[str, float]]:
    shares = {name: torch.bincount(values[rows]) / len(rows) for name, values in _named(factors).items()}
    return {name: (NAMES[name][int(share.argmax())], float(share.max())) for name, share in shares.items()}


def sheet(clusters: Sequence[Cluster], side: int = 96) -> Pil.Image:
    """All clusters as one picture to take home."""
    font, line, gap = ImageFont.load_default(size=18), 28, 10
    paper = Pil.new("RGB", (TILES * side + 2 * gap, gap + len(clusters) * (line + side + gap)), PAPER)
    pen = ImageDraw.Draw(paper)
    for index, cluster in enumerate(clusters):
        top, strip = gap + index * (line + side + gap), cluster.picture
        pen.text((gap, top), f"{cluster.number} · {cluster.size} drawings: {cluster.words}", fill=INK, font=font)
        paper.paste(strip.resize((strip.width * side // strip.height, side), Pil.Resampling.LANCZOS), (gap, top + line))
    return paper


def conclusion(figures: Mapping[str, Mapping[str, Agreement]], titles: Mapping[str, str]) -> str:
    """What figures mean, in a sentence or two.

    Args:
        figures: As `Discovery.figures` has them.
        titles: What ways are called.
    """
    follows = "; ".join(_follows(titles[way], figures[way], figures[CHANCE]) for way in titles if way in figures)
    words = f"{follows[0].upper()}{follows[1:]}."
    if CLASSIFIER not in figures or PIXELS not in figures:
        return words
    compared = (SHAPE, TEXTURE, KIND)
    ahead = [name for name in compared if figures[CLASSIFIER][name].nmi > figures[PIXELS][name].nmi]
    behind = f", not on {_listed([name for name in compared if name not in ahead])}" if 0 < len(ahead) < len(compared) else ""
    return f"{words} The classifier is ahead of pixels on {_listed(ahead) or 'nothing'}{behind}."


def _follows(title: str, figures: Mapping[str, Agreement], lot: Mapping[str, Agreement]) -> str:
    beyond = {name: figures[name].nmi - lot[name].nmi for name in (SHAPE, TEXTURE, PLACE)}
    best = max(beyond, key=lambda name: beyond[name])
    if beyond[best] < _SILENT:
        return f"clusters of {title} follow neither shape nor texture nor place"
    return f"clusters of {title} follow the **{best}** most (NMI {figures[best].nmi:.2f})"


def _listed(names: Sequence[str]) -> str:
    return " and ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)
