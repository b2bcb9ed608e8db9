"""Interpolation between codes, lerp and slerp, and how far a path bends.

White, "Sampling Generative Networks", arXiv:1609.04468: codes of a high-dimensional Gaussian lie near a sphere, and the straight line
between two of them leaves it. Slerp stays. In W there is no such sphere; slerp around the mean of W keeps a face as far from the
average as its ends are, while the middle of lerp is more average than both.
"""

import torch
import torch.nn.functional as F
from torch import Tensor

_PARALLEL = 1e-4
"""Sine of the angle below which slerp is replaced by lerp."""


def lerp(a: Tensor, b: Tensor, t: float) -> Tensor:
    """Linear interpolation from `a` (0) to `b` (1); outside 0 to 1 it extrapolates."""
    return a + t * (b - a)


def fade(a: Tensor | None, b: Tensor | None, t: float) -> Tensor:
    """The point `t` between two things that are added to something, of which one may be missing: it counts as 0.

    Grids (1,width,s,s) of two sizes meet at the finer one.
    """
    if a is None or b is None:
        only, share = (b, t) if a is None else (a, 1 - t)
        assert only is not None
        return share * only
    if a.dim() == 4 and a.shape != b.shape:
        finer = max(a.shape[-2:], b.shape[-2:])
        a, b = (F.interpolate(grid, finer, mode="bilinear", align_corners=False) for grid in (a, b))
    return (1 - t) * a + t * b


def slerp(a: Tensor, b: Tensor, t: float, *, centre: Tensor | None = None) -> Tensor:
    """Spherical interpolation from `a` (0) to `b` (1), vector by vector (along the last dimension).

    Args:
        a: (...,width).
        b: (...,width), as `a`.
        t: 0 to 1 between the ends.
        centre: Centre of the sphere, such as the mean of W; the origin if not given.

    Returns:
        (...,width). Parallel and opposite vectors are interpolated linearly.
    """
    origin = torch.zeros_like(a) if centre is None else centre.expand_as(a)
    start, end = (a - origin).double(), (b - origin).double()
    cosine = torch.cosine_similarity(start, end, dim=-1).clamp(-1, 1).unsqueeze(-1)
    angle = cosine.acos()
    sine = angle.sin()
    on_arc = ((1 - t) * angle).sin() / sine * start + (t * angle).sin() / sine * end
    return origin + torch.where(sine > _PARALLEL, on_arc, lerp(start, end, t)).to(a)


def curvature(path: Tensor) -> float:
    """Arc length over chord of points (points,...): 1 for a straight path, and where nothing moves."""
    points = path.flatten(1).double()
    straight = float((points[-1] - points[0]).norm())
    return float((points[1:] - points[:-1]).norm(dim=1).sum()) / straight if straight > 1e-6 else 1.0
