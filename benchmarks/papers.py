"""What papers report of the same methods on real photos (CelebA-HQ's test split), and where our orderings differ.

Sources: Alaluf et al., "HyperStyle", arXiv:2111.15666, Table 2; Bobkov et al., "The Devil is in the Details: StyleFeatureEditor",
arXiv:2406.10601, Table 1; and the table in the README of caopulan/GANInverter. Identity is a similarity there and a distance here.
"""

import statistics
from collections.abc import Iterator
from itertools import combinations
from typing import Any

HIGHER = ("psnr", "ms_ssim", "identity_similarity")
"""Figures of which more is better."""

PUBLISHED: dict[str, dict[str, dict[str, float]]] = {
    "arXiv:2111.15666, Table 2": {
        "image2stylegan": {"identity_similarity": 0.78, "ms_ssim": 0.90, "lpips": 0.09, "mse": 0.020, "seconds": 227.55},
        "pti": {"identity_similarity": 0.85, "ms_ssim": 0.92, "lpips": 0.09, "mse": 0.015, "seconds": 55.715},
        "in_domain": {"identity_similarity": 0.18, "ms_ssim": 0.68, "lpips": 0.22, "mse": 0.061, "seconds": 0.04},
        "psp": {"identity_similarity": 0.56, "ms_ssim": 0.76, "lpips": 0.17, "mse": 0.034, "seconds": 0.106},
        "e4e": {"identity_similarity": 0.50, "ms_ssim": 0.72, "lpips": 0.20, "mse": 0.052, "seconds": 0.106},
        "restyle": {"identity_similarity": 0.66, "ms_ssim": 0.79, "lpips": 0.13, "mse": 0.030, "seconds": 0.366},
        "restyle_e4e": {"identity_similarity": 0.52, "ms_ssim": 0.74, "lpips": 0.19, "mse": 0.041, "seconds": 0.366},
    },
    "arXiv:2406.10601, Table 1": {
        "pti": {"lpips": 0.085, "mse": 0.008, "ms_ssim": 0.781, "seconds": 124},
        "psp": {"lpips": 0.161, "mse": 0.034, "ms_ssim": 0.651, "seconds": 0.034},
        "e4e": {"lpips": 0.199, "mse": 0.047, "ms_ssim": 0.625, "seconds": 0.034},
    },
    "GANInverter": {
        "image2stylegan": {"psnr": 20.59, "mse": 0.0242, "lpips": 0.1092, "identity_similarity": 0.77},
        "projector": {"psnr": 15.85, "mse": 0.0670, "lpips": 0.1967, "identity_similarity": 0.32},
        "pti": {"psnr": 24.61, "mse": 0.0082, "lpips": 0.0817, "identity_similarity": 0.85, "seconds": 59},
        "psp": {"psnr": 18.03, "mse": 0.0345, "lpips": 0.1591, "identity_similarity": 0.56, "seconds": 0.041},
        "e4e": {"psnr": 16.66, "mse": 0.0472, "lpips": 0.1974, "identity_similarity": 0.50, "seconds": 0.042},
        "restyle_e4e": {"psnr": 17.09, "mse": 0.0428, "lpips": 0.1904, "identity_similarity": 0.51, "seconds": 0.150},
    },
}
"""Figures by source and by our name of the method; a W+ optimiser stands for Image2StyleGAN, one of W for the projector."""

_CLEAR = 2.0
"""Standard errors that a difference must exceed to be called one."""

_SLOWER = 1.2
"""How many times as long a method must take to be called slower."""


def differing(methods: dict[str, Any], kind: str) -> dict[str, Any]:
    """Pairs of methods that papers and we order otherwise: `reversed` clearly, `unclear` within two standard errors; `agreeing` counts.

    Args:
        methods: As benchmarks/methods.py measures them.
        kind: "real" or "generated".
    """
    found: dict[str, Any] = {"agreeing": 0, "reversed": [], "unclear": []}
    for source, figure, first, second, published in _pairs(methods):
        ours = _ours(methods, kind, figure, first, second)
        if ours is None:
            continue
        means, clear = ours
        if _better(figure, *published) == _better(_own(figure), *means):
            found["agreeing"] += 1
        else:
            line = {"source": source, "figure": figure, "methods": [first, second], "published": list(published), "ours": list(means)}
            found["reversed" if clear else "unclear"].append(line)
    return found


def _pairs(methods: dict[str, Any]) -> Iterator[tuple[str, str, str, str, tuple[float, float]]]:
    """Every pair that a source orders in a figure."""
    for source, table in PUBLISHED.items():
        for first, second in combinations([name for name in table if name in methods], 2):
            for figure in table[first]:
                if figure in table[second] and table[first][figure] != table[second][figure]:
                    yield source, figure, first, second, (table[first][figure], table[second][figure])


def _own(figure: str) -> str:
    return "identity_distance" if figure == "identity_similarity" else figure


def _better(figure: str, first: float, second: float) -> bool:
    return first > second if figure in HIGHER else first < second


def _ours(methods: dict[str, Any], kind: str, figure: str, first: str, second: str) -> tuple[tuple[float, float], bool] | None:
    """Our two means over the faces that both had, and whether they clearly differ."""
    one, other = methods[first][kind], methods[second][kind]
    if figure == "seconds":
        if one["seconds"] is None or other["seconds"] is None:
            return None
        fewer, more = sorted((one["seconds"], other["seconds"]))
        return (one["seconds"], other["seconds"]), more > _SLOWER * fewer
    name = _own(figure)
    pairs = common(one["each"].get(name, []), other["each"].get(name, []))
    if not pairs:
        return None
    means = (round(statistics.fmean(pair[0] for pair in pairs), 5), round(statistics.fmean(pair[1] for pair in pairs), 5))
    differences = [pair[0] - pair[1] for pair in pairs]
    clear = len(pairs) > 1 and abs(statistics.fmean(differences)) > _CLEAR * statistics.stdev(differences) / len(pairs) ** 0.5
    return means, clear


def common(ours: list[float | None], theirs: list[float | None]) -> list[tuple[float, float]]:
    """Values of the faces that both methods had, in order."""
    return [(one, other) for one, other in zip(ours, theirs, strict=False) if one is not None and other is not None]
