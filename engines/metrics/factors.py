"""What codes without labels have to do with the factors of a known world: information, agreement, and how well masks fit.

Information I(a; b) is in nats. Counts of few samples in many cells look informed by accident; half a nat for every cell too many, divided
by the samples, is taken off for that (Miller and Madow's correction, 1955).
"""

import torch
from scipy.optimize import linear_sum_assignment
from torch import Tensor

from engines.core.shapes import Mask


def counts(first: Tensor, second: Tensor) -> Tensor:
    """How often each pair of values (N,) and (N,) occurs: (values of the first, values of the second)."""
    table = torch.zeros(int(first.max()) + 1, int(second.max()) + 1, dtype=torch.float64)
    ones = torch.ones(len(first), dtype=torch.float64)
    return table.index_put_((first.cpu(), second.cpu()), ones, accumulate=True)


def entropy(values: Tensor) -> float:
    """H of values (N,), in nats."""
    return _entropy(torch.bincount(values.cpu()).double())


def information(code: Tensor, factor: Tensor) -> float:
    """I(code; factor) of values (N,) and (N,), in nats; accidental information is taken off, down to nothing."""
    table = counts(code, factor)
    plain = _entropy(table.sum(1)) + _entropy(table.sum(0)) - _entropy(table.flatten())
    filled = int((table > 0).sum()) - int((table.sum(1) > 0).sum()) - int((table.sum(0) > 0).sum()) + 1
    return max(0.0, plain - max(0, filled) / (2 * len(code)))


def share_known(code: Tensor, factor: Tensor) -> float:
    """I(code; factor) / H(factor): 1 where the code alone tells the factor, 0 where it says nothing of it."""
    whole = entropy(factor)
    return information(code, factor) / whole if whole > 0 else 0.0


def share_known_within(code: Tensor, factor: Tensor, group: Tensor) -> float:
    """I(code; factor | group) / H(factor): what the code says beyond the group that it belongs to."""
    whole, total = entropy(factor), 0.0
    for value in group.unique():
        of = group == value
        total += float(of.float().mean()) * information(code[of], factor[of])
    return total / whole if whole > 0 else 0.0


def normalised_information(code: Tensor, factor: Tensor) -> float:
    """NMI by the arithmetic mean of both entropies; at most 2 H(factor) / (H(code) + H(factor)) where the code is finer than the factor."""
    mean = (entropy(code) + entropy(factor)) / 2
    return information(code, factor) / mean if mean > 0 else 0.0


def matched(clusters: Tensor, labels: Tensor) -> float:
    """Share of right answers under the best one-to-one naming of clusters (Hungarian method)."""
    table = counts(clusters, labels)
    return float(sum(table[place] for place in naming(table).items()) / table.sum())


def naming(table: Tensor) -> dict[int, int]:
    """The best one-to-one naming of a table's rows by its columns (Hungarian method): the column of each row, in the columns' order."""
    rows, columns = linear_sum_assignment(-table.numpy())
    return dict(sorted(zip(rows.tolist(), columns.tolist(), strict=True), key=lambda pair: pair[1]))


def overlap(first: Mask, second: Mask) -> Tensor:
    """Intersection over union (N,) of masks (N,1,S,S) at a half; 1 where both are empty."""
    a, b = first > 0.5, second > 0.5
    union = (a | b).flatten(1).sum(dim=1)
    return torch.where(union > 0, (a & b).flatten(1).sum(dim=1) / union.clamp(min=1), 1.0)


def _entropy(numbers: Tensor) -> float:
    share = numbers[numbers > 0] / numbers.sum()
    return float(-(share * share.log()).sum())
