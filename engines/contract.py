"""What every method is to its callers: one `run(request, knobs)` that yields progress and returns a result.

A request is what a person brings, knobs are what they turn, a result is what they keep. Methods meet through `Inversion` and
`Direction`. Closing the generator that `run` returns cancels it: every yield is a place to stop.
"""

from abc import ABC, abstractmethod
from collections.abc import Generator as Coroutine
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Annotated, Any, ClassVar, Generic, TypeAlias

import torch
from typing_extensions import TypeVar

from engines import inputs
from engines.core.errors import CatalogueError
from engines.core.knobs import Knobs
from engines.core.shapes import Codes, Image, Mask
from engines.generators.base import AnyGenerator, Generator
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
        title: The paper's name of the method, on the page.
        paper: arXiv number.
        needs: Capabilities that the generator must have.
        weights: Entries of assets/weights.toml that it loads.
    """

    name: str
    title: str
    paper: str
    needs: frozenset[str]
    weights: tuple[str, ...] = ()

    def check(self, generator: AnyGenerator) -> None:
        """Let a generator pass that the method can work with.

        Raises:
            CatalogueError: It lacks something.
        """
        missing = self.needs - generator.capabilities
        if missing:
            raise CatalogueError(f"{self.title} needs {', '.join(sorted(missing))}, which the generator {generator.name} does not offer.")


RequestT = TypeVar("RequestT", bound="Request")


@dataclass(frozen=True, kw_only=True, eq=False)
class Request:
    """What a person brings; one subclass a family. Fields that can be written are declared as `engines.inputs` has it.

    Attributes:
        seed: Decides every random number of the run.
    """

    seed: Annotated[int, inputs.SeedNumber("Decides every random number of the run.")] = 0

    @classmethod
    def of(cls: type[RequestT], words: inputs.Words, reading: inputs.Reading) -> RequestT:
        """A request from what was written, on the command line or in JSON.

        Raises:
            StudioError: A word that means nothing here, an input that is missing or makes no sense, a photo without a face.
        """
        return cls(**inputs.made(cls, words, reading))

    @classmethod
    def example(cls: type[RequestT], generator: AnyGenerator, seed: int = 0) -> RequestT:
        """A small request to try a method with."""
        return cls(**inputs.example(cls, generator, seed))


@dataclass(frozen=True, kw_only=True, eq=False)
class InvertRequest(Request):
    """A photo that is to become a code.

    Attributes:
        image: (1,3,R,R), aligned as FFHQ is.
        start: Where to begin; the average face if not given.
        mask: 1 where the reconstruction matters, (1,1,R,R); everywhere if not given.
        beside: Further photos with their inversions, or None for the method to find one; only where an engine `tunes_along`.
    """

    image: Annotated[Image, inputs.FacePhoto("The photo to invert.")]
    start: Latent | None = None
    mask: Mask | None = None
    beside: Annotated[
        tuple[tuple[Image, Inversion | None], ...], inputs.FurtherPhotos("A further photo that the generator is tuned to, once for each.")
    ] = ()


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

    bank: Annotated[Bank | None, inputs.OwnBank("Measured faces, for the names.")] = None


@dataclass(frozen=True, kw_only=True, eq=False)
class FitRequest(Request):
    """Examples that a direction is to be learnt from.

    Attributes:
        bank: Measured faces.
        attribute: Which measurement decides, or the name of the person's own attribute where `labels` decide.
        labels: The person's own answers, (faces,): above 0 for yes, below 0 for no, 0 where none was given.
        keep: Attributes that the direction must not touch.
    """

    bank: Annotated[Bank, inputs.OwnBank("Measured faces.")]
    attribute: Annotated[str, inputs.AttributeName("Which measurement decides.")]
    labels: Score | None = None
    keep: Annotated[tuple[str, ...], inputs.AttributeNames("Attributes that the direction must not touch, such as age,gender.")] = ()


@dataclass(frozen=True, eq=False)
class Part:
    """A part of another face, and where it goes.

    Attributes:
        reference: The other face.
        mask: 1 where the part lies in the reference's picture, (1,1,s,s) in any size.
        shift: How far the part moves to the right and down, as shares of the picture's side.
        strength: 0 leaves the source as it is, 1 takes the reference.
        layers: W+ layers that are taken over; all if not given.
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

    source: Annotated[Inversion, inputs.SeedFace("The face of the seed.")]
    parts: Annotated[tuple[Part, ...], inputs.SeedParts("The part that it takes over.", Part)] = ()


@dataclass(frozen=True, kw_only=True, eq=False)
class HierarchyRequest(Request):
    """Pictures that are made in stages, each from codes of its own.

    Attributes:
        codes: One for each picture; without any, the tied codes of a child that the seed draws.
    """

    codes: Annotated[
        tuple[FineCodes, ...], inputs.StagedCodes("Numbers of a background, a parent and a child, such as 12,2,12; once for each picture.")
    ] = ()


@dataclass(frozen=True, kw_only=True, eq=False)
class DrawingRequest(Request):
    """A picture of what a staged generator knows how to draw, whose codes are wanted.

    Attributes:
        image: (1,3,S,S) in any size.
    """

    image: Annotated[Image, inputs.PlainPicture("The picture whose codes are wanted.")]


KnobsT = TypeVar("KnobsT", bound=Knobs)
GeneratorT = TypeVar("GeneratorT", bound=AnyGenerator, default=Generator)
Run: TypeAlias = Coroutine[Progress, None, Result]


class Engine(ABC, Generic[RequestT, KnobsT, GeneratorT]):
    """One published method, bound to one generator, which it only reads: one with a W, or of the kind that its third argument says.

    Attributes:
        tunes_along: Whether it fine-tunes the generator to several photos at once, those `beside` the first.
        one_pass: Whether networks alone answer, in a second or two on a CPU: nobody waits for that behind runs of minutes.
        editable: Whether its codes are held where edits work, at the cost of distortion.

    Raises:
        CatalogueError: The generator lacks something that the method's card needs.
    """

    card: ClassVar[Card]
    accepts: ClassVar[type[Request]]
    knob_set: ClassVar[type[Knobs]]
    tunes_along: ClassVar[bool] = False
    one_pass: ClassVar[bool] = False
    editable: ClassVar[bool] = False

    def __init__(self, generator: GeneratorT) -> None:
        self.card.check(generator)
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


def on_device(image: Image, generator: AnyGenerator) -> Image:
    """A request's picture where the generator computes."""
    return image.to(generator.device, torch.float32)
