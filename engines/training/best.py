"""The best network of a run whose figures rise and fall: adversarial ones do, and the last look is seldom the best."""

import math
from pathlib import Path
from typing import Any

import torch

from engines.training import checkpoints
from engines.training.loop import Trainer


class Best:
    """What a run ships: the averaged networks of its best look.

    Args:
        path: Where they are kept.
        trainer: The run; one at its first step forgets what an earlier run of this folder kept.
    """

    def __init__(self, path: Path, trainer: Trainer) -> None:
        self.path, self.trainer = path, trainer
        if trainer.step == 0:
            path.unlink(missing_ok=True)
        kept = checkpoints.load(path)
        self.merit = -math.inf if kept is None else float(kept["merit"])

    def offer(self, merit: float) -> None:
        """Keep the averaged networks as they are now, if none were better."""
        if merit > self.merit:
            self.merit = merit
            networks = {name: network.state_dict() for name, network in self.trainer.averaged.items()}
            checkpoints.save(self.path, {"merit": merit, "step": self.trainer.step, "networks": networks})


def restore(path: Path, trainer: Trainer, device: torch.device | str) -> int:
    """Give a run that is over the averaged networks of its best look; returns the step they are of: the last, if none were kept."""
    kept: dict[str, Any] | None = checkpoints.load(path, device)
    if kept is None:
        return trainer.step
    for name, network in trainer.averaged.items():
        network.load_state_dict(kept["networks"][name])
    return int(kept["step"])
