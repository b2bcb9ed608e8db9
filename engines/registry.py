"""The catalogue: every engine that a verb package exports or another package announces, and every generator, by name."""

import logging
from collections.abc import Iterable, Mapping
from functools import cache
from types import ModuleType
from typing import cast

import torch

import engines.edit
import engines.explore
import engines.hierarchy
import engines.invert
import engines.mix
from engines.contract import Card
from engines.core.devices import usable
from engines.core.errors import CatalogueError
from engines.core.memory import keep_pages
from engines.generators.base import AnyGenerator, Generator
from engines.generators.factories import FACTORIES, OF_KIND, Factory
from engines.plugins import AnyEngine, LeftOut, Plugin, announced, exported

_LOG = logging.getLogger(__name__)
VERBS: tuple[ModuleType, ...] = (engines.invert, engines.edit, engines.explore, engines.mix, engines.hierarchy)


@cache
def catalogue() -> Mapping[str, type[AnyEngine]]:
    """Engine classes by card name, in the order of their packages' tables of contents.

    Those of other packages come last; one whose name is taken is left out and logged.

    Raises:
        CatalogueError: Two engines of ours claim one name.
    """
    return _own() | {one.name: one.made for one in _placed()[0]}


@cache
def _own() -> dict[str, type[AnyEngine]]:
    found: dict[str, type[AnyEngine]] = {}
    for verb in VERBS:
        for engine in exported(verb):
            if engine.card.name in found:
                raise CatalogueError(f"Two engines are called {engine.card.name!r}.")
            found[engine.card.name] = engine
    return found


@cache
def _placed() -> tuple[tuple[Plugin, ...], tuple[Plugin, ...], tuple[LeftOut, ...]]:
    """Engines and generators of other packages whose names are free, and all that is left out."""
    engines, generators, left = announced()
    free_engines, clashes = _free(engines, _own())
    free_generators, others = _free(generators, FACTORIES)
    for one in (*clashes, *others):
        _LOG.warning("%s", one)
    return free_engines, free_generators, (*left, *clashes, *others)


def _free(plugins: Iterable[Plugin], taken: Iterable[str]) -> tuple[tuple[Plugin, ...], tuple[LeftOut, ...]]:
    """Plugins whose names nobody has before them, and the others."""
    names, free, left = set(taken), list[Plugin](), list[LeftOut]()
    for one in plugins:
        if one.name in names:
            left.append(LeftOut(one.package, one.module, one.name, "the name is taken. Call it something else."))
        else:
            names.add(one.name)
            free.append(one)
    return tuple(free), tuple(left)


def left_out() -> tuple[LeftOut, ...]:
    """What other packages announce and the studio cannot use."""
    return _placed()[2]


def engines_of(verb: ModuleType) -> list[type[AnyEngine]]:
    """A verb's own engines, then those of other packages that accept a request which one of these accepts."""
    own = exported(verb)
    accepted = {engine.accepts for engine in own}
    return [*own, *(one.made for one in _placed()[0] if one.made.accepts in accepted)]


def create(name: str, generator: AnyGenerator) -> AnyEngine:
    """The engine called `name`, bound to `generator`, which is of the kind that it needs; `generator_for` finds one.

    Raises:
        CatalogueError: No such engine, or the generator lacks what it needs.
    """
    engine = catalogue().get(name)
    if engine is None:
        raise CatalogueError(f"There is no engine {name!r}; there are: {', '.join(catalogue())}.")
    return engine(generator)


def factories() -> Mapping[str, Factory]:
    """What makes each generator on a device, by the generator's name; those of other packages come last."""
    return {**FACTORIES, **{one.name: one.made for one in _placed()[1]}}


def load_generator(name: str = "ffhq", device: torch.device | str = "cpu") -> Generator:
    """A generator by name: "ffhq" (1024 px faces, bundled), "toy" (64 px, random weights, for tests), or another of `factories`.

    It is typed as one with a W. Those of another kind, such as "finegan_birds", are of a class of their own, which `create` takes as well.
    On Linux the process keeps freed memory pages from here on, which makes the CPU about three times faster.

    Raises:
        CatalogueError: No such generator, or no such device.
        WeightsError: Its bundled file is missing or altered.
    """
    makers = factories()
    if name not in makers:
        raise CatalogueError(f"There is no generator {name!r}; there are: {', '.join(makers)}.")
    device = usable(device)
    keep_pages()
    return cast(Generator, makers[name](device))


def generator_for(card: Card, beside: AnyGenerator) -> AnyGenerator:
    """What draws for a method: `beside` if that is of the kind that the method's card needs, else the kind's bundled one, on its device.

    Beside an untrained generator the other is untrained, too.

    Raises:
        WeightsError: It is not bundled.
    """
    for kind in (card.needs - beside.capabilities) & OF_KIND.keys():
        return load_generator(OF_KIND[kind]["untrained" in beside.capabilities], beside.device)
    return beside
