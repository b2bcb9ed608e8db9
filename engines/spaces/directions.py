"""Directions: what every way of finding one returns and every slider uses, and the one function that applies them."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Protocol, TypeAlias

import torch
from torch import Tensor

from engines.core.errors import SpaceError
from engines.core.shapes import Codes
from engines.spaces.latent import Inversion, Latent
from engines.spaces.slots import Slots
from engines.spaces.statistics import Mapper, statistics

_DEPENDENT = 1e-3
"""What is left of a unit vector after projection, below which it counts as gone."""


Curve: TypeAlias = Callable[[Codes, float], Tensor]
"""From codes (B,slots,width) and a strength to what is added to them, (B,slots,width)."""


class Editable(Mapper, Protocol):
    """The part of a generator that editing needs."""

    slots: Slots

    def layout(self, space: str) -> Mapping[str, slice]:
        """Names and positions of the parts of a code."""
        ...

    def affine(self, layers: tuple[str, ...]) -> Tensor:
        """Stacked matrices (values, width) of the affine maps from w to the styles of `layers`."""
        ...

    def styles(self, code: Latent | Codes) -> Latent:
        """Any code as S: the styles of all layers side by side."""
        ...


@dataclass(frozen=True, eq=False)
class Direction:
    """A unit vector and where it applies.

    Attributes:
        name: What the slider says.
        space: "w" and "z" for one vector that moves every chosen slot alike, "w_plus" for a vector a slot, "s" for styles.
        vector: (width,) in w and z, (slots,width) in w_plus, (values,) in S; unit length as a whole.
        slots: Slots of W+ that it moves; of S, the layers that read other slots stay.
        sigma: Standard deviation of faces along it over the sample bank: strengths are in this unit.
        source: The method and data it came from.
        curve: What a strength adds, where that depends on the code and the path may bend; `vector` and `sigma` are then its chord at one
            code. None for a straight direction.
    """

    name: str
    space: str
    vector: Tensor
    slots: tuple[int, ...]
    sigma: float
    source: str
    curve: Curve | None = None


Edit = tuple[Direction, float]
"""A direction and its strength in sigma."""


def apply_directions(inversion: Inversion | Latent, edits: Sequence[Edit], generator: Editable, *, truncation: float = 1.0) -> Inversion:
    """Move a code along directions; nothing else of it changes, and with nothing to move the very code comes back.

    Directions of Z are added before the mapping network, those of W to the slots, those of S to the styles: as features "shift/LAYER"
    where the code lies in W, as values where it lies in S. Those that bend come last, each on what those before it have made.

    Args:
        inversion: A code in any space, alone or with its weight change and features.
        edits: Directions with strengths in units of their sigma.
        generator: Whose slots, maps and styles count.
        truncation: Of codes in z only: psi that draws their w towards the mean.

    Returns:
        The moved code, in w_plus (in S if it came so).

    Raises:
        SpaceError: A direction of Z for a code whose z is not known, one that bends for a code in S, or vectors of another generator.
    """
    inversion = Inversion(inversion) if isinstance(inversion, Latent) else inversion
    moving = [(direction, strength) for direction, strength in edits if strength]
    _check(moving, generator)
    if any(direction.curve for direction, _ in moving):
        inversion = apply_directions(inversion, [edit for edit in moving if not edit[0].curve], generator, truncation=truncation)
        for direction, strength in moving:
            inversion = _bent(inversion, direction, strength, generator)
        return inversion
    latent = inversion.latent
    if latent.space == "z":
        codes = _mapped(latent.codes, [edit for edit in moving if edit[0].space == "z"], generator, truncation)
        inversion, moving = replace(inversion, latent=Latent("w_plus", codes)), [edit for edit in moving if edit[0].space != "z"]
    if not moving:
        return inversion
    if any(direction.space == "z" for direction, _ in moving):
        raise SpaceError("A direction of Z moves random faces only: the z behind this code is not known. Choose a direction of W or S.")
    way = _way(moving, generator)
    shift = sum((strength * direction.sigma * _within(direction, generator) for direction, strength in moving if direction.space == "s"), 0)
    if inversion.latent.space == "s":
        styles = [way[slot] @ generator.affine((layer,)).T for layer, slot in _layers(generator).items()]
        return replace(inversion, latent=Latent("s", inversion.latent.codes + torch.cat(styles) + shift))
    if any(direction.space != "s" for direction, _ in moving):
        codes = generator.slots.spread(inversion.latent.codes) + way
        inversion = replace(inversion, latent=Latent("w_plus", codes), features=_restyled(inversion.features, way, generator))
    return replace(inversion, features=_shifted(inversion.features, shift, generator)) if isinstance(shift, Tensor) else inversion


@torch.no_grad()
def signed_distance(inversion: Inversion | Latent, direction: Direction, generator: Editable, *, truncation: float = 1.0) -> float:
    """Attribute score of one code: signed distance along a direction from the average face in sigma, after d(n, z) = n.z of
    arXiv:1907.10786, section 3.1.

    Of codes with a vector a layer, the layers that the direction moves are averaged, so that `apply_directions` by a strength raises this
    by that strength. Of styles, those count that the picture is drawn with, "shift/LAYER" included.

    Args:
        inversion: A code (1,...) in any space, alone or with its features.
        direction: From any method.
        generator: Whose average face and styles count.
        truncation: Of codes in z only, as in `apply_directions`.

    Raises:
        SpaceError: A direction of Z for a code whose z is not known, one of W for a code in S, or vectors of another generator.
    """
    inversion = Inversion(inversion) if isinstance(inversion, Latent) else inversion
    _check([(direction, 1.0)], generator)
    latent, slots, vector = inversion.latent, list(direction.slots), direction.vector.to(generator.device)
    if direction.space != latent.space and (direction.space == "z" or (latent.space == "s" and direction.space != "s")):
        raise SpaceError(
            f"Where this code lies along {direction.name} is not known: the code is in {latent.space}, not in {direction.space}."
        )
    if direction.space == "z":
        return float(latent.codes[0] @ vector / direction.sigma)
    codes = apply_directions(inversion, [], generator, truncation=truncation).latent
    mean = statistics(generator).mean
    if direction.space == "s":
        offset = generator.styles(codes).codes - generator.styles(mean).codes
        for layer, part in generator.layout("s").items():
            if f"shift/{layer}" in inversion.features:
                offset[:, part] += inversion.features[f"shift/{layer}"]
        moved = _within(direction, generator)
        return float(offset[0] @ moved / moved.square().sum() / direction.sigma)
    offset = (generator.slots.spread(codes.codes) - mean)[0, slots]
    moved = vector.expand_as(offset) if direction.space == "w" else vector[slots]
    return float((offset * moved).sum() / moved.square().sum() / direction.sigma)


def project_out(direction: Direction, conditions: Sequence[Direction]) -> Direction:
    """The same direction without what it shares with `conditions`: conditional manipulation (arXiv:1907.10786, section 3.3).

    The component in the span of all conditions is removed at once by least squares, so conditions may depend on each other. The unit
    of strength scales with what is left, so that a strength means the same way along the old direction's remainder.

    Raises:
        SpaceError: The spaces differ, the direction bends, or nothing is left.
    """
    if not conditions:
        return direction
    if direction.curve:
        raise SpaceError(f"{direction.name} bends, so nothing can be taken out of it. Choose a straight direction.")
    for condition in conditions:
        if condition.space != direction.space or condition.vector.shape != direction.vector.shape:
            raise SpaceError(
                f"{direction.name} lies in {direction.space} and {condition.name} in {condition.space}: both must be of one space."
            )
    rows = torch.stack([condition.vector.flatten() for condition in conditions]).double().cpu()
    vector = direction.vector.flatten().double().cpu()
    left = vector - torch.linalg.pinv(rows, rtol=1e-6) @ (rows @ vector)
    length, kept = float(left.norm()), ", ".join(dict.fromkeys(condition.name for condition in conditions))
    if length < _DEPENDENT:
        raise SpaceError(f"Nothing of {direction.name} is left when {kept} must stay. Keep fewer things, or choose another direction.")
    unit = (left / length).reshape(direction.vector.shape).to(direction.vector)
    return replace(direction, vector=unit, sigma=direction.sigma * length, source=f"{direction.source}; kept: {kept}")


def _bent(inversion: Inversion, direction: Direction, strength: float, generator: Editable) -> Inversion:
    """A code moved along a path that depends on it; the very code for a straight direction."""
    if direction.curve is None:
        return inversion
    if inversion.latent.space == "s":
        raise SpaceError(f"{direction.name} reads W and W+; this code is in S. Save the face as W+ first.")
    codes = generator.slots.spread(inversion.latent.codes)
    way, slots = torch.zeros_like(codes), list(direction.slots)
    way[:, slots] = direction.curve(codes, strength)[:, slots]
    return replace(inversion, latent=Latent("w_plus", codes + way), features=_restyled(inversion.features, way[0], generator))


def _layers(generator: Editable) -> dict[str, int]:
    """The slot that each layer of S reads."""
    return {layer: generator.slots.of_layer(layer) for layer in generator.layout("s")}


def _check(edits: Sequence[Edit], generator: Editable) -> None:
    values = max(part.stop for part in generator.layout("s").values())
    shapes = {"z": (generator.width,), "w": (generator.width,), "w_plus": (generator.slots.count, generator.width), "s": (values,)}
    for direction, _ in edits:
        wanted = shapes.get(direction.space)
        if wanted is None or tuple(direction.vector.shape) != wanted or not set(direction.slots) <= set(range(generator.slots.count)):
            raise SpaceError(
                f"{direction.name} has a vector of shape {tuple(direction.vector.shape)} in {direction.space}; wanted {wanted}: "
                "it belongs to another generator."
            )


def _mapped(z: Codes, edits: Sequence[Edit], generator: Editable, truncation: float) -> Codes:
    """w_plus of z moved along directions of Z, slot by slot."""
    rows = z.unsqueeze(1).repeat(1, generator.slots.count, 1)
    for direction, strength in edits:
        rows[:, list(direction.slots)] += strength * direction.sigma * direction.vector.to(rows)
    w = generator.map(rows.flatten(0, 1)).reshape(rows.shape)
    return w if truncation == 1 else statistics(generator).truncate(w, truncation)


def _way(edits: Sequence[Edit], generator: Editable) -> Tensor:
    """What directions of W and W+ add to each slot, (slots,width)."""
    way = torch.zeros(generator.slots.count, generator.width, device=generator.device)
    for direction, strength in edits:
        slots, step = list(direction.slots), strength * direction.sigma
        if direction.space == "w":
            way[slots] += step * direction.vector.to(way)
        elif direction.space == "w_plus":
            way[slots] += step * direction.vector.to(way)[slots]
    return way


def _within(direction: Direction, generator: Editable) -> Tensor:
    """A vector of S with zeros where layers read slots that it leaves alone."""
    vector = direction.vector.to(generator.device).clone()
    for layer, part in generator.layout("s").items():
        if generator.slots.of_layer(layer) not in direction.slots:
            vector[part] = 0
    return vector


def _restyled(features: Mapping[str, Tensor], way: Tensor, generator: Editable) -> dict[str, Tensor]:
    """Features whose maps of styles, which stand for the code's own, move as every code behind them would."""
    moved = dict(features)
    for layer, slot in _layers(generator).items():
        style = moved.get(f"style/{layer}")
        if style is not None:
            step = way[slot] @ generator.affine((layer,)).T
            moved[f"style/{layer}"] = style + step.reshape(1, -1, *(1 for _ in style.shape[2:]))
    return moved


def _shifted(features: Mapping[str, Tensor], shift: Tensor, generator: Editable) -> dict[str, Tensor]:
    """Features with what a vector of S adds to each layer's style."""
    shifted = dict(features)
    for layer, part in generator.layout("s").items():
        if bool(shift[part].any()):
            shifted[f"shift/{layer}"] = shifted.get(f"shift/{layer}", 0) + shift[part][None]
    return shifted
