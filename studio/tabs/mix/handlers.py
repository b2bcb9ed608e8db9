"""What the tab's events are answered with: previews while one paints, the full picture once the hand rests, steps back and forth."""

import asyncio
import math
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Any

import gradio as gr

from engines.core.errors import StudioError
from engines.core.images import png_bytes, to_picture
from engines.core.memory import give_back
from studio.services.mix_recipe import mix_query, read_mix_text
from studio.services.mixer import Mixer
from studio.state.edits import Face, History
from studio.state.mix import EDIT, ROLES, Mix
from studio.state.visitor import Visitor
from studio.tabs.mix.canvases import canvases, words
from studio.tabs.mix.controls import MOVE, arrange, editing_shown, laid_aside, turned
from studio.tabs.mix.faces import choosing, facing
from studio.tabs.mix.output import made, picture_file, recipe
from studio.ui.inputs import layers
from studio.ui.intake import HALF_AN_EVENT
from studio.ui.run_events import offer, spoken
from studio.ui.shelf_strip import Strip

REST_SECONDS = 0.5


class MixHandlers:
    """The order of arguments is that of the inputs in the tab's wiring."""

    def __init__(self, mixer: Mixer, strip: Strip) -> None:
        self.mixer, self.strip = mixer, strip
        self.size = mixer.session.live_size

    def visitor(self, request: gr.Request) -> Visitor:
        return self.mixer.session.visitors.visitor(request)

    @spoken
    def open(self, mix: Mix, history: History[Mix], opened: bool, request: gr.Request) -> Any:
        """The tab at its first look, as it was before the page was loaded again if it was."""
        if opened:
            return gr.skip()
        visitor = self.visitor(request)
        left = visitor.mixed.mix
        if left is not None:
            with suppress(StudioError):  # a face or a direction of it may be gone
                return [True, visitor.mixed.history, *self.arranged(visitor, left)]
        return [True, history, *self.arranged(visitor, mix)]

    @spoken
    def come_back(self, history: History[Mix], opened: bool, request: gr.Request) -> list[Any]:
        """The mixture that was just taken up from a picture or a link, as a further step."""
        visitor = self.visitor(request)
        left = visitor.mixed.mix
        return [True, history if opened else visitor.mixed.history, *self.arranged(visitor, left or Mix(edit=self.mixer.first_edit))]

    def leave(self, text: str, visitor: Visitor) -> None:
        """Leave the mixture of a recipe with a visitor, for `come_back` to show.

        Raises:
            StudioError: As `read_mix_text`.
        """
        visitor.mixed.mix = read_mix_text(text, self.mixer, visitor)

    @spoken
    def link(self, mix: Mix, request: gr.Request) -> gr.Textbox:
        """The end of an address that opens the page with this mixture."""
        return gr.Textbox(value=mix_query(self.mixer, self.visitor(request), mix), visible=True)

    @spoken
    def painted(self, mix: Mix, hung: float, source: str, reference: str, request: gr.Request) -> list[Any]:
        """The live picture after a stroke, unless its canvas shows something else by now."""
        visitor = self.visitor(request)
        if not self.mixer.hangs(visitor, int(hung)):
            return [gr.skip() for _ in range(5)]
        mix = replace(mix, masks=(self.mixer.paint(visitor, layers(source)), self.mixer.paint(visitor, layers(reference))))
        return [mix, *self._preview(visitor, mix)]

    @spoken
    def turn(self, request: gr.Request, mix: Mix, *values: Any) -> list[Any]:
        """The live picture after a control was turned."""
        before, mix = mix, turned(mix, *values)
        easel = gr.skip() if mix.shift == before.shift else gr.HTML(shift=list(mix.shift))
        return [mix, easel, *self._preview(self.visitor(request), mix)]

    @spoken
    def editing(self, mix: Mix, content: str, request: gr.Request) -> list[Any]:
        """The edit's controls, where an edit goes into the mask."""
        return editing_shown(self.mixer, self.visitor(request), content, mix.edit, mix.amount)

    @spoken
    def edits_of(self, mix: Mix, shelf: str, request: gr.Request) -> list[Any]:
        """The first direction of another shelf of the library, as far as its slider invites."""
        visitor, library = self.visitor(request), self.mixer.editor.library
        keys = library.keys(shelf, visitor)
        if not keys:
            raise StudioError("There is no direction of your own yet. The workshop of the tab Edit directions makes and imports them.")
        mix = replace(mix, edit=keys[0], amount=Mix.amount * library.reach(keys[0], visitor).times)
        return [*editing_shown(self.mixer, visitor, EDIT, mix.edit, mix.amount), mix, *self._preview(visitor, mix)]

    @spoken
    def ready(self, mix: Mix, names: list[str], request: gr.Request) -> list[Any]:
        """Ready-made parts on both canvases, beside what is painted there."""
        visitor = self.visitor(request)
        return self._shown(visitor, self.mixer.refitted(visitor, mix, ready=names))

    @spoken
    def dragged(self, mix: Mix, request: gr.Request, event: gr.EventData) -> list[Any]:
        """The part where it was dragged to, and the sliders that say so."""
        shares = [share for side in ("x", "y") if isinstance(share := getattr(event, side, None), int | float) and math.isfinite(share)]
        if len(shares) != 2:
            raise StudioError(HALF_AN_EVENT)
        right, down = (max(-MOVE, min(MOVE, round(float(share), 3))) for share in shares)
        mix = replace(mix, shift=(right, down))
        return [mix, 100 * right, 100 * down, *self._preview(self.visitor(request), mix)]

    @spoken
    def clear(self, mix: Mix, request: gr.Request) -> list[Any]:
        """Nothing painted."""
        return [[], *self._shown(self.visitor(request), mix.cleared())]

    def face(self, index: int, step: bool = False) -> Callable[..., list[Any]]:
        """Answers a change of the source (0) or the reference (1); `step` takes the next seed."""

        @spoken
        def answer(mix: Mix, kind: str, seed: float | None, truncation: float, item: str | None, request: gr.Request) -> list[Any]:
            visitor = self.visitor(request)
            if kind == "Shelf" and not visitor.shelf:
                gr.Warning("The shelf is empty. Upload a photo of your own below, or put a face there in another tab.")
                face = (mix.source, mix.reference)[index]
            else:
                face = Face("Seed", (int(seed or 0) + 1) % 2**31, truncation) if step else facing(visitor, kind, seed, truncation, item)
            mix = self.mixer.faced(visitor, mix, ROLES[index], face)
            return [*choosing(visitor, face), *self._shown(visitor, mix)]

        return answer

    @spoken
    def another(self, mix: Mix, request: gr.Request) -> list[Any]:
        """The part laid aside, nothing painted, no ready-made part chosen."""
        return self.arranged(self.visitor(request), mix.onward())

    @spoken
    def take_up(self, mix: Mix, number: int | None, request: gr.Request) -> list[Any]:
        """A part that was laid aside, on top and on the canvases again."""
        return self.arranged(self.visitor(request), mix.taken_up(number if isinstance(number, int) else -1))

    @spoken
    def take_off(self, mix: Mix, number: int | None, request: gr.Request) -> list[Any]:
        """Without a part that was laid aside."""
        return self.arranged(self.visitor(request), mix.without(number if isinstance(number, int) else -1))

    @spoken
    def take(self, mix: Mix, key: str | None, request: gr.Request) -> list[Any]:
        """A face of the shelf, brought from another tab, as the source."""
        visitor = self.visitor(request)
        item = visitor.present(key or "")
        return self.arranged(visitor, self.mixer.faced(visitor, mix, ROLES[0], Face("Shelf", None, 1.0, item.key)))

    @spoken
    def swap(self, mix: Mix, request: gr.Request) -> list[Any]:
        """Source and reference in each other's place."""
        return self.arranged(self.visitor(request), mix.swapped())

    @spoken
    def arrange(self, mix: Mix, request: gr.Request) -> list[Any]:
        """A mixture that came from an undo."""
        return self.arranged(self.visitor(request), mix)

    def arranged(self, visitor: Visitor, mix: Mix) -> list[Any]:
        """Everything the page shows of a mixture."""
        choosers = [*choosing(visitor, mix.source), *choosing(visitor, mix.reference)]
        parts = gr.CheckboxGroup(value=list(mix.ready))
        return [*choosers, *arrange(self.mixer, visitor, mix), *laid_aside(mix), parts, *self._shown(visitor, mix)]

    async def rest(self) -> None:
        """Wait a moment, so that only a hand at rest asks for the full picture."""
        await asyncio.sleep(REST_SECONDS * 1.1)

    @spoken
    def settle(self, mix: Mix, history: History[Mix], compared: Mix | None, request: gr.Request) -> list[Any]:
        """The full picture and its downloads, and a step to undo, unless a newer move is under way."""
        visitor = self.visitor(request)
        if not self.mixer.rested(visitor, REST_SECONDS):
            return [gr.skip() for _ in range(7)]
        before, after = to_picture(self.mixer.face(visitor, mix.source)), self.mixer.draw(visitor, mix)
        picture = picture_file(self.mixer, visitor, mix, after)
        label = "Download this part's mask (PNG)" if mix.below else "Download the mask (PNG)"
        mask = gr.DownloadButton(label, value=offer("mask.png", png_bytes(self.mixer.hard(visitor, mix))), interactive=True)
        stale = gr.skip() if compared == mix else gr.Gallery(visible=False)
        code = recipe(self.mixer, visitor, mix)
        visitor.mixed.history = history.settled(mix)
        if any(mix.masks) or mix.below:
            visitor.book.note(made(self.mixer, visitor, mix, code), after)
        return [after, (before, after), picture, mask, visitor.mixed.history, code, stale]

    @spoken
    def film(self, mix: Mix, request: gr.Request) -> gr.Gallery:
        """The mixture at rising strengths."""
        visitor = self.visitor(request)
        pictures = self.mixer.film(visitor, mix) if any(mix.masks) else []
        give_back()
        return gr.Gallery(pictures, visible=bool(pictures))

    @spoken
    def methods(self, mix: Mix, request: gr.Request) -> list[Any]:
        """The same mask by other means."""
        if not (any(mix.masks) or mix.below):
            raise StudioError("Nothing is painted yet. Paint on either picture first, or choose a ready-made part.")
        return [gr.Gallery(self.mixer.methods(self.visitor(request), mix), visible=True), mix]

    def in_own_networks(self, knobs: Sequence[str]) -> Callable[..., list[Any]]:
        """Answers a turn of one of these knobs, the edge in percent: the same faces and masks in StyleMapGAN's own networks."""

        @spoken
        def answer(request: gr.Request, mix: Mix, seed: float | None, *values: Any) -> list[Any]:
            settings = dict(zip(knobs, values, strict=True))
            settings["edge"] = float(settings["edge"]) / 100
            shown = self.mixer.in_own_networks(self.visitor(request), mix, int(seed or 0) % 2**31, settings)
            return [gr.Row(visible=True), gr.Gallery(shown), mix, ""]

        return answer

    @spoken
    def put(self, mix: Mix, request: gr.Request) -> dict[Any, Any]:
        """The mixed face on the shelf."""
        visitor = self.visitor(request)
        self._put(visitor, mix)
        gr.Success("On the shelf: the other tabs can go on from it, and it can be chosen above.")
        return self.strip.show(visitor, None)

    @spoken
    def onward(self, mix: Mix, request: gr.Request) -> list[Any]:
        """The mixed face on the shelf and as the next source, nothing painted."""
        visitor = self.visitor(request)
        key = self._put(visitor, mix)
        mix = replace(mix.cleared(), source=Face("Shelf", None, 1.0, key), below=())
        return [*self.strip.show(visitor, None).values(), *self.arranged(visitor, mix)]

    @spoken
    def restock(self, mix: Mix, request: gr.Request) -> list[Any]:
        """Menus that list what is on the shelf now."""
        visitor = self.visitor(request)
        return [choosing(visitor, face)[-1] for face in (mix.source, mix.reference)]

    def _put(self, visitor: Visitor, mix: Mix) -> str:
        return visitor.put("Mixed", self.mixer.draw(visitor, mix, self.size), self.mixer.kept(visitor, mix)).key

    def _preview(self, visitor: Visitor, mix: Mix) -> list[Any]:
        """Live picture, soft mask, words, and the count of moves, which what follows a hand at rest waits for."""
        moves = self.mixer.move(visitor, mix)
        picture = self.mixer.draw(visitor, mix, self.mixer.session.preview_size)
        return [picture, self.mixer.soft(visitor, mix), words(self.mixer, visitor, mix), moves]

    def _shown(self, visitor: Visitor, mix: Mix) -> list[Any]:
        return [mix, *canvases(self.mixer, visitor, mix), *self._preview(visitor, mix)]
