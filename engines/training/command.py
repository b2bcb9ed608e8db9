"""What all recipes have in common: presets, their command line, the log, and the checkpoint every few minutes."""

import argparse
import json
import logging
import math
import time
from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, ClassVar, Generic, Protocol, TypeVar

import torch
from PIL import Image as Pil
from torch import Tensor

from engines.core.errors import CatalogueError
from engines.core.memory import keep_pages
from engines.training.best import Best, restore
from engines.training.loop import Plan, Trainer

log = logging.getLogger(__name__)
PresetT = TypeVar("PresetT", bound="Preset")
SettingT = TypeVar("SettingT", bound="Setting[Any]")

BEST = "best.pt"
"""The file, beside a run's checkpoint, that the network of its best look is kept in."""
_SMOOTHING = 0.95


@dataclass(frozen=True, kw_only=True)
class Preset:
    """One size of a recipe.

    Attributes:
        plan: How long and how fast.
        batch: Pictures a step.
        size: Side of the pictures that the network sees.
    """

    plan: Plan
    batch: int
    size: int


@dataclass(frozen=True, kw_only=True)
class Setting(Generic[PresetT]):
    """One run of a recipe.

    Attributes:
        preset: Its size.
        folder: Where checkpoint, log and sheets go.
        seed: Decides all that is random.
        without: The ideas of the paper that are switched off, to see what they are worth.
        device: Where it is computed.
    """

    preset: PresetT
    folder: Path
    seed: int = 1
    without: frozenset[str] = frozenset()
    device: str = "cpu"

    def stream_seed(self, number: int) -> int:
        """Seed of one of a run's four streams of chance."""
        return 1_000_000 * self.seed + 250_000 * number


class Watch(Protocol):
    """How a run is doing, asked now and then."""

    def baseline(self) -> Mapping[str, float]:
        """Figures to beat."""
        ...

    def look(self, trainer: Trainer) -> tuple[Mapping[str, float], Pil.Image]:
        """Figures on what was held out, and a picture to look at."""
        ...


class Recipe(ABC, Generic[SettingT]):
    """How one network is made.

    Attributes:
        name: Of the recipe, and of its entry in assets/weights.toml.
        presets: "cpu" ends within two hours on two cores, "gpu" is the same at a larger size.
        ideas: What `without` may name.
        keeps_twins: Whether twins that lack an idea ship too, under their own names.
    """

    name: str
    presets: ClassVar[Mapping[str, Any]]
    ideas: tuple[str, ...] = ()
    keeps_twins: bool = False

    def options(self, parser: argparse.ArgumentParser) -> None:
        """Add the recipe's own options to the command line."""

    @abstractmethod
    def setting(self, parsed: argparse.Namespace, common: Setting[Any]) -> SettingT:
        """The run that a command line asks for."""

    def shortened(self, preset: Any, without: frozenset[str]) -> Any:
        """The preset of a twin that lacks some ideas."""
        return preset

    @abstractmethod
    def trainer(self, setting: SettingT) -> Trainer:
        """A trainer at its first step, or at its checkpoint's."""

    @abstractmethod
    def watch(self, setting: SettingT) -> Watch:
        """What the log and the sheet show."""

    @abstractmethod
    def test(self, trainer: Trainer, setting: SettingT) -> Mapping[str, float]:
        """Figures of the averaged network on what no decision was made by."""

    @abstractmethod
    def shipped(self, trainer: Trainer, setting: SettingT) -> Mapping[str, Tensor]:
        """What ships: averaged weights by name, and whatever numbers it takes to build the network again."""

    def merit(self, figures: Mapping[str, float]) -> float | None:
        """How good a look's figures are, where the best look's network ships; None where the last one's does."""
        return None

    def origin(self, trainer: Trainer, setting: SettingT) -> str:
        """Where the weights come from: this recipe's file, seed, steps and time."""
        file = type(self).__module__.replace(".", "/")
        return f"{file}.py, seed {setting.seed}, {trainer.step} steps of {setting.preset.batch}, {trainer.spent / 60:.0f} minutes"


def settings(recipe: Recipe[SettingT], arguments: Sequence[str] | None) -> tuple[SettingT, argparse.Namespace]:
    """The run that a command line asks for."""
    parser = argparse.ArgumentParser(prog=f"studio train {recipe.name}", description=f"Train {recipe.name}.")
    parser.add_argument("--preset", choices=sorted(recipe.presets), default="cpu")
    parser.add_argument("--hours", type=float, help="end after this long, whatever the plan says")
    parser.add_argument("--steps", type=int, help="end after this many updates instead of the preset's")
    parser.add_argument("--device", default=None, help="cpu or cuda; by default what the preset is named after")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--folder", type=Path, help="checkpoint, log and sheets; build/training/RECIPE by default")
    parser.add_argument("--without", action="append", default=[], choices=recipe.ideas, help="switch one of the paper's ideas off")
    parser.add_argument("--every-minutes", type=float, default=5, help="between checkpoints")
    parser.add_argument("--validate-every", type=int, default=500, help="steps between looks at what was held out")
    parser.add_argument("--record", action="store_true", help="measure on the test set and put the weights into assets/")
    recipe.options(parser)
    parsed = parser.parse_args(arguments)
    without = frozenset(parsed.without)
    preset = recipe.shortened(recipe.presets[parsed.preset], without)
    plan = replace(preset.plan, steps=parsed.steps or preset.plan.steps, hours=parsed.hours or preset.plan.hours)
    device = parsed.device or ("cuda" if parsed.preset == "gpu" else "cpu")
    if device == "cuda" and not torch.cuda.is_available():
        raise CatalogueError("The gpu preset came, and this machine has no CUDA device. Take --preset cpu.")
    folder = parsed.folder or Path("build/training") / named(recipe.name, parsed.without)
    common = Setting(preset=replace(preset, plan=plan), folder=folder, seed=parsed.seed, without=without, device=device)
    return recipe.setting(parsed, common), parsed


def run(recipe: Recipe[Any], arguments: Sequence[str] | None = None) -> int:
    """Train to the end, going on from where an earlier run stopped; returns the exit status."""
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    keep_pages()
    setting, parsed = settings(recipe, arguments)
    trainer = recipe.trainer(setting)
    train(recipe, trainer, setting, every_seconds=60 * parsed.every_minutes, validate_every=parsed.validate_every)
    if parsed.record:
        finish(recipe, trainer, setting)
    return 0


def finish(recipe: Recipe[SettingT], trainer: Trainer, setting: SettingT) -> None:
    """Measure on the test set, and put weights, figures and log into assets/; of a twin that lacks an idea often the log alone."""
    from scripts.manifest import log as keep
    from scripts.manifest import record

    name, best = named(recipe.name, setting.without), restore(setting.folder / BEST, trainer, setting.device)
    figures = _rounded(recipe.test(trainer, setting))
    Journal(setting.folder / "log.jsonl", trainer.step).write({"step": trainer.step, "of": best, "test": figures})
    if recipe.keeps_twins or not setting.without:
        weights = {key: value.cpu() for key, value in recipe.shipped(trainer, setting).items()}
        origin = recipe.origin(trainer, setting) + ("" if best == trainer.step else f", best at {best}")
        record(name, weights, licence="MIT", origin=origin, metrics=figures)
    keep(name, [json.loads(line) for line in (setting.folder / "log.jsonl").read_text().splitlines()])


def named(name: str, without: Iterable[str]) -> str:
    """A recipe, or its twin that lacks some ideas."""
    return "-without-".join([name, *sorted(without)])


def train(
    recipe: Recipe[SettingT],
    trainer: Trainer,
    setting: SettingT,
    *,
    every_seconds: float = 300,
    validate_every: int = 500,
    log_every: int = 25,
) -> None:
    """Drive a trainer to its end with a log, checkpoints and looks at what was held out."""
    journal = Journal(setting.folder / "log.jsonl", trainer.step)
    watch, preset, best = recipe.watch(setting), setting.preset, Best(setting.folder / BEST, trainer)
    sizes = {name: value for name, value in vars(preset).items() if name != "plan"}
    how = {"seed": setting.seed, "steps": preset.plan.steps, "bfloat16": preset.plan.bfloat16, **sizes}
    if trainer.step > 0:
        journal.write({"step": trainer.step, "resumed": how})
    else:
        journal.write({"recipe": recipe.name, "without": sorted(setting.without), **how})
        journal.write({"step": 0, "baseline": _rounded(watch.baseline())})
    smooth: dict[str, float] = {}
    last_saved = time.monotonic()
    for figures in trainer.steps():
        smooth |= {name: _SMOOTHING * smooth.get(name, value) + (1 - _SMOOTHING) * value for name, value in figures.items()}
        smooth["rate"] = figures["rate"]
        if trainer.step % log_every == 0:
            journal.write({"step": trainer.step, "hours": round(trainer.spent / 3600, 4)} | _rounded(smooth))
        if trainer.step % validate_every == 0 or trainer.progress >= 1:
            found, sheet = watch.look(trainer)
            journal.write({"step": trainer.step, "held_out": _rounded(found)})
            if (merit := recipe.merit(found)) is not None:
                best.offer(merit)
            sheet.save(setting.folder / "sheet.png")
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
