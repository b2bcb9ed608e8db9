"""What a learnt change has to beat: a difference, and three paths of each factor that are fitted on the same training identities.

All but the plain difference are told the factor and the steps, which E has to see in two codes.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from sklearn.svm import SVC
from torch import Tensor

from engines.data.changes import FRAMES, NEUTRAL
from engines.training.changes.dataset import Sequences

_ENDS = 3
"""Frames at each end of a sequence that a separating plane is learnt from."""


@dataclass(frozen=True, eq=False)
class Transfer:
    """Changes to transfer, of one factor, row by row.

    Attributes:
        factor: Its row.
        before: Frames that they begin at, (N,).
        after: Frames that they end at, (N,).
        a: Coordinates of the face that they come from, before and after, (2,N,values).
        b: Of the face that they go to.
    """

    factor: int
    before: Tensor
    after: Tensor
    a: Tensor
    b: Tensor

    @property
    def steps(self) -> Tensor:
        """From frame to frame, (N,1)."""
        return (self.after - self.before).float()[:, None]

    @property
    def wanted(self) -> Tensor:
        """The other face's own change, (N,values)."""
        return self.b[1] - self.b[0]


Method = Callable[[Transfer], Tensor]


def plain(transfer: Transfer) -> Tensor:
    """The difference of the two codes, as it is."""
    return transfer.a[1] - transfer.a[0]


class Paths:
    """Paths of each factor, fitted on the identities of training.

    Args:
        sequences: All.
    """

    def __init__(self, sequences: Sequences) -> None:
        training = sequences.places("train")
        paths = sequences.offsets[:, training].flatten(3)
        values = sequences.values[:, training]
        self.means = [_slope(rows) for rows in paths]
        self.directions = [_direction(rows, places) for rows, places in zip(paths, values, strict=True)]
        self.curves = torch.stack([_quadratic(rows) for rows in paths])

    def mean(self, transfer: Transfer) -> Tensor:
        """The mean difference of a step, times the steps."""
        return transfer.steps * self.means[transfer.factor]

    def direction(self, transfer: Transfer) -> Tensor:
        """The normal of the plane between both ends of the sequences, its strength regressed on the steps."""
        return transfer.steps * self.directions[transfer.factor]

    def quadratic(self, transfer: Transfer) -> Tensor:
        """From place to place along a parabola in the plane of the mean path's two principal components."""
        curve = self.curves[transfer.factor]
        return curve[transfer.after] - curve[transfer.before]


def _places() -> Tensor:
    return torch.arange(FRAMES).float() - NEUTRAL


def _slope(paths: Tensor) -> Tensor:
    """Least squares of offsets (identities,9,values) on their frames from the neutral one, (values,)."""
    kept = paths.isfinite().all(dim=2)
    places = _places().expand_as(kept)[kept][:, None]
    return (places * paths[kept]).sum(dim=0) / places.square().sum()


def _direction(paths: Tensor, values: Tensor) -> Tensor:
    """The separating plane's unit normal, times the strength of a step by least squares."""
    low, high = values[:, :_ENDS].flatten(0, 1), values[:, -_ENDS:].flatten(0, 1)
    low, high = (rows[rows.isfinite().all(dim=1)] for rows in (low, high))
    machine = SVC(kernel="linear").fit(torch.cat([low, high]).numpy(), np.repeat([0, 1], [len(low), len(high)]))
    normal = torch.from_numpy(machine.coef_[0].copy()).float()
    unit = normal / normal.norm()
    return unit * float(unit @ _slope(paths))


def _quadratic(paths: Tensor) -> Tensor:
    """The mean path (9,values), in two components, each a parabola of the frame; a frame that nobody has is left out of the fit."""
    mean = paths.nanmean(dim=0)
    known = mean.isfinite().all(dim=1)
    axes = torch.linalg.svd(mean[known] - mean[known].mean(dim=0), full_matrices=False).Vh[:2]
    powers = torch.stack([_places(), _places().square()], dim=1)
    fitted = torch.linalg.lstsq(powers[known], mean[known] @ axes.T).solution
    return powers @ fitted @ axes
