"""What all visitors share, read-only: the generator, the engines and the instruments, each built when first needed."""

from functools import cached_property
from pathlib import Path
from threading import Lock
from types import ModuleType

import engines.invert
from engines import InvertRequest, Request, load_generator
from engines.core.weights import assets
from engines.generators.base import Generator
from engines.metrics import Reconstruction
from engines.registry import AnyEngine, create, exported
from engines.spaces.statistics import statistics
from studio.settings import Settings
from studio.shelf import Visitors

INVERTED_BY = ("recommended", "image2stylegan")
"""Engines that photos are inverted by unless another is chosen, best first: the first that the generator can serve."""


class Session:
    """One running studio.

    Args:
        settings: How it is served.
    """

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.generator: Generator = load_generator(settings.generator, settings.device)
        self.visitors = Visitors(settings.shelf_megabytes * 2**20)
        self._engines: dict[str, AnyEngine] = {}
        self._lock = Lock()

    def warm(self) -> None:
        """Do once what the first click would otherwise wait for."""
        statistics(self.generator)
        self.generator.synthesize(statistics(self.generator).mean, size=self.generator.exits[0])

    def engine(self, name: str) -> AnyEngine:
        """The engine called `name`, built at the first call."""
        with self._lock:
            if name not in self._engines:
                self._engines[name] = create(name, self.generator)
            return self._engines[name]

    def offered(self, verb: ModuleType, accepts: type[Request] | None = None) -> list[type[AnyEngine]]:
        """Engines of a verb that the loaded generator can serve: all, or those that accept one kind of request."""
        able = [engine for engine in exported(verb) if engine.card.needs <= self.generator.capabilities]
        return [engine for engine in able if accepts in (None, engine.accepts)]

    @property
    def default_inversion(self) -> type[AnyEngine]:
        """The engine that a photo is inverted by unless another is chosen."""
        offered = {engine.card.name: engine for engine in self.offered(engines.invert, InvertRequest)}
        return next((offered[name] for name in INVERTED_BY if name in offered), next(iter(offered.values())))

    @cached_property
    def reconstruction(self) -> Reconstruction:
        """The measuring instrument for inversions."""
        return Reconstruction(self.generator.device)

    @property
    def live_size(self) -> int:
        """Size of live previews: 256 px, or the nearest that the generator has."""
        return min(self.generator.exits, key=lambda size: abs(size - 256))


def note(name: str) -> str:
    """The prose of an engine's note in assets/notes, or nothing where there is none."""
    path = assets() / "notes" / f"{name}.md"
    return path.read_text(encoding="utf-8") if path.is_file() else ""


def examples() -> list[Path]:
    """Example photos, one click away on the page."""
    return sorted((assets() / "examples").glob("*.jpg"))
