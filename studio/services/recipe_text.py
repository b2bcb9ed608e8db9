"""What all recipes share: a few words of JSON, with a version and the generator that draws, in a saved picture or an address.

    {"studio": 1, "generator": "ffhq", "kind": "mixture", ...}

Without a kind it is that of an edit. Whatever one says is from a stranger: `studio.services.edit_recipe`, `mix_recipe` and
`inversion_recipe` check each field before anything of it is taken up.
"""

import base64
import binascii
import json
from typing import Any

from engines.core.errors import StudioError

VERSION = 1
LONGEST = 4000
"""Letters of a recipe that fits into an address; a full one of an edit has about a thousand."""

LONGEST_IN_PICTURE = 200_000
"""Letters of a recipe with painted masks; a mask with many strokes has twenty thousand."""

EDIT, MIXTURE, INVERSION = "edit", "mixture", "inversion"
_SHOWN = 40


def written(kind: str, generator: str, **fields: Any) -> str:
    """A recipe as JSON."""
    return json.dumps({"studio": VERSION, "generator": generator, **({} if kind == EDIT else {"kind": kind}), **fields})


def query(text: str) -> str:
    """A recipe as the end of an address."""
    return "?recipe=" + base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def from_query(value: str) -> str:
    """The JSON in an address's `recipe`.

    Raises:
        StudioError: It is too long or damaged.
    """
    if len(value) > 2 * LONGEST:
        raise StudioError("The recipe in this address is too long to be one.")
    try:
        return base64.urlsafe_b64decode(value + "=" * (-len(value) % 4)).decode()
    except (ValueError, binascii.Error) as error:
        raise StudioError("The recipe in this address is damaged: the address may have lost its end. Ask for it again.") from error


def kind_of(text: str) -> str:
    """What a recipe is of, whether that is known here or not.

    Raises:
        StudioError: It is no recipe.
    """
    kind = _parsed(text).get("kind", EDIT)
    if not isinstance(kind, str):
        raise StudioError(f"The recipe's kind is {brief(kind)}; a word is wanted.")
    return kind


def read_fields(text: str, kind: str, generator: str, longest: int = LONGEST) -> dict[str, Any]:
    """The fields of a recipe, none of them checked but kind, version and generator.

    Args:
        text: The JSON, from a stranger.
        kind: What it must be of.
        generator: The name of the generator that it must be for.
        longest: Letters that it may have.

    Raises:
        StudioError: It is none, too long, of another kind or for another generator.
    """
    told = _parsed(text, longest)
    if told.get("kind", EDIT) != kind:
        raise StudioError(f"The recipe's kind is {brief(told.get('kind', EDIT))}; one of kind {kind!r} is wanted.")
    if told.get("generator") != generator:
        raise StudioError(f"This recipe is for the generator {str(told.get('generator'))[:_SHOWN]!r}; this page draws with {generator}.")
    return told


def _parsed(text: str, longest: int = LONGEST_IN_PICTURE) -> dict[str, Any]:
    damaged = StudioError("This is no recipe, or a damaged one.")
    if len(text) > longest:
        raise damaged
    try:
        told = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise damaged from error
    if not isinstance(told, dict) or told.get("studio") != VERSION:
        raise damaged
    return told


def within(value: object, low: float, high: float) -> bool:
    """Whether this is a number between two others; one that is not finite is not, and a whole one may have any size."""
    return isinstance(value, int | float) and not isinstance(value, bool) and low <= value <= high


def brief(value: object) -> str:
    """A stranger's value, short enough for a sentence."""
    text = repr(value)
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]} …"
