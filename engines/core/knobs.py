"""What a person can turn. A knob is declared once, on a dataclass; the page, the command line, the docs and the tests read it.

@dataclass(frozen=True, kw_only=True)
class MyKnobs(Knobs):
    steps: Annotated[int, Knob("Updates.", lo=1, hi=1000)] = 100
    perceptual: Annotated[Literal["lpips", "vgg"], Knob("Which distance.")] = "lpips"
"""

import dataclasses
import reprlib
from dataclasses import dataclass
from typing import Annotated, Any, Literal, Self, get_args, get_origin, get_type_hints

from engines.core.errors import KnobError

Value = int | float | bool | str


@dataclass(frozen=True)
class Knob:
    """What a knob does and how far it turns.

    Attributes:
        help: A sentence for the person who turns it.
        lo: Smallest value; required for numbers.
        hi: Largest value; required for numbers.
        log: Whether it is felt in factors, so that a box suits it better than a slider.
        advanced: Whether it is for those who read the paper, and folded away on the page.
        choices: What a text may be, where that depends on what is installed; else a `Literal` says it.
    """

    help: str
    lo: float | None = None
    hi: float | None = None
    log: bool = False
    advanced: bool = False
    choices: tuple[str, ...] = ()


@dataclass(frozen=True)
class Declared:
    """One knob as its readers see it: name, type, default, range and help."""

    name: str
    kind: type
    default: Value
    knob: Knob
    choices: tuple[str, ...] = ()

    @property
    def label(self) -> str:
        """The name as words."""
        return self.name.replace("_", " ").capitalize()

    def check(self, value: Any) -> Value:
        """The value in its declared type.

        Raises:
            KnobError: A value of another type, not finite, outside the range or not among the choices.
        """
        if self.choices:
            if value not in self.choices:
                raise KnobError(f"{self.label}: {reprlib.repr(value)} came; choose one of {', '.join(self.choices)}.")
            return str(value)
        if self.kind is bool:
            if not isinstance(value, bool):
                raise KnobError(f"{self.label}: {reprlib.repr(value)} came; it is either on (True) or off (False).")
            return value
        return self._number(value)

    def _number(self, value: Any) -> Value:
        whole = self.kind is int
        wanted = f"a {'whole ' if whole else ''}number from {self.knob.lo:g} to {self.knob.hi:g}"
        assert self.knob.lo is not None and self.knob.hi is not None
        within = isinstance(value, int | float) and not isinstance(value, bool) and self.knob.lo <= value <= self.knob.hi  # nan is not
        if not within or (whole and value != int(value)):
            raise KnobError(f"{self.label}: {reprlib.repr(value)} came; it takes {wanted}.")
        return int(value) if whole else float(value)

    def parse(self, text: str) -> Value:
        """A command line's word as a value.

        Raises:
            KnobError: A word that does not say such a value.
        """
        if self.kind is bool:
            words = {"true": True, "on": True, "yes": True, "1": True, "false": False, "off": False, "no": False, "0": False}
            if text.lower() not in words:
                raise KnobError(f"{self.label}: {reprlib.repr(text)} came; say true or false.")
            return words[text.lower()]
        if self.kind is str:
            return self.check(text)
        try:
            return self.check(float(text))
        except ValueError as error:
            raise KnobError(f"{self.label}: {reprlib.repr(text)} came; it takes a number.") from error


@dataclass(frozen=True, kw_only=True)
class Knobs:
    """Base of every method's settings; checks each value against its declaration."""

    def __post_init__(self) -> None:
        for declared in self.declared():
            object.__setattr__(self, declared.name, declared.check(getattr(self, declared.name)))

    @classmethod
    def declared(cls) -> tuple[Declared, ...]:
        """Every knob in order of declaration."""
        hints = get_type_hints(cls, include_extras=True)
        return tuple(_declared(field, hints[field.name]) for field in dataclasses.fields(cls))

    @classmethod
    def of(cls, settings: dict[str, Any]) -> Self:
        """Knobs from a mapping.

        Raises:
            KnobError: A name that is not a knob here, or a value outside its range.
        """
        known = [declared.name for declared in cls.declared()]
        for name in settings:
            if name not in known:
                raise KnobError(f"There is no knob {name!r} here; there are: {', '.join(known) or 'none'}.")
        return cls(**settings)


def _declared(field: "dataclasses.Field[Any]", hint: Any) -> Declared:
    if get_origin(hint) is not Annotated:
        raise TypeError(f"{field.name} lacks its Annotated[..., Knob(...)]")
    if field.default is dataclasses.MISSING:
        raise TypeError(f"{field.name} lacks its default")
    kind, knob = get_args(hint)[:2]
    choices = tuple(get_args(kind)) if get_origin(kind) is Literal else knob.choices
    return Declared(field.name, str if choices else kind, field.default, knob, choices)
