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

from engines.core.devices import usable
from engines.core.disk import check_folder
from engines.core.errors import CatalogueError, KnobError
from engines.core.memory import keep_pages
from engines.training.best_checkpoint import BestCheckpoint, restore
from engines.training.loop import Plan, Trainer
from engines.training.manifest import Records, add_option, chosen

log = logging.getLogger(__name__)
PresetT = TypeVar("PresetT", bound="Preset")
SettingT = TypeVar("SettingT", bound="Setting[Any]")

BEST = "best.pt"
"""The file of a run's best checkpoint, beside its last one."""
_SMOOTHING = 0.95
LARGEST_SEED = 10**9


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
        without: The components that are ablated.
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


class Evaluator(Protocol):
    """Evaluates a run now and then."""

    def baseline(self) -> Mapping[str, float]:
        """Figures to beat."""
        ...

    def evaluate(self, trainer: Trainer) -> tuple[Mapping[str, float], Pil.Image]:
        """Figures on held-out data, and a sheet of pictures."""
        ...


class Recipe(ABC, Generic[SettingT]):
    """How one network is made.

    Attributes:
        name: Of the recipe, and of its entry in assets/weights.toml.
        presets: "cpu" ends within two hours on two cores, "gpu" is the same at a larger size.
        components: Those that `without` may ablate.
        ships_ablations: Whether ablations ship too, under their own names.
    """

    name: str
    presets: ClassVar[Mapping[str, Any]]
    components: tuple[str, ...] = ()
    ships_ablations: bool = False

    def options(self, parser: argparse.ArgumentParser) -> None:
        """Add the recipe's own options to the command line."""

    @abstractmethod
    def setting(self, parsed: argparse.Namespace, common: Setting[Any]) -> SettingT:
        """The run that a command line asks for."""

    def shortened(self, preset: Any, without: frozenset[str]) -> Any:
        """The preset of an ablation without some components."""
        return preset

    @abstractmethod
    def trainer(self, setting: SettingT) -> Trainer:
        """A trainer at its first step, or at its checkpoint's."""

    @abstractmethod
    def evaluator(self, setting: SettingT) -> Evaluator:
        """What the log and the sheet show."""

    @abstractmethod
    def test(self, trainer: Trainer, setting: SettingT) -> Mapping[str, float]:
        """Figures of the averaged network on what no decision was made by."""

    @abstractmethod
    def shipped(self, trainer: Trainer, setting: SettingT) -> Mapping[str, Tensor]:
        """What ships: averaged weights by name, and whatever numbers it takes to build the network again."""

    def selection_metric(self, figures: Mapping[str, float]) -> float | None:
        """The model-selection metric of an evaluation, higher is better, where the best checkpoint ships; None where the last one does."""
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
    parser.add_argument("--without", action="append", default=[], choices=recipe.components, help="ablate one of the method's components")
    parser.add_argument("--every-minutes", type=float, default=5, help="between checkpoints")
    parser.add_argument("--validate-every", type=int, default=500, help="steps between evaluations on held-out data")
    add_option(parser, "measure on the test set and put weights, figures and log into")
    recipe.options(parser)
    parsed = parser.parse_args(arguments)
    _check_lengths(parsed)
    without = frozenset(parsed.without)
    preset = recipe.shortened(recipe.presets[parsed.preset], without)
    plan = replace(preset.plan, steps=parsed.steps or preset.plan.steps, hours=parsed.hours or preset.plan.hours)
    device = parsed.device or ("cuda" if parsed.preset == "gpu" else "cpu")
    if parsed.device is None and device == "cuda" and not torch.cuda.is_available():
        raise CatalogueError("The gpu preset came, and this machine has no CUDA device. Take --preset cpu.")
    usable(device)
    folder = parsed.folder or Path("build/training") / named(recipe.name, parsed.without)
    common = Setting(preset=replace(preset, plan=plan), folder=folder, seed=parsed.seed, without=without, device=device)
    return recipe.setting(parsed, common), parsed


def _check_lengths(parsed: argparse.Namespace) -> None:
    """Refuse lengths of a run that nothing can be trained by."""
    for name in ("hours", "steps", "every_minutes", "validate_every"):
        value = getattr(parsed, name)
        if value is not None and not 0 < value < math.inf:
            raise KnobError(f"--{name.replace('_', '-')} {value} came; a number above zero is wanted.")
    if abs(parsed.seed) > LARGEST_SEED:
        raise KnobError(f"--seed {parsed.seed} came; whole numbers from -{LARGEST_SEED} to {LARGEST_SEED} are taken.")


def run(recipe: Recipe[Any], arguments: Sequence[str] | None = None) -> int:
    """Train to the end, going on from where an earlier run stopped; returns the exit status."""
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    keep_pages()
    setting, parsed = settings(recipe, arguments)
    check_folder(setting.folder)
    records = None if parsed.record is None else chosen(parsed.record, setting.folder)
    trainer = recipe.trainer(setting)
    train(recipe, trainer, setting, every_seconds=60 * parsed.every_minutes, validate_every=parsed.validate_every)
    if records is not None:
        finish(recipe, trainer, setting, records)
        log.info("Recorded in %s.", records.folder)
    return 0


def finish(recipe: Recipe[SettingT], trainer: Trainer, setting: SettingT, records: Records) -> None:
    """Measure on the test set, and keep weights, figures and log; of an ablation often the log alone.

    Raises:
        OutputError: They cannot be written. The run's checkpoint stays, so that the same command records it again.
    """
    name, best = named(recipe.name, setting.without), restore(setting.folder / BEST, trainer, setting.device)
    figures = _rounded(recipe.test(trainer, setting))
    Journal(setting.folder / "log.jsonl", trainer.step).write({"step": trainer.step, "of": best, "test": figures})
    if recipe.ships_ablations or not setting.without:
        weights = {key: value.cpu() for key, value in recipe.shipped(trainer, setting).items()}
        origin = recipe.origin(trainer, setting) + ("" if best == trainer.step else f", best at {best}")
        records.record(name, weights, licence="MIT", origin=origin, metrics=figures)
    records.log(name, [json.loads(line) for line in (setting.folder / "log.jsonl").read_text().splitlines()])


def named(name: str, without: Iterable[str]) -> str:
    """A recipe's name, or that of its ablation without some components."""
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
    """Drive a trainer to its end with a log, checkpoints and evaluations on held-out data."""
    journal = Journal(setting.folder / "log.jsonl", trainer.step)
    evaluator, preset, best = recipe.evaluator(setting), setting.preset, BestCheckpoint(setting.folder / BEST, trainer)
    sizes = {name: value for name, value in vars(preset).items() if name != "plan"}
    how = {"seed": setting.seed, "steps": preset.plan.steps, "bfloat16": preset.plan.bfloat16, **sizes}
    if trainer.step > 0:
        journal.write({"step": trainer.step, "resumed": how})
    else:
        journal.write({"recipe": recipe.name, "without": sorted(setting.without), **how})
        journal.write({"step": 0, "baseline": _rounded(evaluator.baseline())})
    smooth: dict[str, float] = {}
    last_saved = time.monotonic()
    for figures in trainer.steps():
        smooth |= {name: _SMOOTHING * smooth.get(name, value) + (1 - _SMOOTHING) * value for name, value in figures.items()}
        smooth["rate"] = figures["rate"]
        if trainer.step % log_every == 0:
            journal.write({"step": trainer.step, "hours": round(trainer.spent / 3600, 4)} | _rounded(smooth))
        if trainer.step % validate_every == 0 or trainer.progress >= 1:
            found, sheet = evaluator.evaluate(trainer)
            journal.write({"step": trainer.step, "held_out": _rounded(found)})
            if (selection_metric := recipe.selection_metric(found)) is not None:
                best.offer(selection_metric)
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
