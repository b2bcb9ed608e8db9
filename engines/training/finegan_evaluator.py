"""How a run of FineGAN is doing: figures of pictures with free codes, and a sheet of them."""

from collections.abc import Mapping

import torch
from PIL import Image as Pil

from engines.core.images import to_picture
from engines.generators.finegan import FineCodes, FineGAN
from engines.metrics.birds import disentangled, free_codes, many
from engines.nets.finegan import FineGenerator
from engines.nets.finegan_discriminators import CodeDiscriminator
from engines.training.drawn import VALIDATION
from engines.training.loop import Trainer


def generator_of(trainer: Trainer) -> FineGAN:
    """The averaged generator."""
    network = trainer.averaged["generator"].get_submodule("generator")
    assert isinstance(network, FineGenerator)
    return FineGAN(network.form, network)


class FineGANEvaluator:
    """Disentanglement of codes by the evaluation classifier.

    Args:
        count: Pictures for the information figures.
        pairs: Pictures that are drawn again with one code changed.
    """

    def __init__(self, count: int = 600, pairs: int = 200) -> None:
        self.count, self.pairs = count, pairs

    def baseline(self) -> Mapping[str, float]:
        """Codes that say nothing have no figure worth a line."""
        return {}

    def evaluate(self, trainer: Trainer) -> tuple[Mapping[str, float], Pil.Image]:
        """Figures, and a sheet: a parent a row, a child a column; below, all stages of some pictures."""
        generator = generator_of(trainer)
        figures = disentangled(generator, self.count, VALIDATION, self.pairs)
        return figures | {"unsure": unsure(trainer, generator)}, sheet(generator)


@torch.no_grad()
def unsure(trainer: Trainer, generator: FineGAN, count: int = 400) -> float:
    """Share of pictures whose own child code has a probability below 0.1: what hard examples are to lower."""
    codes = [generator.tied(one.child, one.seed) for one in free_codes(generator, count, VALIDATION)]
    reader = trainer.averaged["generator"].get_submodule("coat")
    assert isinstance(reader, CodeDiscriminator)
    shares = torch.cat([reader.logits(part).softmax(dim=1) for part in many(generator, codes).masked_child.split(32)])
    own = shares[torch.arange(count), torch.tensor([one.child for one in codes], device=shares.device)]
    return float((own < 0.1).float().mean())


def sheet(generator: FineGAN, columns: int = 8) -> Pil.Image:
    """Parents by rows, children by columns, and the stages of the first row's pictures below."""
    form = generator.form
    children = [form.children // columns * column for column in range(columns)]
    grid = [FineCodes(child, parent, child, seed=column) for parent in range(form.parents) for column, child in enumerate(children)]
    stages = many(generator, grid)
    first = {name: value[:columns] for name, value in vars(stages).items()}
    rows = list(stages.child.split(columns))
    rows += [value if value.shape[1] == 3 else (2 * value - 1).expand(-1, 3, -1, -1) for value in first.values()]
    return to_picture(torch.cat([torch.cat(list(row), dim=2) for row in rows], dim=1)[None])
