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
    caption = f"Change of each attribute in its own standard deviations among faces; the bars end at {scale:.1f}.{guessed}"
    return (
        f"<figure class='meter'>{_identity(figures.get(IDENTITY, float('nan')))}<ul>{rows}</ul><figcaption>{caption}</figcaption></figure>"
    )


def aside(scores: tuple[float | None, float | None], figures: Mapping[str, float] | None, known: Mapping[str, Attribute], own: str) -> str:
    """One slider's own small meter: where the face stands along its direction, and what the slider changes by itself.

    Args:
        scores: Of the face as it is and as it is edited, in sigma.
        figures: As `meter` wants them, of this slider alone; nothing for a slider at rest.
        known: The attributes by name.
        own: The attribute that the slider is for.
    """
    parts = [_standing(*scores)]
    if figures is not None:
        parts += [_who(figures.get(IDENTITY, float("nan"))), _most(figures, known, own)]
    return f"<p class='aside'>{''.join(parts)}</p>"


def _standing(before: float | None, after: float | None) -> str:
    if before is None or after is None:
        return "<span>score unknown: the z behind this face is not known</span>"
    reading = "Signed distance from the boundary in sigma, or from the average face where the method knows no boundary"
    moved = f" → {after:+.1f}" if f"{after:+.1f}" != f"{before:+.1f}" else ""
    return f"<span title='{reading}'>score <b>{before:+.1f}{moved} sigma</b></span>"


def _who(distance: float) -> str:
    if not isfinite(distance):
        return "<span>identity <b>?</b></span>"
    colour, line = "same" if distance < SAME_PERSON else "other", _share(SAME_PERSON / _FARTHEST)
    gauge = (
        f"<em class='gauge'><i class='{colour}' style='width:{_share(distance / _FARTHEST):.0f}%'></i><b style='left:{line:.0f}%'></b></em>"
    )
    reading = f"Identity distance of this slider alone; the same person below about {SAME_PERSON:.2f}"
    return f"<span title='{reading}'>identity <b>{distance:.2f}</b>{gauge}</span>"


def _most(figures: Mapping[str, float], known: Mapping[str, Attribute], own: str) -> str:
    """The largest change beside the slider's own."""
    others = {name: value for name, value in figures.items() if name not in (IDENTITY, own) and isfinite(value)}
    if not others:
        return "<span>no face was found to measure</span>"
    name = max(others, key=lambda other: abs(others[other]))
    title = known[name].title.partition(" (")[0] if name in known else name
    reading = "The largest change of another attribute by this slider alone, in its spread"
    return f"<span title='{reading}'>moves most <b>{html.escape(title)} {others[name]:+.1f}</b></span>"


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
