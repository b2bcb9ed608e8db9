"""Train StyleMapGAN itself, small: mapping, resizer, synthesis, encoder and discriminator jointly, on generated faces.

    studio train stylemapgan_8 --preset cpu --seed 1      # one core, half an hour; also stylemapgan_1, _4, _16: other sides of the map
    studio train stylemapgan_8 --preset cpu --without local        # ablation: no locality loss
    studio train stylemapgan_8 --preset gpu               # adversarial, and so with random faces

Kim et al., arXiv:2104.14754, section 3.4 and appendix: image reconstruction, LPIPS, the adversarial terms of random and of reconstructed
faces, the encoder's reconstruction of random stylemaps, R1 at every 16th step; mirrored pictures. Changed: both learn together, by the
sum of their losses, where the authors take turns; LPIPS is AlexNet's; pictures of 64 px; R1 weighs a tenth of the authors',
whose pictures have sixteen times as many pixels. Added:

- **Mixed latents.** Stylemaps of two faces are mixed in random rectangles of cells, and each pixel that is a cell or more from the border
  is held against the one face that it belongs to.
- **Locality** (`local`). One cell takes another face's value, and the share of the change that is more than a cell away is charged for.
- **LPIPS is computed on enlarged pictures, and has a weight warm-up.** At 64 px AlexNet's features reward the outlines of a mean face over
  every picture: networks trained on it from the first step drew that ghost into all faces, with an LPIPS of .06 at 64 px (eight cells) that
  people did not believe. Enlarged to 256 px, those networks had .49, .40, .33 and .25 for 1, 4, 8 and 16 cells (64 validation faces). Now
  squared errors come first, LPIPS at 128 px joins at a third of the run, and figures are of 256 px.
- **Without adversarial training Adam can have momentum.** The authors' Adam has none, at a rate of 0.002; after 400 updates of squared
  errors alone eight cells were at .061 so, at .058 with a momentum of .9, and with it at .045 and .040 at rates of .005 and .01, the CPU
  preset's.
- **Seams** (`seam`). Where two mixed stylemaps meet, the picture may jump no more than the two real faces do there, each in its own mean
  gradient; what goes beyond is charged for. Both charges on mixed latents grow in the second half of the run: a run that paid them in full
  from its first step was a seventh worse in squared errors after a thousand (eight cells).

Expected of 1, 4, 8 and 16 cells, 256 held-out faces: squared errors of .096, .048, .025 and .012, LPIPS of .37, .33, .24 and .17 at 256 px;
.974, .945 and .906 of a cell's change nearby; and borders of mixed latents jump 1.01, 1.25 and 1.19 times as much as the picture on
average. With a sixth of the charge on change and none on borders, all else equal, that was .955, .927 and .899, and 1.37, 1.41 and 1.42, at
errors of .046, .024 and .012. The ablation of eight cells without both charges: .893 and 1.37, at .024. Without mixed latents, and so
without `seam`: .951 and 1.36, at .026, and .027 outside an exchanged part where training on mixed latents leaves .026.

The CPU preset reconstructs only, at a falling rate. Adversarial training was tried twice, from a third and from half of a run on, with R1
of 10 and of 1: in 500 to 800 updates, at three times the time a step, the discriminator never told generated from real (its loss stayed
above chance's), random faces were coloured blots, and reconstructions got worse (held-out error from 0.042 to 0.049, and a training error
from 0.042 to 0.060). So its mapping network is untrained, until `stylemapgan_mapping` trains it. With one cell, the map is a vector: the
paper's claim switched off, in networks of the same widths.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import ClassVar

import torch
import torch.nn.functional as F
from PIL import Image as Pil
from torch import Tensor, nn

from engines.core.images import area, to_picture
from engines.core.shapes import Image, Mask
from engines.generators.stylemapgan import StyleMapGAN
from engines.losses.adversarial import discriminator_loss, generator_loss, r1_penalty
from engines.losses.perceptual import Perceptual
from engines.metrics.frechet import features, frechet
from engines.metrics.stylemaps import crossing, gradient, locality, mixed_latent_errors, rectangles, single_face_masks
from engines.nets.equalised import drawn_anew
from engines.nets.stylemapgan import Form, StyleMapDiscriminator, StyleMapEncoder, StyleMapGenerator, small_form
from engines.training.command import run
from engines.training.faces import FacePreset, FaceSetting, OnFaces
from engines.training.loop import Moment, Once, Plan, Terms, TrainableModule, Trainer, frozen
from engines.training.precision import lean
from engines.training.samples import TEST, VALIDATION, Samples
from engines.training.schedules import Schedule, constant, through
from engines.training.streams import Batch

SIDES = (1, 4, 8, 16)
R1_INTERVAL = 16
R1_WEIGHT = 0.5 * R1_INTERVAL
"""Half of R1's gamma of 1, times the lazy regularisation interval."""

WEIGHTS = {
    "r1": constant(R1_WEIGHT),
    "perceptual": through((0.3, 0.0), (0.4, 0.5)),
    "local": through((0.5, 0.05), (0.7, 0.3)),
}
"""Factors of losses that are not 1. LPIPS waits until colours and outlines are there, the losses on mixed latents for both."""

SEAM = 0.12
"""Factor of visible borders at the end, over the cells a side: the smaller a cell, the less room to blend without reaching further."""

LPIPS_SIDE, LPIPS_EVALUATION_SIDE = 128, 256
"""Sides at which LPIPS is computed, in training and in evaluation."""

_HELD_OUT, _CHANGED, _LEAST, _BESIDE = 256, 2, 1e-3, 1
"""Faces of a set; pairs a step of which one cell is exchanged; mean squared change of a picture below which it counts as that much; lines
of pixels on both sides of a border that count as the border."""


@dataclass(frozen=True, kw_only=True)
class MapPreset(FacePreset):
    """One size.

    Attributes:
        drawn: Side of the pictures that are drawn; `size` is that of the kept ones.
        channels: Of the stylemap.
        width: Of the features at 32 px and below; at 64 px half of them.
        mixed: Pairs a step whose stylemaps are mixed.
        rate: Of learning, at its height.
        momentum: Adam's first beta; the authors have none, since they train adversarially.
    """

    drawn: int = 64
    channels: int = 64
    width: int = 96
    mixed: int = 3
    rate: float = 2e-3
    momentum: float = 0.0

    def form(self, side: int) -> Form:
        """The networks' numbers."""
        return small_form(self.drawn, side, self.channels, self.width)


@dataclass(frozen=True, eq=False)
class Pictures:
    """A step's pictures, with their graph.

    Attributes:
        true: Drawn faces (B,3,S,S).
        again: What the encoder's stylemaps of them draw.
        random: What random stylemaps draw; None without adversarial training.
        stylemap: The random ones.
        mixed_latents: Mean squared error of mixed stylemaps' pictures, where each pixel belongs to one face; None with one cell.
        local: Share of the change by one exchanged cell that is further away than one cell; None with one cell.
        seam: How much more mixed latents jump at their borders than real faces do there, in their mean gradients; None with one cell.
    """

    true: Image
    again: Image
    random: Image | None
    stylemap: Tensor | None
    mixed_latents: Tensor | None
    local: Tensor | None
    seam: Tensor | None


class StyleMapFaces(OnFaces):
    """All networks of one side of the map."""

    presets: ClassVar = {
        "cpu": MapPreset(
            plan=Plan(2_000, hours=2, warm_up=50, averaging=0.998, bfloat16=True, last=0.02),
            batch=8,
            size=128,
            drawn_at=256,
            first=4_000,
            fresh=2,
            capacity=8_000,
            width=64,
            begin=1.0,
            rate=1e-2,
            momentum=0.9,
        ),
        "gpu": MapPreset(
            plan=Plan(22_000, hours=0.5, warm_up=1, averaging=0.999, last=1.0),
            batch=32,
            size=128,
            drawn_at=256,
            first=60_000,
            fresh=0,
            capacity=60_000,
            width=192,
            begin=0.0,
        ),
    }
    components = ("critic", "mixtures", "local", "seam")

    def __init__(self, side: int) -> None:
        self.side, self.name = side, f"stylemapgan_{side}"

    def shortened(self, preset: MapPreset, without: frozenset[str]) -> MapPreset:
        """Without adversarial training the run only reconstructs; without mixed latents, each stylemap stays whole and has no seam."""
        preset = replace(preset, begin=1.0) if "critic" in without else preset
        return replace(preset, mixed=0) if "mixtures" in without else preset

    def trainer(self, setting: FaceSetting) -> Trainer:
        """The discriminator, then encoder and generator."""
        preset, device = setting.preset, setting.generator.device
        assert isinstance(preset, MapPreset)
        form, perceptual = preset.form(self.side), Perceptual(device)
        generator, encoder, discriminator = (
            StyleMapGenerator(form).to(device),
            StyleMapEncoder(form).to(device),
            StyleMapDiscriminator(form).to(device),
        )
        for place, network in enumerate((generator, encoder, discriminator)):
            drawn_anew(network, setting.seed + place)

        count = preset.mixed if self.side > 1 else 0
        changed = _CHANGED if self.side > 1 and "local" not in setting.without else 0

        def mixed_latents(true: Image, drawn: Image, masks: Mask) -> Tensor:
            """Of mixed stylemaps: what each pixel far from a border should be is known, for it has one face."""
            inside, outside = single_face_masks(masks, form.size)
            errors = (drawn - true[:count]).square() * outside + (drawn - true.roll(1, 0)[:count]).square() * inside
            return errors.mean(dim=1).sum() / (inside + outside).sum().clamp(min=1)

        def seam(true: Image, drawn: Image, masks: Mask) -> Tensor:
            """Of mixed stylemaps: jumps at the borders beyond those of the two faces there, each in its picture's mean gradient."""
            borders = F.interpolate(masks, form.size, mode="nearest")

            def visible(picture: Image) -> Tensor:
                jumps, pairs = crossing(picture, borders, _BESIDE)
                return jumps / pairs.clamp(min=1) / gradient(picture).detach()

            faces = (visible(true[:count]) + visible(true.roll(1, 0)[:count])) / 2
            return F.relu((visible(drawn) - faces).mean())

        def strayed(before: Image, drawn: Image, cells: Mask) -> Tensor:
            """Of single exchanged cells: the share of the change that is further away."""
            change = (drawn - before).square().mean(dim=1, keepdim=True)
            far = 1 - F.interpolate(F.max_pool2d(cells, 3, 1, 1), form.size, mode="nearest")
            whole = change.mean(dim=(1, 2, 3)).detach().clamp(min=_LEAST)
            return ((change * far).mean(dim=(1, 2, 3)) / whole).mean()

        def drawn(batch: Batch, moment: Moment) -> Pictures:
            mirrored = torch.rand((len(batch.target), 1, 1, 1), generator=moment.chance) < 0.5
            true = area(batch.target, form.size)
            true = torch.where(mirrored.to(device), true.flip(3), true)
            masks = rectangles(count, self.side, moment.chance).to(device)
            cells = rectangles(changed, self.side, moment.chance, 1, 1).to(device)
            with lean(torch.device(device), preset.plan.bfloat16):
                maps = encoder(true)
                both = torch.cat([masks, cells]) > 0
                mixed = torch.where(both, maps.roll(1, 0)[: len(both)], maps[: len(both)])
                again, *parts = generator(torch.cat([maps, mixed])).float().split([len(maps), count, changed])
            error = mixed_latents(true, parts[0], masks) if count else None
            border = seam(true, parts[0], masks) if count and "seam" not in setting.without else None
            local = strayed(again[count : count + changed], parts[1], cells) if changed else None
            if moment.progress < preset.begin:
                return Pictures(true, again, None, None, error, local, border)
            stylemap = generator.map(torch.randn((len(true), form.channels), generator=moment.chance).to(device))
            return Pictures(true, again, generator(stylemap), stylemap, error, local, border)

        pictures = Once(drawn)

        def discriminator_objective(batch: Batch, moment: Moment) -> Iterator[Terms]:
            seen = pictures(batch, moment)
            if seen.random is None:
                return
            made = discriminator(torch.cat([seen.random, seen.again]).detach()).chunk(2)
            terms = {
                "discriminator": discriminator_loss(discriminator(seen.true), made[0]),
                "discriminator_reconstructed": F.softplus(made[1]).mean(),
            }
            if moment.step % R1_INTERVAL == 0:
                real = seen.true.requires_grad_()
                terms["r1"] = r1_penalty(discriminator(real), real)
            yield terms

        def objective(batch: Batch, moment: Moment) -> Iterator[Terms]:
            seen = pictures(batch, moment)
            terms = {"pixel": F.mse_loss(seen.again, seen.true)}
            if WEIGHTS["perceptual"](moment.progress):
                terms["perceptual"] = enlarged_lpips(perceptual, seen.again, seen.true, LPIPS_SIDE).mean()
            mixed = {"mixed_latents": seen.mixed_latents, "local": seen.local, "seam": seen.seam}
            terms |= {name: value for name, value in mixed.items() if value is not None}
            if seen.random is not None and seen.stylemap is not None:
                with frozen(discriminator):
                    terms |= {
                        "adversarial": generator_loss(discriminator(seen.random)),
                        "adversarial_reconstructed": generator_loss(discriminator(seen.again)),
                    }
                terms["latent"] = F.mse_loss(encoder(seen.random.detach()), seen.stylemap.detach())
            yield terms

        weights = factors(self.side)
        makers = nn.ModuleDict({"generator": generator, "encoder": encoder})
        share = R1_INTERVAL / (R1_INTERVAL + 1)
        modules = {
            "critic": TrainableModule(discriminator, discriminator_objective, WEIGHTS, share * preset.rate, (preset.momentum, 0.99**share)),
            "makers": TrainableModule(makers, objective, weights, preset.rate, (preset.momentum, 0.99)),
        }
        return Trainer(preset.plan, modules, setting.pairs(), setting.folder / "checkpoint.pt", device)

    def evaluator(self, setting: FaceSetting) -> "StyleMapEvaluator":
        """Faces that training never sees."""
        return StyleMapEvaluator(setting, VALIDATION)

    def test(self, trainer: Trainer, setting: FaceSetting) -> Mapping[str, float]:
        """Other faces: reconstruction, mixing, locality, and how far redrawn and random faces are from true ones as crowds."""
        evaluator, model = StyleMapEvaluator(setting, TEST), model_of(trainer)
        figures = dict(evaluator.evaluate(trainer)[0])
        if self.side > 1:
            figures |= mixed_latent_errors(model, evaluator.faces) | {"locality": locality(model, evaluator.faces)}
        others = StyleMapEvaluator(setting, VALIDATION).faces
        crowds = {"random": model.draw(model.sample(1, len(others), 1.0)), "again": evaluator.again(model), "others": others}
        seen = features(evaluator.perceptual, evaluator.faces)
        return figures | {
            f"frechet_{name}": frechet(features(evaluator.perceptual, faces.clamp(-1, 1)), seen) for name, faces in crowds.items()
        }

    def shipped(self, trainer: Trainer, setting: FaceSetting) -> Mapping[str, Tensor]:
        """Averaged generator and encoder, with the numbers of their form."""
        preset = setting.preset
        assert isinstance(preset, MapPreset)
        form = torch.tensor([preset.drawn, self.side, preset.channels, preset.width])
        return trainer.averaged["makers"].state_dict() | {"form": form}


def factors(side: int) -> Mapping[str, Schedule]:
    """Factors of the makers' losses by name, for a map of so many cells a side."""
    return WEIGHTS | {"seam": through((0.5, 0.0), (0.7, SEAM / side))}


def held_out_faces(setting: FaceSetting, seed: int, side: int) -> Image:
    """Faces of a set by its seed, (N,3,side,side) in [-1, 1]."""
    generator, count = setting.generator, min(_HELD_OUT, setting.faces)
    samples = Samples(generator, setting.samples, seed=seed, size=min(256, generator.resolution), drawn_at=generator.resolution)
    samples.fill(count)
    return area(samples.pictures(torch.arange(count)), side)


class StyleMapEvaluator:
    """Reconstruction of held-out faces.

    Args:
        setting: The run.
        seed: Of the faces.
    """

    def __init__(self, setting: FaceSetting, seed: int) -> None:
        assert isinstance(setting.preset, MapPreset)
        self.faces = held_out_faces(setting, seed, setting.preset.drawn)
        self.perceptual = Perceptual(setting.generator.device)

    def baseline(self) -> Mapping[str, float]:
        """The mean picture's figures."""
        return self._figures(self.faces.mean(dim=0, keepdim=True).expand_as(self.faces))

    @torch.no_grad()
    def evaluate(self, trainer: Trainer) -> tuple[Mapping[str, float], Pil.Image]:
        """Figures, and a sheet: faces, what the encoder's maps draw, random faces."""
        model = model_of(trainer)
        again = self.again(model)
        random = model.draw(model.sample(1, min(8, len(again)))).clamp(-1, 1)
        rows = [torch.cat(list(pictures[:8]), dim=2) for pictures in (self.faces, again, random)]
        return self._figures(again), to_picture(torch.cat(rows, dim=1)[None])

    def again(self, model: StyleMapGAN) -> Image:
        """The faces as their stylemaps draw them."""
        return torch.cat([model.draw(model.encode(part)) for part in self.faces.split(16)]).clamp(-1, 1)

    @torch.no_grad()
    def _figures(self, again: Image) -> Mapping[str, float]:
        errors = (again - self.faces).square().mean(dim=(1, 2, 3))
        lpips = torch.cat(
            [
                enlarged_lpips(self.perceptual, *pair, LPIPS_EVALUATION_SIDE)
                for pair in zip(again.split(16), self.faces.split(16), strict=True)
            ]
        )
        spread = len(errors) ** 0.5
        figures = {"mse": errors.mean(), "mse_error": errors.std() / spread, "lpips": lpips.mean(), "lpips_error": lpips.std() / spread}
        return {name: float(value) for name, value in figures.items()}


def enlarged_lpips(perceptual: Perceptual, first: Image, second: Image, side: int) -> Tensor:
    """LPIPS (B,) of small pictures (B,3,S,S), enlarged to a side: at 64 px AlexNet does not mind ghosts that people see at once."""
    return perceptual(*(F.interpolate(picture, side, mode="bilinear") for picture in (first, second)))


def model_of(trainer: Trainer) -> StyleMapGAN:
    """The averaged networks, to be asked."""
    makers = trainer.averaged["makers"]
    generator, encoder = makers.get_submodule("generator"), makers.get_submodule("encoder")
    assert isinstance(generator, StyleMapGenerator) and isinstance(encoder, StyleMapEncoder)
    return StyleMapGAN(generator.form, generator, encoder)


def main() -> None:
    """The command line of this file."""
    run(StyleMapFaces(8))


if __name__ == "__main__":
    main()
