"""A class on one studio: many visitors at once, with their own photos and human pauses, on a page served as the public one is.

    python -m benchmarks load --visitors 30 --minutes 5
    python -m benchmarks load --visitors 30 --minutes 5 --greedy 50                # and again with one more, who makes 50 runs at once
    python -m benchmarks load --set grace_seconds=30 --after 90                    # settings of the studio; seconds until disk is read

The studio and the visitors are a process each. The visitors share the machine with the studio, so what they cost is told.
"""

import argparse
import json
import os
import secrets
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from statistics import median
from typing import Any

import httpx

from benchmarks import load_summary
from benchmarks.load_pictures import prepare
from benchmarks.load_plan import Plan
from benchmarks.machine import facts

_START, _TICK, _DISK_EVERY = 300.0, 1.0, 5
LOG = "studio.log"
PARTS = ("class", "greedy")
"""Of the results: without a greedy visitor, and with one."""
_JIFFY = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True)
class Class:
    """Who comes, and for how long.

    Attributes:
        visitors: How many.
        minutes: How long they act.
        greedy: Runs that one more visitor asks for at once, by the API.
        method: Of all runs.
        seed: Of all choices.
        after: Seconds to wait, once all have left, for the studio to delete what was theirs.
        settings: Of the studio, beside those of a public page.
    """

    visitors: int = 30
    minutes: float = 5.0
    greedy: int = 0
    method: str = "e4e"
    seed: int = 1
    after: float = 60.0
    settings: dict[str, Any] = field(default_factory=dict)


def add_options(parser: argparse.ArgumentParser) -> None:
    """The options of `python -m benchmarks load`."""
    parser.add_argument("--visitors", type=int, default=30, help="of load: how many come")
    parser.add_argument("--minutes", type=float, default=5, help="of load: how long they act")
    parser.add_argument("--greedy", type=int, default=0, metavar="RUNS", help="of load: one more visitor makes so many runs at once")
    parser.add_argument("--method", default="e4e", help="of load: of all runs")
    parser.add_argument("--seed", type=int, default=1, help="of load: of all choices")
    parser.add_argument("--after", type=float, default=60, metavar="SECONDS", help="of load: until files of those who left must be gone")
    parser.add_argument("--set", action="append", type=setting, default=[], metavar="NAME=VALUE", help="of load: a setting of the studio")


def setting(text: str) -> tuple[str, Any]:
    """A name and a value: JSON, or else the text itself."""
    name, separator, value = text.partition("=")
    if not (name and separator):
        raise argparse.ArgumentTypeError(f"{text} came; it takes NAME=VALUE, such as generator=toy")
    try:
        return name, json.loads(value)
    except ValueError:
        return name, value


def asked(arguments: argparse.Namespace) -> Class:
    """What the options ask for."""
    visitors, minutes = (2, 0.5) if arguments.quick else (arguments.visitors, arguments.minutes)
    return Class(visitors, minutes, arguments.greedy, arguments.method, arguments.seed, arguments.after, dict(arguments.set))


def measure(asked: Class) -> dict[str, Any]:
    """Start a studio, let the visitors come, act and leave, and read what it held."""
    machine, commit = facts(), _commit()
    with tempfile.TemporaryDirectory(prefix="latent-studio-load-") as name:
        folder = Path(name)
        prepare(folder, asked.visitors)
        plan = Plan("", ("class", secrets.token_urlsafe(9)), asked.visitors, asked.minutes * 60, asked.seed, asked.method, name, "")
        alone = attended(replace(asked, greedy=0), plan, folder / "alone")[1] if asked.greedy else None
        return {"machine": machine, "commit": commit, "asked": asdict(asked)} | attended(asked, plan, folder / "visit", alone)[0]


def attended(asked: Class, plan: Plan, folder: Path, alone: dict[str, Any] | None = None) -> tuple[dict[str, Any], dict[str, Any]]:
    """One visit of all of them to a studio of its own.

    Args:
        asked: Who comes.
        plan: What they do, with which photos.
        folder: For files of the visit; it is made.
        alone: What was seen in the same visit without the greedy visitor.

    Returns:
        The figures, and what was seen.

    Raises:
        RuntimeError: The studio did not start, or the visitors' process failed.
    """
    output, files = folder / "seen.json", folder / "disk"
    files.mkdir(parents=True)
    with studio(asked.settings | {"auth": plan.login}, files) as (url, process):
        watch = Watch(process.pid, files)
        given = asdict(plan) | {"url": url, "output": str(output), "greedy": asked.greedy}
        (folder / "plan.json").write_text(json.dumps(given), encoding="utf-8")
        with watch:
            visiting = subprocess.run([sys.executable, "-m", "benchmarks.load_visitor", str(folder / "plan.json")], check=False)
        if visiting.returncode:
            raise RuntimeError(f"the visitors' process ended with {visiting.returncode}; its error stands above")
        if process.poll() is not None:
            raise RuntimeError(f"the studio ended with {process.returncode} while visitors were there")
        left = watch.left(asked.after)
    seen = json.loads(output.read_text(encoding="utf-8"))
    found = summarized(seen, watch, alone) | {"after_leaving": left}
    log = (folder / LOG).read_text(encoding="utf-8", errors="replace")
    return found | {"errors_in_log": load_summary.errors(log), "kept": load_summary.kept(found)}, seen


@contextmanager
def studio(settings: dict[str, Any], files: Path) -> Iterator[tuple[str, "subprocess.Popen[bytes]"]]:
    """A studio with the limits of a public page, on loopback; its temporary files lie in `files`, its errors in LOG beside that.

    Raises:
        RuntimeError: It ended, or does not answer.
    """
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    places = {name: str(files) for name in ("TMPDIR", "GRADIO_TEMP_DIR")} if "GRADIO_TEMP_DIR" in os.environ else {"TMPDIR": str(files)}
    words = [sys.executable, "-m", "benchmarks.load_serve", json.dumps(settings | {"port": port})]
    log = files.with_name(LOG).open("wb")
    process = subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=log, env=os.environ | places)
    try:
        yield _answering(f"http://127.0.0.1:{port}/", process), process
    except RuntimeError:
        print(files.with_name(LOG).read_text(encoding="utf-8", errors="replace"), file=sys.stderr)
        raise
    finally:
        log.close()
        process.terminate()
        try:
            process.wait(30)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _answering(url: str, process: "subprocess.Popen[bytes]") -> str:
    begun = time.monotonic()
    while time.monotonic() - begun < _START:
        if process.poll() is not None:
            raise RuntimeError(f"the studio ended with {process.returncode} before it answered")
        try:
            if httpx.get(url, timeout=10).status_code == 200:
                return url
        except httpx.TransportError:
            time.sleep(0.2)
    raise RuntimeError(f"the studio did not answer within {_START:.0f} s")


class Watch:
    """Reads a process's memory, open files, processor time and disk, every second while it is entered."""

    def __init__(self, process: int, files: Path) -> None:
        self.process, self.files = process, files
        self.samples: list[dict[str, float]] = []
        self.before = _bytes_under(files)
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._read, daemon=True)

    def __enter__(self) -> "Watch":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join()

    def left(self, patience: float) -> dict[str, Any]:
        """Memory and disk once all have left: when the disk is as it was before they came, or after so many seconds."""
        most, begun = _bytes_under(self.files), time.monotonic()
        while _bytes_under(self.files) > self.before and time.monotonic() - begun < patience:
            time.sleep(_TICK)
        return {
            "seconds": round(time.monotonic() - begun, 1),
            "disk_growth_mb": round((_bytes_under(self.files) - self.before) / 1e6, 2),
            "disk_growth_when_they_left_mb": round((most - self.before) / 1e6, 2),
            "rss_mib": _status(self.process)["rss_mib"],
        }

    def _read(self) -> None:
        count = 0
        while not self._ended.wait(_TICK):
            try:
                sample = _status(self.process)
            except (OSError, StopIteration):
                return
            if count % _DISK_EVERY == 0:
                sample["disk_mb"] = (_bytes_under(self.files) - self.before) / 1e6
            self.samples.append({"at": time.monotonic()} | sample)
            count += 1


def _status(process: int) -> dict[str, float]:
    folder = Path(f"/proc/{process}")
    held = next(line for line in (folder / "status").read_text(encoding="utf-8").splitlines() if line.startswith("VmRSS"))
    times = (folder / "stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    return {
        "rss_mib": round(int(held.split()[1]) / 1024, 1),
        "fds": sum(1 for _ in (folder / "fd").iterdir()),
        "cpu_seconds": (int(times[11]) + int(times[12])) / _JIFFY,
    }


def _bytes_under(folder: Path) -> int:
    """Bytes of all files below; one that goes meanwhile is not counted."""
    total = 0
    for place, _, names in os.walk(folder):
        for name in names:
            try:
                total += (Path(place) / name).lstat().st_size
            except OSError:
                continue
    return total


def summarized(seen: dict[str, Any], watch: Watch, alone: dict[str, Any] | None = None) -> dict[str, Any]:
    """The figures of a visit, beside what was seen in the same one without a greedy visitor."""
    visitors = seen["visitors"]
    records = [record for visitor in visitors for record in visitor["records"]]
    seconds = seen["ended"] - seen["begun"]
    answered = sum(record["outcome"] == "answered" for record in records)
    return {
        "seconds": round(seconds, 1),
        "events": load_summary.events(records),
        "sentences": load_summary.sentences(records),
        "events_a_second": round(answered / seconds, 2),
        "page_opened_seconds": load_summary.figures(visitor["opened"] for visitor in visitors if visitor["opened"]),
        "runs": load_summary.runs(visitors),
        "pictures": seen["pictures"],
        "toasts": load_summary.toasts(visitors),
        "troubles": [trouble for trouble in [seen["greedy_trouble"], *(visitor["trouble"] for visitor in visitors)] if trouble],
        "greedy": load_summary.greedy(seen, alone),
        "studio": _held(watch, seen["begun"]),
        "visitors_processor": round(seen["cpu_seconds"] / seconds, 2),
    }


def _held(watch: Watch, begun: float) -> dict[str, Any]:
    """Memory by the minute, its growth after minute 1, and the most of everything.

    The growth is that of the last minute's median over the second minute's: whether it keeps growing. The most, which is needed for the
    moments in which several full pictures are drawn at once, stands beside it.
    """
    samples = watch.samples
    if not samples:
        return {}
    minutes = [
        next((s["rss_mib"] for s in samples if s["at"] >= begun + 60 * m), None) for m in range(int((samples[-1]["at"] - begun) / 60) + 1)
    ]
    second = [s["rss_mib"] for s in samples if begun + 60 <= s["at"] < begun + 120]
    last = [s["rss_mib"] for s in samples if s["at"] >= max(samples[-1]["at"] - 60, begun + 60)]
    span = samples[-1]["at"] - samples[0]["at"]
    return {
        "rss_mib": {"by_minute": minutes, "last": samples[-1]["rss_mib"], "most": max(s["rss_mib"] for s in samples)},
        "rss_growth_after_minute_1": round(median(last) / median(second) - 1, 3) if second else None,
        "fds": {"first": samples[0]["fds"], "most": max(s["fds"] for s in samples), "last": samples[-1]["fds"]},
        "processor": round((samples[-1]["cpu_seconds"] - samples[0]["cpu_seconds"]) / span, 2) if span else None,
        "disk_growth_mb": round(max(s.get("disk_mb", 0.0) for s in samples), 2),
    }


def _commit() -> str:
    """The commit that is measured, with a plus where the tree differs from it; empty where there is no repository."""
    git = shutil.which("git")
    if git is None:
        return ""
    said = [
        subprocess.run([git, *words], capture_output=True, text=True, check=False, cwd=Path(__file__).parent).stdout.strip()
        for words in (("rev-parse", "--short", "HEAD"), ("status", "--porcelain", "--untracked-files=no"))
    ]
    return said[0] + ("+" if said[1] else "")
