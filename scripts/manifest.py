"""Write one weight file and its entry in assets/weights.toml."""

import hashlib
import json
import tomllib
from collections.abc import Iterable, Mapping
from pathlib import Path

from safetensors.torch import save
from torch import Tensor

ASSETS = Path(__file__).resolve().parent.parent / "assets"
HEADER = "# One entry for each file in assets/models: written by the converters in scripts/ and the recipes in engines/training/recipes/.\n"


def record(name: str, weights: dict[str, Tensor], *, licence: str, origin: str, metrics: dict[str, float] | None = None) -> None:
    """Save `weights` in half precision as assets/models/NAME.safetensors and renew the manifest's entry.

    Args:
        name: The entry's name and the file's stem.
        weights: Tensors by name; floating ones are rounded to half precision, integers kept.
        licence: SPDX identifier of the weights.
        origin: Package and version, or the recipe, that the numbers come from.
        metrics: Held-out figures of a network trained here.
    """
    data = save({key: value.half().contiguous() if value.is_floating_point() else value for key, value in weights.items()})
    (ASSETS / "models").mkdir(parents=True, exist_ok=True)
    (ASSETS / "models" / f"{name}.safetensors").write_bytes(data)
    path = ASSETS / "weights.toml"
    entries = tomllib.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    entries[name] = {
        "file": f"{name}.safetensors",
        "sha256": hashlib.sha256(data).hexdigest(),
        "bytes": len(data),
        "licence": licence,
        "origin": origin,
    } | ({"metrics": metrics} if metrics else {})
    path.write_text(HEADER + "".join(_table(key, entries[key]) for key in sorted(entries)), encoding="utf-8")


def log(name: str, rows: Iterable[Mapping[str, object]]) -> None:
    """Write assets/training/NAME.jsonl: what a recipe saw on its way, a line a row."""
    (ASSETS / "training").mkdir(parents=True, exist_ok=True)
    lines = "".join(json.dumps(row) + "\n" for row in rows)
    (ASSETS / "training" / f"{name}.jsonl").write_text(lines, encoding="utf-8")


def _table(name: str, entry: dict[str, object]) -> str:
    lines = [f"\n[{name}]"]
    for key, value in entry.items():
        if isinstance(value, dict):
            value_text = "{ " + ", ".join(f"{inner} = {number!r}" for inner, number in value.items()) + " }"
        else:
            value_text = repr(value) if isinstance(value, int) else '"' + str(value).replace('"', "'") + '"'
        lines.append(f"{key} = {value_text}")
    return "\n".join(lines) + "\n"
