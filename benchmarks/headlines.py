"""The README's table: a few methods on real portraits, beside what a paper reports of them."""

from typing import Any

from benchmarks.grid import grid
from benchmarks.methods_table import figure
from benchmarks.papers import PUBLISHED

SOURCE = "arXiv:2111.15666, Table 2"
METHODS = ("recommended", "pti", "image2stylegan", "restyle", "psp", "e4e")


def rendered(results: dict[str, Any]) -> str:
    """Means with standard errors over the real portraits, each method at its defaults.

    Args:
        results: As benchmarks/methods.py measures them.
    """
    shown = {name: results["methods"][name] for name in METHODS if results["methods"].get(name, {}).get("real", {}).get("faces")}
    head = ["method", "LPIPS", "published", "identity distance", "published", "seconds", "published"]
    return grid(head, [_row(method, PUBLISHED[SOURCE].get(name, {})) for name, method in shown.items()])


def _row(method: dict[str, Any], published: dict[str, float]) -> list[str]:
    real = method["real"]
    figures = real["figures"]
    similar = published.get("identity_similarity")
    return [
        method["title"],
        figure(figures.get("lpips"), "{:.3f}"),
        f"{published['lpips']:.2f}" if "lpips" in published else "-",
        figure(figures.get("identity_distance"), "{:.2f}"),
        "-" if similar is None else f"{1 - similar:.2f}",
        f"{real['seconds']:.1f}",
        f"{published['seconds']:.1f}" if "seconds" in published else "-",
    ]
