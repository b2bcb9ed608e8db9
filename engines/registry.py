"""The catalogue: every engine that a verb package exports, and every generator, by name."""

import inspect
from collections.abc import Callable, Mapping
from functools import cache
from types import ModuleType
from typing import Any

import torch

import engines.edit
import engines.explore
import engines.hierarchy
import engines.invert
import engines.mix
from engines.contract import Engine
from engines.core.errors import CatalogueError
from engines.core.memory import keep_pages
from engines.core.weights import load_weights, manifest
from engines.generators.base import Generator
from engines.generators.ffhq import Student
from engines.generators.toy import toy

AnyEngine = Engine[Any, Any]
VERBS: tuple[ModuleType, ...] = (engines.invert, engines.edit, engines.explore, engines.mix, engines.hierarchy)


@cache
def catalogue() -> Mapping[str, type[AnyEngine]]:
    """Engine classes by card name, in the order of their packages' tables of contents.

    Raises:
        CatalogueError: Two engines claim one name.
    """
    found: dict[str, type[AnyEngine]] = {}
    for verb in VERBS:
        for engine in exported(verb):
            if engine.card.name in found:
                raise CatalogueError(f"Two engines are called {engine.card.name!r}.")
            found[engine.card.name] = engine
    return found


def exported(package: ModuleType) -> list[type[AnyEngine]]:
    """Engine classes that a package's `__all__` lists."""
    objects = [getattr(package, name) for name in package.__all__]
    return [item for item in objects if inspect.isclass(item) and issubclass(item, Engine)]


def create(name: str, generator: Generator) -> AnyEngine:
    """The engine called `name`, bound to `generator`.

    Raises:
        CatalogueError: No such engine, or the generator lacks what it needs.
    """
    engine = catalogue().get(name)
    if engine is None:
        raise CatalogueError(f"There is no engine {name!r}; there are: {', '.join(catalogue())}.")
    return engine(generator)


def load_generator(name: str = "ffhq", device: torch.device | str = "cpu") -> Generator:
    """A generator by name: "ffhq" (1024 px faces, bundled) or "toy" (64 px, random weights, for tests).

    On Linux the process keeps freed memory pages from here on, which makes the CPU about three times faster.

    Raises:
        CatalogueError: No such generator.
        WeightsError: Its bundled file is missing or altered.
    """
    makers: dict[str, Callable[[], Generator]] = {"ffhq": lambda: _ffhq(device), "toy": lambda: toy(device)}
    if name not in makers:
        raise CatalogueError(f"There is no generator {name!r}; there are: {', '.join(makers)}.")
    keep_pages()
    return makers[name]()


def _ffhq(device: torch.device | str) -> Student:
    exits = load_weights("ffhq_exits") if "ffhq_exits" in manifest() else {}
    return Student("ffhq", load_weights("ffhq"), exits, device)
