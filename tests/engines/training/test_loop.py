import json
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from engines.core.errors import WeightsError
from engines.data.degradations import spoilt
from engines.generators import FfhqGenerator
from engines.nets.initial import seeded
from engines.training import checkpoints
from engines.training.command import Journal
from engines.training.loop import Moment, Plan, Terms, TrainableModule, Trainer
from engines.training.samples import TRAINING, Samples
from engines.training.schedules import constant, cosine, through
from engines.training.streams import Batch, Changed, Pairs, Stream

SIDE = 16


@pytest.fixture(scope="module")
def stream(toy: FfhqGenerator, tmp_path_factory: pytest.TempPathFactory) -> Stream:
    samples = Samples(toy, tmp_path_factory.mktemp("samples"), seed=TRAINING, size=SIDE, drawn_at=SIDE)
    return Changed(Pairs(samples, 8, seed=1, first=64, fresh=4, capacity=256), spoilt(0.5), seed=2)


def small(width: int) -> nn.Module:
    """A network with all that a checkpoint must keep: weights, running statistics, a counter."""
    return nn.Sequential(nn.Conv2d(3, 8, 4, 4), nn.BatchNorm2d(8), nn.PReLU(), nn.Flatten(), nn.Linear(8 * (SIDE // 4) ** 2, width))


def trainer(toy: FfhqGenerator, stream: Stream, path: Path, *, steps: int = 12, hours: float = 1e9, averaging: float = 0.9) -> Trainer:
    """Two players, so that their order and states matter: one learns w, the other w from what the first says."""
    first, second = seeded(lambda: small(toy.width), 0), seeded(lambda: nn.Linear(toy.width, toy.width), 1)

    def learn(batch: Batch, moment: Moment) -> Iterator[Terms]:
        noisy = batch.picture + 0.1 * torch.randn(batch.picture.shape, generator=moment.chance)
        yield {"w": (first(noisy) - batch.codes[:, 0]).square().mean()}

    def follow(batch: Batch, _: Moment) -> Iterator[Terms]:
        for part in (slice(0, 4), slice(4, 8)):  # two rounds a batch
            yield {"follow": (second(first(batch.picture[part]).detach()) - batch.codes[part, 0]).square().mean()}

    modules = {
        "first": TrainableModule(first, learn, {"w": through((0, 1), (1, 0.5))}, 1e-2),
        "second": TrainableModule(second, follow, {}, 1e-2),
    }
    return Trainer(Plan(steps, hours, warm_up=3, averaging=averaging), modules, stream, path, "cpu")


def state(run: Trainer) -> list[torch.Tensor]:
    networks = [*(module.network for module in run.modules.values()), *run.averaged.values()]
    return [value.clone() for network in networks for value in network.state_dict().values()]


def test_a_killed_run_ends_with_the_same_weights(toy: FfhqGenerator, stream: Stream, tmp_path: Path) -> None:
    whole = trainer(toy, stream, tmp_path / "whole.pt")
    every = list(whole.steps())
    killed = trainer(toy, stream, tmp_path / "killed.pt")
    for index, _ in enumerate(killed.steps(), start=1):
        if index == 5:
            killed.save()
        if index == 8:
            break  # three steps are lost
    again = trainer(toy, stream, tmp_path / "killed.pt")
    assert again.step == 5
    rest = list(again.steps())
    assert rest == every[5:]
    assert all(torch.equal(ours, theirs) for ours, theirs in zip(state(again), state(whole), strict=True))


def test_losses_fall(toy: FfhqGenerator, stream: Stream, tmp_path: Path) -> None:
    figures = list(trainer(toy, stream, tmp_path / "c.pt", steps=60).steps())
    assert figures[-1]["w"] < 0.8 * figures[0]["w"]
    assert set(figures[0]) == {"rate", "w", "follow"}


def test_the_mean_of_the_weights_lags_behind(toy: FfhqGenerator, stream: Stream, tmp_path: Path) -> None:
    run = trainer(toy, stream, tmp_path / "c.pt")
    before = run.modules["first"].network[0].weight.detach().clone()
    list(run.steps())
    now, mean = run.modules["first"].network[0].weight.detach(), run.averaged["first"][0].weight
    assert 0 < float((mean - before).norm()) < float((now - before).norm())
    assert not run.averaged["first"].training


def test_the_rate_rises_over_the_warm_up_and_falls_by_half_a_cosine(toy: FfhqGenerator, stream: Stream, tmp_path: Path) -> None:
    """Three steps of warm-up, the first a third of the way; down to a fiftieth at the end."""
    rates = [figures["rate"] for figures in trainer(toy, stream, tmp_path / "c.pt").steps()]
    falling = 0.02 + 0.98 * np.cos(np.pi / 2 * np.arange(12) / 12) ** 2
    assert rates == pytest.approx(list(falling * np.minimum(1, np.arange(1, 13) / 3)))


def test_the_mean_keeps_a_growing_share_up_to_the_plans(toy: FfhqGenerator, stream: Stream, tmp_path: Path) -> None:
    """(t + 1) / (t + 10) of itself at step t, from 0; here at most a quarter."""
    run = trainer(toy, stream, tmp_path / "c.pt", steps=5, averaging=0.25)
    mean = run.modules["second"].network.weight.detach().double().numpy().copy()
    for step, _ in enumerate(run.steps()):
        keep = min(0.25, (step + 1) / (step + 10))
        mean = keep * mean + (1 - keep) * run.modules["second"].network.weight.detach().double().numpy()
    assert np.allclose(run.averaged["second"].weight.numpy(), mean, atol=1e-6)


def test_the_clock_ends_a_run_and_its_schedules(toy: FfhqGenerator, stream: Stream, tmp_path: Path) -> None:
    run = trainer(toy, stream, tmp_path / "c.pt", steps=10**9, hours=1 / 3600)
    start = time.perf_counter()
    rates = [figures["rate"] for figures in run.steps()]
    assert time.perf_counter() - start < 10
    assert run.progress == 1
    assert 3 <= len(rates) == run.step
    assert rates[-1] < rates[2]


def test_a_finished_run_takes_no_step_more(toy: FfhqGenerator, stream: Stream, tmp_path: Path) -> None:
    run = trainer(toy, stream, tmp_path / "c.pt", steps=3)
    list(run.steps())
    run.save()
    assert list(trainer(toy, stream, tmp_path / "c.pt", steps=3).steps()) == []


@pytest.mark.parametrize("content", [b"", b"not a checkpoint", b"PK\x03\x04 cut off"])
def test_a_broken_checkpoint_is_refused_in_a_sentence(content: bytes, toy: FfhqGenerator, stream: Stream, tmp_path: Path) -> None:
    (tmp_path / "c.pt").write_bytes(content)
    with pytest.raises(WeightsError, match=r"The checkpoint c\.pt .* Delete it to begin anew\."):
        trainer(toy, stream, tmp_path / "c.pt")


def test_a_checkpoint_of_another_recipe_is_refused(toy: FfhqGenerator, stream: Stream, tmp_path: Path) -> None:
    checkpoints.save(tmp_path / "c.pt", {"players": {"other": {}}, "step": 1, "spent": 0.0})
    with pytest.raises(WeightsError, match="belongs to another recipe"):
        trainer(toy, stream, tmp_path / "c.pt")


def test_a_kill_while_saving_leaves_the_checkpoint_before(tmp_path: Path) -> None:
    checkpoints.save(tmp_path / "c.pt", {"step": 1})
    (tmp_path / "c.part").write_bytes(b"half")
    assert checkpoints.load(tmp_path / "c.pt") == {"step": 1}
    assert checkpoints.load(tmp_path / "none.pt") is None


def test_schedules() -> None:
    assert constant(0.3)(0.7) == 0.3
    ramp = through((0.2, 1.0), (0.6, 0.0), (0.8, 2.0))
    assert [round(ramp(at), 6) for at in (0, 0.2, 0.4, 0.6, 0.7, 0.8, 1)] == [1, 1, 0.5, 0, 1, 2, 2]
    assert (cosine(0), cosine(1), cosine(2)) == pytest.approx((1, 0.02, 0.02))
    assert cosine(0.2) > cosine(0.5) > cosine(0.8)
    assert cosine(0.5, 0.1, 0.5) == 1 and cosine(0.75, 0.1, 0.5) == pytest.approx(0.55) and cosine(1, 0.1, 0.5) == pytest.approx(0.1)


def test_the_journal_drops_what_a_killed_run_wrote_behind_its_checkpoint(tmp_path: Path) -> None:
    first = Journal(tmp_path / "log.jsonl", 0)
    first.write({"recipe": "x"})
    for step in (25, 50, 75):
        first.write({"step": step})
    Journal(tmp_path / "log.jsonl", 50).write({"step": 75, "again": True})
    rows = [json.loads(line) for line in (tmp_path / "log.jsonl").read_text().splitlines()]
    assert rows == [{"recipe": "x"}, {"step": 25}, {"step": 50}, {"step": 75, "again": True}]
