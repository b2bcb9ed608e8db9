"""Train pSp: heads over frozen trunks that have seen real pictures, by ridge regression, then by image losses on drawn and real faces.

    python -m scripts.align_portraits build/portraits ...    # 892 official portraits in the public domain; its file says from where
    studio train psp --preset cpu --portraits build/portraits
    studio train psp --preset cpu --portraits build/portraits --without levels      # ablation: every layer is told from the coarsest level
    studio train psp --preset cpu --portraits build/portraits --without portraits   # ablation: drawn faces alone

Losses are the paper's (arXiv:2008.00951, section 3.2), identity at a weight of 0.3: there is no ArcFace here. Portraits have no codes:
their losses are of pictures alone. Drawn faces keep a latent loss as well. A weak prior holds every layer where W has its faces: this
generator draws no face far outside, and what is lost there is lost in editing.
"""

import argparse
import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import torch
from PIL import Image as Pil
from torch import Tensor, nn

from engines.core.images import area, to_picture
from engines.core.packed import packed
from engines.core.seeds import rng
from engines.core.shapes import Codes, Image
from engines.data.degradations import spoilt
from engines.faces.identity import identity_distance, identity_embedder
from engines.generators.base import Generator
from engines.invert.encode.pyramid import WIDTHS, Pyramid, PyramidEncoder
from engines.invert.encode.trunks import SIDE, TAPS, Trunks
from engines.losses.latent import latent_distance
from engines.losses.perceptual import Perceptual
from engines.nets.heads import GROUPS, group_of_slot
from engines.nets.initial import seeded
from engines.nets.pyramid import LevelMaps, Narrowed, PyramidHeads, still
from engines.spaces.statistics import statistics
from engines.training import checkpoints
from engines.training.closed_form import Components, begin_with_ridge, fit_channels, fit_components
from engines.training.command import Setting, run
from engines.training.faces import FaceEvaluator, FacePreset, FaceRecipe, FaceSetting
from engines.training.features import Change
from engines.training.loop import Moment, Plan, Terms, TrainableModule, Trainer
from engines.training.reading import Seen
from engines.training.real import Portraits
from engines.training.redrawing import Redrawing, draw
from engines.training.samples import Samples
from engines.training.schedules import constant
from engines.training.validation import Encode

log = logging.getLogger(__name__)

LOOKS, LATENT_BATCH, COUNTS = 5, 96, (640, 384, 384)
"""Looks of each portrait, drawn faces of a step's latent loss, and components of each level, coarse to fine."""

_FIT = "fit.pt"
_FITTED = {"drawn": 1500, "train": 800}
_ENERGY, _NOISE, _COMPARED_AT, _NEAR = 256.0, 0.15, 192, 100
_AT_ONCE, _BATCH, _SHOWN = 512, 16, 12
_LOOKS_SEED, _REAL_SEED, _DRAWN_SEED = 40_000_000, 41_000_000, 42_000_000
_SETS = (("train", LOOKS), ("validation", 1))


@dataclass(frozen=True, kw_only=True)
class PortraitPreset(FacePreset):
    """One size of a recipe that learns from portraits, too.

    Attributes:
        real: Portraits a step; `redrawn` counts the drawn faces beside them.
    """

    real: int = 4


@dataclass(frozen=True, kw_only=True)
class PortraitSetting(FaceSetting):
    """One run of it.

    Attributes:
        portraits: Folder with `train/` and `validation/`: aligned JPEG files of 256 px.
    """

    portraits: Path


@dataclass(frozen=True, eq=False)
class Examples:
    """One step's: what is redrawn, and what has codes.

    Attributes:
        levels: Components of the pictures that are redrawn, (B,K) a level.
        target: Those pictures, (B,3,256,256).
        coded: Components of drawn faces, (N,K) a level.
        codes: Their codes, active slots, (N,16,width).
    """

    levels: list[Tensor]
    target: Image
    coded: list[Tensor]
    codes: Codes


WEIGHTS = {"pixel": 1.0, "perceptual": 0.8, "identity": 0.3, "latent": 0.6, "near": 0.005, "far": 0.1, "off": 0.02}
"""Of the losses, by name."""


class Student(nn.Module):
    """What descent moves: maps of components, and heads.

    Args:
        generator: Whose codes.
        counts: Components of each level.
        split: As of `PyramidEncoder`.
    """

    def __init__(self, generator: Generator, counts: Sequence[int], *, split: bool = True) -> None:
        super().__init__()
        self.maps = LevelMaps(counts, WIDTHS)
        self.heads = still(PyramidHeads(WIDTHS, generator.slots, generator.width, split=split))
        self.basis = nn.Parameter(statistics(generator).components.clone(), False)

    def forward(self, levels: list[Tensor]) -> Codes:
        """(B,16,width) in whitened components."""
        return self.heads(self.maps(levels))


class Material:
    """All that a run reads: faces and portraits as components of what the trunks see in them.

    Args:
        setting: The run.
    """

    def __init__(self, setting: PortraitSetting) -> None:
        self.setting, self.trunks, self.count = setting, Trunks(setting.generator.device), setting.preset.capacity
        self.samples = setting.samples_of(Samples)
        self.samples.fill(self.count)
        self.portraits = {
            name: Portraits(setting.portraits / name, setting.samples, seed=_LOOKS_SEED, looks=looks) for name, looks in _SETS
        }
        seen = {"drawn": self._seen(self.samples.pictures, self.count, spoilt(0.5), _DRAWN_SEED, self.samples.path)}
        for name, portraits in self.portraits.items():
            change = spoilt(0.5 if name == "train" else 0.0)
            seen[name] = self._seen(portraits.pictures, len(portraits), change, _REAL_SEED, portraits.path)
        kept = checkpoints.load(setting.folder / _FIT) or self._fitted(seen)
        self.narrowed = Narrowed(TAPS)
        self.narrowed.load_state_dict(kept["narrowed"])
        self.components = [Components(*each) for each in kept["components"]]
        self.levels = {name: self.of(self._vectors(self.narrowed, each)) for name, each in seen.items()}

    def _fitted(self, seen: Mapping[str, Seen]) -> dict[str, Any]:
        """What turns features into components, fitted and kept: weights that go on from a checkpoint mean nothing beside another fit."""
        first = [seen[name](torch.arange(len(seen[name]))[:count]) for name, count in _FITTED.items()]
        module = fit_channels(Narrowed(TAPS), torch.cat(first))
        both = [torch.cat(pair) for pair in zip(*(self._vectors(module, seen[name]) for name in ("drawn", "train")), strict=True)]
        found = [fit_components(each, count, _ENERGY * count / sum(COUNTS)) for each, count in zip(both, COUNTS, strict=True)]
        kept = {"narrowed": module.state_dict(), "components": [(each.mean, each.basis) for each in found]}
        checkpoints.save(self.setting.folder / _FIT, kept)
        return kept

    @property
    def counts(self) -> list[int]:
        """Components of each level."""
        return [len(each.basis) for each in self.components]

    def of(self, vectors: Sequence[Tensor]) -> list[Tensor]:
        """Components of narrowed features, a level each."""
        return [each(vector) for each, vector in zip(self.components, vectors, strict=True)]

    def _seen(self, pictures: Callable[[Tensor], Image], count: int, change: Change, seed: int, path: Path) -> Seen:
        log.info("The trunks look at %d pictures of %s.", count, path.stem)
        seen = Seen(pictures, self.trunks, change, seed=seed, path=path.with_name(f"{path.stem}_trunks_{seed}.f16"))
        seen.fill(count)
        return seen

    @staticmethod
    @torch.no_grad()
    def _vectors(module: Narrowed, seen: Seen) -> list[Tensor]:
        parts = [module(seen(rows)) for rows in torch.arange(len(seen)).split(_AT_ONCE)]
        return [torch.cat(level) for level in zip(*parts, strict=True)]

    def examples(self, step: int) -> Examples:
        """What a step sees."""
        preset, chance = _preset(self.setting), rng(self.setting.stream_seed(0) + step)
        train, drawn = self.levels["train"], self.levels["drawn"]
        real = torch.randint(len(train[0]), (self.real,), generator=chance)
        redrawn = torch.randint(self.count, (preset.redrawn + preset.real - self.real,), generator=chance)
        coded = torch.randint(self.count, (LATENT_BATCH,), generator=chance)
        levels = [torch.cat([ours[real], theirs[redrawn]]) for ours, theirs in zip(train, drawn, strict=True)]
        levels = [level + _NOISE * torch.randn(level.shape, generator=chance) for level in levels]
        target = torch.cat([self.portraits["train"].pictures(real), self.samples.pictures(redrawn)])
        return Examples(levels, target, [level[coded] for level in drawn], self.samples.codes(coded))

    @property
    def real(self) -> int:
        """Portraits a step."""
        return 0 if "portraits" in self.setting.without else _preset(self.setting).real


def _preset(setting: FaceSetting) -> PortraitPreset:
    assert isinstance(setting.preset, PortraitPreset)
    return setting.preset


class Psp(FaceRecipe):
    """Level-split heads on the trunks' pyramid."""

    name = "psp"
    presets: ClassVar = {
        "cpu": PortraitPreset(
            plan=Plan(steps=3_000, hours=2), batch=6, size=SIDE, drawn_at=SIDE, first=3_584, fresh=0, capacity=3_584, redrawn=2
        ),
        "gpu": PortraitPreset(
            plan=Plan(steps=20_000, hours=1), batch=32, size=SIDE, drawn_at=SIDE, first=4_096, fresh=0, capacity=16_384, redrawn=12, real=20
        ),
    }
    components: tuple[str, ...] = ("levels", "portraits")
    learning_rate = 1.5e-4

    def options(self, parser: argparse.ArgumentParser) -> None:
        """Faces, and the portraits' folder."""
        super().options(parser)
        parser.add_argument("--portraits", type=Path, default=Path("build/portraits"), help="aligned portraits: train/ and validation/")

    def setting(self, parsed: argparse.Namespace, common: Setting[Any]) -> PortraitSetting:
        """The run that a command line asks for."""
        return PortraitSetting(**vars(super().setting(parsed, common)), portraits=parsed.portraits)

    def trainer(self, setting: FaceSetting) -> Trainer:
        """Heads on pictures and codes."""
        assert isinstance(setting, PortraitSetting)
        generator, material = setting.generator, Material(setting)
        known, redrawing = statistics(generator), Redrawing(generator)
        student = seeded(lambda: Student(generator, material.counts, split="levels" not in setting.without), setting.seed).to(
            generator.device
        )
        self._begin(student, material, generator)

        def objective(batch: Examples, moment: Moment) -> Iterator[Terms]:
            numbers = student(batch.levels)
            codes = known.mean + numbers @ student.basis
            drawn = draw(generator, codes, redrawing.at(moment))
            terms = dict(redrawing.compare(area(drawn, _COMPARED_AT), area(batch.target, _COMPARED_AT)))
            coded = known.mean + student(batch.coded) @ student.basis
            yield terms | {"latent": latent_distance(coded, batch.codes, known.deviation)} | dict(spread(numbers))

        weights = {name: constant(value) for name, value in WEIGHTS.items()}
        modules = {"encoder": TrainableModule(student, objective, weights, self.learning_rate, (0.9, 0.98))}
        given = (setting.preset.plan, modules, material.examples, setting.folder / "checkpoint.pt", generator.device)
        return PortraitTrainer(*given, material=material)

    @staticmethod
    def _begin(student: Student, material: Material, generator: Generator) -> None:
        """Ridge regression from the drawn faces' components to their codes."""
        known, groups = statistics(generator), group_of_slot(generator.slots)
        codes = material.samples.codes(torch.arange(material.count))[:, [groups.index(place) for place in range(len(GROUPS))]]
        white = torch.linalg.solve(student.basis.T.double(), (codes - known.mean).double().transpose(1, 2)).transpose(1, 2).float()
        weigh = (student.basis / known.deviation).square().mean(dim=1).sqrt()  # so that squares add up to sigma's
        error = begin_with_ridge(student.maps, student.heads, material.levels["drawn"], white, weigh)
        log.info("Ridge regression: %.3f sigma on faces that were held out of it.", error)

    def encode(self, trainer: Trainer, setting: FaceSetting) -> Encode:
        """The averaged network, folded, behind its trunks."""
        assert isinstance(trainer, PortraitTrainer)
        return Pyramid(folded(trainer.averaged["encoder"], trainer.material, setting.generator), setting.generator).encode

    def evaluator(self, setting: FaceSetting) -> FaceEvaluator:
        """Held-out portraits beside held-out drawn faces."""
        assert isinstance(setting, PortraitSetting)
        return PortraitEvaluator(self, setting)

    def selection_metric(self, figures: Mapping[str, float]) -> float | None:
        """LPIPS of held-out portraits and of held-out drawn faces, together."""
        return -figures["real_lpips"] - figures["lpips"]

    def test(self, trainer: Trainer, setting: FaceSetting) -> Mapping[str, float]:
        """The drawn faces' figures, and the held-out portraits'."""
        assert isinstance(setting, PortraitSetting)
        real = PortraitEvaluator(self, setting).real(self.encode(trainer, setting))
        return dict(super().test(trainer, setting)) | real

    def shipped(self, trainer: Trainer, setting: FaceSetting) -> Mapping[str, Tensor]:
        """The averaged network, its large kernels in 8 bits."""
        assert isinstance(trainer, PortraitTrainer)
        return packed(folded(trainer.averaged["encoder"], trainer.material, setting.generator).state_dict())


class PortraitTrainer(Trainer):
    """A trainer that remembers what it reads, since the components are part of the network."""

    def __init__(self, *given: Any, material: Material) -> None:
        self.material = material
        super().__init__(*given)


def folded(student: nn.Module, material: Material, generator: Generator) -> PyramidEncoder:
    """Student and components as one network over the trunks' features."""
    assert isinstance(student, Student)
    network = PyramidEncoder(generator, split=student.heads.split)
    network.narrowed.load_state_dict(material.narrowed.state_dict())
    network.heads.load_state_dict(student.heads.state_dict())
    with torch.no_grad():
        network.basis.copy_(student.basis)
        for whole, part, component in zip(network.maps.linears, student.maps.linears, material.components, strict=True):
            weight, bias = component.folded(part.weight, part.bias)
            whole.weight.copy_(weight)
            whole.bias.copy_(bias)
    return network.to(generator.device).eval().requires_grad_(False)


def spread(numbers: Codes) -> Terms:
    """How far codes (B,16,width), in whitened components, are from where W has its faces, and their layers from each other."""
    off = numbers - numbers.mean(dim=1, keepdim=True)
    near, far = (part.square().sum() / max(1, part.numel()) for part in (numbers[..., :_NEAR], numbers[..., _NEAR:]))
    return {"near": near, "far": far, "off": off.square().mean()}


class PortraitEvaluator(FaceEvaluator):
    """How a run does on held-out portraits and drawn faces.

    Args:
        recipe: Whose.
        setting: The run.
    """

    def __init__(self, recipe: Psp, setting: PortraitSetting) -> None:
        super().__init__(recipe, setting)
        portraits = Portraits(setting.portraits / "validation", setting.samples, seed=_LOOKS_SEED, looks=1)
        self.portraits = portraits.pictures(torch.arange(len(portraits)))

    def evaluate(self, trainer: Trainer) -> tuple[Mapping[str, float], Pil.Image]:
        """Figures, and portraits above what their codes draw."""
        encode = self.recipe.encode(trainer, self.setting)
        rows = [torch.cat(list(images[:_SHOWN]), dim=2) for images in (area(self.portraits, 128), area(self._redrawn(encode), 128))]
        return self._figures(encode), to_picture(torch.cat(rows, dim=1)[None])

    def _figures(self, encode: Encode) -> Mapping[str, float]:
        return self.held_out.latent(encode) | self.held_out.quick_pictures(encode) | self.real(encode)

    @torch.no_grad()
    def _redrawn(self, encode: Encode) -> Image:
        parts = (area(draw(self.setting.generator, encode(part), SIDE), SIDE) for part in self.portraits.split(_BATCH))
        return torch.cat(list(parts)).clamp(-1, 1)

    @torch.no_grad()
    def real(self, encode: Encode) -> dict[str, float]:
        """Squared error, LPIPS and identity distance of held-out portraits at the 256 px exit."""
        device = self.setting.generator.device
        perceptual, embedder, drawn = Perceptual(device), identity_embedder(str(device)), self._redrawn(encode)
        pairs = list(zip(drawn.split(_BATCH), self.portraits.split(_BATCH), strict=True))
        far = torch.cat([identity_distance(embedder.embed(ours), embedder.embed(theirs)) for ours, theirs in pairs])
        return {
            "real_mse": float((drawn - self.portraits).square().mean()),
            "real_lpips": float(torch.cat([perceptual(*pair) for pair in pairs]).mean()),
            "real_identity_distance": float(far.mean()),
        }


def main() -> None:
    """The command line of this file."""
    run(Psp())


if __name__ == "__main__":
    main()
