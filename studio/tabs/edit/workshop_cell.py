"""The workshop: a visitor's own directions, learnt, read from a file, cleaned, rated and shared."""

import html
from typing import Any

import gradio as gr

from engines import Direction
from engines.core.errors import StudioError
from engines.edit.imported import FORMS, write_directions
from engines.spaces.directions import project_out
from studio.services.snippets import program
from studio.services.user_directions import MOST, drafts_of, plain, renamed, room_for
from studio.state.edits import Edits
from studio.state.visitor import Visitor
from studio.tabs.edit.context import EditContext
from studio.tabs.edit.files import file_part
from studio.tabs.edit.labelling_cell import Teacher, clicking_part, measured_part
from studio.tabs.edit.menus import menu
from studio.ui import menus
from studio.ui.cell import cell, code
from studio.ui.lanes import PRIVATE
from studio.ui.plots import TABLE_STYLE
from studio.ui.run_events import QUICK, offer, spoken

PROSE = (
    "Teach the studio an attribute of your own, bring a published direction, or clean one of what it drags along. "
    "Each gets a slider at once, and <b>Yours</b> is where you name, rate, clean and share them."
)
_QUIET: dict[str, Any] = QUICK | PRIVATE


def build(context: EditContext) -> None:
    """The cell and its events."""
    teacher = Teacher(context)
    with cell("Your own directions", PROSE, folded=True):
        with gr.Tabs(elem_id="workshop-tabs"):
            with gr.Tab("Click", elem_id="workshop-tab-click"):
                clicking_part(context, teacher)
            with gr.Tab("Measure", elem_id="workshop-tab-measured"):
                measured_part(context, teacher)
            with gr.Tab("File", elem_id="workshop-tab-file"):
                file_part(context)
            with gr.Tab("Yours", elem_id="workshop-tab-mine"):
                _mine_part(context)
        code("workshop", _SNIPPET)


def _mine_part(context: EditContext) -> None:
    listed = gr.HTML(_NOTHING, css_template=TABLE_STYLE, elem_id="mine-table")
    with gr.Row():
        with gr.Column(min_width=280):
            which = menus.dropdown([], value=None, label="One of yours", elem_id="mine-which")
            with gr.Row(elem_classes="runner"):
                name = gr.Textbox(label="Name", max_length=40, max_lines=1, elem_id="mine-name", min_width=140)
                rename = gr.Button("Rename", elem_id="mine-rename", min_width=80)
            stars = gr.Radio([("★" * count, count) for count in range(1, 6)], label="Your rating", elem_id="mine-stars")
        with gr.Column(min_width=280):
            others = menu(context, "Take out what it shares with", "mine-others", multiselect=True)
            clean = gr.Button("Make one without these", elem_id="mine-clean")
            form = gr.Radio(list(FORMS), value=FORMS[0], label="File", info="safetensors keeps everything", elem_id="mine-form")
            everything = gr.Checkbox(False, label="All of mine in one file", elem_id="mine-all")
            with gr.Row():
                share = gr.DownloadButton("Download to share", interactive=False, elem_id="mine-share", min_width=140)
                delete = gr.Button("Delete", variant="stop", elem_id="mine-delete", min_width=80)
    status = gr.Markdown("", elem_id="mine-status", elem_classes="status")
    manager = Manager(context)
    shown = [listed, which, name, stars, share, status]
    about = [which, form, everything]

    def shown_after(event: Any) -> Any:
        return event.success(manager.show, about, shown, **_QUIET)

    context.opened.change(manager.show, about, shown, **_QUIET)  # those that were there before the page was opened
    context.added.change(manager.show, [context.added, form, everything], shown, **_QUIET)
    gr.on([which.input, form.input, everything.input], manager.show, about, shown, **_QUIET)
    revised = context.revised
    context.rename(shown_after(gr.on([rename.click, name.submit], manager.rename, [which, name, revised], revised, **_QUIET)))
    shown_after(stars.input(manager.rate, [which, stars], None, **_QUIET))
    context.rename(shown_after(delete.click(manager.delete, [which, context.edits, revised], revised, **_QUIET)))
    context.use(clean.click(manager.clean, [which, others], context.added, **_QUIET))


class Manager:
    """Answers what is asked about the visitor's own directions."""

    def __init__(self, context: EditContext) -> None:
        self.context = context

    def one(self, visitor: Visitor, key: str | None) -> Direction:
        """The chosen direction.

        Raises:
            StudioError: None is chosen.
        """
        if not key or key not in visitor.directions:
            raise StudioError("Choose one of your directions first; the other parts of the workshop make them.")
        return visitor.directions[key]

    def show(self, key: str | None, form: str, everything: bool, request: gr.Request) -> list[Any]:
        """The table, the menu, what belongs to the chosen one, and its file."""
        visitor = self.context.visitor(request)
        stars = drafts_of(visitor).stars
        keys = sorted(visitor.directions, key=lambda each: -stars.get(each, 0))
        key = key if key in visitor.directions else keys[-1] if keys else None
        choices = [(f"{visitor.directions[each].name} {'★' * stars.get(each, 0)}".strip(), each) for each in keys]
        chosen = list(visitor.directions.values()) if everything else [visitor.directions[key]] if key else []
        file, words = self._file(chosen, form)
        return [
            table([(visitor.directions[each], stars.get(each, 0)) for each in keys]),
            gr.Dropdown(choices, value=key),
            visitor.directions[key].name if key else "",
            gr.Radio(value=stars.get(key or "")),
            gr.DownloadButton(value=file, interactive=file is not None),
            words,
        ]

    def _file(self, chosen: list[Direction], form: str) -> tuple[str | None, str]:
        """A file to download, or why there is none."""
        if not chosen:
            return None, ""
        try:
            data = write_directions(chosen, form, self.context.session.generator)
        except StudioError as error:
            return None, str(error)
        return offer(f"directions.{form if form in FORMS else 'bin'}", data), ""

    @spoken
    def rename(self, key: str | None, name: str, revised: int, request: gr.Request) -> int:
        """Another name, and a revision."""
        visitor = self.context.visitor(request)
        visitor.directions[key or ""] = renamed(self.one(visitor, key), plain(name))
        return revised + 1

    @spoken
    def rate(self, key: str | None, stars: int | None, request: gr.Request) -> None:
        """One to five stars."""
        visitor = self.context.visitor(request)
        self.one(visitor, key)
        if stars not in range(1, 6):
            raise StudioError("Ratings go from 1 to 5 stars.")
        drafts_of(visitor).stars[key or ""] = int(stars or 0)

    @spoken
    def delete(self, key: str | None, edits: Edits, revised: int, request: gr.Request) -> int:
        """Forget it, unless a slider uses it."""
        visitor = self.context.visitor(request)
        direction = self.one(visitor, key)
        if key in edits.keys:
            raise StudioError(f"{direction.name} has a slider. Remove the slider first, then delete it here.")
        del visitor.directions[key or ""]
        drafts_of(visitor).stars.pop(key or "", None)
        return revised + 1

    @spoken
    def clean(self, key: str | None, others: list[str], request: gr.Request) -> str:
        """The same without what it shares with others, as a new one."""
        visitor = self.context.visitor(request)
        direction = self.one(visitor, key)
        if not others:
            raise StudioError("Choose what should be taken out of it.")
        room_for(visitor)
        cleaned = project_out(direction, [self.context.library.get(other, visitor) for other in others if other != key])
        return self.context.library.add(renamed(cleaned, f"{direction.name[:30]} (cleaned)"), visitor)


def table(directions: list[tuple[Direction, int]]) -> str:
    """A visitor's directions with their ratings; every text is escaped."""
    if not directions:
        return _NOTHING
    rows = "".join(
        f"<tr><td>{html.escape(one.name)}</td><td>{one.space.upper().replace('_PLUS', '+')}</td><td>{len(one.slots)}</td>"
        f"<td aria-label='{stars} of 5 stars'>{'★' * stars}</td><td>{html.escape(one.source)}</td></tr>"
        for one, stars in directions
    )
    head = "<tr><th>Name</th><th>Space</th><th>Layers</th><th>Rating</th><th>Made by</th></tr>"
    return f"<div class='table'><table><thead>{head}</thead><tbody>{rows}</tbody></table></div>"


_NOTHING = f"<p>Nothing of your own yet. Up to {MOST} are kept until you leave; download what should last.</p>"
_SNIPPET = program("""
generator = load_generator("ffhq")
bank, engine = face_bank(generator), create("interfacegan", generator)
old = (bank.score("age") > 50).float() * 2 - 1  # your own yes (1), no (-1) and no answer (0), one a face
mine = engine(FitRequest(bank=bank, attribute="over fifty", labels=old)).directions[0]
glasses = engine(FitRequest(bank=bank, attribute="eyeglasses")).directions[0]
cleaned = project_out(mine, [glasses])
Path("over-fifty.safetensors").write_bytes(write_directions([cleaned], "safetensors", generator))
again = read_directions(Path("over-fifty.safetensors").read_bytes(), "over-fifty.safetensors", generator)[0]
print(again.name, again.sigma, again.source)
""")
