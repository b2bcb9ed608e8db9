"""What the tab Local mixing's search computes: the request that its controls stand for, and what each visitor's last run left."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np
import torch
from PIL import Image as Pil

from engines import Latent, Result
from engines.core.errors import StudioError
from engines.core.images import area, to_tensor
from engines.core.shapes import Image, Mask
from engines.generators.incremental import draw_inversion
from engines.invert.optimize.local_embedding import ATTRIBUTE, INPAINT, SCRIBBLE, LocalEmbeddingKnobs, LocalRequest
from studio.services.masks import opened_layer
from studio.services.mixer import Mixer
from studio.state.edits import Edits, Face
from studio.state.mix import CANVAS, Mix
from studio.state.moments import Moment, moments
from studio.state.results import Found
from studio.state.visitor import Visitor

ENGINE = "image2stylegan_pp_mix"


class Searcher:
    """Drives the masked uses of Image2StyleGAN++ for all visitors.

    Args:
        mixer: Where faces and masks come from.
    """

    def __init__(self, mixer: Mixer) -> None:
        self.mixer, self.session = mixer, mixer.session

    def found(self, visitor: Visitor) -> Found | None:
        """What the visitor's last run left, its picture in full."""
        found = visitor.results.found
        if found is not None and found.result.images.shape[-1] != self.session.generator.resolution:
            images = draw_inversion(self.session.generator, found.inversion)
            found = visitor.results.found = replace(found, result=Result(images, found.result.inversions))
        return found

    def run(self, visitor: Visitor, mix: Mix, layers: Sequence[bytes], knobs: LocalEmbeddingKnobs) -> Iterator[tuple[Moment, Found | None]]:
        """Run for a visitor; each moment comes with the best so far, the last with the result.

        Raises:
            StudioError: Something is missing that the use needs.
        """
        asked = self.request(visitor, mix, layers, knobs.use)
        run = self.session.engine(ENGINE).run(asked, knobs)
        for moment in moments(run, self.session.settings.run_seconds, visitor.is_stopping):
            yield moment, None if moment.best is None else Found(moment.best, asked.image, moment.seconds)

    @torch.no_grad()
    def request(self, visitor: Visitor, mix: Mix, layers: Sequence[bytes], use: str) -> LocalRequest:
        """What the engine is given.

        Args:
            visitor: The visitor.
            mix: Faces and masks, as the tab's other cells say them.
            layers: What is scribbled, as the canvas hands it over; only for that use.
            use: One of the engine's.

        Raises:
            StudioError: Nothing is painted, or nothing scribbled.
        """
        source, side = self.picture(visitor, mix.source), self.session.generator.resolution
        start = None if use == INPAINT else self._code(visitor, mix.source)  # it knows what is in the hole
        mask = area(self.mixer.mask(visitor, mix), side)
        if use == SCRIBBLE:
            other, where = self._scribbled(source, layers)
            return LocalRequest(image=source, mask=torch.maximum(mask, where), other=other, start=start)
        if not any(mix.masks):
            raise StudioError("Nothing is painted yet. Paint on either picture of the cell Mask and mix, or choose a ready-made part.")
        if use == INPAINT:
            return LocalRequest(image=source, mask=mask)
        known = self._code(visitor, mix.reference) if use == ATTRIBUTE else None
        return LocalRequest(image=source, mask=mask, other=self.picture(visitor, mix.reference), start=start, other_start=known)

    def picture(self, visitor: Visitor, face: Face) -> Image:
        """The photo of a face where it came from one, else the face as it is drawn."""
        item = visitor.find(face.chosen) if face.kind == "Shelf" and face.chosen else None
        if item is None or item.photo is None:
            return self.mixer.face(visitor, face).clamp(-1, 1)
        return to_tensor(item.photo, self.session.generator.resolution).to(self.session.generator.device)

    def _code(self, visitor: Visitor, face: Face) -> Latent | None:
        latent = self.mixer.editor.moved(visitor, face, Edits()).latent
        return latent if latent.space in ("w", "w_plus") else None

    def _scribbled(self, source: Image, layers: Sequence[bytes]) -> tuple[Image, Mask]:
        """The source with what is scribbled on it, and where that is."""
        drawn = Pil.new("RGBA", (CANVAS, CANVAS))
        for layer in layers:
            drawn.alpha_composite(opened_layer(layer))
        values = torch.from_numpy(np.array(drawn, np.float32)).permute(2, 0, 1)[None].to(source) / 255
        if not bool(values[:, 3:].any()):
            raise StudioError("Nothing is scribbled yet. Draw on the picture with a colour.")
        colour, seen = area(2 * values[:, :3] - 1, source.shape[-1]), area(values[:, 3:], source.shape[-1])
        return torch.lerp(source, colour, seen), (seen > 0).to(source)
