"""What every method is to its callers: one `run(request, knobs)` that yields progress and returns a result.

A request is what a person brings, knobs are what they turn, a result is what they keep. Methods meet through `Inversion` and
`Direction`. Closing the generator that `run` returns cancels it: every yield is a place to stop.
"""

from abc import ABC, abstractmethod
from collections.abc import Generator as Coroutine
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar, Generic, TypeAlias, TypeVar

import torch

from engines.core.errors import CatalogueError
from engines.core.knobs import Knobs
from engines.core.shapes import Codes, Image, Mask
from engines.generators.base import Generator
from engines.generators.finegan import FineCodes
from engines.spaces.bank import Bank, Score
from engines.spaces.directions import Direction
from engines.spaces.latent import Inversion, Latent


@dataclass(frozen=True)
class Table:
    """Rows to read or to save as CSV."""

    columns: tuple[str, ...]
    rows: tuple[tuple[float | int | str, ...], ...]


@dataclass(frozen=True, eq=False)
class Progress:
    """A heartbeat, at least every two seconds; each one is also a place to cancel.

    Attributes:
        step: Steps done.
        total: Steps planned.
        preview: The picture so far, where one is at hand.
        losses: Terms of the objective, by name.
        best: What the person keeps if they stop now; comes with each preview.
    """

    step: int
    total: int
    preview: Image | None = None
    losses: Mapping[str, float] = field(default_factory=dict)
    best: "Result | None" = None


@dataclass(frozen=True, eq=False)
class Result:
    """What a person keeps.

    Attributes:
        images: The picture or pictures.
        inversions: All it takes to draw each again.
        stages: Named intermediate pictures, each of its own size.
        directions: Directions that were found.
        tables: Numbers by name.
        metrics: Figures by name, by the protocol of `engines.metrics.reconstruction` where they measure a reconstruction.
    """

    images: Image
    inversions: tuple[Inversion, ...] = ()
    stages: Mapping[str, Image] = field(default_factory=dict)
    directions: tuple[Direction, ...] = ()
    tables: Mapping[str, Table] = field(default_factory=dict)
    metrics: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Card:
    """What the catalogue knows of a method before any weight is loaded.

    Attributes:
        name: Unique in the catalogue; also the sub-command and the test's id.
        title: What the page calls it.
        paper: arXiv number.
        needs: Capabilities that the generator must have.
        weights: Entries of assets/weights.toml that it loads.
    """

    name: str
    title: str
    paper: str
    needs: frozenset[str]
    weights: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True, eq=False)
class Request:
    """What a person brings; one subclass a family.

    Attributes:
        seed: Decides every random number of the run.
    """

    seed: int = 0


@dataclass(frozen=True, kw_only=True, eq=False)
class InvertRequest(Request):
    """A photo that is to become a code.

    Attributes:
        image: (1,3,R,R), aligned as FFHQ is.
        start: Where to begin; the average face if not given.
        mask: 1 where the reconstruction matters, (1,1,R,R); everywhere if not given.
        beside: Further photos with their inversions, or None for the method to find one; only where an engine `tunes_along`.
    """

    image: Image
    start: Latent | None = None
    mask: Mask | None = None
    beside: tuple[tuple[Image, Inversion | None], ...] = ()


@dataclass(frozen=True, kw_only=True, eq=False)
class ExploreRequest(Request):
    """A look at a space.

    Attributes:
        codes: Codes to show beside the samples, in w (N,width) or w_plus (N,slots,width).
        own: Whole inversions to show, after the codes.
        bank: Measured faces, which come first among the samples; drawn from the seed where it is not given or runs out.
    """

    codes: Codes | None = None
    own: tuple[Inversion, ...] = ()
    bank: Bank | None = None


@dataclass(frozen=True, kw_only=True, eq=False)
class BankRequest(Request):
    """Directions that are found without labels, and named by what they change.

    Attributes:
        bank: Measured faces, for the names; without them directions are numbered.
    """

    bank: Bank | None = None


@dataclass(frozen=True, kw_only=True, eq=False)
class FitRequest(Request):
    """Examples that a direction is to be learnt from.

    Attributes:
        bank: Measured faces.
        attribute: Which measurement decides, or the name of the person's own attribute where `labels` decide.
        labels: The person's own answers, (faces,): above 0 for yes, below 0 for no, 0 where none was given.
        keep: Attributes that the direction must not touch.
    """

    bank: Bank
    attribute: str
    labels: Score | None = None
    keep: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False)
class Part:
    """A part of another face, and where it goes.

    Attributes:
        reference: The other face.
        mask: 1 where the part lies in the reference's picture, (1,1,s,s) in any size.
        shift: How far the part moves to the right and down, as shares of the picture's side.
        strength: 0 leaves the source as it is, 1 takes the reference.
        layers: Slots of W+ that are taken over; all if not given.
    """

    reference: Inversion
    mask: Mask
    shift: tuple[float, float] = (0.0, 0.0)
    strength: float = 1.0
    layers: tuple[int, ...] | None = None


@dataclass(frozen=True, kw_only=True, eq=False)
class MixRequest(Request):
    """A face that takes over parts of others.

    Attributes:
        source: The face that stays wherever nothing is painted.
        parts: What it takes over; later ones cover earlier ones.
    """

    source: Inversion
    parts: tuple[Part, ...] = ()


@dataclass(frozen=True, kw_only=True, eq=False)
class HierarchyRequest(Request):
    """Pictures that are made in stages, each from codes of its own.

    Attributes:
        codes: One for each picture; without any, the tied codes of a child that the seed draws.
    """

    codes: tuple[FineCodes, ...] = ()


@dataclass(frozen=True, kw_only=True, eq=False)
class DrawingRequest(Request):
    """A picture of what a staged generator knows how to draw, whose codes are wanted.

    Attributes:
        image: (1,3,S,S) in any size.
    """

    image: Image


RequestT = TypeVar("RequestT", bound=Request)
KnobsT = TypeVar("KnobsT", bound=Knobs)
Run: TypeAlias = Coroutine[Progress, None, Result]


class Engine(ABC, Generic[RequestT, KnobsT]):
    """One published method, bound to one generator, which it only reads.

    Attributes:
        tunes_along: Whether it bends the generator to several photos at once, those `beside` the first.

    Raises:
        CatalogueError: The generator lacks something that the method's card needs.
    """

    card: ClassVar[Card]
    accepts: ClassVar[type[Request]]
    knob_set: ClassVar[type[Knobs]]
    tunes_along: ClassVar[bool] = False

    def __init__(self, generator: Generator) -> None:
        missing = self.card.needs - generator.capabilities
        if missing:
            raise CatalogueError(
                f"{self.card.title} needs {', '.join(sorted(missing))}, which the generator {generator.name} does not offer."
            )
        self.generator = generator

    @abstractmethod
    def run(self, request: RequestT, knobs: KnobsT) -> Run:
        """Do the work step by step; the generator's return value is the result."""

    def __call__(self, request: RequestT, **settings: Any) -> Result:
        """Run to the end: `engine(request, steps=100)`."""
        return finish(self.run(request, self.knob_set.of(settings)))  # type: ignore[arg-type]


def within(run: Run, before: int, total: int) -> Run:
    """A run as one stage of a longer one of `total` steps: its steps count on from `before`."""
    try:
        while True:
            progress = next(run)
            yield replace(progress, step=before + progress.step, total=total)
    except StopIteration as stop:
        return stop.value
    finally:
        run.close()


def finish(run: Run) -> Result:
    """Drive a run to its end and return the result."""
    while True:
        try:
            next(run)
        except StopIteration as stop:
            return stop.value


def on_device(image: Image, generator: Generator) -> Image:
    """A request's picture where the generator computes."""
    return image.to(generator.device, torch.float32)
