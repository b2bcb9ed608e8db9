"""Train the encoder and the decoder of changes on sequences of faces in which one factor changes.

    python -m engines.training.tables.delta_sequences        # once: the sequences
    studio train delta_ffhq --preset cpu                     # one core, a minute or two

After Diamant, Sandor and Bronstein, arXiv:2111.08419. Delta = E(a_i + n, a_j + n), the same noise on both frames; the change is given
back to the face that it comes from, and transferred to another one:

    | a_j - a_i - D(a_i, Delta) |^2 + | b_j - b_i - D(b_i + n', Delta) |^2

and there and back, which is ours: | D(b_i, Delta) + D(b_i + D(b_i, Delta), -Delta) |^2. Each is over the mean square of its factor's
changes, so that no factor counts for more because it moves codes farther. Layers, noise, weights and the number of dimensions are our
choice too; the paper's are not known to us. A little noise of its own on each frame keeps E from overfitting inversions' errors.
Codes are coordinates along 80 principal components of W for each of the 16 active slots. Identities are split 70 to 15 to 15, and frames
never are. Run it with --validate-every 50: the best checkpoint by validation ships.
"""

import argparse
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import torch
from PIL import Image as Pil
from torch import Tensor

from engines import load_generator
from engines.core.images import to_picture
from engines.data.changes import HIDDEN, DeltaSpace, mean_deltas, packed
from engines.generators.base import Generator
from engines.nets.delta import DeltaNet
from engines.nets.initial import plain
from engines.training.changes.dataset import Pairs, Sampler, Sequences, read_sequences
from engines.training.changes.sequences import FOLDER
from engines.training.command import Preset, Recipe, Setting, run
from engines.training.loop import Moment, Plan, TrainableModule, Trainer
from engines.training.schedules import constant

CODE_NOISE, FRAME_NOISE = 0.5, 0.1
"""Standard deviation of the noise on codes, the same on both frames, and of that on single frames, in deviations of W."""

WEIGHTS = {"back": constant(5.0)}

STORED = 4
"""Identities whose sequences ship, those of the test first."""


@dataclass(frozen=True, kw_only=True)
class DeltaPreset(Preset):
    """Sizes of the networks; `size` is not used.

    Attributes:
        hidden: Width of the hidden layers.
    """

    hidden: int = HIDDEN


@dataclass(frozen=True, kw_only=True)
class DeltaSetting(Setting[DeltaPreset]):
    """One run.

    Attributes:
        generator: Whose codes they are.
        sequences: What is learnt from.
        dims: Numbers of a change.
        factors: Rows of the factors that are learnt; all if not given.
    """

    generator: Generator
    sequences: Sequences
    dims: int = 32
    factors: tuple[int, ...] | None = None


class Delta(Recipe[DeltaSetting]):
    """E and D of the bundled generator."""

    name = "delta_ffhq"
    presets: ClassVar = {
        "cpu": DeltaPreset(plan=Plan(600, hours=0.15, warm_up=100, averaging=0.99), batch=64, size=1),
        "gpu": DeltaPreset(plan=Plan(6_000, hours=0.1, warm_up=100, averaging=0.995), batch=128, size=1, hidden=128),
    }
    components = ("transfer", "back", "noise")
    learning_rate = 1e-3

    def options(self, parser: argparse.ArgumentParser) -> None:
        """Where the sequences are, and the dimension."""
        parser.add_argument("--sequences", type=Path, default=FOLDER, help="what engines.training.tables.delta_sequences made")
        parser.add_argument("--dims", type=int, default=32, help="numbers of a change")

    def setting(self, parsed: argparse.Namespace, common: Setting[Any]) -> DeltaSetting:
        """The run that a command line asks for."""
        generator = load_generator("ffhq", common.device)
        return DeltaSetting(**vars(common), generator=generator, sequences=read_sequences(generator, parsed.sequences), dims=parsed.dims)

    def trainer(self, setting: DeltaSetting) -> Trainer:
        """Both networks as one module."""
        sampler, preset, device = Sampler(setting.sequences, "train", setting.factors), setting.preset, setting.device
        values = sampler.values.shape[-1]
        net = plain(lambda: DeltaNet(values, setting.dims, preset.hidden), setting.seed).to(device)

        def objective(pairs: Pairs, moment: Moment) -> Iterator[Mapping[str, Tensor]]:
            yield losses(net, pairs, setting, moment)

        def stream(step: int) -> Pairs:
            return sampler(preset.batch, setting.stream_seed(0) + step)

        module = TrainableModule(net, objective, WEIGHTS, self.learning_rate)
        return Trainer(preset.plan, {"net": module}, stream, setting.folder / "checkpoint.pt", device)

    def evaluator(self, setting: DeltaSetting) -> "DeltaEvaluator":
        """Transfers between identities that training never sees."""
        return DeltaEvaluator(setting, "validate")

    def selection_metric(self, figures: Mapping[str, float]) -> float:
        """The smallest error of transfers."""
        return -figures["transfer"]

    def test(self, trainer: Trainer, setting: DeltaSetting) -> Mapping[str, float]:
        """The same between the identities of the test."""
        evaluator = DeltaEvaluator(setting, "test")
        return {**evaluator.evaluate(trainer)[0], **evaluator.baseline()}

    def shipped(self, trainer: Trainer, setting: DeltaSetting) -> Mapping[str, Tensor]:
        """The averaged networks with the mean changes, and the sequences of some identities."""
        return packed(space_of(trainer, setting.sequences))


def losses(net: DeltaNet, pairs: Pairs, setting: DeltaSetting, moment: Moment) -> Mapping[str, Tensor]:
    """The errors of a batch."""
    before, after = pairs.a
    other, wanted = pairs.b
    code, frame = torch.zeros(2, *before.shape), torch.zeros(2, *before.shape)
    if "noise" not in setting.without:
        code = CODE_NOISE * torch.randn(code.shape, generator=moment.chance)
        frame = FRAME_NOISE * torch.randn(frame.shape, generator=moment.chance)
    delta = net.encode(before + code[0] + frame[0], after + code[0] + frame[1])
    terms = {"own": _error(net.decode(before + code[0], delta), after - before, pairs.weight)}
    there = net.decode(other + code[1], delta)
    if "transfer" not in setting.without:
        terms["transferred"] = _error(there, wanted - other, pairs.weight)
    if "back" not in setting.without:
        terms["back"] = _error(net.decode(other + code[1] + there, -delta), -there, pairs.weight)
    return terms


def _error(made: Tensor, wanted: Tensor, weight: Tensor) -> Tensor:
    return (weight * (made - wanted).square().mean(dim=1)).mean()


class DeltaEvaluator:
    """How near a transferred change comes to the face's own.

    Args:
        setting: The run.
        role: Whose identities are measured.
    """

    def __init__(self, setting: DeltaSetting, role: str) -> None:
        sampler = Sampler(setting.sequences, role, setting.factors)  # type: ignore[arg-type]
        self.pairs, self.setting = sampler.every(), setting

    def baseline(self) -> Mapping[str, float]:
        """The plain difference in place of the network."""
        return {"transfer_plain": self._relative(self.pairs.a[1] - self.pairs.a[0])}

    @torch.no_grad()
    def evaluate(self, trainer: Trainer) -> tuple[Mapping[str, float], Pil.Image]:
        """Root mean square error over the root mean square of the changes, of transfers and of giving back; and a sheet."""
        net: Any = trainer.averaged["net"]
        delta = net.encode(*self.pairs.a)
        own = (net.decode(self.pairs.a[0], delta) - (self.pairs.a[1] - self.pairs.a[0])).square().sum()
        size = (self.pairs.a[1] - self.pairs.a[0]).square().sum()
        figures = {"transfer": self._relative(net.decode(self.pairs.b[0], delta)), "own": float((own / size).sqrt())}
        return figures, self.sheet(net)

    def _relative(self, made: Tensor) -> float:
        """Mean over factors, so that no factor counts for more."""
        wanted = self.pairs.b[1] - self.pairs.b[0]
        found = []
        for factor in self.pairs.factor.unique():
            rows = self.pairs.factor == factor
            found.append((made[rows] - wanted[rows]).square().sum() / wanted[rows].square().sum())
        return float(torch.stack(found).mean().sqrt())

    def sheet(self, net: DeltaNet) -> Pil.Image:
        """A transfer a row: before, the other face's own frame, the transferred one."""
        generator, rows = self.setting.generator, torch.linspace(0, len(self.pairs.factor) - 1, 6).long()
        before, wanted = self.pairs.b[:, rows]
        made = before + net.decode(before, net.encode(*self.pairs.a[:, rows]))
        frame, slots = self.setting.sequences.coordinates, len(generator.slots.active)
        size = generator.exits[0]
        lines = []
        for codes in (before, wanted, made):
            drawn = generator.synthesize(frame.mean + frame.change(codes.unflatten(1, (slots, -1))), size=size)
            lines.append(torch.cat(list(drawn.clamp(-1, 1)), dim=2))
        return to_picture(torch.cat(lines, dim=1)[None])


def space_of(trainer: Trainer, sequences: Sequences) -> DeltaSpace:
    """What was learnt, as the engine takes it."""
    net: Any = trainer.averaged["net"]
    training = sequences.places("train")
    values = (sequences.neutral[None, :, None] + sequences.offsets)[:, training]
    deltas = {factor.name: mean_deltas(net, values[place]) for place, factor in enumerate(sequences.factors)}
    order = [*sequences.places("test"), *training][:STORED]
    stored = {factor.name: sequences.offsets[place][order] for place, factor in enumerate(sequences.factors)}
    return DeltaSpace(net, sequences.coordinates, deltas, tuple(sequences.identities[place] for place in order), stored)


def main() -> None:
    """The command line of this file."""
    run(Delta())


if __name__ == "__main__":
    main()
