"""What other packages bring: engines and generators that an installed distribution announces as entry points.

[project.entry-points."latent_studio.engines"]
nearest = "my_package"                  # an engine's class, or a package whose `__all__` lists them

[project.entry-points."latent_studio.generators"]
my_faces = "my_package:make"            # a factory: device -> generator, called by the entry's name

A package that cannot be imported, or that brings something else, is left out and named; the studio goes on without it.
"""

import inspect
import logging
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from importlib.metadata import EntryPoint, entry_points
from types import ModuleType
from typing import Any

from engines.contract import Card, Engine, Request
from engines.core.errors import CatalogueError
from engines.core.knobs import Knobs
from engines.inputs import declared

AnyEngine = Engine[Any, Any, Any]

ENGINES, GENERATORS = "latent_studio.engines", "latent_studio.generators"

_LOG = logging.getLogger(__name__)


@dataclass(frozen=True)
class LeftOut:
    """Something that was announced and cannot be used.

    Attributes:
        package: The distribution that announced it.
        module: Where it was looked for.
        entry: What it was announced as.
        reason: Why it is left out.
    """

    package: str
    module: str
    entry: str
    reason: str

    def __str__(self) -> str:
        return f"{self.entry} of the package {self.package} is left out: {self.reason}"


@dataclass(frozen=True)
class Plugin:
    """An engine, or a generator's factory, of another package.

    Attributes:
        package: The distribution that announced it.
        module: Where it comes from.
        name: What it is called by.
        made: The engine's class, or the factory.
    """

    package: str
    module: str
    name: str
    made: Any


def exported(package: ModuleType) -> list[type[AnyEngine]]:
    """Engine classes that a package's `__all__` lists."""
    objects = [getattr(package, name) for name in package.__all__]
    return [item for item in objects if inspect.isclass(item) and issubclass(item, Engine)]


@cache
def announced() -> tuple[tuple[Plugin, ...], tuple[Plugin, ...], tuple[LeftOut, ...]]:
    """Engines, generators, and what is left out, of all installed packages; each thing that is left out is logged once."""
    left = list[LeftOut]()
    engines = tuple(plugin for entry in entry_points(group=ENGINES) for plugin in _loaded(entry, _engines, left))
    generators = tuple(plugin for entry in entry_points(group=GENERATORS) for plugin in _loaded(entry, _factory, left))
    for one in left:
        _LOG.warning("%s", one)
    return engines, generators, tuple(left)


def _loaded(entry: EntryPoint, read: Callable[[EntryPoint], list[Plugin]], left: list[LeftOut]) -> list[Plugin]:
    """What an entry stands for; nothing, and a line in `left`, where it cannot be used."""
    try:
        return read(entry)
    except Exception as error:  # noqa: BLE001  whatever a stranger's module raises must not end the studio
        reason = str(error) if isinstance(error, CatalogueError) else f"{type(error).__name__}: {error}"
        left.append(LeftOut(*_origin(entry), entry.name, reason))
        return []


def _origin(entry: EntryPoint) -> tuple[str, str]:
    """The distribution that announces an entry, and the package of the entry's module."""
    module = entry.module.partition(".")[0]
    return (entry.dist.name if entry.dist is not None else module), module


def _engines(entry: EntryPoint) -> list[Plugin]:
    found = entry.load()
    kinds = exported(found) if inspect.ismodule(found) else [found]
    if not kinds:
        raise CatalogueError(f"{entry.value} lists no engine in its __all__.")
    return [Plugin(*_origin(entry), sound(kind).card.name, kind) for kind in kinds]


def _factory(entry: EntryPoint) -> list[Plugin]:
    found = entry.load()
    if not callable(found):
        raise CatalogueError(f"{entry.value} is no factory: wanted a function of a device that returns a generator.")
    return [Plugin(*_origin(entry), entry.name, found)]


def sound(kind: Any) -> type[AnyEngine]:
    """An engine's class, if it declares what the page and the command line read of it.

    Raises:
        CatalogueError: It is no engine, or lacks a declaration.
        TypeError: A knob or an input is declared wrongly.
    """
    if not (inspect.isclass(kind) and issubclass(kind, Engine)):
        raise CatalogueError(f"{kind!r} is no engine: wanted a class derived from engines.Engine.")
    if inspect.isabstract(kind):
        raise CatalogueError(f"The engine {kind.__name__} has no run().")
    if not isinstance(getattr(kind, "card", None), Card):
        raise CatalogueError(f"The engine {kind.__name__} has no card.")
    for name, base in (("accepts", Request), ("knob_set", Knobs)):
        value = getattr(kind, name, None)
        if not (inspect.isclass(value) and issubclass(value, base)):
            raise CatalogueError(f"The engine {kind.__name__} says no {name}: wanted a class derived from engines.{base.__name__}.")
    kind.knob_set.declared()
    declared(kind.accepts)
    return kind
