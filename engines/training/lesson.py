"""A lesson that trains while a class looks on: FineGAN on small paper birds for some minutes, pictures coming as it learns.

Nothing is kept: the run begins with fresh weights and ends with the last picture. What hours make of it is `studio train finegan_birds`.
"""

import tempfile
from dataclasses import replace
from pathlib import Path

import torch

from engines.contract import Progress, Result, Run
from engines.core.shapes import Image
from engines.generators.finegan import FineCodes, FineGAN
from engines.metrics.birds import many
from engines.nets.finegan import FineGenerator
from engines.training.command import Setting
from engines.training.recipes.finegan import FineBirds

ROWS, COLUMNS, EVERY = 4, 6, 5
"""Shapes, textures, and steps between two pictures."""


def finegan_lesson(minutes: float, seed: int = 0) -> Run:
    """Train from nothing for that long; every step is a place to stop, previews show a shape a row and a texture a column.

    Args:
        minutes: How long, above 0; learning rates and stages follow the clock.
        seed: Of weights, drawings and codes.
    """
    recipe, preset = FineBirds(), FineBirds.presets["lesson"]
    preset = replace(preset, plan=replace(preset.plan, hours=minutes / 60))
    with tempfile.TemporaryDirectory() as folder:
        trainer = recipe.trainer(Setting(preset=preset, folder=Path(folder), seed=seed))
        network = trainer.modules["generator"].network.get_submodule("generator")
        assert isinstance(network, FineGenerator)
        result = Result(pictures(network))
        for figures in trainer.steps():
            due = trainer.step % EVERY == 0 or trainer.progress >= 1
            result = Result(pictures(network)) if due else result
            told = {name: value for name, value in figures.items() if name != "rate"}
            yield Progress(round(1000 * trainer.progress), 1000, result.images if due else None, told, result if due else None)
        return result


@torch.no_grad()
def pictures(network: FineGenerator) -> Image:
    """One picture (1,3,ROWS*S,COLUMNS*S) of shapes by textures, as the network draws them now."""
    finegan, form = FineGAN(network.form, network.eval()), network.form
    children = [column * (form.children // COLUMNS) for column in range(COLUMNS)]
    codes = [FineCodes(child, parent, child, seed) for parent in range(ROWS) for seed, child in enumerate(children)]
    rows = many(finegan, codes).child.split(COLUMNS)
    return torch.cat([torch.cat(list(row), dim=2) for row in rows], dim=1)[None]
