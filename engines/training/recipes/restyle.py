"""Train ReStyle's residual heads, in pSp's form and in e4e's: from any earlier estimate first, then round after round.

    studio train restyle_psp --preset cpu                        # two cores, within two hours; also restyle_e4e
    studio train restyle_psp --preset cpu --without attempt      # the idea switched off: the heads never see their own last picture

First, the attempt is the average face or what the one-pass encoder of the same form says, not quite, and the heads learn what is left to
go. Then three rounds a batch from the average face, losses at each (arXiv:2104.02699, section 3.1), each back-propagated at once; the
next round's code and picture carry no gradient. Attempts that lay on the way to the true code were tried first: errors of that kind the
heads never make, and after three rounds of their own they were no better than the average face (latent loss 0.226).
"""

from collections.abc import Iterator
from functools import partial
from typing import ClassVar, NamedTuple

import torch
from torch import Tensor, nn

from engines.core.images import area
from engines.core.shapes import Codes, Image
from engines.generators.base import Generator
from engines.invert.encode.encoder import Scale, load_body, load_heads
from engines.invert.encode.psp import heads_for
from engines.invert.encode.restyle import Residual, residual, residual_heads
from engines.losses.latent import latent_distance, offset_norm
from engines.nets.heads import LevelHeads, OffsetHeads
from engines.nets.initial import seeded
from engines.nets.irse import Levels
from engines.training.command import Preset, Setting, run
from engines.training.encoding import Encoding
from engines.training.features import Features
from engines.training.loop import Moment, Plan, Player, Terms, Trainer
from engines.training.precision import lean
from engines.training.recipes.e4e import WEIGHTS, Rival, switched_on
from engines.training.recipes.psp import image_weights
from engines.training.redrawing import Redrawing, draw
from engines.training.samples import Guesses, Samples
from engines.training.streams import Batch, Read, Stream, WithAttempts
from engines.training.validation import Encode

ROUNDS = 3

CPU = Preset(
    Plan(steps=1_250, hours=2, bfloat16=True),
    batch=32,
    redrawn=4,
    size=128,
    drawn_at=256,
    first=6_400,
    fresh=0,
    capacity=6_400,
    remembered=True,
    begin=0.72,
)
GPU = Preset(Plan(steps=7_000, hours=1), batch=16, redrawn=16, size=256, drawn_at=256, first=4096, fresh=16, capacity=60_000, begin=0.45)


class Look(NamedTuple):
    """What residual heads are shown: a picture and an attempt at it, (B,3,S,S), and the body's features of both where they are known."""

    picture: Image
    attempt: Image
    levels: Levels | None = None
    attempt_levels: Levels | None = None


def look_of(batch: Batch) -> Look:
    """A batch's pictures and attempts."""
    return Look(batch.picture, batch.attempt, batch.levels, batch.attempt_levels)


def as_it_is(picture: Image, _: torch.Generator) -> Image:
    """No change."""
    return picture


def one_pass_heads(generator: Generator, base: str) -> LevelHeads | OffsetHeads:
    """The heads of the encoder whose form the residual takes, untrained."""
    heads = heads_for(generator)
    return heads if base == "psp" else OffsetHeads(heads)


class Guess:
    """What the one-pass encoder says of training faces.

    Args:
        setting: The run.
        base: The encoder.
        features: What the body sees in the faces, where that is kept.
    """

    def __init__(self, setting: Setting, base: str, features: Features | None) -> None:
        generator = setting.generator
        self.heads: nn.Module = load_heads(base, generator, lambda: one_pass_heads(generator, base))[0]
        self.body, self.scale = load_body(generator), Scale(generator)
        self.faces, self.features = setting.samples_of(Samples), features

    def __call__(self, rows: Tensor) -> Codes:
        """Codes of the active slots (N,16,width) of faces by number."""
        return self.scale.codes(residual(self.heads(self._levels(rows))))

    def _levels(self, rows: Tensor) -> Levels:
        if self.features is not None:
            return self.features(rows)
        self.faces.fill(int(rows.max()) + 1)
        return self.body(self.faces.pictures(rows))


class ReStyle(Encoding):
    """Residual heads over features of photo and attempt."""

    presets: ClassVar = {"cpu": CPU, "gpu": GPU}
    ideas = ("attempt", "pictures")
    learning_rate = 1e-3

    def __init__(self, base: str) -> None:
        self.base = base
        self.name = f"restyle_{base}"

    def heads(self, setting: Setting) -> nn.Module:
        """Heads before training."""
        return seeded(lambda: residual_heads(setting.generator, self.base), setting.seed)

    def assemble(self, body: nn.Module, heads: nn.Module) -> nn.Module:
        """Both pictures go through the body."""
        return Residual(body, heads)

    def stream(self, setting: Setting, network: nn.Module) -> Stream:
        """Pictures with an earlier guess at each, picture and code."""
        seen = super().stream(setting, network)
        guess = Guess(setting, self.base, seen.features if isinstance(seen, Read) else None)
        guesses = setting.samples_of(partial(Guesses, encoder=self.base, guess=guess), drawn_at=setting.preset.size)
        if not isinstance(seen, Read):
            return WithAttempts(seen, guesses)
        attempts = Features(guesses, network.get_submodule("body"), as_it_is, kind="drawn", seed=0)
        return Read(WithAttempts(seen.stream, guesses), seen.features, attempts)

    def change(self, network: nn.Module, look: Look, setting: Setting, progress: float) -> Codes:
        """What the heads would add, (B,16,width) in standard deviations of W."""
        seen = Look(look.picture, look.picture, look.levels, look.levels) if "attempt" in setting.without else look
        with lean(setting.generator.device, setting.preset.plan.bfloat16):
            return residual(network(*seen), switched_on(progress, len(setting.generator.slots.active) - 1))

    def trainer(self, setting: Setting) -> Trainer:
        """Heads, and for e4e's form the critic."""
        generator, preset = setting.generator, setting.preset
        scale, network = Scale(generator), self.network(setting)
        redrawing = Redrawing(generator, side=preset.size, larger=preset.size)
        rival = Rival(setting) if self.base == "e4e" else None

        def one_look(batch: Batch, moment: Moment) -> Iterator[Terms]:
            codes = batch.attempt_codes + scale.offsets(self.change(network, look_of(batch), setting, moment.progress))
            yield {"latent": latent_distance(codes, batch.codes, scale.deviation)} | dict(extra(codes, moment))

        def rounds(_: Batch, moment: Moment) -> Iterator[Terms]:
            side, (true_codes, target) = redrawing.at(moment), redrawing.target(preset.redrawn, moment)
            picture = area(target, preset.size)
            with torch.no_grad():
                codes, attempt = start(len(target), side)
            for _round in range(ROUNDS):
                codes = codes + scale.offsets(self.change(network, Look(picture, attempt), setting, moment.progress))
                image = draw(generator, codes, side)
                latent = latent_distance(codes, true_codes, scale.deviation)
                yield {"latent": latent} | dict(redrawing.compare(image, target)) | dict(extra(codes, moment))
                codes, attempt = codes.detach(), area(image.detach().clamp(-1, 1), preset.size)

        def start(count: int, side: int) -> tuple[Codes, Image]:
            codes = scale.mean[:, None].expand(count, len(generator.slots.active), -1)
            return codes, area(draw(generator, codes[:1], side).clamp(-1, 1), preset.size).expand(count, -1, -1, -1)

        def extra(codes: Codes, moment: Moment) -> Terms:
            if rival is None:
                return {}
            vectors = (codes - scale.mean) / scale.deviation
            return {"delta": offset_norm(vectors[:, 1:] - vectors[:, :1]), "convinced": rival.judged(vectors)}

        def objective(batch: Batch, moment: Moment) -> Iterator[Terms]:
            return (rounds if moment.progress >= preset.begin else one_look)(batch, moment)

        def criticism(batch: Batch, moment: Moment) -> Iterator[Terms]:
            assert rival is not None
            with torch.no_grad():
                change = self.change(network, look_of(batch), setting, moment.progress)
                vectors = change + (batch.attempt_codes - scale.mean) / scale.deviation
            yield rival.terms(vectors, moment)

        players = {"critic": rival.player(criticism)} if rival else {}
        players["encoder"] = Player(network, objective, image_weights(preset.begin) | WEIGHTS, self.learning_rate)
        return Trainer(preset.plan, players, self.stream(setting, network), setting.folder / "checkpoint.pt", generator.device)

    def encode(self, trainer: Trainer, setting: Setting) -> Encode:
        """Three rounds of the averaged network from the average face."""
        generator, preset, scale, network = setting.generator, setting.preset, Scale(setting.generator), trainer.averaged["encoder"]

        @torch.no_grad()
        def encode(picture: Tensor) -> Codes:
            codes = scale.mean[:, None].expand(len(picture), len(generator.slots.active), -1)
            for _ in range(ROUNDS):
                attempt = area(draw(generator, codes, preset.size).clamp(-1, 1), preset.size)
                change = self.change(network, Look(picture, attempt), setting, trainer.progress)
                codes = codes + scale.offsets(change)
            return codes

        return encode


def main() -> None:
    """The command line of this file."""
    run(ReStyle("psp"))


if __name__ == "__main__":
    main()
