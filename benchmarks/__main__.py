"""Measure and write benchmarks/results/*.json.

    python -m benchmarks                                   # everything, about 40 minutes on two CPU cores; leave the machine alone
    python -m benchmarks methods --only pti                # one method of the table again, the others as they were
    python -m benchmarks real                              # not among the above: thirty real portraits; --only recommended for one method
    python -m benchmarks image2stylegan_pp                 # not among the above: close to an hour more
    python -m benchmarks load --visitors 30 --minutes 5    # not among the above: a class on one studio; --greedy 50 for a greedy one
    python -m benchmarks generator --wheel downloads/random_face-2021.7.21.1-py3-none-any.whl
    python -m benchmarks all --quick                       # does it run? its figures mean nothing and go to build/benchmarks

`pip download --no-deps random-face==2021.7.21.1 -d downloads` fetches the wheel; without it OpenVINO's column is left out.
"""

import argparse
import json
import sys
from pathlib import Path
from typing import Any

from benchmarks import editing, generator, image2stylegan_pp, inversion, load, load_table, methods, mixing, page, real
from benchmarks.machine import OUTPUT, write
from engines.core.disk import check_folder
from studio.cli import in_words

REPEATS, QUICK_REPEATS = 15, 3
QUICK_RESULTS = Path("build/benchmarks")


def main() -> None:
    """Run what was asked for."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    names = ("generator", "inversion", "page", "editing", "methods", "mixing", "image2stylegan_pp", "real", "load", "all")
    parser.add_argument("what", nargs="?", choices=names, default="all")
    parser.add_argument("--quick", action="store_true", help="few repeats and steps")
    parser.add_argument("--wheel", type=Path, help="random-face 2021.7.21.1, for the comparison with OpenVINO")
    parser.add_argument("--only", metavar="NAME", help="of methods, real or image2stylegan_pp: this one alone, the others as they were")
    parser.add_argument("--share", type=float, metavar="SECONDS", help="of methods: for the generated faces of each quick method")
    parser.add_argument("--slow", type=int, metavar="FACES", help="of methods: generated faces of each slow method")
    load.add_options(parser)
    parser.add_argument("--output", type=Path, help="folder of the results")
    arguments = parser.parse_args()
    folder = arguments.output or (QUICK_RESULTS if arguments.quick else OUTPUT)
    check_folder(folder)
    if arguments.what in ("generator", "all"):
        print(write("generator", generator.measure(QUICK_REPEATS if arguments.quick else REPEATS, arguments.wheel), folder))
    if arguments.what in ("page", "all"):
        print(write("page", page.measure(arguments.quick), folder))
    if arguments.what in ("inversion", "all"):
        print(write("inversion", inversion.measure(arguments.quick), folder))
    if arguments.what in ("methods", "all"):
        print(methods.run(arguments.quick, folder, arguments.only, arguments.share, arguments.slow))
    if arguments.what in ("editing", "all"):
        print(write("editing", editing.measure(arguments.quick), folder))
    if arguments.what in ("mixing", "all"):
        print(write("mixing", mixing.measure(arguments.quick), folder))
    if arguments.what == "image2stylegan_pp":
        results = image2stylegan_pp.measure(arguments.quick, arguments.only, _known(folder / "image2stylegan_pp.json"))
        print(image2stylegan_pp.rendered(results))
        print(write("image2stylegan_pp", results, folder))
    if arguments.what == "real":
        results = real.measure(arguments.only, _known(folder / "real.json"), arguments.quick)
        print(real.rendered(results))
        print(write("real", results, folder))
    if arguments.what == "load":
        part = {load.PARTS[bool(arguments.greedy)]: load.measure(load.asked(arguments))}
        print(load_table.rendered(part))
        print("\n".join(f"{'kept' if kept else 'BROKEN'}: {promise}" for found in part.values() for promise, kept in found["kept"].items()))
        print(write("load", (_known(folder / "load.json") or {}) | part, folder))


def _known(path: Path) -> dict[str, Any] | None:
    """What an earlier run measured."""
    return json.loads(path.read_text(encoding="utf-8")) if path.exists() else None


if __name__ == "__main__":
    sys.exit(in_words(main))
