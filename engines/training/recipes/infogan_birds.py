"""Train a flat code on paper birds, as InfoGAN has it: one code for everything that a bird and its place may be, FineGAN's baseline.

    studio train infogan_birds --preset cpu               # one core, half an hour

Chen et al., arXiv:1606.03657, with as many categories as FineGAN has child codes (Singh, Ojha, Lee, arXiv:1811.11155, table 1 compares
with it). Nothing tells the code whether to be a shape, a coat or a place, and no box is needed. Changed: the generator is FineGAN's first
two stages without a mask, the critics are FineGAN's, and Q is a network of its own that reads through noise: what is
compared is a flat code with a hierarchy, not one network with another.

The code becomes coat and place, which the critics see first; of the shape it says next to nothing. The run that ships was ended at 1 780 of
2 400 updates, after half an hour beside another run.

The paper's own networks do not bear pictures of 64 px here: five runs of them either did not heed the code or collapsed to one pattern
within 1 150 updates.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import ClassVar

import torch
import torch.nn.functional as F
from PIL import Image as Pil
from torch import Tensor, nn

from engines.core.images import to_picture
from engines.core.seeds import normal
from engines.core.shapes import Image
from engines.generators.flat import FlatGAN
from engines.losses.adversarial import convinced
from engines.metrics.birds import flat
from engines.nets.finegan import FlatGenerator, Form
from engines.nets.finegan_critics import CodeCritic
from engines.training.command import Preset, run
from engines.training.datasets.birds import Birds
from engines.training.drawn import TEST, VALIDATION, BirdRecipe, BirdSetting
from engines.training.fine_game import Features, placed
from engines.training.loop import Moment, Once, Plan, Player, Terms, Trainer, still
from engines.training.poses import clouded
from engines.training.precision import lean
from engines.training.recipes.finegan import BETAS, SLOPE_EVERY, apart
from engines.training.schedules import constant, through

WEIGHTS = {"code": constant(3.0), "features_convinced": constant(10.0), "slope": constant(0.5 * SLOPE_EVERY)}
CLOUDS = through((0.035, 0.03), (0.283, 0.15))
"""Noise that the reader sees through, where black to white is 2."""


@dataclass(frozen=True, kw_only=True)
class FlatPreset(Preset):
    """One size.

    Attributes:
        categories: Values of the code.
        noise: Length of z.
        width: Of the generator's last features.
        halvings: See `Form`.
        critics: Width of the critic's and of the reader's first features.
    """

    categories: int = 50
    noise: int = 16
    width: int
    halvings: int
    critics: int

    @property
    def form(self) -> Form:
        """The generator's numbers."""
        return Form(self.categories, self.categories, self.noise, self.width, self.size, self.halvings)


class InfoBirds(BirdRecipe):
    """A flat code of fifty values."""

    name = "infogan_birds"
    presets: ClassVar = {
        "cpu": FlatPreset(
            plan=Plan(2_400, hours=0.6, warm_up=1, averaging=0.998, last=1.0, bfloat16=True),
            batch=16,
            size=64,
            width=32,
            halvings=2,
            critics=32,
        ),
        "gpu": FlatPreset(
            plan=Plan(20_000, hours=0.3, warm_up=1, averaging=0.999, last=1.0), batch=64, size=64, width=32, halvings=4, critics=32
        ),
    }
    ideas = ("information",)
    learning_rate, generator_rate = 2e-4, 5e-4

    def trainer(self, setting: BirdSetting) -> Trainer:
        """The critic, then the generator with the reader of its code."""
        preset, device, seed = setting.preset, setting.device, setting.seed
        form = preset.form

        def codes() -> CodeCritic:
            return CodeCritic(preset.critics, preset.size, form.parents)

        drawer = placed(lambda: FlatGenerator(form), seed, device)
        critic, reader = (placed(codes, seed + step, device) for step in (1, 2))

        def made(_: Birds, moment: Moment) -> tuple[Tensor, Image]:
            z = torch.randn((preset.batch, form.noise), generator=moment.chance).to(device)
            code = torch.randint(form.parents, (preset.batch,), generator=moment.chance).to(device)
            with lean(torch.device(device), preset.plan.bfloat16):
                pictures = drawer(z, F.one_hot(code, form.parents).float())
            return code, pictures.float()

        drawn, features = Once(made), Features(seed + 3, device)

        def of_critic(birds: Birds, moment: Moment) -> Iterator[Terms]:
            yield apart(critic, birds.images, drawn(birds, moment)[1].detach(), moment)

        def of_features(birds: Birds, moment: Moment) -> Iterator[Terms]:
            yield {"features": features.apart(birds.images, drawn(birds, moment)[1].detach())}

        def of_generator(birds: Birds, moment: Moment) -> Iterator[Terms]:
            code, pictures = drawn(birds, moment)
            with still(critic, features):
                terms = {"convinced": convinced(critic.score(pictures)), "features_convinced": features.convinced(pictures)}
                if "information" not in setting.without:
                    seen = clouded(pictures, CLOUDS(moment.progress), moment.chance)
                    terms["code"] = F.cross_entropy(reader.logits(seen), code)
                yield terms

        readers = nn.ModuleDict({"generator": drawer, "reader": reader})
        players = {
            "critic": Player(critic, of_critic, WEIGHTS, self.learning_rate, BETAS),
            "features": Player(features, of_features, WEIGHTS, self.learning_rate, BETAS),
            "generator": Player(readers, of_generator, WEIGHTS, self.generator_rate, BETAS),
        }
        return Trainer(preset.plan, players, lambda step: self.birds(setting, step), setting.folder / "checkpoint.pt", device)

    def watch(self, setting: BirdSetting) -> "FlatWatch":
        """What the code turned out to be, and a sheet of categories."""
        return FlatWatch()

    def test(self, trainer: Trainer, setting: BirdSetting) -> Mapping[str, float]:
        """Figures of 5 000 pictures."""
        return flat(generator_of(trainer), 5_000, TEST)

    def shipped(self, trainer: Trainer, setting: BirdSetting) -> Mapping[str, Tensor]:
        """Both averaged networks."""
        return generator_of(trainer).to_weights()


def generator_of(trainer: Trainer) -> FlatGAN:
    """The averaged networks."""
    drawer, reader = (trainer.averaged["generator"].get_submodule(name) for name in ("generator", "reader"))
    assert isinstance(drawer, FlatGenerator) and isinstance(reader, CodeCritic)
    return FlatGAN(drawer.form, drawer, reader)


class FlatWatch:
    """What the flat code says of each factor.

    Args:
        count: Pictures.
    """

    def __init__(self, count: int = 1_000) -> None:
        self.count = count

    def baseline(self) -> Mapping[str, float]:
        """A code that says nothing has no figure worth a line."""
        return {}

    def look(self, trainer: Trainer) -> tuple[Mapping[str, float], Pil.Image]:
        """Figures, and a sheet: a category a row, a draw a column."""
        gan = generator_of(trainer)
        return flat(gan, self.count, VALIDATION), sheet(gan)


def sheet(gan: FlatGAN, rows: int = 10, columns: int = 8) -> Pil.Image:
    """Some categories by rows, draws by columns."""
    every = torch.arange(0, gan.form.parents, max(1, gan.form.parents // rows))
    z = normal((columns, gan.form.noise), 1, gan.device).repeat(len(every), 1)
    pictures = gan.draw(z, every.to(gan.device).repeat_interleave(columns))
    return to_picture(torch.cat([torch.cat(list(row), dim=2) for row in pictures.split(columns)], dim=1)[None])


def main() -> None:
    """The command line of this file."""
    run(InfoBirds())


if __name__ == "__main__":
    main()
