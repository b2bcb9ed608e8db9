"""The side-effect meter: who the person still is and what else changed, as bars that follow the page's colours."""

import html
from collections.abc import Collection, Mapping
from math import isfinite

from engines.faces import SAME_PERSON
from engines.faces.attributes import Attribute

IDENTITY = "identity_distance"
_FARTHEST = 1.0
"""Identity distance at which its bar is full."""

_LEAST = 2.0
"""Spreads that the bars show at least, so that small changes look small."""

_NOTICEABLE = 0.3
"""Spreads from which on the meter says towards what."""

UNMEASURED = "<div class='meter'><p>Turn a slider: once it rests, this meter says what else moved with it.</p></div>"


def meter(figures: Mapping[str, float], known: Mapping[str, Attribute], own: Collection[str]) -> str:
    """The figures of one edit.

    Args:
        figures: Identity distance, and each attribute's change in units of its own spread.
        known: The attributes by name.
        own: Attributes that the edit is for.
    """
    changes = {name: value for name, value in figures.items() if name != IDENTITY}
    scale = max([_LEAST, *(abs(value) for value in changes.values() if isfinite(value))])
    rows = "".join(_change(known.get(name), name, value, scale, name in own) for name, value in changes.items())
    guessed = " Age and gender are what a network guesses from the picture." if "gender" in changes else ""
    caption = f"Change of each attribute in units of its own spread among faces; the bars end at {scale:.1f}.{guessed}"
    return (
        f"<figure class='meter'>{_identity(figures.get(IDENTITY, float('nan')))}<ul>{rows}</ul><figcaption>{caption}</figcaption></figure>"
    )


def _identity(distance: float) -> str:
    if not isfinite(distance):
        return "<p class='identity'>Identity distance: <b>not measured</b>, since no face was found in one of the pictures.</p>"
    same = distance < SAME_PERSON
    words = "still the same person" if same else "another person"
    return (
        f"<p class='identity'>Identity distance <b>{distance:.2f}</b>: {words} (the line is at {SAME_PERSON:.2f})</p>"
        f"<div class='gauge' role='img' aria-label='Identity distance {distance:.2f}'>"
        f"<i class='{'same' if same else 'other'}' style='width:{_share(distance / _FARTHEST):.1f}%'></i>"
        f"<b style='left:{_share(SAME_PERSON / _FARTHEST):.1f}%'></b></div>"
    )


def _change(attribute: Attribute | None, name: str, value: float, scale: float, own: bool) -> str:
    title = attribute.title.partition(" (")[0] if attribute else name
    towards = (attribute.high if value > 0 else attribute.low) if attribute and abs(value) >= _NOTICEABLE else ""
    name = f"<span>{html.escape(title)} <i>{html.escape(towards)}</i></span>"
    if not isfinite(value):
        return f"<li>{name}<em></em><small>not measured</small></li>"
    width = _share(abs(value) / scale) / 2
    left = 50 if value >= 0 else 50 - width
    bar = f"<em><i style='left:{left:.1f}%;width:{width:.1f}%'></i></em>"
    return f"<li class='{'own' if own else 'other'}'>{name}{bar}<small>{value:+.1f}</small></li>"


def _share(part: float) -> float:
    return 100 * min(1.0, max(0.0, part))
