"""What the recipes on paper birds have in common: birds that no disk holds, since drawing them is cheap."""

import argparse
from typing import Any

import torch

from engines.training.command import Recipe, Setting
from engines.training.datasets.birds import Birds, Factors, draw_birds, random_factors

BirdSetting = Setting[Any]

TRAINING, VALIDATION, TEST = 100_000_000, 200_000_000, 300_000_000
"""Seeds of the sets. No number of steps reaches from one to the next."""


class BirdRecipe(Recipe[BirdSetting]):
    """A recipe whose network learns from paper birds."""

    def setting(self, parsed: argparse.Namespace, common: Setting[Any]) -> BirdSetting:
        """The run that a command line asks for."""
        return common

    @staticmethod
    def birds(setting: BirdSetting, step: int) -> Birds:
        """The drawings of a step."""
        preset = setting.preset
        return random_birds(preset.batch, TRAINING + 10_000_000 * setting.seed + step, preset.size, setting.device)


def random_birds(count: int, seed: int, size: int, device: torch.device | str = "cpu") -> Birds:
    """Birds as nature has them, on a device."""
    birds = draw_birds(random_factors(count, seed), size)
    factors = Factors(*(value.to(device) for value in vars(birds.factors).values()))
    return Birds(birds.images.to(device), birds.masks.to(device), birds.boxes.to(device), factors)
