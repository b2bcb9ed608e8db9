"""What the events of the tab Latent explorer are answered with; the order of arguments is that of their inputs."""

import html
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import gradio as gr
import torch
from PIL import Image as Pil

from engines import Inversion, Result
from engines.core.errors import StudioError
from engines.core.images import to_picture
from engines.data import attributes
from engines.edit.codes import write_codes
from engines.generators.incremental import draw_inversion
from studio.media.export import csv_of
from studio.services.snippets import CODE_FILE, program, stored
from studio.state.lab_book import Made
from studio.state.moments import STOPPED, moments, say
from studio.state.visitor import JobSlot, Visitor
from studio.tabs.explore.components import FRESH, GROUP, POINTS, UNCHOSEN, Chosen, Inputs, View, direction_choices, plan_of
from studio.tabs.explore.extra_samples import MOST
from studio.tabs.explore.maps import Maps, Plan
from studio.ui.plots import variance_bars
from studio.ui.run_control import Going, Stopper, Updates
from studio.ui.run_events import offer, spoken
from studio.ui.shelf_strip import Strip

LISTED = 200
_SAVED = "face.png"
_SIDE = 512


@dataclass(frozen=True, eq=False)
class ExploreHandlers:
    """The handlers, over the tab's parts.

    Attributes:
        maps: Where maps come from.
        strip: The shelf above the tabs.
        asked: What a map is of.
        shown: How it is looked at.
        chosen: The face behind a point.
        plan: State with the `Plan` of the map that is drawn.
        wire: Messages to the map's script: what was chosen, which paths to draw.
        drawing: Runs that draw the map.
        measuring: Runs that measure new faces.
    """

    maps: Maps
    strip: Strip
    asked: Inputs
    shown: View
    chosen: Chosen
    plan: gr.State
    wire: gr.HTML
    drawing: Stopper
    measuring: Stopper

    @property
    def drawn(self) -> list[Any]:
        """What `draw_inversion` fills."""
        shown = self.shown
        return [self.asked.buttons.status, shown.plot, shown.bars, shown.groups, shown.table, self.plan, *self.seen]

    @property
    def seen(self) -> list[Any]:
        """What choosing a face fills."""
        return [self.chosen.picture, self.chosen.words, self.chosen.listed, self.chosen.keep, self.wire]

    def visitor(self, request: gr.Request) -> Visitor:
        """The visitor's state."""
        return self.maps.session.visitors.visitor(request)

    @spoken
    def arrive(self, request: gr.Request, plan: Plan | None, colour: str, name: str | None, *values: Any) -> Iterator[Any]:
        """The first map, when the tab is opened for the first time."""
        if plan is None:
            yield from self.draw(request, plan, colour, name, *values)

    @spoken
    def redraw(self, request: gr.Request, plan: Plan | None, colour: str, name: str | None, *values: Any) -> Iterator[Any]:
        """The map with what lies on the shelf by now, unless it was drawn with that, as the first map is where the tab just opened."""
        if plan is None or plan.shelf != tuple(self.visitor(request).shelf):
            yield from self.draw(request, plan, colour, name, *values)

    @spoken
    def present(self, plan: Plan | None, key: str | None, request: gr.Request) -> list[Any]:
        """A face of the shelf among the others, where the map is one of faces."""
        visitor = self.visitor(request)
        if plan is None or plan.of_changes or plan.shelf is None or key not in plan.shelf:
            return [gr.skip() for _ in self.seen]
        return self._see(visitor, plan, self.maps.own_names(plan, visitor)[plan.shelf.index(key)])

    @spoken
    def measure(self, request: gr.Request, fresh: int) -> Iterator[Updates]:
        """Draw and measure faces that are not in the bank, a few more at each press; Stop leaves those that are done."""
        yield from self.measuring.going(request, self._measured(self.measuring.slot(request), fresh))

    def _measured(self, slot: JobSlot, fresh: int) -> Going:
        newcomers, status = self.maps.newcomers, self.asked.buttons.status
        goal = fresh + FRESH
        if goal > MOST:
            raise StudioError(f"{fresh} new faces are measured, which is the most. Reload the page to begin again.")
        last: Updates = {status: "Drawing new faces …"}
        yield last
        for done in newcomers.measure(goal):
            if done > fresh:
                yield (last := {status: f"New face {done - fresh} of {FRESH} measured", self.asked.fresh: done})
            if slot.stopping:
                return {status: STOPPED}
        return last

    @spoken
    def settle(self, request: gr.Request, last: Plan | None, colour: str, name: str | None, *values: Any) -> Iterator[Updates]:
        """After a measurement, stopped or not: the map with the new faces, if there are any."""
        if last is not None and not last.of_changes and last.fresh != plan_of(values).fresh:
            yield from self.draw(request, last, colour, name, *values)

    @spoken
    def directions(self, request: gr.Request, keys: tuple[str, ...] | None, arrows: list[str], walked: str | None) -> list[Any]:
        """Directions to choose from, the visitor's own and those with a slider first; what is chosen stays while it is there."""
        choices = direction_choices(self.maps.library, keys or (), self.visitor(request))
        there = {key for _, key in choices}
        kept = [key for key in arrows or () if key in there]
        return [gr.Dropdown(choices, value=kept), gr.Dropdown(choices, value=walked if walked in there else choices[0][1])]

    @spoken
    def draw(self, request: gr.Request, last: Plan | None, colour: str, name: str | None, *values: Any) -> Iterator[Updates]:
        """Analyse and place; the view follows in the browser. A chosen face that lies on the new map too stays chosen."""
        yield from self.drawing.going(request, self._map(request, last, colour, name, plan_of(values)))

    def _map(self, request: gr.Request, last: Plan | None, colour: str, name: str | None, plan: Plan) -> Going:
        visitor, status = self.visitor(request), self.asked.buttons.status
        gone = self.maps.library.gone(plan.arrows, visitor)
        plan = replace(plan, shelf=tuple(visitor.shelf), arrows=tuple(key for key in plan.arrows if key not in gone))
        yield {status: "Looking at the measured faces …"}
        limit, slot = self.maps.session.settings.run_seconds, self.drawing.slot(request)
        for moment in moments(self.maps.run(plan, visitor), limit, slot.is_stopping):
            yield (said := {status: say(moment)})
        if moment.result is None:
            return said
        chosen = dict(zip(self.seen, self._still(visitor, last, plan, name), strict=True))
        value = name if chosen[self.wire]["chosen"] else None
        chosen[self.chosen.listed] = gr.Dropdown(self._names(plan, visitor, colour, "", 0, 0), value=value)
        return said | self._filled(plan, visitor, moment.result) | chosen

    def _still(self, visitor: Visitor, last: Plan | None, plan: Plan, name: str | None) -> list[Any]:
        """What is seen of the chosen point on a new map: the same, the same face drawn anew, or nothing where it does not lie there.

        Points of a map of changes are numbered anew each time.
        """
        if last is None or not name or last.of_changes or plan.of_changes:
            return self.unseen()
        try:
            before, now = (self.faces(visitor, each, name) for each in (last, plan))
        except StudioError:
            return self.unseen()
        same = all(torch.equal(one.latent.codes, other.latent.codes) for (_, one), (_, other) in zip(before, now, strict=True))
        if name.startswith("Shelf") and not same:  # another one has its place by now
            return self.unseen()
        return self._seen(now, name, gr.skip() if same else self._picture(now))

    def unseen(self) -> list[Any]:
        """No point is chosen, so no face is shown."""
        return [None, UNCHOSEN, None, gr.Button(interactive=False), {"chosen": None}]

    def _filled(self, plan: Plan, visitor: Visitor, result: Result) -> Updates:
        figure = self.maps.figure(plan, visitor, result)
        rows = result.tables["groups"].rows if plan.of_changes else ()
        return {
            self.shown.plot: figure,
            self.shown.bars: variance_bars(result.tables["variance"]),
            self.shown.groups: agreement(rows, self.maps.library.titles),
            self.shown.table: gr.DownloadButton(value=offer("latent-map.csv", self._csv(plan, figure, result)), interactive=True),
            self.plan: plan,
        }

    def _csv(self, plan: Plan, figure: dict[str, Any], result: Result) -> bytes:
        points = self.maps.points(plan, result)
        numbers = range(len(points)) if plan.of_changes else self.maps.numbers(plan)
        names = [f"{figure['noun']} {number + 1}" for number in numbers]
        return csv_of(names, figure, points, self.maps.scores(plan, len(points)), self.maps.library.bank.names)

    def suited(self, space: str, colour: str) -> list[Any]:
        """A map of changes has inputs of its own and begins coloured by the kind of change."""
        changes = Plan(space).of_changes
        first = next(iter(self.maps.library.titles))
        faces = gr.Button(visible=not changes)
        shown = [gr.Row(visible=not changes), faces, faces, gr.Column(visible=changes)]
        return [*shown, GROUP[1] if changes else first if colour == GROUP[1] else gr.skip()]

    def more(self, shown: float) -> int:
        """A thousand faces more."""
        return min(POINTS, int(shown) + 1000)

    @spoken
    def range_of(self, only: str) -> list[Any]:
        """Sliders over what an attribute is on the measured faces; nothing is hidden at first."""
        if only not in self.maps.library.bank.names:
            return [gr.Slider(visible=False), gr.Slider(visible=False)]
        score = self.maps.library.bank.score(only)
        known = score[score.isfinite()]
        low, high = (round(float(value), 3) for value in (known.min() - 0.001, known.max() + 0.001))
        unit = next(attribute.unit for attribute in attributes(self.maps.generator) if attribute.name == only)
        common: dict[str, Any] = {"minimum": low, "maximum": high, "step": round((high - low) / 200, 4), "info": unit, "visible": True}
        return [gr.Slider(value=low, **common), gr.Slider(value=high, **common)]

    @spoken
    def relist(self, request: gr.Request, plan: Plan | None, colour: str, only: str, low: float, high: float) -> Any:
        """The list in the order of the colour, and without what is hidden."""
        return gr.skip() if plan is None else gr.Dropdown(self._names(plan, self.visitor(request), colour, only, low, high))

    def _names(self, plan: Plan, visitor: Visitor, colour: str, only: str, low: float, high: float) -> list[str | tuple[str, str]]:
        own = [] if plan.of_changes else self.maps.own_names(plan, visitor)
        scores = self.maps.scores(plan)
        known = self.maps.library.bank.names
        rows = list(range(len(scores)))
        if only in known:
            column = scores[:, known.index(only)]
            rows = [row for row in rows if low <= column[row] <= high]
        numbers = range(len(scores)) if plan.of_changes else self.maps.numbers(plan)
        rows = [*rows[:LISTED], *(row for row in rows[LISTED:] if not plan.of_changes and row >= plan.shown)]
        name = [f"{'Change' if plan.of_changes else 'Face'} {number + 1}" for number in numbers]
        if colour not in known:
            return [*own, *(name[row] for row in rows)]
        column, title = scores[:, known.index(colour)], self.maps.library.titles[colour]
        picked = sorted(rows, key=lambda row: -column[row] if column[row] == column[row] else float("inf"))
        return [*own, *((f"{name[row]} · {title} {column[row]:.3g}", name[row]) for row in picked)]

    @spoken
    def pick(self, plan: Plan | None, event: gr.EventData, request: gr.Request) -> list[Any]:
        """A click on the map; its data may be anything and is checked."""
        name = getattr(event, "name", None)
        if not isinstance(name, str):
            raise StudioError("That click did not name a point.")
        return self._see(self.visitor(request), plan, name)

    @spoken
    def see(self, plan: Plan | None, name: str | None, request: gr.Request) -> list[Any]:
        """The same by the list."""
        return self._see(self.visitor(request), plan, name)

    def _see(self, visitor: Visitor, plan: Plan | None, name: str | None) -> list[Any]:
        if plan is not None and plan.of_changes and not str(name).startswith("Change"):
            raise StudioError("This map shows changes. Choose one of its points, or write the number of one, such as Change 12.")
        found = self.faces(visitor, plan, name)
        return self._seen(found, str(name), self._picture(found))

    def _seen(self, found: list[tuple[str, Inversion]], name: str, picture: Any) -> list[Any]:
        words = " → ".join(f"**{html.escape(title)}**" for title, _ in found)
        unusual = self.maps.unusual([title for title, _ in found])
        return [picture, f"{words}. {unusual}", name, gr.Button(interactive=not name.startswith("Shelf")), {"chosen": name}]

    def faces(self, visitor: Visitor, plan: Plan | None, name: str | None) -> list[tuple[str, Inversion]]:
        """The face of a name, or the two of a change.

        Raises:
            StudioError: There is no map yet, or nothing of that name on it.
        """
        if plan is None:
            raise StudioError("There is no map yet. Press “Draw the map”.")
        return self.maps.faces(plan, visitor, name or "")

    @torch.no_grad()
    def _picture(self, found: list[tuple[str, Inversion]]) -> Pil.Image:
        """One face, or before and after side by side."""
        size = None if len(found) == 1 else self.maps.session.live_size
        pictures = [to_picture(draw_inversion(self.maps.generator, inversion, size)) for _, inversion in found]
        whole = Pil.new("RGB", (_SIDE * len(pictures), _SIDE))
        for index, picture in enumerate(pictures):
            whole.paste(picture.resize((_SIDE, _SIDE), Pil.Resampling.LANCZOS), (_SIDE * index, 0))
        return whole

    @spoken
    def keep(self, plan: Plan | None, name: str | None, request: gr.Request) -> Updates:
        """The face on the shelf; of a change, the one after it."""
        visitor = self.visitor(request)
        title, inversion = self.faces(visitor, plan, name)[-1]
        picture = to_picture(draw_inversion(self.maps.generator, inversion))
        face = write_codes(inversion)
        lines = [f'generator = load_generator("{self.maps.generator.name}")', *stored("code", inversion, CODE_FILE)]
        code = program("\n".join([*lines, f'to_picture(draw_inversion(generator, code)).save("{_SAVED}")']))
        visitor.book.note(Made("Face", title, "Chosen on the map.", code, _SAVED, {CODE_FILE: face}, face=face), picture)
        return self.strip.show(visitor, visitor.put(title, picture, inversion).key)


def agreement(rows: Any, titles: dict[str, str]) -> str:
    """How far each kind of change has one direction, in a line a kind."""
    kinds = [(titles.get(str(name), html.escape(str(name))), count, length, share) for name, count, length, share in rows if int(count) > 1]
    if not kinds:
        return ""
    lines = "\n".join(f"| {title} | {count} | {length:.1f} | {share:.2f} |" for title, count, length, share in kinds)
    head = "| changes of | pairs | mean length | agreement |\n|---|---|---|---|"
    return f"{head}\n{lines}\n\nAgreement: mean cosine with the group's average; 1 is one direction."
