"""The table of the networks that were trained here, from what their recipes recorded in assets/weights.toml."""

from collections.abc import Mapping
from typing import Any, get_args

from benchmarks.grid import grid
from engines.core.weights import manifest
from engines.generators.stylemapgan import MAPPING
from engines.mix.boundaries import FILE, Pushed
from engines.mix.stylemapgan import CELLS

RECIPES = "engines/training/recipes/"
_FORMS = {"distance": "{:.3f}", "mse": "{:.4f}", "lpips": "{:.3f}", "identity_distance": "{:.2f}", "consistency": "{:.1f}"}
OWN_MAPS = {
    "mse": "reconstruction, squared error (at most 0.03)",
    "lpips": "reconstruction, LPIPS of pictures enlarged to 256 px",
    "mse_src": "a part exchanged: error outside, against the source (at most 1.5 times the reconstruction's)",
    "mse_ref": "error inside, against the reference (at most twice the reconstruction's)",
    "mse_src_vector": "outside, if one vector for the whole picture is mixed",
    "mse_ref_vector": "inside, if one vector is mixed",
    "seam": "gradient on the border over the mean (at most 1.3)",
    "locality": "share of a cell's change within three by three cells (at least 0.9)",
    "frechet_again": "Fréchet distance of redrawn faces from the held-out ones (not FID: AlexNet's features, at 256 px)",
    "frechet_others": "Fréchet distance of as many other true faces",
    "frechet_random": "Fréchet distance of random faces (at most twice that of other true ones)",
    "frechet_untaught": "the same before the mapping network was trained",
}
"""Figures of StyleMapGAN's own networks in words, with what they were to reach."""

_BOUNDARIES = (
    "**Their boundaries**, on faces that none was fitted to: the share of extremes on the right side / by how many sigma a push of two "
    "moves a face that is drawn and re-encoded / the share of the change in the pushed cells and those beside them, where a rectangle "
    "is pushed alone:"
)
_HEAD = ("network", "updates", "code error, sigma", "MSE", "LPIPS", "identity distance", "own editing consistency", "MB")


def encoders() -> dict[str, dict[str, Any]]:
    """Entries of networks that were measured on the held-out test set, with the figures of mapping networks trained afterwards."""
    known = manifest()
    found = {name: entry for name, entry in known.items() if RECIPES in entry["origin"] and "lpips" in entry.get("metrics", {})}
    return {name: entry | {"metrics": entry["metrics"] | known.get(name + MAPPING, {}).get("metrics", {})} for name, entry in found.items()}


def boundaries() -> Mapping[str, float]:
    """Figures of the boundaries between StyleMapGAN's stylemaps."""
    return manifest()[FILE]["metrics"]


def rendered(entries: Mapping[str, Mapping[str, Any]], pushes: Mapping[str, float] | None = None) -> str:
    """The table, those of mixes apart, with the average face's figures beside them; `pushes` are figures of `boundaries`."""
    plain = {name: entry for name, entry in entries.items() if not name.startswith("stylemap")}
    mixes = {name: entry for name, entry in entries.items() if name.startswith("stylemap_")}
    own = {name: entries[name] for name in sorted((name for name in entries if name.startswith("stylemapgan")), key=_cells)}
    parts = [
        "**Networks trained here** on two CPU cores, on the held-out test set's full pictures (256 codes, 64 pictures; "
        "logs in assets/training)",
        _table(plain),
    ]
    if mixes:
        parts += ["On held-out composites of two faces:", _table(mixes)]
    if own:
        rows = [[words, *(_known(entry["metrics"], figure) for entry in own.values())] for figure, words in OWN_MAPS.items()]
        words = "**StyleMapGAN's own networks**, 64 px, on held-out faces; the name says the resolution of their stylemaps:"
        parts += [words, grid(("figure", *own), rows)]
    if pushes:
        parts += [_BOUNDARIES, grid(("attribute", *(f"{cells} cells" for cells in CELLS)), _pushed(pushes))]
    return "\n\n".join(parts)


def _pushed(figures: Mapping[str, float]) -> list[list[str]]:
    rows = []
    for name in get_args(Pushed):
        cells = ([f"{figures[f'{figure}_{name}_{cells}']:.2f}" for figure in ("accuracy", "rise", "inside")] for cells in CELLS)
        rows.append([name.replace("_", " "), *(" / ".join(said) for said in cells)])
    return rows


def _cells(name: str) -> int:
    return int(name.rpartition("_")[2])


def _known(metrics: Mapping[str, float], figure: str) -> str:
    return f"{metrics[figure]:.3f}" if figure in metrics else "-"


def _table(entries: Mapping[str, Mapping[str, Any]]) -> str:
    rows = [
        [name, _updates(entry["origin"]), *(_cell(entry["metrics"], figure) for figure in _FORMS), f"{entry['bytes'] / 1e6:.1f}"]
        for name, entry in entries.items()
    ]
    averages = next((entry["metrics"] for entry in entries.values() if "average_mse" in entry["metrics"]), None)
    if averages is not None:
        known = {figure: averages[f"average_{figure}"] for figure in _FORMS if f"average_{figure}" in averages}
        rows.append(["the average face", "-", *(_cell(known, figure) for figure in _FORMS), "-"])
    return grid(_HEAD, rows)


def _cell(metrics: Mapping[str, float], figure: str) -> str:
    if figure not in metrics:
        return "-"
    text = _FORMS[figure].format(metrics[figure])
    error = metrics.get(f"{figure}_error")
    return text if error is None else f"{text} ± {_FORMS[figure].format(error)}"


def _updates(origin: str) -> str:
    """The number of updates that a recipe wrote into its origin."""
    words = origin.replace(",", "").split()
    return words[words.index("steps") - 1] if "steps" in words else "-"
