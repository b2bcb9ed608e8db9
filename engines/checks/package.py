"""All engines and generators of a package, and what each falls short of."""

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from importlib import import_module
from typing import TypeVar

import torch

from engines.checks.declarations import DECLARATIONS
from engines.checks.generators import GENERATORS
from engines.checks.results import RESULTS
from engines.checks.runs import RUNS
from engines.checks.subject import Check, Shortfall, Subject
from engines.core.errors import CatalogueError
from engines.generators.base import AnyGenerator
from engines.plugins import AnyEngine, LeftOut, Plugin, announced, exported, sound
from engines.registry import generator_for, left_out, load_generator

CHECKS: tuple[Check, ...] = (*DECLARATIONS, *RUNS, *RESULTS)
"""All that is asked of an engine: of what it declares, of its runs, of what it returns."""

_Announced = TypeVar("_Announced", Plugin, LeftOut)


@dataclass(frozen=True)
class Finding:
    """What came of one check.

    Attributes:
        subject: The engine or the generator, by name.
        check: What was asked.
        shortfall: What falls short, in a sentence; empty where nothing does.
    """

    subject: str
    check: str
    shortfall: str = ""


def package_findings(name: str) -> Iterator[Finding]:
    """Put all that a package announces to the contract; of a module that announces nothing, what its `__all__` lists.

    Args:
        name: Of the distribution, or of its module.

    Raises:
        CatalogueError: There is no such package, or it has neither engines nor generators.
    """
    engines, generators, _ = announced()
    own_engines, own_generators, own_left = _of(name, engines), _of(name, generators), _of(name, left_out())
    if not (own_engines or own_generators or own_left):
        own_engines = _of_module(name)
    for out in own_left:
        yield Finding(out.entry, "it can be used", out.reason)
    made: list[AnyGenerator] = [load_generator("toy")]
    for one in own_generators:
        yield from _generator_findings(one, made)
    for one in own_engines:
        yield from _engine_findings(one.made, made)


def _of(name: str, several: Iterable[_Announced]) -> list[_Announced]:
    return [one for one in several if _plain(name) in (_plain(one.package), _plain(one.module))]


def _plain(name: str) -> str:
    """A distribution's name as pip compares it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def _of_module(name: str) -> list[Plugin]:
    """What a module lists that is not installed as a package of its own, as while it is written."""
    module = name.replace("-", "_")
    try:
        kinds = exported(import_module(module))
    except (ImportError, AttributeError) as error:
        raise CatalogueError(f"No installed package {name} announces engines or generators, and no module lists them ({error}).") from error
    if not kinds:
        raise CatalogueError(f"The module {module} lists no engine in its __all__.")
    return [Plugin(module, module, kind.__name__, kind) for kind in kinds]


def _generator_findings(plugin: Plugin, made: list[AnyGenerator]) -> Iterator[Finding]:
    """Of one generator, which is then at hand for the package's engines."""

    def make() -> None:
        made.append(plugin.made(torch.device("cpu")))

    yield (begun := _finding(plugin.name, "its factory makes it", make))
    if begun.shortfall:
        return
    for ask in GENERATORS:
        yield _finding(plugin.name, ask.__name__.replace("_", " "), lambda ask=ask: ask(made[-1]))  # type: ignore[misc]


def _engine_findings(kind: type[AnyEngine], made: Sequence[AnyGenerator]) -> Iterator[Finding]:
    """Of one engine, on the first generator that serves it."""
    yield (declares := _finding(kind.__name__, "it declares what it is", lambda: sound(kind)))
    if declares.shortfall:
        return
    name, needs = kind.card.name, kind.card.needs
    generator = next((one for one in (*made, generator_for(kind.card, made[0])) if needs <= one.capabilities), None)
    if generator is None:
        wanted = f"It needs {', '.join(sorted(needs))}, which neither a toy generator nor one of the package offers."
        yield Finding(name, "a generator serves it", wanted)
        return
    subject = Subject(kind, generator)
    for check in DECLARATIONS:
        yield _finding(name, check.title, lambda check=check: check.asks(subject))  # type: ignore[misc]
    yield (ended := _finding(name, RUNS[0].title, lambda: RUNS[0].asks(subject)))
    if ended.shortfall:
        return
    for check in (*RUNS[1:], *RESULTS):
        if check.applies(subject):
            yield _finding(name, check.title, lambda check=check: check.asks(subject))  # type: ignore[misc]


def _finding(subject: str, title: str, ask: Callable[[], object]) -> Finding:
    try:
        ask()
    except Shortfall as shortfall:
        return Finding(subject, title, str(shortfall))
    except Exception as error:  # noqa: BLE001  whatever a stranger's code raises is what it falls short of
        return Finding(subject, title, f"{type(error).__name__}: {error}")
    return Finding(subject, title)
