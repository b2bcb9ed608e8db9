"""What a person can turn. A knob is declared once, on a dataclass; the page, the command line, the docs and the tests read it.

@dataclass(frozen=True, kw_only=True)
class MyKnobs(Knobs):
    steps: Annotated[int, Knob("Updates.", lo=1, hi=1000)] = 100
    perceptual: Annotated[Literal["lpips", "vgg"], Knob("Which distance.")] = "lpips"
"""

import dataclasses
import reprlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any, Literal, Self, get_args, get_origin, get_type_hints

from engines.core.errors import KnobError
from engines.core.weights import is_bundled, require

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
        weights: The entries of `assets/weights.toml` that some of its values need, by value; not every installation has their files.
        only_if: The name of another knob, then its values with which this one counts at all; without values, any but 0 and off.
    """

    help: str
    lo: float | None = None
    hi: float | None = None
    log: bool = False
    advanced: bool = False
    choices: tuple[str, ...] = ()
    weights: Mapping[Value, str] = field(default_factory=dict)
    only_if: tuple[Value, ...] = ()


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

    @property
    def missing(self) -> tuple[Value, ...]:
        """Values whose networks are not in this installation."""
        return tuple(value for value, name in self.knob.weights.items() if not is_bundled(name))

    @property
    def offered(self) -> tuple[str, ...]:
        """The choices that can be made in this installation."""
        return tuple(choice for choice in self.choices if choice not in self.missing)

    @property
    def info(self) -> str:
        """What it does, and which of its values this installation lacks."""
        if not self.missing:
            return self.knob.help
        return f"{self.knob.help} Only the source tree has the networks for: {', '.join(_said(value) for value in self.missing)}."

    @property
    def help(self) -> str:
        """The same, and with which values of another knob it counts."""
        if not self.knob.only_if:
            return self.info
        other, *values = map(_said, self.knob.only_if)
        return f"{self.info} Counts only with {other}{': ' + ' or '.join(values) if values else ' above 0'}."

    def counts(self, settings: Mapping[str, Any]) -> bool:
        """Whether it has an effect beside these values of the other knobs."""
        if not self.knob.only_if:
            return True
        other, *values = self.knob.only_if
        return settings[str(other)] in values if values else bool(settings[str(other)])

    def check(self, value: Any) -> Value:
        """The value in its declared type.

        Raises:
            KnobError: A value of another type, not finite, outside the range or not among the choices.
            WeightsError: It needs a network that this installation lacks.
        """
        value = self._checked(value)
        if value in self.knob.weights:
            require(self.knob.weights[value])
        return value

    def _checked(self, value: Any) -> Value:
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


def _said(value: Value) -> str:
    if isinstance(value, bool):
        return "on" if value else "off"
    return str(value).replace("_", " ")


def _declared(field: "dataclasses.Field[Any]", hint: Any) -> Declared:
    if get_origin(hint) is not Annotated:
        raise TypeError(f"{field.name} lacks its Annotated[..., Knob(...)]")
    if field.default is dataclasses.MISSING:
        raise TypeError(f"{field.name} lacks its default")
    kind, knob = get_args(hint)[:2]
    choices = tuple(get_args(kind)) if get_origin(kind) is Literal else knob.choices
    return Declared(field.name, str if choices else kind, field.default, knob, choices)
