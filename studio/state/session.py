"""What all visitors share, read-only: the generator, the engines and the instruments, each built when first needed."""

from functools import cached_property
from pathlib import Path
from threading import Lock
from types import ModuleType

import engines.invert
from engines import InvertRequest, Request, catalogue, load_generator
from engines.core.errors import CatalogueError
from engines.core.weights import assets
from engines.generators.base import Generator
from engines.metrics import Reconstruction
from engines.plugins import AnyEngine
from engines.registry import create, engines_of
from engines.spaces.statistics import statistics
from studio.serving.disk import disk
from studio.serving.lines import ONE_PASS, RUN, Lines
from studio.settings import Settings
from studio.state.visitors import Visitors

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
        if "w_plus" not in self.generator.capabilities:
            raise CatalogueError(
                f"The page edits faces in W, which {settings.generator} does not have: start it on ffhq. Pictures of that kind are in the "
                "Hierarchy tab, and `studio run` draws with it."
            )
        budgets = (settings.shelf_megabytes * 2**20, settings.visitors_megabytes * 2**20)
        self.visitors = Visitors(*budgets, grace=60 * settings.grace_minutes, forget=disk.forget, tidy=disk.tidy)
        self.lines = Lines(settings.runs_each, settings.runs_waiting)
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
        able = [engine for engine in engines_of(verb) if engine.card.needs <= self.generator.capabilities]
        return [engine for engine in able if accepts in (None, engine.accepts)]

    @property
    def default_inversion(self) -> type[AnyEngine]:
        """The engine that a photo is inverted by unless another is chosen."""
        offered = {engine.card.name: engine for engine in self.offered(engines.invert, InvertRequest)}
        return next((offered[name] for name in INVERTED_BY if name in offered), next(iter(offered.values())))

    def line_of(self, name: str) -> str:
        """The line of `studio.serving.lines` in which runs of an engine wait."""
        return ONE_PASS if catalogue()[name].one_pass else RUN

    @cached_property
    def reconstruction(self) -> Reconstruction:
        """The measuring instrument for inversions."""
        return Reconstruction(self.generator.device)

    @property
    def live_size(self) -> int:
        """Size of live previews: 256 px, or the nearest that the generator has."""
        return self.generator.nearest_exit(256)

    @property
    def preview_size(self) -> int:
        """Size of a preview now: the smallest that the generator has while several hands wait, else `live_size`."""
        return min(self.generator.exits[0], self.live_size) if self.lines.is_crowded else self.live_size


def note(name: str) -> str:
    """The prose of an engine's note in assets/notes, or nothing where there is none."""
    path = assets() / "notes" / f"{name}.md"
    return path.read_text(encoding="utf-8") if path.is_file() else ""


def examples() -> list[Path]:
    """Example photos, one click away on the page."""
    return sorted((assets() / "examples").glob("*.jpg"))
