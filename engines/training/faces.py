"""What the recipes on drawn faces have in common: their sizes, their streams, and how they are measured."""

import argparse
from abc import abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import ClassVar, TypeVar

from PIL import Image as Pil

from engines.data.degradations import spoilt
from engines.generators.base import Generator
from engines.registry import load_generator
from engines.training.command import Preset, Recipe, Setting
from engines.training.features import Change
from engines.training.loop import Trainer
from engines.training.samples import TRAINING, Samples
from engines.training.streams import Changed, Kind, Pairs, Stream
from engines.training.validation import COUNT, PICTURES, Encode, HeldOut

Drawn = TypeVar("Drawn", bound=Samples)
PICTURES_OFF = "pictures"
"""The component without which a run ends where its image losses would begin: other ablations can be compared there, too, in minutes."""


@dataclass(frozen=True, kw_only=True)
class FacePreset(Preset):
    """One size of a recipe on faces.

    Attributes:
        drawn_at: Exit that draws them.
        first: Samples before the first step.
        fresh: New samples a step.
        capacity: Samples in all.
        spoilt: Share of pictures that are corrupted as uploads are.
        remembered: Whether what the frozen body sees is kept on disk: each face is then spoilt in one way only, and steps cost a quarter.
        redrawn: Pictures a step that image losses draw.
        begin: Share of the run at which image losses begin.
    """

    drawn_at: int
    first: int
    fresh: int
    capacity: int
    spoilt: float = 0.25
    remembered: bool = False
    redrawn: int = 4
    begin: float = 1.0


@dataclass(frozen=True, kw_only=True)
class FaceSetting(Setting[FacePreset]):
    """One run of a recipe on faces.

    Attributes:
        generator: Whose codes are learnt.
        samples: Where drawn pictures are kept; runs may share it.
        body: Checkpoint of `face_body` to start from; the bundled body if not given.
        own_body: Whether the method trains the body on, instead of sharing it.
        faces: Held-out faces.
    """

    generator: Generator
    samples: Path
    body: Path | None = None
    own_body: bool = False
    faces: int = COUNT

    def samples_of(self, kind: Callable[..., Drawn], drawn_at: int | None = None) -> Drawn:
        """The training set in the size that the network sees, drawn at the preset's exit unless another is given."""
        return kind(self.generator, self.samples, seed=TRAINING, size=self.preset.size, drawn_at=drawn_at or self.preset.drawn_at)

    def pairs(self, faces: type[Samples] = Samples, kind: Kind = "both") -> Pairs:
        """Pictures with their codes, of all samples or of one kind."""
        preset = self.preset
        return Pairs(
            self.samples_of(faces),
            preset.batch,
            seed=self.stream_seed(0),
            first=preset.first,
            fresh=preset.fresh,
            capacity=preset.capacity,
            kind=kind,
        )

    def stream(self, change: Change | None = None, faces: type[Samples] = Samples) -> Stream:
        """Pictures with their codes, changed anew at every step: the preset's share of them spoilt, unless another change is given."""
        return Changed(self.pairs(faces), spoilt(self.preset.spoilt) if change is None else change, seed=self.stream_seed(2))

    def held_out(self, kind: str = "validation", of: type[HeldOut] = HeldOut) -> HeldOut:
        """A held-out set in the size that the network sees."""
        return of(self.generator, self.samples, kind=kind, size=self.preset.size, count=self.faces)


class OnFaces(Recipe[FaceSetting]):
    """A recipe that learns from faces that the generator drew."""

    presets: ClassVar[Mapping[str, FacePreset]]

    def options(self, parser: argparse.ArgumentParser) -> None:
        """Faces, and the body to stand on."""
        parser.add_argument("--generator", default="ffhq")
        parser.add_argument("--samples", type=Path, default=Path("build/training/samples"), help="drawn pictures, shared by all recipes")
        parser.add_argument("--body", type=Path, help="a checkpoint of face_body to start from instead of the bundled body")
        parser.add_argument("--own-body", action="store_true", help="train the body too, for this method alone")
        parser.add_argument("--faces", type=int, default=COUNT, help="held-out faces")

    def setting(self, parsed: argparse.Namespace, common: Setting[FacePreset]) -> FaceSetting:
        """The run that a command line asks for."""
        return FaceSetting(
            **vars(common),
            generator=load_generator(parsed.generator, common.device),
            samples=parsed.samples,
            body=parsed.body,
            own_body=parsed.own_body,
            faces=parsed.faces,
        )


class FaceRecipe(OnFaces):
    """A recipe whose network says codes of faces.

    Attributes:
        held_out: What it is measured on.
    """

    held_out: type[HeldOut] = HeldOut

    @abstractmethod
    def encode(self, trainer: Trainer, setting: FaceSetting) -> Encode:
        """The averaged network as a function, to be measured."""

    def shortened(self, preset: FacePreset, without: frozenset[str]) -> FacePreset:
        """Without image losses the run ends where they would begin."""
        if PICTURES_OFF not in without:
            return preset
        return replace(preset, begin=1.0, plan=replace(preset.plan, steps=round(preset.begin * preset.plan.steps)))

    def evaluator(self, setting: FaceSetting) -> "FaceEvaluator":
        """The validation set."""
        return FaceEvaluator(self, setting)

    def test(self, trainer: Trainer, setting: FaceSetting) -> Mapping[str, float]:
        """Codes and full pictures of the test set beside the average face's, and editing consistency."""
        encode, test = self.encode(trainer, setting), setting.held_out("test", self.held_out)
        count = min(PICTURES, setting.faces)
        average = test.pictures(test.average, count)
        baseline = {f"average_{name}": value for name, value in average.items() if not name.endswith("_error")}
        return test.latent(encode) | test.pictures(encode, count) | baseline | test.consistency(encode)


class FaceEvaluator:
    """How a run on faces is doing.

    Args:
        recipe: Whose.
        setting: The run.
    """

    def __init__(self, recipe: FaceRecipe, setting: FaceSetting) -> None:
        self.recipe, self.setting = recipe, setting
        self.held_out = setting.held_out(of=recipe.held_out)

    def baseline(self) -> Mapping[str, float]:
        """The average face's figures."""
        return self._figures(self.held_out.average)

    def evaluate(self, trainer: Trainer) -> tuple[Mapping[str, float], Pil.Image]:
        """Figures of held-out faces, and some of them to look at."""
        encode = self.recipe.encode(trainer, self.setting)
        return self._figures(encode), self.held_out.sheet(encode)

    def _figures(self, encode: Encode) -> Mapping[str, float]:
        return self.held_out.latent(encode) | self.held_out.quick_pictures(encode)
