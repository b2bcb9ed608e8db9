"""What every event of the page shares: errors said in sentences, and downloads on their way to the browser."""

import functools
import inspect
import logging
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, ParamSpec, TypeVar, cast

import gradio as gr

from engines.core.errors import StudioError
from studio.serving.disk import disk

QUICK: dict[str, Any] = {"concurrency_limit": None, "api_visibility": "private"}
"""Settings of events that touch no model but may have something to say: an error outside the queue would reach nobody."""
_HALF = 500  # letters: the longest of our own sentences lists the choices of a menu
log = logging.getLogger(__name__)
P = ParamSpec("P")
R = TypeVar("R")


def spoken(function: Callable[P, R]) -> Callable[P, R]:
    """Let the page say our own errors as they are, and nothing about any other.

    Gradio fills in the request by its place among the arguments, so a function with `*values` takes it first.
    """

    @functools.wraps(function)
    def wrapper(*args: P.args, **kwargs: P.kwargs) -> R:
        with _speaking():
            return function(*args, **kwargs)

    @functools.wraps(function)
    def generator(*args: P.args, **kwargs: P.kwargs) -> Iterator[Any]:
        with _speaking():
            yield from cast(Iterator[Any], function(*args, **kwargs))

    return cast(Callable[P, R], generator) if inspect.isgeneratorfunction(function) else wrapper


@contextmanager
def _speaking() -> Iterator[None]:
    try:
        yield
    except StudioError as error:
        raise refusal(str(error)) from error


def refusal(words: str) -> gr.Error:
    """An error that the page and programs show; what a stranger's own text made long is left out in the middle."""
    brief = words if len(words) <= 2 * _HALF else f"{words[:_HALF]} … {words[-_HALF:]}"
    return gr.Error(brief, duration=12, print_exception=False)


class Offers:
    """Downloads on their way to a browser, in the folder of the visitor that they are for.

    Args:
        files: The most that are kept for one visitor; older ones are deleted.
        size: The most bytes that are kept for one visitor, the newest file excepted.
    """

    def __init__(self, files: int = 100, size: int = 256 * 2**20) -> None:
        self._files, self._size = files, size

    def __call__(self, name: str, data: bytes) -> str:
        """Write a download under a name of our own and return its path; nothing of a user's text reaches the disk."""
        return str(disk.keep(re.sub(r"[^a-z0-9._-]", "-", name.lower()), data, self._files, self._size))


offer = Offers()
