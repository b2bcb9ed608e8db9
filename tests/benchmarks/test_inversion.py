from collections.abc import Iterator
from types import SimpleNamespace

import pytest
import torch

from benchmarks import inversion
from benchmarks.generator import _timed
from engines import Progress, Result
from engines.generators import FfhqGenerator
from engines.spaces.latent import Inversion, Latent
from engines.spaces.statistics import random_w


def result(toy: FfhqGenerator, seed: int) -> Result:
    w = random_w(toy, seed)
    return Result(toy.synthesize(w), (Inversion(Latent("w", w)),))


def test_the_clock_counts_the_run_alone_and_moments_are_seen_once(toy: FfhqGenerator, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each step takes four seconds and each measurement a hundred, on a clock of the test's own."""
    now = 0.0

    def wait(seconds: float) -> None:
        nonlocal now
        now += seconds

    def run() -> Iterator[Progress]:
        for step in range(1, 5):
            wait(4)
            yield Progress(step, 4, best=result(toy, step))
        return result(toy, 9)

    def judge(picture: torch.Tensor, target: torch.Tensor) -> dict[str, float]:
        wait(100)
        return {"mse": float((picture - target).square().mean())}

    monkeypatch.setattr(inversion, "time", SimpleNamespace(perf_counter=lambda: now))
    face = inversion.Face("face", "generated", toy.synthesize(random_w(toy, 9)))
    points = list(inversion._watch(run(), face, toy, judge, (3.0, 5.0, 6.0, 13.0, 60.0)))  # type: ignore[arg-type]
    assert [(point["moment"], point["seconds"], point.get("step")) for point in points] == [
        (3.0, 4, 1),
        (6.0, 8, 2),
        (13.0, 16, 4),
        ("end", 16, None),
    ]
    assert points[-1]["mse"] == 0
    assert points[0]["mse"] > 0
    assert (points[0]["space"], points[0]["values"], points[0]["drift"]) == ("w", 32, 0)


def test_real_and_generated_faces_are_never_averaged_together() -> None:
    names = ("seconds", "lpips", "mse", "psnr", "ms_ssim", "identity_distance", "drift")
    curves = [
        {"method": "m", "title": "M", "kind": kind, "points": [{"moment": "end"} | dict.fromkeys(names, value)]}
        for kind, value in [("real", 10.0), ("generated", 1.0), ("generated", 2.0), ("generated", 6.0)]
    ]
    assert [(row["kind"], row["faces"], row["lpips"]) for row in inversion._medians(curves)] == [("real", 1, 10.0), ("generated", 3, 2.0)]


def test_calls_are_timed_turn_by_turn() -> None:
    order: list[str] = []
    first, second = _timed(5, lambda: order.append("a"), lambda: order.append("b"))
    assert order == ["a", "b"] * 6
    assert 0 <= first["low"] <= first["median"] <= first["high"]
    assert second["median"] >= 0
