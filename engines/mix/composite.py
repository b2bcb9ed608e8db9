"""Composites of several faces: at every layer, each pixel gets the style of the face that its mask says.

The generator's layers are linear in their style (demodulation is folded into the weights), so a style may differ from pixel to pixel. Each
layer's style is painted, part over part, with the masks averaged to the layer's size. Faces with different weight changes are drawn side by
side, block by block, and their features are painted in the same way. A part that moves has the features of its reference copied, up to a
middle layer; the layers behind blend them in. A part that stays may have its coarsest ones copied: at 4 and 8 px one position is an eighth
of the picture or more, and a style painted there reaches far beyond the part.
"""

from collections.abc import Generator as Coroutine
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from engines.contract import Part
from engines.core.errors import KnobError
from engines.core.images import area
from engines.core.shapes import Image, Mask
from engines.generators.base import Generator, Prefix
from engines.generators.incremental import draw_inversion
from engines.mix.masks import checked, is_empty, is_full, moved, soft
from engines.spaces.latent import Inversion, Tuning

CELLS = 64
"""Largest resolution of the maps that a composite is kept with: full maps of a 1024 px picture would take 300 MB."""

Drawing = Coroutine[int, None, Image]
"""Yields the blocks done so far and returns the picture."""


@dataclass(frozen=True, eq=False)
class Layer:
    """One face of the composite, over those before.

    Attributes:
        face: Who is painted.
        mask: Where, softened and moved; None for the source, which lies below all.
        strength: How opaquely.
        slots: W+ layers that it takes over.
        shift: How far it moved.
        carried: Side of the layer, in pixels, up to which its features are copied instead of styles; 0 for styles alone.
    """

    face: Inversion
    mask: Mask | None = None
    strength: float = 1.0
    slots: frozenset[int] = frozenset()
    shift: tuple[float, float] = (0.0, 0.0)
    carried: int = 0


class Composite:
    """A source and what it takes over, ready to be drawn at any size.

    Args:
        generator: Who draws.
        source: The face below all others.
        parts: What it takes over; later ones cover earlier ones.
        edge: How far the soft edge reaches on either side of a line, as a share of the side.
        carry: Side of the layer, in pixels, up to which features move along with a part (the largest there is if that is too large);
            0 for styles alone.
        still: The same for parts that stay in place.

    Raises:
        ImageError: A mask that is none.
        KnobError: A strength or a shift outside its range.
    """

    def __init__(
        self, generator: Generator, source: Inversion, parts: Sequence[Part], edge: float = 0.03, carry: int = 64, still: int = 0
    ) -> None:
        self.generator, self.edge = generator, edge
        self._places, self._blocks = generator.slots.layers, generator.slots.blocks
        self._carry, self._still = (max((side for side in self._blocks[:-1] if side <= most), default=0) for most in (carry, still))
        base, kept = self._needed(source, parts)
        self._masks: dict[tuple[int, int], Mask] = {}
        over = [self._layer(part) for part in kept]
        self.layers = (Layer(base), *(layer for layer in over if layer.mask is not None and not is_empty(layer.mask)))
        self.groups = self._by_tuning()

    @property
    def alone(self) -> Inversion | None:
        """The one face that is seen, where masks are uniform: its bits are the composite's."""
        return self.layers[0].face if len(self.layers) == 1 else None

    @property
    def mask(self) -> Mask:
        """How much of each pixel is not the source, (1,1,s,s) at half the full size."""
        side = self._blocks[-1]
        left = torch.ones(1, 1, side, side, device=self.generator.device)
        for layer in self.layers:
            left = left if layer.mask is None else left * (1 - layer.strength * layer.mask)
        return 1 - left

    @torch.no_grad()
    def draw(self, size: int | None = None) -> Image:
        """The picture (1,3,size,size), at an exit or in full; not clamped."""
        drawing = self.steps(size)
        while True:
            try:
                next(drawing)
            except StopIteration as stop:
                return stop.value

    def steps(self, size: int | None = None) -> Drawing:
        """The same, block by block."""
        size = size or self.generator.resolution
        if self.alone is not None:
            return draw_inversion(self.generator, self.alone, size)
        if size != self.generator.resolution and any(self._hidden(layer, size) for layer in self.layers):
            return area((yield from self.steps()), size)
        resume = None
        for done, block in enumerate((side for side in self._blocks if side <= size), start=1):
            with torch.no_grad():
                resume = self._advance(block, resume)
            yield done
        assert resume is not None
        with torch.no_grad():
            return self._finished(resume) if size == self.generator.resolution else self._from_head(resume, size)

    @torch.no_grad()
    def inversion(self) -> Inversion | None:
        """All it takes to draw the composite again, with maps of a resolution of at most `CELLS`; None where two weight changes meet."""
        if self.alone is not None:
            return self.alone
        if len(self.groups) > 1:
            return None
        features = self._features(self.groups[0], tuple(self._places), CELLS)
        base = self.layers[0].face
        own: Prefix | None = None
        for block in (side for side in self._blocks if side <= 2 * max(layer.carried for layer in self.layers)):
            plain = self._advance(block, own, carrying=False)
            own = self._with_carried(plain)
            if own.features is not plain.features:
                name = f"feature/{self.generator.slots.of_block(block // 2)[-1]}"
                features[name] = features.get(name, 0) + own.features - plain.features
        return Inversion(base.latent, base.tuning, {name: value.contiguous() for name, value in features.items()})

    def _needed(self, source: Inversion, parts: Sequence[Part]) -> tuple[Inversion, list[Part]]:
        """Without parts that nothing is seen of, and without what lies wholly below one."""
        base, kept = source, list[Part]()
        every = set(self.generator.slots.active)
        for part in parts:
            mask = checked(part.mask)
            slots = every if part.layers is None else every & set(part.layers)
            if not (0 <= part.strength <= 1 and all(-1 <= share <= 1 for share in part.shift)):
                raise KnobError(f"Strength {part.strength:g} and shift {part.shift} came; they take 0 to 1, and shares from -1 to 1.")
            if is_empty(mask) or not part.strength or not slots:
                continue
            if is_full(mask) and part.strength == 1 and slots == every and part.shift == (0.0, 0.0):
                base, kept = part.reference, []
            else:
                kept.append(part)
        return base, kept

    def _layer(self, part: Part) -> Layer:
        slots = frozenset(self.generator.slots.active if part.layers is None else part.layers)
        groups = self.generator.slots.groups
        most = self._still if part.shift == (0.0, 0.0) else self._carry
        carried = most if slots & {*groups["coarse"], *groups["middle"]} else 0
        mask = soft(checked(part.mask).to(self.generator.device), self._blocks[-1], self.edge, part.shift)
        return Layer(part.reference, mask, part.strength, slots, part.shift, carried)

    def _by_tuning(self) -> tuple[tuple[int, ...], ...]:
        """Numbers of the faces that one and the same weight change draws, the source's first."""
        groups: list[list[int]] = []
        for number, layer in enumerate(self.layers):
            home = next((group for group in groups if _equal(self.layers[group[0]].face.tuning, layer.face.tuning)), None)
            groups.append([number]) if home is None else home.append(number)
        return tuple(tuple(group) for group in groups)

    def _advance(self, block: int, resume: Prefix | None, carrying: bool = True) -> Prefix:
        """Features entering `block`, painted of all groups."""
        layers = self.generator.slots.of_block(block // 2)
        drawn = {
            group: self.generator.prefix(
                (face := self.layers[group[0]].face).latent, block, resume, tuning=face.tuning, features=self._features(group, layers)
            ).features
            for group in self._seen(layers)
        }
        prefix = Prefix(block, self._together(drawn, layers[-1]))
        return self._with_carried(prefix) if carrying else prefix

    def _finished(self, resume: Prefix) -> Image:
        layers = self.generator.slots.of_block(self._blocks[-1])
        drawn = {
            group: self.generator.synthesize(
                (face := self.layers[group[0]].face).latent, tuning=face.tuning, features=self._features(group, layers), resume=resume
            )
            for group in self._seen(layers)
        }
        return self._together(drawn, layers[-1])

    def _seen(self, layers: tuple[str, ...]) -> list[tuple[int, ...]]:
        """Groups that have a say in some layers; that of the source always."""
        return [group for group in self.groups if 0 in group or any(self._share(number, layers[-1]) is not None for number in group)]

    def _together(self, drawn: Mapping[tuple[int, ...], Tensor], layer: str) -> Tensor:
        """What several groups drew, each where it is seen."""
        base = together = drawn[self.groups[0]]
        for group, values in drawn.items():
            if group != self.groups[0]:
                together = together + area(self._over(group, layer), base.shape[-1]) * (values - base)
        return together

    def _with_carried(self, prefix: Prefix) -> Prefix:
        """With the features that parts bring along, where this is their layer."""
        features = prefix.features
        for layer in self.layers:
            if layer.mask is not None and prefix.block == 2 * layer.carried:
                face = layer.face
                own = self.generator.prefix(face.latent, prefix.block, tuning=face.tuning, features=face.features).features
                share = layer.strength * area(layer.mask, features.shape[-1])
                features = torch.lerp(features, moved(own, layer.shift), share)
        return Prefix(prefix.block, features)

    def _hidden(self, layer: Layer, size: int) -> bool:
        """Whether the auxiliary toRGB head of that size would not see all of a face."""
        places = (self._places.get(key.partition("/")[2]) for key in layer.face.features if not key.startswith("noise/"))
        behind = any(place is None or place.block > size // 2 for place in places)
        return layer.face.latent.space == "s" or behind or 2 * layer.carried > size

    def _from_head(self, resume: Prefix, size: int) -> Image:
        """A preview: auxiliary toRGB heads take one code, so each face's head paints its own pixels."""
        painted = None
        for layer in self.layers:
            fine = max(layer.slots, default=0) >= self.generator.slots.of_layer(self.generator.slots.of_block(size // 2)[-1])
            if layer.mask is not None and not fine:
                continue
            image = self.generator.synthesize(layer.face.latent, tuning=layer.face.tuning, size=size, resume=resume)
            painted = (
                image if painted is None or layer.mask is None else torch.lerp(painted, image, layer.strength * area(layer.mask, size))
            )
        assert painted is not None
        return painted

    def _features(self, group: Sequence[int], layers: tuple[str, ...], cells: int | None = None) -> dict[str, Tensor]:
        """Styles, noise and what is added to features, painted of the faces of a group; "shift" and "style" are part of the styles."""
        faces = [self.layers[number].face for number in group]
        styles = [self.generator.layer_styles(face.latent, layers, tuning=face.tuning, features=face.features) for face in faces]
        found = {f"style/{layer}": self._painted(group, layer, [style[layer] for style in styles], cells) for layer in layers}
        for layer in layers:
            known = {"noise": self.generator.noise().get(layer), "feature": torch.zeros(1, 1, 1, 1, device=self.generator.device)}
            for kind, usual in known.items():
                own = [face.features.get(f"{kind}/{layer}", usual) for face in faces]
                if usual is not None and any(f"{kind}/{layer}" in face.features for face in faces):
                    found[f"{kind}/{layer}"] = self._painted(group, layer, [value for value in own if value is not None])
        return found

    def _painted(self, group: Sequence[int], layer: str, values: Sequence[Tensor], cells: int | None = None) -> Tensor:
        """One layer's values of several faces, each over those before: vectors as they are while no mask tells them apart."""
        painted = values[0]
        for number, value in list(zip(group, values, strict=True))[1:]:
            share = self._share(number, layer, cells)
            if share is not None:
                side, shift = share.shape[-1], self.layers[number].shift
                painted = torch.lerp(
                    _wide(painted, side), _wide(moved(value, shift) if value.dim() == 4 else value, side), _wide(share, side)
                )
                painted = painted.permute(0, 3, 1, 2)
        return painted

    def _share(self, number: int, layer: str, cells: int | None = None) -> Mask | None:
        """How much of each cell of a layer a face covers; None for the source, or where it has no say."""
        face, place = self.layers[number], self._places[layer]
        if face.mask is None or place.slot not in face.slots or place.block <= face.carried:
            return None
        side = place.side if cells is None else min(place.side, cells)
        if (number, side) not in self._masks:
            self._masks[number, side] = face.strength * area(face.mask, side)
        return self._masks[number, side]

    def _over(self, group: Sequence[int], layer: str) -> Mask:
        """How much of each cell a group covers of those before it, less what later faces of other groups take back."""
        side = self._places[layer].block
        shares = {number: self._share(number, layer) for number in range(1, len(self.layers))}
        covered = torch.zeros(1, 1, side, side, device=self.generator.device)
        for number, share in shares.items():
            if share is not None:
                covered = covered + (share if number in group else 0) - covered * share
        return covered


def _wide(values: Tensor, side: int) -> Tensor:
    """A vector (1,C) or map (1,C,h,w) as (1,side,side,C) or (1,1,1,C): channels last, so that products are plain passes over memory."""
    if values.dim() == 2:
        return values[:, None, None, :]
    if values.shape[-1] not in (1, side):
        values = area(values, side)
    return values.permute(0, 2, 3, 1)


def _equal(one: Tuning, other: Tuning) -> bool:
    return one is other or (one.keys() == other.keys() and all(torch.equal(one[name], other[name]) for name in one))
