"""Train the mapping network of the small StyleMapGAN that ships, after its encoder and decoder, by faces whose z is known.

    studio train stylemapgan_8_mapping --preset cpu       # one core, minutes; also stylemapgan_4_mapping and stylemapgan_16_mapping
    studio train stylemapgan_8_mapping --preset cpu --without pictures    # no picture tells it what to say, stylemaps alone do

Kim et al., arXiv:2104.14754, train it against the discriminator, for which an hour of a CPU is too short (`stylemapgan`): what a mapping
network draws that nobody taught are masks. Here faces teach it. A face's stylemap along as many principal components as z has parts,
divided by their spread, is taken for the face's z. From that z the mapping network learns the stylemap that the encoder reads off the face;
and what the decoder makes of it is held against the face. Encoder and decoder stay as they are. What z does not tell of a face is averaged
over, so random faces are soft.

It begins linear: all layers but the last pass z on, and the last is fitted by least squares. That is most of it. From weights drawn at
random, nine layers said nearly the same stylemap to every z for two thousand steps.

Expected: Fréchet distances of random faces of .067, .049 and .052 for 4, 8 and 16 cells, where faces that the decoder redraws have .066,
.036 and .025, other true ones .007, and those of an untaught mapping .2 to .4. With an earlier decoder, which drew ghosts, the same z had
.12 for eight.

Tried and left: z from the large generator's w, along its principal components, tells less of the picture (for the decoder before this
one, Fréchet distances of random faces at 64 px of .055 and .045). `finegan`'s projected discriminator made that distance larger when the
mapping alone learnt from it. With the decoder learning too it fell from .055 to .051 in 300 updates, while redrawn faces went from .018
to .025 and looked worse.
"""

import copy
from collections.abc import Iterator, Mapping
from typing import ClassVar

import torch
import torch.nn.functional as F
from PIL import Image as Pil
from sklearn.decomposition import PCA
from torch import Tensor, nn

from engines.core.images import area, to_picture
from engines.core.shapes import Image
from engines.generators.stylemapgan import MAPPING, StyleMapGAN, bundled_stylemapgan, with_mapping
from engines.losses.perceptual import Perceptual
from engines.metrics.frechet import features, frechet
from engines.nets.equalised import Linear, unrectified
from engines.training.command import run
from engines.training.faces import PICTURES_OFF, FacePreset, FaceSetting, OnFaces
from engines.training.loop import Moment, Plan, Terms, TrainableModule, Trainer
from engines.training.recipes.stylemapgan import LPIPS_SIDE, enlarged_lpips, held_out_faces
from engines.training.samples import TEST, VALIDATION
from engines.training.schedules import constant
from engines.training.streams import Batch

WEIGHTS = {"stylemap": constant(0.1), "perceptual": constant(0.5)}
"""Pictures count as they do in `stylemapgan` at its end; the stylemap's error in its own deviations is several times theirs."""

_AWAY = 3.0
"""How far from the rectifier's bend z begins, in its own deviations."""

_LEAST, _RIDGE, _AT_ONCE, _ROWS, _COLUMNS = 0.02, 10.0, 64, 3, 8
"""Spread of a stylemap's value below which it counts as that much; weight of least squares' penalty in faces; faces that are
drawn at once, and that a sheet shows."""


class StyleMapMapping(OnFaces):
    """The mapping network of one side of the map."""

    presets: ClassVar = {
        "cpu": FacePreset(
            plan=Plan(150, hours=1, warm_up=10, averaging=0.95),
            batch=16,
            size=128,
            drawn_at=256,
            first=6_400,
            fresh=0,
            capacity=6_400,
        ),
        "gpu": FacePreset(
            plan=Plan(5_000, hours=0.3, warm_up=50, averaging=0.995),
            batch=64,
            size=128,
            drawn_at=256,
            first=60_000,
            fresh=0,
            capacity=60_000,
        ),
    }
    components = (PICTURES_OFF,)
    learning_rate = 2e-2

    def __init__(self, side: int) -> None:
        self.side, self.name = side, f"stylemapgan_{side}{MAPPING}"

    def untaught(self, setting: FaceSetting) -> StyleMapGAN:
        """The networks as they are without this recipe."""
        return bundled_stylemapgan(f"stylemapgan_{self.side}", str(setting.generator.device), taught=False)

    def trainer(self, setting: FaceSetting) -> Trainer:
        """The mapping network alone."""
        device, model = setting.generator.device, self.untaught(setting)
        size, perceptual = model.form.size, Perceptual(device)
        pairs = setting.pairs()

        def read(batch: Batch) -> tuple[Image, Tensor]:
            true = area(batch.target, size)
            return true, model.encode(true)

        maps = torch.cat([read(pairs(step))[1] for step in range(-setting.preset.first // setting.preset.batch, 0)])
        whitened, mapping = Whitened(maps, model.form.channels), copy.deepcopy(model.generator.mapping_z).requires_grad_(True)
        fit(mapping, whitened(maps), maps.flatten(1))
        spread = maps.std(dim=0).clamp(min=_LEAST)

        def objective(batch: Batch, moment: Moment) -> Iterator[Terms]:
            true, stylemap = read(batch)
            said = mapping(whitened(stylemap)).unflatten(1, spread.shape)
            terms = {"stylemap": ((said - stylemap) / spread).square().mean()}
            if PICTURES_OFF not in setting.without:
                drawn = model.generator(said)
                terms |= {"pixel": F.mse_loss(drawn, true), "perceptual": enlarged_lpips(perceptual, drawn, true, LPIPS_SIDE).mean()}
            yield terms

        module = TrainableModule(mapping, objective, WEIGHTS, self.learning_rate)
        return Trainer(setting.preset.plan, {"mapping": module}, pairs, setting.folder / "checkpoint.pt", device)

    def evaluator(self, setting: FaceSetting) -> "MappingEvaluator":
        """Faces that training never sees."""
        return MappingEvaluator(self, setting, VALIDATION)

    def test(self, trainer: Trainer, setting: FaceSetting) -> Mapping[str, float]:
        """The same of other faces, with how far other true faces are from them as a crowd."""
        evaluator, others = MappingEvaluator(self, setting, TEST), MappingEvaluator(self, setting, VALIDATION)
        figures, _ = evaluator.evaluate(trainer)
        return {**figures, **evaluator.baseline(), "frechet_others": evaluator.distance(others.faces)}

    def shipped(self, trainer: Trainer, setting: FaceSetting) -> Mapping[str, Tensor]:
        """The averaged mapping network."""
        return trainer.averaged["mapping"].state_dict()


class Whitened:
    """From a stylemap to the z that stands for it: its first principal components in their own deviations.

    Args:
        maps: Stylemaps of many faces, (N,C,s,s).
        count: Parts of z.
    """

    def __init__(self, maps: Tensor, count: int) -> None:
        found = PCA(count, svd_solver="randomized", random_state=0).fit(maps.flatten(1).cpu().numpy())
        mean, axes, spread = (torch.from_numpy(part).to(maps) for part in (found.mean_, found.components_, found.explained_variance_))
        self.mean, self.axes = mean, axes.T / spread.sqrt()

    def __call__(self, stylemap: Tensor) -> Tensor:
        """(B,count) of stylemaps (B,C,s,s)."""
        return (stylemap.flatten(1) - self.mean) @ self.axes


def fit(mapping: nn.Sequential, z: Tensor, maps: Tensor) -> None:
    """Make a mapping network say what least squares say of z (N,C): stylemaps (N,C*s*s), before the last rectifier."""
    layers = [layer for layer in mapping if isinstance(layer, Linear)]
    nothing = layers[0].bias.detach() * 0
    for place, layer in enumerate(layers[:-1]):
        layer.become(torch.eye(len(nothing)).to(nothing) * float(unrectified(torch.ones(()))), nothing + (0 if place else _AWAY))
    with torch.no_grad():
        passed = mapping[:-1](z)
    known = torch.cat([passed, torch.ones_like(passed[:, :1])], dim=1)
    penalty = _RIDGE * torch.eye(known.shape[1]).to(known)
    answer = torch.linalg.solve(known.T @ known + penalty, known.T @ unrectified(maps))
    layers[-1].become(answer[:-1].T, answer[-1])


class MappingEvaluator:
    """Random faces beside faces that training never sees.

    Args:
        recipe: Whose.
        setting: The run.
        seed: Of the faces.
    """

    def __init__(self, recipe: StyleMapMapping, setting: FaceSetting, seed: int) -> None:
        self.plain, self.seed = recipe.untaught(setting), setting.seed
        self.faces = held_out_faces(setting, seed, self.plain.form.size)
        self.perceptual = Perceptual(setting.generator.device)
        self.features = features(self.perceptual, self.faces)

    def distance(self, faces: Image) -> float:
        """Fréchet distance of a crowd of faces."""
        return frechet(features(self.perceptual, faces), self.features)

    def random(self, model: StyleMapGAN) -> Image:
        """As many random faces as there are true ones."""
        maps = model.sample(self.seed, len(self.faces), 1.0)
        return torch.cat([model.draw(part) for part in maps.split(_AT_ONCE)]).clamp(-1, 1)

    def baseline(self) -> Mapping[str, float]:
        """Random faces of the untrained mapping network."""
        return {"frechet_untaught": self.distance(self.random(self.plain))}

    def evaluate(self, trainer: Trainer) -> tuple[Mapping[str, float], Pil.Image]:
        """The distance of random faces, and a sheet of them."""
        random = self.random(with_mapping(self.plain, trainer.averaged["mapping"].state_dict()))
        rows = [torch.cat(list(random[start : start + _COLUMNS]), dim=2) for start in range(0, _ROWS * _COLUMNS, _COLUMNS)]
        return {"frechet_random": self.distance(random)}, to_picture(torch.cat(rows, dim=1)[None])


def main() -> None:
    """The command line of this file."""
    run(StyleMapMapping(8))


if __name__ == "__main__":
    main()
