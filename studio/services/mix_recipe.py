"""A mixture as a few words of JSON: what a saved picture of it and a link to it carry, and how it is read back.

    {"studio": 1, "kind": "mixture", "generator": "ffhq", "mix": {"source": {"kind": "Seed", "seed": 13, ...}, "masks": ["ready", ""],
     "ready": ["mouth"], ...}, "masks": {}}

A mask that is a ready-made part of a face by seed is named, and found there again; any other is in `masks` by its key, as WebP without
loss. A face from the shelf is named by the hash of what draws it, and has to lie on the shelf.
"""

import base64
import binascii
import io
from collections.abc import Iterator
from dataclasses import asdict, replace
from typing import Any

import numpy as np

from engines.core.errors import ImageError, StudioError
from studio.services import recipe_text
from studio.services.masks import as_layer, opened_mask
from studio.services.mix_file import checked_mix
from studio.services.mixer import Mixer
from studio.services.recipe_text import LONGEST, LONGEST_IN_PICTURE, MIXTURE, brief
from studio.state.edits import Edits, Face, Turn
from studio.state.mix import EDIT, ROLES, Mix, Painted
from studio.state.visitor import Visitor

READY = "ready"
"""Stands for a mask that is what its part's `ready` names; no key is called so, since those are hexadecimal."""

_GONE = (
    "The {role} of this mixture is a face that is not on your shelf: it came from a photo or a code, and a recipe only names such a face. "
    "Put it on the shelf again: open the session in which it was saved, bring its code, or invert the photo as it was done then. "
    "After that, choose this picture once more."
)


def mix_text(mixer: Mixer, visitor: Visitor, mix: Mix) -> str:
    """A mixture as JSON, or nothing where more is painted than a picture carries.

    Raises:
        StudioError: A mask is not kept any more.
    """
    masks: dict[str, str] = {}
    below = tuple(_named(mixer, visitor, part, mix.source, masks) for part in mix.below)
    told = asdict(replace(_named(mixer, visitor, mix, mix.source, masks), below=below))
    text = recipe_text.written(MIXTURE, mixer.session.generator.name, mix=told, masks=masks)
    return text if len(text) <= LONGEST_IN_PICTURE else ""


def mix_query(mixer: Mixer, visitor: Visitor, mix: Mix) -> str:
    """A mixture as the end of an address.

    Raises:
        StudioError: A face is on the shelf or a direction is the visitor's own, neither of which is on another's page, or too much is
            painted.
    """
    for role, face in _faces(mix):
        if face.kind != "Seed":
            raise StudioError(f"A link can hand out faces by seed. The {role} lies on your shelf alone: save the picture instead.")
    own = [part.edit for part in mix.parts if part.content == EDIT and part.edit in visitor.directions]
    if own:
        named = ", ".join(mixer.editor.library.title(key, visitor) for key in own)
        raise StudioError(f"A link can hand out the studio's directions. This mixture has your own in it: {named}.")
    text = mix_text(mixer, visitor, mix)
    if not 0 < len(text) <= LONGEST:
        raise StudioError("What you painted is too long for an address. Download the picture instead: it carries its masks.")
    return recipe_text.query(text)


def read_mix_text(text: str, mixer: Mixer, visitor: Visitor) -> Mix:
    """A mixture out of its JSON; its masks are kept for the visitor, and nothing of it where it is refused.

    Args:
        text: The JSON, from a stranger.
        mixer: Whose generator and directions it must fit.
        visitor: Whose shelf must hold the faces that no seed stands for.

    Raises:
        StudioError: It is none, of another generator, or names what is not there.
    """
    told = recipe_text.read_fields(text, MIXTURE, mixer.session.generator.name, LONGEST_IN_PICTURE)
    mix = checked_mix(told.get("mix"))
    painted = _painted(told.get("masks"), {key for part in (mix, *mix.below) for key in part.masks if key not in ("", READY)})
    mix = _with_faces(visitor, mix)
    below = tuple(_with_edit(mixer, visitor, part, mix.source) for part in mix.below)
    mix = _with_edit(mixer, visitor, replace(mix, below=below), mix.source)
    kept = {key: mixer.keep(visitor, mask) for key, mask in painted.items()}
    below = tuple(_masked(mixer, visitor, part, kept) for part in mix.below)
    return replace(_masked(mixer, visitor, mix, kept), below=below)


def _named(mixer: Mixer, visitor: Visitor, part: Mix, source: Face, masks: dict[str, str]) -> Mix:
    """A part with each mask either named as ready-made or put among `masks`; a source that no longer counts is the mixture's."""
    names = [_name(mixer, visitor, key, face, part.ready) for key, face in zip(part.masks, (part.source, part.reference), strict=True)]
    masks |= {key: _packed(mixer.kept_mask(visitor, key)) for key in names if key not in ("", READY)}
    return replace(part, masks=(names[0], names[1]), source=part.source if names[0] == READY else source)


def _name(mixer: Mixer, visitor: Visitor, key: str, face: Face, ready: tuple[str, ...]) -> str:
    found = bool(key and ready) and face.kind == "Seed" and mixer.ready_made(visitor, face, ready) == key
    return READY if found else key


def _packed(mask: Painted) -> str:
    buffer = io.BytesIO()
    as_layer(mask).save(buffer, format="WEBP", lossless=True, quality=50, method=2)  # quality is effort here
    return base64.b64encode(buffer.getvalue()).decode()


def _painted(told: Any, needed: set[str]) -> dict[str, Painted]:
    """The masks of a recipe by key; those that nothing needs are left unread."""
    if not isinstance(told, dict):
        raise StudioError(f"The recipe's masks are damaged: {brief(told)} came; an object with a mask for each key is wanted.")
    painted = {}
    for key in needed:
        if not isinstance(told.get(key), str):
            raise StudioError(f"The recipe's masks are damaged: there is none for {brief(key)}.")
        try:
            painted[key] = np.array(opened_mask(base64.b64decode(told[key], validate=True)))
        except (ImageError, binascii.Error, ValueError) as error:
            raise StudioError(f"The recipe's masks are damaged: the one for {brief(key)} could not be read.") from error
    return painted


def _faces(mix: Mix) -> Iterator[tuple[str, Face]]:
    """The faces that count, each with its role in words."""
    yield ROLES[0], mix.source
    for number, part in enumerate(mix.parts, start=1):
        if part.content != EDIT:
            yield ROLES[1] + (f" of part {number}" if mix.below else ""), part.reference


def _with_faces(visitor: Visitor, mix: Mix) -> Mix:
    """With the shelf's faces under the keys that they have there now."""
    for role, face in _faces(mix):
        if face.kind == "Shelf" and visitor.find(face.chosen or "") is None:
            raise StudioError(_GONE.format(role=role))

    for part in (mix, *mix.below):
        if any(key == READY and face.kind != "Seed" for key, face in zip(part.masks, (part.source, part.reference), strict=True)):
            raise StudioError(f"The recipe's masks are damaged: {READY!r} stands for parts of a face by seed alone.")

    def there(face: Face) -> Face:
        item = visitor.find(face.chosen or "") if face.kind == "Shelf" else None
        return face if item is None else Face("Shelf", None, 1.0, item.key)

    below = tuple(replace(part, source=there(part.source), reference=there(part.reference)) for part in mix.below)
    return replace(mix, source=there(mix.source), reference=there(mix.reference), below=below)


def _with_edit(mixer: Mixer, visitor: Visitor, part: Mix, source: Face) -> Mix:
    """With a local edit that is here: one that counts must be, any other is only what the menu shows."""
    if part.content == EDIT:
        mixer.editor.moved(visitor, source, Edits((Turn(part.edit, part.amount),)))
        return part
    try:
        mixer.editor.library.get(part.edit, visitor)
    except StudioError:
        return replace(part, edit=mixer.first_edit)
    return part


def _masked(mixer: Mixer, visitor: Visitor, part: Mix, kept: dict[str, str]) -> Mix:
    """With its masks under the keys that they are kept by here."""
    keys = [
        mixer.ready_made(visitor, face, part.ready) if key == READY else kept.get(key, "")
        for key, face in zip(part.masks, (part.source, part.reference), strict=True)
    ]
    return replace(part, masks=(keys[0], keys[1]))
