"""Train the stylemap encoder: from a composite of two faces to its stylemap; and its ablations of lower resolution.

    studio train stylemap_8 --preset cpu                        # two cores, within an hour; also stylemap_4
    studio train stylemap_1 --preset cpu                        # ablation: the same network predicts one vector
    studio train stylemap_8 --preset cpu --without attention    # ablation: no self-attention

Latent regression against the true stylemap first, then with image losses through the generator on new mixes, as pSp's recipe has it; but
they begin after a fifth of the run. By latent regression alone the grid's pictures got no better (held-out MSE .110 after 350 and after 700
steps); a run whose last 360 steps had image losses ended at .051, the one whose last 1 120 had them at .034. Kim et al., arXiv:2104.14754,
train encoder and generator together (their section 3.4); here the generator is there already.
"""

from collections.abc import Iterator
from dataclasses import replace
from typing import ClassVar

import torch
from torch import nn

from engines.core.images import area
from engines.core.shapes import Codes, Image
from engines.invert.encode.encoder import Scale
from engines.invert.encode.stylemap import stylemap_heads
from engines.losses.latent import latent_distance
from engines.nets.initial import seeded
from engines.nets.irse import Levels
from engines.training.command import run
from engines.training.composites import Composites, HeldOutComposites, coarse
from engines.training.encoding import Encoding
from engines.training.faces import FaceSetting
from engines.training.loop import Moment, Terms, TrainableModule, Trainer
from engines.training.precision import lean
from engines.training.recipes.translation import CPU as PSP_CPU
from engines.training.recipes.translation import GPU, image_weights
from engines.training.redrawing import Redrawing, draw
from engines.training.streams import Batch
from engines.training.validation import Encode

CPU = replace(PSP_CPU, plan=replace(PSP_CPU.plan, steps=1_400), drawn_at=128, first=6_400, capacity=6_400, begin=0.2)


class Stylemap(Encoding):
    """Grid heads on the frozen body."""

    presets: ClassVar = {"cpu": CPU, "gpu": GPU}
    components = ("attention", "pictures")
    learning_rate = 1e-3
    faces, held_out = Composites, HeldOutComposites

    def __init__(self, side: int) -> None:
        self.side = side
        self.name = f"stylemap_{side}"

    def heads(self, setting: FaceSetting) -> nn.Module:
        """Heads before training."""
        return seeded(lambda: stylemap_heads(setting.generator, self.side, attention="attention" not in setting.without), setting.seed)

    def trainer(self, setting: FaceSetting) -> Trainer:
        """Heads on one objective."""
        generator, preset = setting.generator, setting.preset
        scale, network = Scale(generator), self.network(setting)
        redrawing = Redrawing(generator, larger=2 * preset.size, faces=Composites)

        def cells_of(picture: Image, levels: Levels | None = None) -> Codes:
            with lean(generator.device, preset.plan.bfloat16):
                return scale.codes(network(area(picture, preset.size), levels))

        def off(cells: Codes, truth: Codes) -> torch.Tensor:
            return latent_distance(cells, coarse(truth, self.side), scale.deviation)

        def redrawn(moment: Moment) -> Terms:
            truth, target = redrawing.target(preset.redrawn, moment)
            cells = cells_of(target)
            image = draw(generator, cells, redrawing.at(moment), Composites)
            return {"unseen": off(cells, truth)} | dict(redrawing.compare(image, target))

        def objective(batch: Batch, moment: Moment) -> Iterator[Terms]:
            terms = {"latent": off(cells_of(batch.picture, batch.levels), batch.codes)}
            yield terms | dict(redrawn(moment) if moment.progress >= preset.begin else {})

        module = TrainableModule(network, objective, image_weights(preset.begin), self.learning_rate)
        return Trainer(preset.plan, {"encoder": module}, self.stream(setting, network), setting.folder / "checkpoint.pt", generator.device)

    def encode(self, trainer: Trainer, setting: FaceSetting) -> Encode:
        """The averaged network."""
        scale, network = Scale(setting.generator), trainer.averaged["encoder"]

        @torch.no_grad()
        def encode(picture: Image) -> Codes:
            return scale.codes(network(picture))

        return encode


def main() -> None:
    """The command line of this file."""
    run(Stylemap(8))


if __name__ == "__main__":
    main()
