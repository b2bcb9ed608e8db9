"""What all inputs have in common: how they are declared, read from what was written, and tried.

@dataclass(frozen=True, kw_only=True, eq=False)
class MyRequest(Request):
    image: Annotated[Image, FacePhoto("The photo to invert.", number="face")]

Words are what somebody wrote: `--image photo.jpg --face 2` or `{"image": "photo.jpg", "face": 2}`. A field without a declaration keeps
its default, and is filled by programs and by the page alone.
"""

import dataclasses
import inspect
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, get_type_hints

from engines.core.errors import RequestError
from engines.generators.base import AnyGenerator
from engines.inputs.reading import Reading

Words = Mapping[str, Any]
"""What was written, by name."""


@dataclass(frozen=True)
class Word:
    """One thing that can be written: an option of the command line, a key of JSON.

    Attributes:
        name: Its name, with underscores.
        help: A sentence for the person who writes it.
        kind: int, str, Path, or bool for one that is either there or not.
        many: Whether it may be written several times.
    """

    name: str
    help: str
    kind: type = str
    many: bool = False

    @property
    def option(self) -> str:
        """As the command line has it."""
        return "--" + self.name.replace("_", "-")

    def parse(self, text: str) -> Any:
        """A command line's text as a value.

        Raises:
            RequestError: A number was wanted and something else came.
        """
        try:
            return self.kind(text)
        except ValueError as error:
            raise RequestError(f"{self.option} {text!r} came; it takes a whole number, such as 7.") from error


@dataclass(frozen=True)
class Input(ABC):
    """How one field of a request is made.

    Attributes:
        help: A sentence on what it is.
    """

    help: str

    @abstractmethod
    def words(self) -> tuple[Word, ...]:
        """All that can be written for it."""

    @abstractmethod
    def made(self, words: Words, reading: Reading, others: Mapping[str, Any]) -> Any:
        """The field's value; None where nothing was written and the default stays.

        Args:
            words: What was written, for this field and for others.
            reading: How files are read.
            others: The fields that were made before, in the order of their declaration.

        Raises:
            RequestError: What it needs was not written, or makes no sense.
        """

    @abstractmethod
    def example(self, generator: Any, seed: int, others: Mapping[str, Any]) -> Any:
        """A small value to try a method with, by a generator of the kind that the method needs; None leaves the default."""


def declared(request: type) -> dict[str, Input]:
    """The inputs of a request by field, those of the class itself after its bases'.

    Raises:
        TypeError: A field has neither a declaration nor a default.
    """
    hints = get_type_hints(request, include_extras=True)
    found = dict[str, Input]()
    for field in sorted(dataclasses.fields(request), key=lambda field: _place(request, field.name)):
        inputs = [note for note in getattr(hints[field.name], "__metadata__", ()) if isinstance(note, Input)]
        if inputs:
            found[field.name] = inputs[0]
        elif field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING:
            raise TypeError(f"{field.name} lacks its Annotated[..., an Input], or a default")
    return found


def _place(request: type, name: str) -> tuple[int, int]:
    """Where a field was declared last: how late among the bases, and where in that class."""
    said = [list(inspect.get_annotations(base)) for base in request.__mro__]
    return next((-depth, names.index(name)) for depth, names in enumerate(said) if name in names)


def words_of(request: type) -> dict[str, Word]:
    """All that can be written for a request, by name."""
    return {word.name: word for one in declared(request).values() for word in one.words()}


def made(request: type, words: Words, reading: Reading) -> dict[str, Any]:
    """The fields of a request that follow from what was written.

    Raises:
        RequestError: A word that means nothing here, or an input that is missing or makes no sense.
    """
    known = words_of(request)
    for name in words:
        if name not in known:
            raise RequestError(f"There is no input {name!r} here; there are: {', '.join(known)}.")
    values = dict[str, Any]()
    for name, one in declared(request).items():
        value = one.made(words, reading, values)
        if value is not None:
            values[name] = value
    return values


def example(request: type, generator: AnyGenerator, seed: int) -> dict[str, Any]:
    """Small values for the fields of a request, to try a method with."""
    values = dict[str, Any]()
    for name, one in declared(request).items():
        value = one.example(generator, seed, values)
        if value is not None:
            values[name] = value
    return values
