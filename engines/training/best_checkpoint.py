"""The best checkpoint of a run by a model-selection metric: figures of adversarial training fluctuate, and the last is seldom the best."""

import math
from pathlib import Path
from typing import Any

import torch

from engines.training import checkpoints
from engines.training.loop import Trainer


class BestCheckpoint:
    """What a run ships: the averaged networks of its best checkpoint.

    Args:
        path: Where they are kept.
        trainer: The run; one at its first step forgets what an earlier run of this folder kept.
    """

    def __init__(self, path: Path, trainer: Trainer) -> None:
        self.path, self.trainer = path, trainer
        if trainer.step == 0:
            path.unlink(missing_ok=True)
        kept = checkpoints.load(path)
        self.selection_metric = -math.inf if kept is None else float(kept["merit"])

    def offer(self, selection_metric: float) -> None:
        """Keep the averaged networks as they are now, if none were better."""
        if selection_metric > self.selection_metric:
            self.selection_metric = selection_metric
            networks = {name: network.state_dict() for name, network in self.trainer.averaged.items()}
            checkpoints.save(self.path, {"merit": selection_metric, "step": self.trainer.step, "networks": networks})


def restore(path: Path, trainer: Trainer, device: torch.device | str) -> int:
    """Give a finished run the averaged networks of its best checkpoint; returns their step: the last, if none were kept."""
    kept: dict[str, Any] | None = checkpoints.load(path, device)
    if kept is None:
        return trainer.step
    for name, network in trainer.averaged.items():
        network.load_state_dict(kept["networks"][name])
    return int(kept["step"])
