"""What the tab's events are answered with: previews while one paints, the full picture once the hand rests, steps back and forth."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import gradio as gr

from engines.core.images import png_bytes, to_picture
from engines.core.memory import give_back
from studio.edits import Face, History
from studio.events import offer, spoken
from studio.inputs import layers
from studio.mix import EDIT, Mix
from studio.mixing import Mixer
from studio.pages.mix.board import arrange, laid_aside, turned
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
        mix = turned(mix, *values)
        return [mix, *self._preview(self.desk(request), mix)]

    @spoken
    def ready(self, mix: Mix, names: list[str], request: gr.Request) -> list[Any]:
        """Ready-made parts on both canvases."""
        desk = self.desk(request)
        masks = [self.mixer.ready_made(desk, face, names) for face in (mix.source, mix.reference)]
        return self._shown(desk, replace(mix, masks=(masks[0], masks[1])))

    @spoken
    def clear(self, mix: Mix, request: gr.Request) -> list[Any]:
        """Nothing painted."""
        return [*self._shown(self.desk(request), replace(mix, masks=("", ""))), []]

    def face(self, index: int, step: bool = False) -> Callable[..., list[Any]]:
        """Answers a change of the source (0) or the reference (1); `step` takes the next seed."""

        @spoken
        def answer(
            mix: Mix, kind: str, seed: float | None, truncation: float, item: str | None, names: list[str], request: gr.Request
        ) -> list[Any]:
            desk = self.desk(request)
            face = Face("Seed", (int(seed or 0) + 1) % 2**31, truncation) if step else facing(desk, kind, seed, truncation, item)
            mix = mix.with_face(("source", "reference")[index], face)
            if names:  # ready-made parts follow the face
                masks = list(mix.masks)
                masks[index] = self.mixer.ready_made(desk, face, names)
                mix = replace(mix, masks=(masks[0], masks[1]))
            return [*choosing(desk, face), *self._shown(desk, mix)]

        return answer

    @spoken
    def another(self, mix: Mix, request: gr.Request) -> list[Any]:
        """The part laid aside, nothing painted, no ready-made part chosen."""
        return [[], *self.arranged(self.desk(request), mix.onward())]

    @spoken
    def take_up(self, mix: Mix, number: int | None, request: gr.Request) -> list[Any]:
        """A part that was laid aside, on top and on the canvases again."""
        return [[], *self.arranged(self.desk(request), mix.taken_up(-1 if number is None else int(number)))]

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
        return [*choosers, *arrange(self.mixer, desk, mix), *laid_aside(mix), *self._shown(desk, mix)]

    async def rest(self) -> None:
        """Wait a moment, so that only a hand at rest asks for the full picture."""
        await asyncio.sleep(REST_SECONDS * 1.1)

    @spoken
    def settle(self, mix: Mix, history: History[Mix], request: gr.Request) -> list[Any]:
        """The full picture and its downloads, and a step to undo, unless a newer move is under way."""
        desk = self.desk(request)
        if not self.mixer.rested(desk, REST_SECONDS):
            return [gr.skip() for _ in range(6)]
        before, after = to_picture(self.mixer.face(desk, mix.source)), self.mixer.draw(desk, mix)
        picture = gr.DownloadButton(value=offer("mixed.png", png_bytes(after)), interactive=True)
        mask = gr.DownloadButton(value=offer("mask.png", png_bytes(self.mixer.hard(desk, mix))), interactive=True)
        return [after, (before, after), picture, mask, history.settled(mix), recipe(self.mixer.session.generator.name, mix)]

    @spoken
    def film(self, mix: Mix, request: gr.Request) -> gr.Gallery:
        """The mixture at rising strengths."""
        desk = self.desk(request)
        pictures = self.mixer.film(desk, mix) if any(mix.masks) or mix.below else []
        give_back()
        return gr.Gallery(pictures, visible=bool(pictures))

    @spoken
    def methods(self, mix: Mix, request: gr.Request) -> gr.Gallery:
        """The same mask by other means."""
        return gr.Gallery(self.mixer.methods(self.desk(request), mix), visible=True)

    @spoken
    def in_own_networks(self, mix: Mix, cells: str, request: gr.Request) -> gr.Gallery:
        """The same faces and masks in StyleMapGAN's own networks, of so many cells a side."""
        return gr.Gallery(self.mixer.in_own_networks(self.desk(request), mix, cells), visible=True)

    @spoken
    def put(self, mix: Mix, request: gr.Request) -> list[Any]:
        """The mixed face on the shelf."""
        desk = self.desk(request)
        self._put(desk, mix)
        return self.strip.show(desk, None)

    @spoken
    def onward(self, mix: Mix, request: gr.Request) -> list[Any]:
        """The mixed face on the shelf and as the next source, nothing painted."""
        desk = self.desk(request)
        key = self._put(desk, mix)
        mix = replace(mix, source=Face("Shelf", None, 1.0, key), masks=("", ""), below=())
        return [*self.strip.show(desk, None), [], *self.arranged(desk, mix)]

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


def editing_shown(content: str) -> list[Any]:
    """The edit's controls, where an edit goes into the mask."""
    return [gr.Dropdown(visible=content == EDIT), gr.Slider(visible=content == EDIT)]


def first_edit(mixer: Mixer) -> str:
    """The local edit that a visitor finds: a smile, or the first attribute of a generator that draws no faces."""
    names = list(mixer.editor.library.titles)
    return f"interfacegan/{'smile' if 'smile' in names else names[0]}"
