"""Where a measurement was taken, and where its results are written."""

import datetime
import json
import os
import platform
import resource
import sys
from pathlib import Path
from typing import Any

import torch

from engines.core.weights import source_assets

RESULTS = Path(__file__).resolve().parent / "results"
"""What was measured, as the tables show it."""
OUTPUT = RESULTS if source_assets() else Path("build/benchmarks")
"""Where results go unless another folder is named: an installed package stays as it was installed."""


def facts() -> dict[str, Any]:
    """Processor, cores, memory, versions and the day."""
    return {
        "cpu": _cpu(),
        "cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
        "ram_gib": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30, 1),
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
        "torch": torch.__version__,
        "threads": torch.get_num_threads(),
        "load_before": round(os.getloadavg()[0], 2),
        "date": datetime.datetime.now(datetime.UTC).date().isoformat(),
    }


def _cpu() -> str:
    listing = Path("/proc/cpuinfo")
    if listing.is_file():
        names = [
            line.partition(":")[2].strip() for line in listing.read_text(encoding="utf-8").splitlines() if line.startswith("model name")
        ]
        if names:
            return names[0]
    return platform.processor() or platform.machine()


def peak_memory() -> float:
    """Most memory that this process has held so far, in MiB."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return round(peak / (2**20 if sys.platform == "darwin" else 2**10), 1)


def write(name: str, results: dict[str, Any], folder: Path) -> Path:
    """Save results as FOLDER/NAME.json."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name}.json"
    path.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")
    return path
