"""What the tab's events are answered with: previews while one paints, the full picture once the hand rests, steps back and forth."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import gradio as gr

from engines.core.errors import StudioError
from engines.core.images import png_bytes, to_picture
from engines.core.memory import give_back
from studio.edits import Face, History
from studio.events import offer, spoken
from studio.inputs import layers
from studio.mix import EDIT, ROLES, Mix
from studio.mixing import Mixer
from studio.pages.mix.board import MOVE, arrange, editing_shown, laid_aside, turned
from studio.pages.mix.faces import choosing, facing
from studio.pages.mix.keep import recipe
from studio.pages.mix.paint import canvases, words
from studio.shelf import Desk
from studio.strip import Strip

REST_SECONDS = 0.5


class Answers:
    """The order of arguments is that of the inputs in the tab's wiring."""

    def __init__(self, mixer: Mixer, strip: Strip) -> None:
        self.mixer, self.strip = mixer, strip
        self.size = mixer.session.live_size

    def desk(self, request: gr.Request) -> Desk:
        return self.mixer.session.visitors.desk(request.session_hash)

    @spoken
    def open(self, mix: Mix, opened: bool, request: gr.Request) -> list[Any]:
        """The tab at its first look."""
        if opened:
            return [gr.skip() for _ in range(7)]
        desk = self.desk(request)
        return [True, *canvases(self.mixer, desk, mix), *self._preview(desk, mix)]

    @spoken
    def painted(self, mix: Mix, hung: float, source: str, reference: str, request: gr.Request) -> list[Any]:
        """The live picture after a stroke, unless its canvas shows something else by now."""
        desk = self.desk(request)
        if not self.mixer.hangs(desk, int(hung)):
            return [gr.skip() for _ in range(4)]
        mix = replace(mix, masks=(self.mixer.paint(desk, layers(source)), self.mixer.paint(desk, layers(reference))))
        return [mix, *self._preview(desk, mix)]

    @spoken
    def turn(self, request: gr.Request, mix: Mix, *values: Any) -> list[Any]:
        """The live picture after a control was turned."""
        before, mix = mix, turned(mix, *values)
        easel = gr.skip() if mix.shift == before.shift else gr.HTML(shift=list(mix.shift))
        return [mix, easel, *self._preview(self.desk(request), mix)]

    @spoken
    def editing(self, mix: Mix, content: str, request: gr.Request) -> list[Any]:
        """The edit's controls, where an edit goes into the mask."""
        return editing_shown(self.mixer, self.desk(request), content, mix.edit, mix.amount)

    @spoken
    def edits_of(self, mix: Mix, shelf: str, request: gr.Request) -> list[Any]:
        """The first direction of another shelf of the library, as far as its slider invites."""
        desk, library = self.desk(request), self.mixer.editor.library
        keys = library.keys(shelf, desk)
        if not keys:
            raise StudioError("There is no direction of your own yet. The workshop of the tab Edit directions makes and imports them.")
        mix = replace(mix, edit=keys[0], amount=Mix.amount * library.reach(keys[0], desk).times)
        return [*editing_shown(self.mixer, desk, EDIT, mix.edit, mix.amount), mix, *self._preview(desk, mix)]

    @spoken
    def ready(self, mix: Mix, names: list[str], request: gr.Request) -> list[Any]:
        """Ready-made parts on both canvases, beside what is painted there."""
        desk = self.desk(request)
        return self._shown(desk, self.mixer.refitted(desk, mix, ready=names))

    @spoken
    def dragged(self, mix: Mix, request: gr.Request, event: gr.EventData) -> list[Any]:
        """The part where it was dragged to, and the sliders that say so."""
        right, down = (max(-MOVE, min(MOVE, round(float(share), 3))) for share in (event.x, event.y))
        mix = replace(mix, shift=(right, down))
        return [mix, 100 * right, 100 * down, *self._preview(self.desk(request), mix)]

    @spoken
    def clear(self, mix: Mix, request: gr.Request) -> list[Any]:
        """Nothing painted."""
        return [[], *self._shown(self.desk(request), mix.cleared())]

    def face(self, index: int, step: bool = False) -> Callable[..., list[Any]]:
        """Answers a change of the source (0) or the reference (1); `step` takes the next seed."""

        @spoken
        def answer(mix: Mix, kind: str, seed: float | None, truncation: float, item: str | None, request: gr.Request) -> list[Any]:
            desk = self.desk(request)
            if kind == "Shelf" and not desk.shelf:
                gr.Warning("The shelf is empty. Bring a photo of your own below, or put a face there in another tab.")
                face = (mix.source, mix.reference)[index]
            else:
                face = Face("Seed", (int(seed or 0) + 1) % 2**31, truncation) if step else facing(desk, kind, seed, truncation, item)
            mix = self.mixer.faced(desk, mix, ROLES[index], face)
            return [*choosing(desk, face), *self._shown(desk, mix)]

        return answer

    @spoken
    def another(self, mix: Mix, request: gr.Request) -> list[Any]:
        """The part laid aside, nothing painted, no ready-made part chosen."""
        return self.arranged(self.desk(request), mix.onward())

    @spoken
    def take_up(self, mix: Mix, number: int | None, request: gr.Request) -> list[Any]:
        """A part that was laid aside, on top and on the canvases again."""
        return self.arranged(self.desk(request), mix.taken_up(-1 if number is None else int(number)))

    @spoken
    def take_off(self, mix: Mix, number: int | None, request: gr.Request) -> list[Any]:
        """Without a part that was laid aside."""
        return self.arranged(self.desk(request), mix.without(-1 if number is None else int(number)))

    @spoken
    def swap(self, mix: Mix, request: gr.Request) -> list[Any]:
        """Source and reference in each other's place."""
        return self.arranged(self.desk(request), mix.swapped())

    @spoken
    def arrange(self, mix: Mix, request: gr.Request) -> list[Any]:
        """A mixture that came from an undo."""
        return self.arranged(self.desk(request), mix)

    def arranged(self, desk: Desk, mix: Mix) -> list[Any]:
        """Everything the page shows of a mixture."""
        choosers = [*choosing(desk, mix.source), *choosing(desk, mix.reference)]
        parts = gr.CheckboxGroup(value=list(mix.ready))
        return [*choosers, *arrange(self.mixer, desk, mix), *laid_aside(mix), parts, *self._shown(desk, mix)]

    async def rest(self) -> None:
        """Wait a moment, so that only a hand at rest asks for the full picture."""
        await asyncio.sleep(REST_SECONDS * 1.1)

    @spoken
    def settle(self, mix: Mix, history: History[Mix], compared: Mix | None, request: gr.Request) -> list[Any]:
        """The full picture and its downloads, and a step to undo, unless a newer move is under way."""
        desk = self.desk(request)
        if not self.mixer.rested(desk, REST_SECONDS):
            return [gr.skip() for _ in range(7)]
        before, after = to_picture(self.mixer.face(desk, mix.source)), self.mixer.draw(desk, mix)
        picture = gr.DownloadButton(value=offer("mixed.png", png_bytes(after)), interactive=True)
        label = "Download this part's mask (PNG)" if mix.below else "Download the mask (PNG)"
        mask = gr.DownloadButton(label, value=offer("mask.png", png_bytes(self.mixer.hard(desk, mix))), interactive=True)
        stale = gr.skip() if compared == mix else gr.Gallery(visible=False)
        return [after, (before, after), picture, mask, history.settled(mix), recipe(self.mixer.session.generator.name, mix), stale]

    @spoken
    def film(self, mix: Mix, request: gr.Request) -> gr.Gallery:
        """The mixture at rising strengths."""
        desk = self.desk(request)
        pictures = self.mixer.film(desk, mix) if any(mix.masks) else []
        give_back()
        return gr.Gallery(pictures, visible=bool(pictures))

    @spoken
    def methods(self, mix: Mix, request: gr.Request) -> list[Any]:
        """The same mask by other means."""
        if not (any(mix.masks) or mix.below):
            raise StudioError("Nothing is painted yet. Paint on either picture first, or choose a ready-made part.")
        return [gr.Gallery(self.mixer.methods(self.desk(request), mix), visible=True), mix]

    def in_own_networks(self, knobs: Sequence[str]) -> Callable[..., list[Any]]:
        """Answers a turn of one of these knobs, the edge in percent: the same faces and masks in StyleMapGAN's own networks."""

        @spoken
        def answer(request: gr.Request, mix: Mix, seed: float | None, *values: Any) -> list[Any]:
            settings = dict(zip(knobs, values, strict=True))
            settings["edge"] = float(settings["edge"]) / 100
            shown = self.mixer.in_own_networks(self.desk(request), mix, int(seed or 0) % 2**31, settings)
            return [gr.Row(visible=True), gr.Gallery(shown), mix, ""]

        return answer

    @spoken
    def put(self, mix: Mix, request: gr.Request) -> list[Any]:
        """The mixed face on the shelf."""
        desk = self.desk(request)
        self._put(desk, mix)
        gr.Success("On the shelf: the other tabs can go on from it, and it can be chosen above.")
        return self.strip.show(desk, None)

    @spoken
    def onward(self, mix: Mix, request: gr.Request) -> list[Any]:
        """The mixed face on the shelf and as the next source, nothing painted."""
        desk = self.desk(request)
        key = self._put(desk, mix)
        mix = replace(mix.cleared(), source=Face("Shelf", None, 1.0, key), below=())
        return [*self.strip.show(desk, None), *self.arranged(desk, mix)]

    @spoken
    def restock(self, mix: Mix, request: gr.Request) -> list[Any]:
        """Menus that list what is on the shelf now."""
        desk = self.desk(request)
        return [choosing(desk, face)[-1] for face in (mix.source, mix.reference)]

    def _put(self, desk: Desk, mix: Mix) -> str:
        return desk.put("Mixed", self.mixer.draw(desk, mix, self.size), self.mixer.kept(desk, mix)).key

    def _preview(self, desk: Desk, mix: Mix) -> list[Any]:
        """Live picture, soft mask and words."""
        self.mixer.move(desk)
        return [self.mixer.draw(desk, mix, self.size), self.mixer.soft(desk, mix), words(self.mixer, desk, mix)]

    def _shown(self, desk: Desk, mix: Mix) -> list[Any]:
        return [mix, *canvases(self.mixer, desk, mix), *self._preview(desk, mix)]


def first_edit(mixer: Mixer) -> str:
    """The local edit that a visitor finds: a smile, or the first attribute of a generator that draws no faces."""
    names = list(mixer.editor.library.titles)
    return f"interfacegan/{'smile' if 'smile' in names else names[0]}"
