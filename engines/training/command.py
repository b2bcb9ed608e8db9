"""What all recipes have in common: presets, their command line, the log, and the checkpoint every few minutes."""

import argparse
import json
import logging
import math
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import ClassVar, TypeVar

import torch

from engines.core.errors import CatalogueError
from engines.core.memory import keep_pages
from engines.data.degradations import spoilt
from engines.generators.base import Generator
from engines.registry import load_generator
from engines.training.features import Change
from engines.training.loop import Plan, Trainer
from engines.training.samples import TRAINING, Samples
from engines.training.streams import Changed, Pairs, Stream
from engines.training.validation import COUNT, PICTURES, Encode, HeldOut

log = logging.getLogger(__name__)
Drawn = TypeVar("Drawn", bound=Samples)
PICTURES_OFF = "pictures"
"""The idea whose lack ends a run where its image losses would begin: what other ideas are worth shows there, too, in minutes."""

_SMOOTHING = 0.95
_SIZES = ("batch", "size", "drawn_at", "first", "fresh", "capacity", "spoilt", "remembered", "redrawn", "begin")


@dataclass(frozen=True)
class Preset:
    """One size of a recipe.

    Attributes:
        plan: How long and how fast.
        batch: Pictures a step.
        size: Side of the pictures that the network sees.
        drawn_at: Exit that draws them.
        first: Samples before the first step.
        fresh: New samples a step.
        capacity: Samples in all.
        spoilt: Share of pictures that are corrupted as uploads are.
        remembered: Whether what the frozen body sees is kept on disk: each face is then spoilt in one way only, and steps cost a quarter.
        redrawn: Pictures a step that image losses draw.
        begin: Share of the run at which image losses begin.
    """

    plan: Plan
    batch: int
    size: int
    drawn_at: int
    first: int
    fresh: int
    capacity: int
    spoilt: float = 0.25
    remembered: bool = False
    redrawn: int = 4
    begin: float = 1.0


@dataclass(frozen=True)
class Setting:
    """One run of a recipe.

    Attributes:
        generator: Whose codes are learnt.
        preset: Its size.
        folder: Where checkpoint, log and sheets go.
        samples: Where drawn pictures are kept; runs may share it.
        seed: Decides all that is random.
        without: The ideas of the paper that are switched off, to see what they are worth.
        body: Checkpoint of `face_body` to start from; the bundled body if not given.
        own_body: Whether the method trains the body on, instead of sharing it.
        faces: Held-out faces.
    """

    generator: Generator
    preset: Preset
    folder: Path
    samples: Path
    seed: int
    without: frozenset[str] = frozenset()
    body: Path | None = None
    own_body: bool = False
    faces: int = COUNT

    def samples_of(self, kind: Callable[..., Drawn], drawn_at: int | None = None) -> Drawn:
        """The training set in the size that the network sees, drawn at the preset's exit unless another is given."""
        return kind(self.generator, self.samples, seed=TRAINING, size=self.preset.size, drawn_at=drawn_at or self.preset.drawn_at)

    def stream_seed(self, number: int) -> int:
        """Seed of one of a run's four streams of chance."""
        return 1_000_000 * self.seed + 250_000 * number

    def pairs(self, faces: type[Samples] = Samples) -> Pairs:
        """Pictures with their codes."""
        preset = self.preset
        return Pairs(
            self.samples_of(faces),
            preset.batch,
            seed=self.stream_seed(0),
            first=preset.first,
            fresh=preset.fresh,
            capacity=preset.capacity,
        )

    def stream(self, change: Change | None = None, faces: type[Samples] = Samples) -> Stream:
        """Pictures with their codes, changed anew at every step: the preset's share of them spoilt, unless another change is given."""
        return Changed(self.pairs(faces), spoilt(self.preset.spoilt) if change is None else change, seed=self.stream_seed(2))

    def held_out(self, kind: str = "validation", of: type[HeldOut] = HeldOut) -> HeldOut:
        """A held-out set in the size that the network sees."""
        return of(self.generator, self.samples, kind=kind, size=self.preset.size, count=self.faces)


class Recipe(ABC):
    """How one network is made.

    Attributes:
        name: Of the recipe, and of its entry in assets/weights.toml.
        presets: "cpu" ends within two hours on two cores, "gpu" is the same at a larger size.
        ideas: What `without` may name.
        held_out: What it is measured on.
    """

    name: str
    presets: ClassVar[Mapping[str, Preset]]
    ideas: tuple[str, ...] = ()
    held_out: type[HeldOut] = HeldOut

    @abstractmethod
    def trainer(self, setting: Setting) -> Trainer:
        """A trainer at its first step, or at its checkpoint's."""

    @abstractmethod
    def encode(self, trainer: Trainer, setting: Setting) -> Encode:
        """The averaged network as a function, to be measured."""

    @abstractmethod
    def record(self, trainer: Trainer, setting: Setting, metrics: Mapping[str, float]) -> None:
        """Put the averaged weights into assets/, with their figures."""


def settings(recipe: Recipe, arguments: Sequence[str] | None) -> tuple[Setting, argparse.Namespace]:
    """The run that a command line asks for."""
    parser = argparse.ArgumentParser(prog=f"studio train {recipe.name}", description=f"Train {recipe.name}.")
    parser.add_argument("--preset", choices=sorted(recipe.presets), default="cpu")
    parser.add_argument("--hours", type=float, help="end after this long, whatever the plan says")
    parser.add_argument("--steps", type=int, help="end after this many updates instead of the preset's")
    parser.add_argument("--device", default=None, help="cpu or cuda; by default what the preset is named after")
    parser.add_argument("--generator", default="ffhq")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--folder", type=Path, help="checkpoint, log and sheets; build/training/RECIPE by default")
    parser.add_argument("--samples", type=Path, default=Path("build/training/samples"), help="drawn pictures, shared by all recipes")
    parser.add_argument("--body", type=Path, help="a checkpoint of face_body to start from instead of the bundled body")
    parser.add_argument("--own-body", action="store_true", help="train the body too, for this method alone")
    parser.add_argument("--without", action="append", default=[], choices=recipe.ideas, help="switch one of the paper's ideas off")
    parser.add_argument("--every-minutes", type=float, default=5, help="between checkpoints")
    parser.add_argument("--validate-every", type=int, default=500, help="steps between looks at held-out faces")
    parser.add_argument("--faces", type=int, default=COUNT, help="held-out faces")
    parser.add_argument("--record", action="store_true", help="measure on the test set and put the weights into assets/")
    parsed = parser.parse_args(arguments)
    preset = recipe.presets[parsed.preset]
    if PICTURES_OFF in parsed.without:
        preset = replace(preset, begin=1.0, plan=replace(preset.plan, steps=round(preset.begin * preset.plan.steps)))
    plan = replace(preset.plan, steps=parsed.steps or preset.plan.steps, hours=parsed.hours or preset.plan.hours)
    device = parsed.device or ("cuda" if parsed.preset == "gpu" else "cpu")
    if device == "cuda" and not torch.cuda.is_available():
        raise CatalogueError("The gpu preset came, and this machine has no CUDA device. Take --preset cpu.")
    setting = Setting(
        generator=load_generator(parsed.generator, device),
        preset=replace(preset, plan=plan),
        folder=parsed.folder or Path("build/training") / named(recipe.name, parsed.without),
        samples=parsed.samples,
        seed=parsed.seed,
        without=frozenset(parsed.without),
        body=parsed.body,
        own_body=parsed.own_body,
        faces=parsed.faces,
    )
    return setting, parsed


def run(recipe: Recipe, arguments: Sequence[str] | None = None) -> int:
    """Train to the end, going on from where an earlier run stopped; returns the exit status."""
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    keep_pages()
    setting, parsed = settings(recipe, arguments)
    trainer = recipe.trainer(setting)
    train(recipe, trainer, setting, every_seconds=60 * parsed.every_minutes, validate_every=parsed.validate_every)
    if parsed.record:
        finish(recipe, trainer, setting)
    return 0


def finish(recipe: Recipe, trainer: Trainer, setting: Setting) -> None:
    """Measure on the test set, and put weights, figures and log into assets/; of a twin that lacks an idea the log alone."""
    from scripts.manifest import log as keep

    encode, test = recipe.encode(trainer, setting), setting.held_out("test", recipe.held_out)
    count = min(PICTURES, setting.faces)
    baseline = {f"average_{name}": value for name, value in test.pictures(test.average, count).items() if not name.endswith("_error")}
    figures = _rounded(test.latent(encode) | test.pictures(encode, count) | baseline | test.consistency(encode))
    Journal(setting.folder / "log.jsonl", trainer.step).write({"step": trainer.step, "test": figures})
    if not setting.without:
        recipe.record(trainer, setting, figures)
    keep(named(recipe.name, setting.without), [json.loads(line) for line in (setting.folder / "log.jsonl").read_text().splitlines()])


def named(name: str, without: Iterable[str]) -> str:
    """A recipe, or its twin that lacks some ideas."""
    return "-without-".join([name, *sorted(without)])


def train(
    recipe: Recipe, trainer: Trainer, setting: Setting, *, every_seconds: float = 300, validate_every: int = 500, log_every: int = 25
) -> None:
    """Drive a trainer to its end with a log, checkpoints and looks at held-out faces."""
    journal = Journal(setting.folder / "log.jsonl", trainer.step)
    held_out = setting.held_out(of=recipe.held_out)
    preset = setting.preset
    sizes = {name: getattr(preset, name) for name in _SIZES}
    how = {"seed": setting.seed, "steps": preset.plan.steps, "bfloat16": preset.plan.bfloat16, **sizes}
    if trainer.step > 0:
        journal.write({"step": trainer.step, "resumed": how})
    else:
        journal.write({"recipe": recipe.name, "without": sorted(setting.without), **how})
        journal.write({"step": 0, "baseline": _rounded(held_out.latent(held_out.average) | held_out.quick_pictures(held_out.average))})
    smooth: dict[str, float] = {}
    last_saved = time.monotonic()
    for figures in trainer.steps():
        smooth |= {name: _SMOOTHING * smooth.get(name, value) + (1 - _SMOOTHING) * value for name, value in figures.items()}
        smooth["rate"] = figures["rate"]
        if trainer.step % log_every == 0:
            journal.write({"step": trainer.step, "hours": round(trainer.spent / 3600, 4)} | _rounded(smooth))
        if trainer.step % validate_every == 0 or trainer.progress >= 1:
            encode = recipe.encode(trainer, setting)
            journal.write({"step": trainer.step, "held_out": _rounded(held_out.latent(encode) | held_out.quick_pictures(encode))})
            held_out.sheet(encode).save(setting.folder / "sheet.png")
        if time.monotonic() - last_saved > every_seconds:
            trainer.save()
            last_saved = time.monotonic()
    trainer.save()


class Journal:
    """A log of one JSON object a line; what a killed run wrote behind its checkpoint is dropped, since it is written again.

    Args:
        path: The file.
        step: Where the run goes on.
    """

    def __init__(self, path: Path, step: int) -> None:
        self.path = path
        path.parent.mkdir(parents=True, exist_ok=True)
        kept = []
        if path.exists() and step > 0:
            kept = [line for line in path.read_text(encoding="utf-8").splitlines() if json.loads(line).get("step", 0) <= step]
        path.write_text("".join(line + "\n" for line in kept), encoding="utf-8")

    def write(self, entry: Mapping[str, object]) -> None:
        """Add a line."""
        line = json.dumps(entry)
        log.info(line)
        with self.path.open("a", encoding="utf-8") as file:
            file.write(line + "\n")


def _rounded(figures: Mapping[str, float]) -> dict[str, float]:
    return {name: round(value, 5) for name, value in figures.items() if math.isfinite(value)}
