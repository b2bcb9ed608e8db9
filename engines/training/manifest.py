"""Where a network that was made here is kept: its file, its entry in weights.toml and its log, in assets/ or a folder laid out like it."""

import argparse
import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from safetensors.torch import save
from torch import Tensor

from engines.core.disk import check_file, check_folder, write
from engines.core.weights import entries, source_assets

HEADER = (
    "# One entry for each file in assets/models: written by scripts/ and by the recipes and tables of engines/training/.\n"
    "# `ships = false`: the file is in the source tree and not in the wheel.\n"
)


@dataclass(frozen=True)
class Records:
    """A folder laid out like assets/: `models/`, `training/` and `weights.toml`.

    Attributes:
        folder: The folder; it is made when it is first needed.
    """

    folder: Path

    @property
    def manifest(self) -> Path:
        """The file that holds an entry for each network."""
        return self.folder / "weights.toml"

    def check(self) -> "Records":
        """Make sure, before the hours of a recipe, that its result can be kept here; returns itself.

        Raises:
            OutputError: The folder cannot be written to.
            WeightsError: It holds a manifest that cannot be read.
        """
        for folder in (self.folder, self.folder / "models", self.folder / "training"):
            check_folder(folder)
        check_file(self.manifest, "--record")
        if self.manifest.exists():
            entries(self.manifest)
        return self

    def record(
        self, name: str, weights: Mapping[str, Tensor], *, licence: str, origin: str, metrics: Mapping[str, float] | None = None
    ) -> None:
        """Save `weights` in half precision as models/NAME.safetensors and renew the manifest's entry.

        What the wheel left out before is left out again, and so is every network that lacks a part of its method.

        Args:
            name: The entry's name and the file's stem.
            weights: Tensors by name; floating ones are rounded to half precision, integers kept.
            licence: SPDX identifier of the weights.
            origin: Package and version, or the recipe, that the numbers come from.
            metrics: Held-out figures of a network trained here.

        Raises:
            OutputError: They cannot be written; the files that were there before stay.
        """
        data = save({key: value.half().contiguous() if value.is_floating_point() else value for key, value in weights.items()})
        check_folder(self.folder / "models")
        known = dict(entries(self.manifest)) if self.manifest.exists() else {}
        ships = known.get(name, {}).get("ships", "-without-" not in name)
        known[name] = {
            "file": f"{name}.safetensors",
            "sha256": hashlib.sha256(data).hexdigest(),
            "bytes": len(data),
            "licence": licence,
            "origin": origin,
        }
        known[name] |= ({} if ships else {"ships": False}) | ({"metrics": dict(metrics)} if metrics else {})
        write(self.folder / "models" / f"{name}.safetensors", data)
        write(self.manifest, (HEADER + "".join(_table(key, known[key]) for key in sorted(known))).encode())

    def log(self, name: str, rows: Iterable[Mapping[str, object]]) -> None:
        """Write training/NAME.jsonl: what a recipe saw on its way, a line a row.

        Raises:
            OutputError: It cannot be written.
        """
        check_folder(self.folder / "training")
        write(self.folder / "training" / f"{name}.jsonl", "".join(json.dumps(row) + "\n" for row in rows).encode())


def add_option(parser: argparse.ArgumentParser, what: str) -> None:
    """Add `--record [FOLDER]` to a recipe's command line: None without the option, "" with no folder named.

    Args:
        parser: The recipe's.
        what: What recording does, for --help.
    """
    parser.add_argument("--record", nargs="?", const="", metavar="FOLDER", help=f"{what} FOLDER {_DEFAULT}")


def chosen(asked: str | None, run: Path) -> Records:
    """The folder that `--record` names, checked before the work begins.

    Args:
        asked: What came with the option; with nothing, the source tree's assets/ are meant, or where there is no source tree, a folder
            `assets` of the run: an installed package stays as it was installed.
        run: The run's folder.

    Raises:
        OutputError: Nothing can be written there.
        WeightsError: The folder holds a manifest that cannot be read.
    """
    return Records(Path(asked) if asked else source_assets() or run / "assets").check()


_DEFAULT = "(assets/ of the source tree by default; of an installed package, assets/ in the run's own folder)"


def _table(name: str, entry: Mapping[str, object]) -> str:
    lines = [f"\n[{name}]"]
    for key, value in entry.items():
        if isinstance(value, dict):
            value_text = "{ " + ", ".join(f"{inner} = {number!r}" for inner, number in value.items()) + " }"
        else:
            value_text = json.dumps(value if isinstance(value, int) else str(value), ensure_ascii=False)
        lines.append(f"{key} = {value_text}")
    return "\n".join(lines) + "\n"
