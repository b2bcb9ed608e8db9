"""The one trainer: any networks, on any stream, by any named losses, until the steps or the hours are used up.

Batches, chance and schedules depend on the step's number alone. So a run that was killed and goes on from its checkpoint ends with the
very weights of one that never stopped, unless the clock cuts both short.
"""

import copy
import math
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, TypeAlias, TypeVar

import torch
from torch import Tensor, nn

from engines.core.errors import WeightsError
from engines.core.seeds import rng
from engines.training import checkpoints
from engines.training.schedules import Schedule, cosine

Made = TypeVar("Made")
Terms: TypeAlias = Mapping[str, Tensor]
"""Losses by name, each a scalar, not weighed."""

_PAUSE = 60.0
"""A step counts as no longer than this, in seconds: a run that was put to sleep is not charged for its sleep."""


@dataclass(frozen=True)
class Plan:
    """How long and how fast.

    Attributes:
        steps: Updates of a whole run; schedules follow their share.
        hours: The run ends, and its schedules with it, when these are used up, however few steps were taken.
        warm_up: Steps over which the learning rate rises from nothing.
        averaging: Share that the running mean of the weights keeps at each step.
        clip: Largest norm of a network's gradient.
        bfloat16: Whether encoders compute in bfloat16; it halves a step where the processor has it.
        last: Share of the learning rate that is left at the end; 1 keeps it as it is.
        level: Share of the run over which it does not fall yet.
    """

    steps: int
    hours: float = math.inf
    warm_up: int = 100
    averaging: float = 0.998
    clip: float = 10.0
    bfloat16: bool = False
    last: float = 0.02
    level: float = 0.0


@dataclass(frozen=True)
class Moment:
    """Where in a run a step is.

    Attributes:
        step: Its number, from 0.
        progress: 0 at the beginning, 1 at the end.
        chance: Random numbers of this step alone.
    """

    step: int
    progress: float
    chance: torch.Generator


@dataclass(frozen=True, eq=False)
class TrainableModule:
    """A trainable module with its optimiser group and its losses.

    Attributes:
        network: What is trained; buffers are kept in checkpoints too.
        objective: Losses of a batch. Each mapping it yields is back-propagated at once and the gradients add up, so that a method with
            several rounds a batch holds one in memory.
        weights: Factor of each loss by name; a loss that has none counts once.
        learning_rate: Of Adam, at its height.
        betas: Of Adam.
        update_every: The network is updated at one step in so many.
    """

    network: nn.Module
    objective: Callable[[Any, Moment], Iterable[Terms]]
    weights: Mapping[str, Schedule]
    learning_rate: float
    betas: tuple[float, float] = (0.9, 0.99)
    update_every: int = 1


class Once(Generic[Made]):
    """What all modules of a step share, made once, with its graph.

    Args:
        make: From the step's batch and moment.
    """

    def __init__(self, make: Callable[[Any, Moment], Made]) -> None:
        self.make = make
        self._known: tuple[int, Made] | None = None

    def __call__(self, batch: Any, moment: Moment) -> Made:
        """The step's own."""
        if self._known is None or self._known[0] != moment.step:
            self._known = (moment.step, self.make(batch, moment))
        return self._known[1]


class Trainer:
    """One run, from its checkpoint if there is one.

    Args:
        plan: How long and how fast.
        modules: Trainable modules by name, in the order of their updates within a step.
        stream: What they see, by the step's number.
        checkpoint: Where the run's state is kept.
        device: Where the networks are.
    """

    def __init__(
        self, plan: Plan, modules: Mapping[str, TrainableModule], stream: Callable[[int], Any], checkpoint: Path, device: torch.device | str
    ) -> None:
        self.plan, self.modules, self.stream, self.checkpoint = plan, modules, stream, checkpoint
        self.optimizers = {
            name: torch.optim.Adam(
                [weight for weight in module.network.parameters() if weight.requires_grad], lr=module.learning_rate, betas=module.betas
            )
            for name, module in modules.items()
        }
        self.averaged = {name: copy.deepcopy(module.network).eval().requires_grad_(False) for name, module in modules.items()}
        self.step, self.spent = 0, 0.0
        self._resume(torch.device(device))

    @property
    def progress(self) -> float:
        """Share of the run that is behind, by steps or by the clock, whichever is further; 1 at the end."""
        return min(1.0, max(self.step / self.plan.steps, self.spent / (3600 * self.plan.hours)))

    def steps(self) -> Iterator[dict[str, float]]:
        """Train to the end; yields each step's losses by name, not weighed, and the learning rate's share."""
        while self.progress < 1:
            start = time.perf_counter()
            moment = Moment(self.step, self.progress, rng(self.step))
            share = min(1.0, (self.step + 1) / self.plan.warm_up) * cosine(self.progress, self.plan.last, self.plan.level)
            batch = self.stream(self.step)
            figures = {"rate": share}
            for name, module in self.modules.items():
                if self.step % module.update_every:
                    continue
                figures |= self._update(name, module, batch, moment, share)
            self._average()
            self.step += 1
            self.spent += min(_PAUSE, time.perf_counter() - start)
            yield figures

    def _update(self, name: str, module: TrainableModule, batch: Any, moment: Moment, share: float) -> dict[str, float]:
        optimizer = self.optimizers[name]
        optimizer.param_groups[0]["lr"] = share * module.learning_rate
        module.network.train()
        optimizer.zero_grad()
        figures: dict[str, float] = {}
        for terms in module.objective(batch, moment):
            weighed = [_weight(module, term, moment) * value for term, value in terms.items()]
            torch.stack(weighed).sum().backward()
            figures |= {term: float(value.detach()) for term, value in terms.items()}
        torch.nn.utils.clip_grad_norm_(module.network.parameters(), self.plan.clip)
        optimizer.step()
        return figures

    @torch.no_grad()
    def _average(self) -> None:
        """Follow the weights with a running mean, short at first; the mean is what is measured and shipped."""
        keep = min(self.plan.averaging, (self.step + 1) / (self.step + 10))
        for name, module in self.modules.items():
            for mean, value in zip(_tensors(self.averaged[name]), _tensors(module.network), strict=True):
                if mean.is_floating_point():
                    mean.lerp_(value, 1 - keep)
                else:
                    mean.copy_(value)

    def save(self) -> None:
        """Write the checkpoint."""
        state = {
            name: {
                "network": module.network.state_dict(),
                "averaged": self.averaged[name].state_dict(),
                "optimizer": self.optimizers[name].state_dict(),
            }
            for name, module in self.modules.items()
        }
        checkpoints.save(self.checkpoint, {"players": state, "step": self.step, "spent": self.spent})

    def _resume(self, device: torch.device) -> None:
        state = checkpoints.load(self.checkpoint, device)
        if state is None:
            return
        try:
            for name, module in self.modules.items():
                kept: dict[str, Any] = state["players"][name]
                module.network.load_state_dict(kept["network"])
                self.averaged[name].load_state_dict(kept["averaged"])
                self.optimizers[name].load_state_dict(kept["optimizer"])
            self.step, self.spent = int(state["step"]), float(state["spent"])
        except (KeyError, RuntimeError, ValueError, TypeError) as error:
            raise WeightsError(f"The checkpoint {self.checkpoint.name} belongs to another recipe. Delete it to begin anew.") from error


@contextmanager
def frozen(*networks: nn.Module) -> Iterator[None]:
    """Networks that are frozen meanwhile: gradients pass through, their weights get none."""
    for network in networks:
        network.requires_grad_(False)
    try:
        yield
    finally:
        for network in networks:
            network.requires_grad_(True)


def _weight(module: TrainableModule, term: str, moment: Moment) -> float:
    return module.weights[term](moment.progress) if term in module.weights else 1.0


def _tensors(network: nn.Module) -> Sequence[Tensor]:
    return [*network.parameters(), *network.buffers()]
