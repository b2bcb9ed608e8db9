"""FineGAN on paper birds: what its codes know, how its masks fit, what they find in drawings, and how fast it draws.

    python -m benchmarks.finegan                      # about eight minutes

All codes are free of each other; labels and masks are those of the bundled evaluation classifier (assets/weights.toml, bird_oracle), which
is no Inception network: none of this is FID. Beside it stand the targets that were set before, and clusters of the drawings' pixels.
"""

import argparse
import math
import statistics
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch

from benchmarks.grid import grid, where
from benchmarks.machine import OUTPUT, facts, write
from engines.core.memory import keep_pages
from engines.core.weights import is_bundled, manifest
from engines.generators.finegan import WEIGHTS, bundled_finegan
from engines.generators.flat import WEIGHTS as FLAT
from engines.generators.flat import bundled_flat
from engines.hierarchy.discovery import FeatureExtractor, clustering_agreement, extract_features, finegan_classifier, kmeans_clusters
from engines.metrics.birds import disentangled, flat, free_codes
from engines.training.datasets.birds import FACTORS
from engines.training.drawn import TEST, random_birds

PICTURES, DRAWINGS, REPEATS, GRID = 5_000, 2_000, 50, 64
EXTRACTORS: dict[str, tuple[str, Callable[[], FeatureExtractor]]] = {
    "InfoGAN, flat code": (FLAT, bundled_flat),
    "FineGAN": ("finegan_reader", finegan_classifier),
}
"""Networks whose features are clustered: entry of the manifest, and how it is read."""

FIGURES: tuple[tuple[str, str, str], ...] = (
    ("shape_by_parent", "shape known from p, I(p; shape) / H(shape)", "at least 0.7"),
    ("texture_by_child", "texture known from c, I(c; texture) / H(texture)", "at least 0.7"),
    ("background_by_b", "background known from b", "none set"),
    ("texture_by_parent", "texture known from p", "at most 0.1"),
    ("shape_by_child", "shape known from c beyond p", "at most 0.1"),
    ("shape_by_b", "shape known from b", "at most 0.1"),
    ("nmi_parent_shape", "NMI of p and shape", "-"),
    ("nmi_child_texture", "NMI of c and texture", "-"),
    ("mask_overlap", "child mask and the evaluation classifier's, intersection over union", "at least 0.7"),
    ("parent_child_overlap", "parent and child mask", "at least 0.8"),
    ("shape_kept_under_child", "same shape under another c", "at least 0.85"),
    ("background_kept_under_parent", "same background under another p", "at least 0.9"),
    ("object_moved_under_b", "change of the bird's pixels under another b, L1 of the range", "under 0.05"),
    ("mask_overlap_under_z", "mask overlap of two z", "under 0.9"),
)
"""Names of figures, in words, and what they were to reach."""


def measure(pictures: int, drawings: int) -> dict[str, Any]:
    """All figures."""
    keep_pages()
    machine, finegan = facts(), bundled_finegan()
    results: dict[str, Any] = {"machine": machine, "pictures": pictures, "speed": speed()}
    results["figures"] = _rounded(disentangled(finegan, pictures, TEST))
    results["flat"] = _rounded(flat(bundled_flat(), pictures, TEST)) if is_bundled(FLAT) else {}
    birds = random_birds(drawings, TEST, finegan.form.size)
    ways = {"pixels": birds.images.flatten(1)}
    ways |= {name: extract_features(classifier(), birds.images) for name, (entry, classifier) in EXTRACTORS.items() if is_bundled(entry)}
    found = {
        name: clustering_agreement(kmeans_clusters(features), birds.factors.shape, birds.factors.texture) for name, features in ways.items()
    }
    results["discovery"] = {"drawings": drawings} | {name: _rounded(figures) for name, figures in found.items()}
    return results


def speed() -> dict[str, float]:
    """Seconds: the median of single pictures in all stages, and of a grid."""
    finegan = bundled_finegan()

    def median(count: int, repeats: int) -> float:
        times = []
        for repeat in range(repeats + 2):
            start = time.perf_counter()
            finegan.draw(*free_codes(finegan, count, repeat))
            times.append(time.perf_counter() - start)
        return round(statistics.median(times[2:]), 4)

    return {"picture": median(1, REPEATS), "grid": median(GRID, 5)}


def _nats(figures: dict[str, float]) -> list[str]:
    return [f"{figures[f'{factor}_nats']:.2f}" if f"{factor}_nats" in figures else "-" for factor in FACTORS]


def _rounded(figures: dict[str, float]) -> dict[str, float]:
    return {name: round(value, 4) for name, value in figures.items()}


def rendered(results: dict[str, Any]) -> str:
    """The results as Markdown."""
    figures, speeds, entry = results["figures"], results["speed"], manifest().get(WEIGHTS, {})
    rows = [[words, f"{figures[name]:.3f}", target] for name, words, target in FIGURES]
    found = results["discovery"]
    kinds = [[name, *(f"{figure:.3f}" for figure in found[name].values())] for name in found if name != "drawings"]
    told = [["FineGAN, a code for each", *_nats(figures)]]
    told += [["InfoGAN, one flat code of as many values", *_nats(results["flat"])]] if results.get("flat") else []
    return "\n\n".join(
        [
            f"**FineGAN on paper birds**: {results['pictures']} pictures with free codes, by a classifier trained on the drawings "
            f"({entry.get('origin', 'not trained')})",
            grid(("figure", "measured", "was to be"), rows),
            "Nats that codes tell of each factor; the factors of drawings hold "
            f"{', '.join(f'{math.log(count):.2f}' for count in FACTORS.values())}:",
            grid(("codes", *FACTORS), told),
            f"A picture in all its stages takes {1000 * speeds['picture']:.0f} ms, a grid of {GRID} {speeds['grid']:.2f} s "
            f"({where(results['machine'])}).",
            f"Unsupervised clustering of {found['drawings']} drawings against ground truth (50 clusters; class: shape and texture):",
            grid(("clusters of", "NMI", "accuracy", "NMI of shapes", "NMI of textures"), kinds),
        ]
    )


def main() -> None:
    """Measure, write and print."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.finegan", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--pictures", type=int, default=PICTURES)
    parser.add_argument("--drawings", type=int, default=DRAWINGS)
    parser.add_argument("--output", type=Path, default=OUTPUT)
    arguments = parser.parse_args()
    torch.set_grad_enabled(False)
    results = measure(arguments.pictures, arguments.drawings)
    write("finegan", results, arguments.output)
    print(rendered(results))


if __name__ == "__main__":
    main()
