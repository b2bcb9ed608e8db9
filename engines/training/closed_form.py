"""What needs no descent: principal components of features, and ridge regression from them to codes.

A linear map of pretrained features, found in closed form on a few thousand generated faces, says codes of unseen faces better than a body
trained from scratch on fourteen thousand (docs/training.md); descent begins there.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from engines.core.seeds import rng
from engines.nets.pyramid import LevelMaps, Narrowed, PyramidHeads

POWER = 0.75
"""Components keep this power of their spread: descent then moves strong and weak ones alike."""

PENALTIES = (0.001, 0.003, 0.01, 0.03, 0.1, 0.3)
_LEAST = 1e-3


@torch.no_grad()
def fit_channels(module: Narrowed, features: Tensor) -> Narrowed:
    """Set a module's means, scales and channel components by features (N,length)."""
    parts = features.split([tap.channels * tap.fields**2 for tap in module.taps], dim=1)
    shaped = [part.unflatten(1, (tap.channels, -1)) for part, tap in zip(parts, module.taps, strict=True)]
    module.mean.copy_(torch.cat([values.mean(dim=(0, 2)) for values in shaped]))
    scale = torch.cat([values.std(dim=(0, 2)) for values in shaped])
    module.scale.copy_(scale.clamp_min(1e-3 * float(scale.mean())))
    for values, narrow in zip(module.standard(features), module.narrow, strict=True):
        cells = values.transpose(1, 2).flatten(0, 1)
        _, vectors = torch.linalg.eigh(cells.T @ cells / len(cells))
        narrow.copy_(vectors.flip(1)[:, : len(narrow)].T)
    return module


@dataclass(frozen=True, eq=False)
class Components:
    """Principal components of a level's vector.

    Attributes:
        mean: (1,D).
        basis: (K,D), each row scaled as training sees it.
    """

    mean: Tensor
    basis: Tensor

    def __call__(self, vectors: Tensor) -> Tensor:
        """(N,K) of vectors (N,D)."""
        return (vectors - self.mean) @ self.basis.T

    def folded(self, weight: Tensor, bias: Tensor) -> tuple[Tensor, Tensor]:
        """A linear map of components, as one of vectors."""
        whole = weight @ self.basis
        return whole, bias - whole @ self.mean[0]


@torch.no_grad()
def fit_components(vectors: Tensor, count: int, energy: float) -> Components:
    """The first `count` principal components of vectors (N,D), fewer of few, by a randomised decomposition that a seed decides."""
    count = min(count, len(vectors) - 1, vectors.shape[1])
    mean = vectors.mean(dim=0, keepdim=True)
    centred = vectors - mean
    basis = torch.linalg.qr(centred.T @ (centred @ torch.randn((vectors.shape[1], count + 64), generator=rng(0))))[0]
    for _ in range(3):
        basis = torch.linalg.qr(centred.T @ (centred @ basis))[0]
    _, values, right = torch.linalg.svd(centred @ basis, full_matrices=False)
    spread = values[:count] / len(vectors) ** 0.5
    gain = (spread / spread[0]) ** POWER
    gain = gain * (energy / gain.square().sum()).sqrt() / spread
    return Components(mean, gain[:, None] * (right @ basis.T)[:count])


@torch.no_grad()
def ridge(inputs: Tensor, targets: Tensor, penalty: float) -> tuple[Tensor, Tensor]:
    """Weight (M,K) and bias (M,) that take inputs (N,K) to targets (N,M); the penalty is a share of the inputs' mean square."""
    mean, wanted = inputs.mean(dim=0), targets.mean(dim=0)
    x, y = (inputs - mean).double(), (targets - wanted).double()
    gram = x.T @ x / len(x)
    gram += penalty * gram.diagonal().mean() * torch.eye(len(gram), dtype=gram.dtype)
    weight = torch.linalg.solve(gram, x.T @ y / len(x)).T.float()
    return weight, wanted - weight @ mean


@torch.no_grad()
def fit_ridge(inputs: Tensor, codes: Tensor, weigh: Tensor) -> tuple[Tensor, Tensor, float]:
    """Ridge of the penalty that is best on the last eighth, on all: weight, bias, and the held-out square error of what was chosen by it.

    Args:
        inputs: (N,K).
        codes: (N,width).
        weigh: What each of the codes' components (width,) counts.
    """
    cut = len(inputs) * 7 // 8
    tried = []
    for penalty in PENALTIES:
        weight, bias = ridge(inputs[:cut], codes[:cut], penalty)
        wrong = (inputs[cut:] @ weight.T + bias - codes[cut:]) * weigh
        tried.append((float(wrong.square().sum(dim=1).mean()), penalty))
    error, penalty = min(tried)
    return *ridge(inputs, codes, penalty), error


@torch.no_grad()
def begin_with_ridge(maps: LevelMaps, heads: PyramidHeads, levels: Sequence[Tensor], codes: Tensor, weigh: Tensor) -> float:
    """Set maps and heads to the ridge from levels' components to codes, its rank cut to the maps' widths.

    Args:
        maps: From components to numbers, a level.
        heads: From numbers to codes.
        levels: Components (N,K) a level, coarse to fine.
        codes: Of the groups, (N,G,width), in whitened components.
        weigh: What each of those counts.

    Returns:
        The held-out root mean square error, in the unit of `weigh`.
    """
    read = heads.read(levels)
    fits = [fit_ridge(inputs, codes[:, group], weigh) for group, inputs in enumerate(read)]
    for linear, fit in zip(heads.linears, fits, strict=True):
        nn.init.zeros_(linear.weight)
        linear.bias.copy_(fit[1])
    first = column = 0
    for place, (level, linear) in enumerate(zip(levels, maps.linears, strict=True)):
        columns, readers = slice(column, column + level.shape[1]), [group for group, count in enumerate(heads.reads) if count > place]
        told = [fits[group][0][:, columns] * weigh[:, None] for group in readers]
        there, back = _cut(torch.cat(told or [torch.zeros(1, level.shape[1])]), level.std(dim=0), len(linear.weight))
        nn.init.zeros_(linear.bias)
        nn.init.zeros_(linear.weight)
        linear.weight[: len(there)] = there
        for group in readers:
            heads.linears[group].weight[:, first : first + len(there)] = fits[group][0][:, columns] @ back
        first, column = first + len(linear.weight), column + level.shape[1]
    return (sum(fit[2] for fit in fits) / len(fits)) ** 0.5


def _cut(told: Tensor, spread: Tensor, count: int) -> tuple[Tensor, Tensor]:
    """A map (M,K) of inputs that have a spread (K,), through at most `count` numbers: from inputs to them, and from them back to inputs."""
    _, values, right = torch.linalg.svd(told * spread, full_matrices=False)
    kept, size = right[:count], values[:count].clamp_min(_LEAST * float(values[0]) + _LEAST).sqrt()
    return size[:, None] * kept / spread, (kept * spread).T / size
