"""The recipes of encoders over frozen trunks that have seen real pictures: ridge regression, then image losses on drawn and real faces."""

import argparse
import logging
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

import torch
from PIL import Image as Pil
from torch import Tensor, nn

from engines.core.images import area, to_picture
from engines.core.packed import packed
from engines.core.shapes import Codes, Image
from engines.faces.identity import identity_distance, identity_embedder
from engines.generators.base import Generator
from engines.invert.encode.pyramid import WIDTHS, Pyramid, PyramidEncoder
from engines.invert.encode.trunks import SIDE
from engines.losses.perceptual import Perceptual
from engines.nets.initial import seeded
from engines.nets.pyramid import READS, LevelMaps, PyramidHeads, still
from engines.spaces.statistics import statistics
from engines.training.closed_form import begin_with_ridge
from engines.training.command import Setting
from engines.training.faces import FaceEvaluator, FaceRecipe, FaceSetting
from engines.training.loop import Plan, Terms, Trainer
from engines.training.material import LOOKS_SEED, Fitted, PortraitPreset, PortraitSetting
from engines.training.real import Portraits
from engines.training.redrawing import Redrawing, draw
from engines.training.validation import Encode

log = logging.getLogger(__name__)

_COMPARED_AT, _NEAR, _BATCH, _SHOWN = 192, 100, 16, 12

CPU = PortraitPreset(plan=Plan(steps=3_000, hours=2), batch=6, size=SIDE, drawn_at=SIDE, first=3_584, fresh=0, capacity=3_584, redrawn=2)
GPU = PortraitPreset(
    plan=Plan(steps=20_000, hours=1), batch=32, size=SIDE, drawn_at=SIDE, first=4_096, fresh=0, capacity=16_384, redrawn=12, real=20
)


class Student(nn.Module):
    """What descent moves: maps of components, and heads.

    Args:
        generator: Whose codes.
        counts: Components of each level.
        reads: As of `PyramidHeads`.
    """

    def __init__(self, generator: Generator, counts: Sequence[int], reads: Sequence[int] = READS) -> None:
        super().__init__()
        self.maps = LevelMaps(counts, WIDTHS)
        self.heads = still(PyramidHeads(WIDTHS, generator.slots, generator.width, reads=reads))
        self.basis = nn.Parameter(statistics(generator).components.clone(), False)

    def forward(self, levels: list[Tensor]) -> Codes:
        """(B,16,width) in whitened components."""
        return self.heads(self.maps(levels))

    def offsets(self, numbers: Codes) -> Codes:
        """Offsets (B,16,width) from W's mean, of whitened components."""
        return numbers @ self.basis


class OnTrunks(FaceRecipe):
    """An encoder on the trunks' pyramid.

    Attributes:
        reads: How many levels each group of layers reads.
    """

    presets: ClassVar = {"cpu": CPU, "gpu": GPU}
    reads: ClassVar[tuple[int, ...]] = READS

    def reads_of(self, setting: FaceSetting) -> tuple[int, ...]:
        """How many levels each group of layers reads in a run."""
        return self.reads

    def student(self, material: Fitted) -> Student:
        """What descent moves, at the ridge regression from the drawn faces' components to their codes."""
        setting, generator = material.setting, material.setting.generator
        student = seeded(lambda: Student(generator, material.counts, self.reads_of(setting)), setting.seed).to(generator.device)
        known, codes, heads = statistics(generator), material.samples.codes(torch.arange(material.count)), student.heads
        groups = [[slot for slot, group in enumerate(heads.group_of_slot) if group == place] for place in range(len(heads.reads))]
        wanted = torch.stack([codes[:, slots].mean(dim=1) for slots in groups], dim=1)
        white = torch.linalg.solve(student.basis.T.double(), (wanted - known.mean).double().transpose(1, 2)).transpose(1, 2).float()
        weigh = (student.basis / known.deviation).square().mean(dim=1).sqrt()  # so that squares add up to sigma's
        error = begin_with_ridge(student.maps, heads, material.levels["drawn"], white, weigh)
        log.info("Ridge regression: %.3f sigma on faces that were held out of it.", error)
        return student

    def options(self, parser: argparse.ArgumentParser) -> None:
        """Faces, and the portraits' folder."""
        super().options(parser)
        parser.add_argument("--portraits", type=Path, default=Path("build/portraits"), help="aligned portraits: train/ and validation/")

    def setting(self, parsed: argparse.Namespace, common: Setting[Any]) -> PortraitSetting:
        """The run that a command line asks for."""
        return PortraitSetting(**vars(super().setting(parsed, common)), portraits=parsed.portraits)

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

    def __init__(self, *given: Any, material: Fitted) -> None:
        self.material = material
        super().__init__(*given)


def folded(student: nn.Module, material: Fitted, generator: Generator) -> PyramidEncoder:
    """Student and components as one network over the trunks' features."""
    assert isinstance(student, Student)
    network = PyramidEncoder(generator, student.heads.reads)
    network.narrowed.load_state_dict(material.narrowed.state_dict())
    network.heads.load_state_dict(student.heads.state_dict())
    with torch.no_grad():
        network.basis.copy_(student.basis)
        for whole, part, component in zip(network.maps.linears, student.maps.linears, material.components, strict=True):
            weight, bias = component.folded(part.weight, part.bias)
            whole.weight.copy_(weight)
            whole.bias.copy_(bias)
    return network.to(generator.device).eval().requires_grad_(False)


def compared(redrawing: Redrawing, image: Image, target: Image) -> Terms:
    """Losses of drawn pictures beside their targets, at the side at which portraits are compared."""
    return redrawing.compare(area(image, _COMPARED_AT), area(target, _COMPARED_AT))


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

    def __init__(self, recipe: OnTrunks, setting: PortraitSetting) -> None:
        super().__init__(recipe, setting)
        portraits = Portraits(setting.portraits / "validation", setting.samples, seed=LOOKS_SEED, looks=1)
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
