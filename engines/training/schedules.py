"""How a loss's weight, or a learning rate, changes over a run: functions of the progress from 0 to 1."""

import math
from bisect import bisect_right
from collections.abc import Callable
from typing import TypeAlias

Schedule: TypeAlias = Callable[[float], float]


def constant(value: float) -> Schedule:
    """The same all the way."""
    return lambda _: value


def through(*points: tuple[float, float]) -> Schedule:
    """Straight lines through points of (progress, value), in order; level before the first and behind the last."""
    places = [place for place, _ in points]

    def value(progress: float) -> float:
        after = bisect_right(places, progress)
        if after in (0, len(points)):
            return points[max(0, after - 1)][1]
        (start, low), (end, high) = points[after - 1 : after + 1]
        return low + (high - low) * (progress - start) / (end - start)

    return value


def cosine(progress: float, last: float = 0.02, level: float = 0.0) -> float:
    """Share of a learning rate: all of it until the progress is `level`, `last` of it at the end."""
    falling = max(0.0, min(1.0, progress) - level) / (1 - level)
    return last + (1 - last) * 0.5 * (1 + math.cos(math.pi * falling))
