"""What the tab Local mixing computes: painted masks, mixtures of two faces at any size, and what one would do otherwise."""

import hashlib
import time
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import torch
from PIL import Image as Pil

from engines import Inversion, MixRequest, Part
from engines.core.errors import StudioError
from engines.core.images import to_picture
from engines.core.shapes import Image, Mask
from engines.faces.parts import PARTS, parts
from engines.generators.incremental import draw_inversion
from engines.mix.baselines import pasted, vector_mixed
from engines.mix.composite import Composite
from engines.mix.masks import soft
from engines.mix.spatial import CARRIED, RANGES, carried, layer_slots
from engines.mix.stylemapgan import StyleMapMix
from studio.services.editor import Editor
from studio.services.masks import as_layer, blank, opened_mask
from studio.state.edits import Edits, Face, Turn
from studio.state.mix import CANVAS, EDIT, ROLES, Mix, Painted
from studio.state.recent import Recent
from studio.state.visitor import Visitor

FILM = (0.2, 0.4, 0.6, 0.8, 1.0)
_MASKS, _PICTURES, _CACHES = 60, 12, 8
_LARGE = 256


@dataclass(eq=False)
class _MixCache:
    """Pictures of one visitor's that are likely to be asked for again, and where their hand is."""

    faces: "OrderedDict[tuple[Face, int], Image]" = field(default_factory=OrderedDict)
    ready: "OrderedDict[Face, dict[str, Mask]]" = field(default_factory=OrderedDict)
    moves: int = 0
    moved_at: float = 0.0
    drawn: int = 0
    hung: int = 0

    def make_room(self) -> None:
        """Drop the faces and their ready-made parts."""
        self.faces.clear()
        self.ready.clear()


class Mixer:
    """Mixes faces for all visitors.

    Args:
        editor: Where faces and local edits come from.
    """

    def __init__(self, editor: Editor) -> None:
        self.editor, self.session = editor, editor.session
        self._caches = Recent(_MixCache, _CACHES)

    @property
    def first_edit(self) -> str:
        """The local edit that a visitor finds: a smile, or the first attribute of a generator that draws no faces."""
        names = list(self.editor.library.titles)
        return f"interfacegan/{'smile' if 'smile' in names else names[0]}"

    def move(self, visitor: Visitor, mix: Mix | None = None) -> int:
        """Note that the mixture changed, to what if that is known; returns how often it did."""
        cache = self._caches.of(visitor)
        cache.moves, cache.moved_at = cache.moves + 1, time.monotonic()
        visitor.mixed.mix = mix or visitor.mixed.mix
        return cache.moves

    def rested(self, visitor: Visitor, seconds: float) -> bool:
        """Whether the last change is that long ago and its full picture was not claimed yet; it is now."""
        cache = self._caches.of(visitor)
        due = cache.drawn != cache.moves and time.monotonic() - cache.moved_at >= seconds
        cache.drawn = cache.moves if due else cache.drawn
        return due

    def hang(self, visitor: Visitor) -> int:
        """Note that the page's canvases are about to show something else; returns a number that says which it is."""
        cache = self._caches.of(visitor)
        cache.hung += 1
        return cache.hung

    def hangs(self, visitor: Visitor, number: int) -> bool:
        """Whether the canvases still show what was hung under that number: what was sent before is no stroke on it."""
        return self._caches.of(visitor).hung == number

    def paint(self, visitor: Visitor, layers: Sequence[bytes]) -> str:
        """Keep what was painted on a canvas; returns its key, empty for nothing.

        Raises:
            ImageError: Not a painted layer of a sensible size.
        """
        painted = blank()
        for layer in layers:
            painted = np.maximum(painted, opened_mask(layer))
        return self.keep(visitor, painted)

    def keep(self, visitor: Visitor, painted: Painted) -> str:
        """Keep a mask of 0 to 255; returns its key, empty for nothing."""
        if not painted.any():
            return ""
        key, masks = hashlib.sha256(painted.tobytes()).hexdigest()[:16], visitor.mixed.masks
        masks[key] = painted
        masks.move_to_end(key)
        while len(masks) > _MASKS:
            masks.popitem(last=False)
        return key

    def painted(self, visitor: Visitor, key: str) -> Pil.Image | None:
        """A kept mask as the layer of a canvas."""
        mask = visitor.mixed.masks.get(key)
        return None if mask is None else as_layer(mask)

    def mask(self, visitor: Visitor, mix: Mix) -> Mask:
        """What is painted on either canvas, (1,1,512,512).

        Raises:
            StudioError: It was painted so long ago that it is not kept any more.
        """
        mask = blank()
        for key in mix.masks:
            mask = np.maximum(mask, self.kept_mask(visitor, key))
        return torch.from_numpy(mask).float()[None, None].to(self.session.generator.device) / 255

    def ready_made(self, visitor: Visitor, face: Face, names: Sequence[str]) -> str:
        """Ready-made parts of a face, kept as if painted.

        Raises:
            StudioError: No such part.
        """
        unknown = sorted(set(names) - set(PARTS))
        if unknown:
            raise StudioError(f"There is no part {unknown[0]!r}. Choose from {', '.join(PARTS)}.")
        cache = self._caches.of(visitor)
        if names and face not in cache.ready:
            cache.ready[face] = parts(self.face(visitor, face, self.session.live_size))  # regions are found at 256 px
            while len(cache.ready) > _PICTURES:
                cache.ready.popitem(last=False)
        if not names:
            return ""
        united = torch.stack([cache.ready[face][name] for name in names]).amax(0)
        large = torch.nn.functional.interpolate(united, (CANVAS, CANVAS), mode="bilinear", align_corners=False)
        return self.keep(visitor, (255 * (large[0, 0] > 0.5)).to(torch.uint8).cpu().numpy())

    def refitted(
        self, visitor: Visitor, mix: Mix, *, source: Face | None = None, reference: Face | None = None, ready: Sequence[str] | None = None
    ) -> Mix:
        """With another face, or other ready-made parts, which lie where the faces have them; what a hand painted or erased stays.

        Raises:
            StudioError: No such part, or a mask that is not kept any more.
        """
        names = mix.ready if ready is None else tuple(ready)
        after = replace(mix, source=source or mix.source, reference=reference or mix.reference, ready=names)
        faces = ((mix.source, after.source), (mix.reference, after.reference))
        keys = [
            self._followed(visitor, key, (old, mix.ready), (new, after.ready)) for key, (old, new) in zip(mix.masks, faces, strict=True)
        ]
        return replace(after, masks=(keys[0], keys[1]))

    def faced(self, visitor: Visitor, mix: Mix, role: str, face: Face) -> Mix:
        """With another face in one of the `ROLES`; `refitted` says what becomes of the masks."""
        return self.refitted(visitor, mix, source=face) if role == ROLES[0] else self.refitted(visitor, mix, reference=face)

    def _followed(self, visitor: Visitor, key: str, old: tuple[Face, Sequence[str]], new: tuple[Face, Sequence[str]]) -> str:
        """A mask whose ready-made parts are other ones now: less what was ready-made, with what is, and as the hand changed it."""
        if old == new or not (old[1] or new[1]):
            return key
        painted = self.kept_mask(visitor, key)
        try:
            before = self.kept_mask(visitor, self.ready_made(visitor, *old))
        except StudioError:  # the old face is gone, and with it what tells its parts from the hand's
            before = painted
        was = before > 127
        byhand, erased = np.where(was, 0, painted), np.where(was, 255 - painted, 0)
        parts = self.kept_mask(visitor, self.ready_made(visitor, *new))
        return self.keep(visitor, np.maximum(np.minimum(parts, 255 - erased), byhand).astype(np.uint8))

    def kept_mask(self, visitor: Visitor, key: str) -> Painted:
        """A mask by its key, blank for the empty one."""
        masks = visitor.mixed.masks
        if not key:
            return blank()
        if key not in masks:
            raise StudioError("This mask is not kept any more. Paint it again.")
        masks.move_to_end(key)
        return masks[key]

    def face(self, visitor: Visitor, face: Face, size: int | None = None) -> Image:
        """A face before all mixing, (1,3,size,size)."""
        cache, name = self._caches.of(visitor), (face, size or self.session.generator.resolution)
        if name not in cache.faces:
            cache.faces[name] = draw_inversion(self.session.generator, self.editor.moved(visitor, face, Edits()), size)
            while len(cache.faces) > _PICTURES:
                cache.faces.popitem(last=False)
        return cache.faces[name]

    def canvas(self, visitor: Visitor, face: Face) -> Pil.Image:
        """A face to paint on."""
        size = self.session.generator.nearest_exit(CANVAS)
        return to_picture(self.face(visitor, face, size)).resize((CANVAS, CANVAS), Pil.Resampling.LANCZOS)

    @torch.no_grad()
    def part(self, visitor: Visitor, mix: Mix) -> Part:
        """What the mask brings in.

        Raises:
            StudioError: A face, direction or range of layers that is not there.
        """
        if mix.layers not in RANGES:
            raise StudioError(f"There are no layers {mix.layers!r}. Choose from {', '.join(RANGES)}.")
        if mix.content == EDIT:
            reference = self.editor.moved(visitor, mix.source, Edits((Turn(mix.edit, mix.amount),)))
        else:
            reference = self.editor.moved(visitor, mix.reference, Edits())
        slots = layer_slots(self.session.generator.slots, mix.layers)
        return Part(reference, self.mask(visitor, mix), mix.shift, mix.strength, slots)

    def layers(self, visitor: Visitor, mix: Mix) -> list[Part]:
        """What all masks bring in, later ones over earlier ones."""
        return [self.part(visitor, part) for part in mix.parts]

    def mixture(self, visitor: Visitor, mix: Mix) -> Composite:
        """The mixture that the controls stand for."""
        if not (0 <= mix.edge <= 0.15 and mix.carry in CARRIED):
            raise StudioError(f"The soft edge reaches 0 to 0.15 of the side, and features are carried as one of {', '.join(CARRIED)}.")
        source = self.editor.moved(visitor, mix.source, Edits())
        return Composite(self.session.generator, source, self.layers(visitor, mix), mix.edge, *carried(mix.carry))

    def draw(self, visitor: Visitor, mix: Mix, size: int | None = None) -> Pil.Image:
        """The mixed picture."""
        return to_picture(self.mixture(visitor, mix).draw(size))

    def soft(self, visitor: Visitor, mix: Mix, side: int = 256) -> Pil.Image:
        """The masks as they count: moved, soft and as strong as they are, white where a part is seen fully."""
        left = torch.ones(1, 1, side, side, device=self.session.generator.device)
        for part in mix.parts:
            left = left * (1 - part.strength * soft(self.mask(visitor, part), side, mix.edge, part.shift))
        mask = 1 - left
        return to_picture((2 * mask - 1).expand(-1, 3, -1, -1))

    def hard(self, visitor: Visitor, mix: Mix) -> Pil.Image:
        """The mask as it was painted, white on black, at the full picture's size."""
        side = self.session.generator.resolution
        return self.painted_mask(visitor, mix).resize((side, side), Pil.Resampling.BILINEAR)

    def painted_mask(self, visitor: Visitor, mix: Mix) -> Pil.Image:
        """The same at the size of the canvas."""
        return to_picture((2 * self.mask(visitor, mix) - 1).expand(-1, 3, -1, -1))

    def film(self, visitor: Visitor, mix: Mix) -> list[tuple[Pil.Image, str]]:
        """The mixture at rising strengths."""
        size = self.session.live_size
        return [(self.draw(visitor, replace(mix, strength=strength), size), f"{strength:.0%}") for strength in FILM]

    def methods(self, visitor: Visitor, mix: Mix) -> list[tuple[Pil.Image, str]]:
        """The same mask by other means."""
        generator, size = self.session.generator, self.session.live_size
        source, parts = self.editor.moved(visitor, mix.source, Edits()), self.layers(visitor, mix)
        still = mix.shift == (0.0, 0.0)
        drawn = [(self.draw(visitor, replace(mix, carry="never" if still else "moved"), size), "styles by pixel")]
        if still:
            drawn.append((self.draw(visitor, replace(mix, carry="coarse"), size), "coarsest features too"))
        drawn += [
            (self.draw(visitor, replace(mix, carry="always"), size), "styles and features"),
            (to_picture(pasted(generator, source, parts, mix.edge, size)), "pasted pixels"),
        ]
        if all(face.latent.space != "s" for face in (source, *(part.reference for part in parts))):
            drawn.append((to_picture(draw_inversion(generator, vector_mixed(generator, source, parts), size)), "one vector"))
        return drawn

    def in_own_networks(
        self, visitor: Visitor, mix: Mix, seed: int = 0, settings: Mapping[str, Any] | None = None
    ) -> list[tuple[Pil.Image, str]]:
        """The same faces and masks in StyleMapGAN's own small networks: both ways of mixing, and what else they allow.

        `seed` decides the random faces, `settings` are knobs of the engine by name.
        """
        parts = tuple(self.layers(visitor, mix))
        request = MixRequest(seed=seed, source=self.editor.moved(visitor, mix.source, Edits()), parts=parts)
        pictures = StyleMapMix(self.session.generator)(request, **(settings or {})).stages
        return [(to_picture(image).resize((_LARGE, _LARGE), Pil.Resampling.BICUBIC), caption) for caption, image in pictures.items()]

    def kept(self, visitor: Visitor, mix: Mix) -> Inversion:
        """The mixture as an inversion.

        Raises:
            StudioError: Two weight changes meet in it.
        """
        inversion = self.mixture(visitor, mix).inversion()
        if inversion is None:
            raise StudioError(
                "These two faces bend the generator differently, so their mix is drawn by two generators and is no single inversion. "
                "Download the picture, or mix faces that were inverted without tuning."
            )
        return inversion
