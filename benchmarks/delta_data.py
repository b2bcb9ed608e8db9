"""What sequences are like: how many frames were kept, and how what was measured in them rises, drifts and bends."""

from typing import Any

import numpy as np
from scipy.stats import spearmanr
from torch import Tensor

from engines.data.changes import NEUTRAL
from engines.spaces.paths import curvature
from engines.training.changes.dataset import Sequences

BOOTSTRAPS, SEED = 1_000, 1


def interval(values: "np.ndarray[Any, Any]", weights: "np.ndarray[Any, Any] | None" = None) -> dict[str, float]:
    """A mean (or a ratio of sums, values over weights) with its 95 % interval of a bootstrap over rows."""
    weights = np.ones(len(values)) if weights is None else weights
    rows = np.random.default_rng(SEED).integers(len(values), size=(BOOTSTRAPS, len(values)))
    drawn = values[rows].sum(axis=1) / weights[rows].sum(axis=1)
    low, high = np.quantile(drawn, [0.025, 0.975])
    return {"mean": round(float(values.sum() / weights.sum()), 4), "low": round(float(low), 4), "high": round(float(high), 4)}


def about_sequences(sequences: Sequences) -> dict[str, Any]:
    """Frames made and dropped, order, drift, identity and curvature, by factor."""
    found = {}
    for place, factor in enumerate(sequences.factors):
        kept, column, wanted = sequences.kept[place], sequences.column(place), sequences.wanted[place]
        ranks, made = _orders(column, wanted, kept), _orders(column, wanted, column.isfinite())
        bends = np.array([curvature(path[rows]) for path, rows in zip(sequences.offsets[place], kept, strict=True) if int(rows.sum()) > 2])
        away = kept.clone()
        away[:, NEUTRAL] = False
        reached = _reached(column, wanted, away)
        found[factor.name] = {
            "kind": factor.kind,
            "frames": kept.numel(),
            "kept": int(kept.sum()),
            "dropped": dict(sequences.dropped[factor.name]),
            "spearman": {"mean": round(float(np.mean(ranks)), 4), "least": round(min(ranks), 4)},
            "spearman_before_checks": {"mean": round(float(np.mean(made)), 4), "least": round(min(made), 4)},
            "reached": round(reached, 3),
            "drift": round(float(sequences.drift[place][away].mean()), 3),
            "identity": {
                "mean": round(float(sequences.distance[place][away].mean()), 3),
                "most": round(float(sequences.distance[place][away].max()), 3),
            },
            "curvature": interval(bends),
        }
    return found


def _orders(column: Tensor, wanted: Tensor, rows: Tensor) -> list[float]:
    """Rank correlation of what was measured with what was wanted, of each sequence with three frames or more."""
    every = zip(column, wanted, rows, strict=True)
    return [float(spearmanr(one[kept], want[kept]).statistic) for one, want, kept in every if int(kept.sum()) > 2]


def _reached(column: Tensor, wanted: Tensor, rows: Tensor) -> float:
    """Slope of what was measured on what was wanted, both from the neutral frame."""
    x, y = (values - values[:, NEUTRAL : NEUTRAL + 1] for values in (wanted, column))
    return float((x * y)[rows].sum() / x[rows].square().sum())
