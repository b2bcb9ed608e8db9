"""A published checkpoint on a person's own machine: its file is read once, its encoder answers the aligned photo."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from threading import Lock
from typing import Any

import gradio as gr

from engines import InvertRequest
from engines.core.errors import StudioError
from engines.invert.encode import OfficialEncoder, load_official
from engines.invert.encode.official import KEPT
from studio.services.photo_pipeline import aligned_face, redrawing
from studio.services.snippets import program
from studio.serving.lines import RUN
from studio.state.moments import say
from studio.state.session import Session
from studio.state.visitor import Visitor
from studio.tabs.invert.result import Outputs, finished, shown
from studio.ui.afresh import READY, afresh
from studio.ui.cell import Runner, code, runner
from studio.ui.run_control import Going, Stopper, Updates, connect_stop
from studio.ui.run_events import QUICK, spoken

_PRIVATE: dict[str, Any] = {"api_visibility": "private", "show_progress": "hidden"}
NOTHING = "No checkpoint is loaded."


@dataclass(frozen=True, eq=False)
class CheckpointParts:
    """The accordion's components."""

    file: gr.File
    looks: gr.Slider
    forget: gr.Button
    buttons: Runner


class Shelved:
    """The one checkpoint that is loaded: about a gigabyte, so there is room for one.

    Args:
        session: Whose generator draws.
    """

    def __init__(self, session: Session) -> None:
        self.session = session
        self._lock = Lock()
        self.encoder: OfficialEncoder | None = None

    def read(self, path: Path) -> OfficialEncoder:
        """Read a file in place of the last one, and delete the upload, whatever it held.

        Raises:
            WeightsError: It cannot be used; the last one stays.
            SpaceError: It is for another generator; the last one stays.
        """
        with self._lock:
            try:
                self.encoder = OfficialEncoder(self.session.generator, load_official(path, self.session.generator.device))
            finally:
                path.unlink(missing_ok=True)
            return self.encoder

    def forget(self) -> None:
        """Give its memory back."""
        with self._lock:
            self.encoder = None


def accordion(session: Session) -> CheckpointParts | None:
    """The components; None on a page that others can reach, where no file of weights is taken."""
    if session.settings.public:
        return None
    with gr.Accordion("Upload a published checkpoint", open=False, elem_id="published"):
        gr.Markdown(
            "The authors' own encoders **e4e** and **ReStyle** for FFHQ at 1024 px (`e4e_ffhq_encode.pt`, "
            "`restyle_e4e_ffhq_encode.pt`, `restyle_psp_ffhq_encode.pt`) answer the photo on this generator: their 18 vectors go to its "
            f"layers, each within the first {KEPT} principal components of W. This generator shares W with StyleGAN2, but not W+: faces "
            "come out whole, in the right pose, age and expression, and less like the person than on StyleGAN2. "
            "pSp's own checkpoint cannot be followed here and is refused. "
            "Nothing in the file is run, and the upload is deleted as soon as it was read. "
            f"At most {session.settings.checkpoint_megabytes} MB; the encoder then takes about a gigabyte of memory until you forget it.",
            elem_classes="status",
        )
        with gr.Row():
            file = gr.File(label="Checkpoint", height=140, elem_id="published-file")
            with gr.Column(min_width=260):
                looks = gr.Slider(1, 10, 5, step=1, label="Refinement steps (ReStyle)", elem_id="published-steps")
                buttons = runner("published", "Invert with it")
                forget = gr.Button("Forget the checkpoint", size="sm", elem_id="published-forget")
        code("published", _SNIPPET)
    return CheckpointParts(file, looks, forget, buttons)


class CheckpointHandlers:
    """What the accordion's events are answered with."""

    def __init__(self, session: Session, parts: CheckpointParts, out: Outputs) -> None:
        self.session, self.parts, self.out = session, parts, out
        self.shelved = Shelved(session)
        self.runs = Stopper(parts.buttons, self.visitor, session.lines)

    def visitor(self, request: gr.Request) -> Visitor:
        return self.session.visitors.visitor(request)

    @spoken
    def take(self, path: str | None) -> list[Any]:
        """Read an uploaded file."""
        if path is None:
            raise StudioError("Choose a file first.")
        try:
            encoder = self.shelved.read(Path(path))
        except StudioError as error:
            gr.Warning(str(error), duration=12)
            kept = NOTHING if self.shelved.encoder is None else f"{self.shelved.encoder.title} stays loaded."
            return [None, f"⚠️ {error} {kept}"]
        remarks = " ".join(encoder.remarks)
        return [None, f"Loaded: {encoder.title}. {remarks} Choose a photo above and press Invert with it.".replace("  ", " ")]

    def forget(self) -> str:
        """Give the memory back."""
        self.shelved.forget()
        return NOTHING

    @spoken
    def claim(self, request: gr.Request) -> str:
        """Reserve the visitor's one run, or say why not."""
        visitor = self.visitor(request)
        if self.shelved.encoder is None:
            raise StudioError("No checkpoint is loaded. Choose a file of e4e or ReStyle first.")
        aligned_face(visitor)
        return self.runs.claim(visitor)

    @spoken
    def run(self, request: gr.Request, looks: int) -> Iterator[Updates]:
        """Run the loaded encoder on the aligned photo; the result stands where every inversion does."""
        yield from self.runs.going(request, afresh(self.out.results, self._encoded(self.visitor(request), looks)))

    def _encoded(self, visitor: Visitor, looks: int) -> Going:
        encoder, target = self.shelved.encoder, visitor.target
        if encoder is None or target is None:
            raise StudioError("The checkpoint or the photo is gone. Choose it again.")
        visitor.results.inverted = None
        yield {self.parts.buttons.status: READY}
        run = encoder.run(InvertRequest(image=target), encoder.knob_set.of({"steps": int(looks)}))
        for moment, kept in redrawing(self.session, visitor, run, encoder.title, target):
            visitor.results.inverted = kept
            yield (last := {self.parts.buttons.status: say(moment)})
        if kept is None:
            return last
        drawn = finished(self.session, kept)
        visitor.results.inverted = drawn.kept
        return last | {self.out.code: _SNIPPET} | shown(self.session, drawn, self.out)


def connect(session: Session, parts: CheckpointParts | None, out: Outputs) -> None:
    """The accordion's events; its results go where every inversion's do."""
    if parts is None:
        return
    handlers, buttons = CheckpointHandlers(session, parts, out), parts.buttons
    lane: dict[str, Any] = {"concurrency_id": RUN} | _PRIVATE
    parts.file.upload(handlers.take, parts.file, [parts.file, buttons.status], **lane)
    parts.forget.click(handlers.forget, None, buttons.status, **QUICK | {"show_progress": "hidden"})
    handlers.runs.connect(handlers.run, parts.looks, [buttons.status, *out.results], handlers.claim)
    connect_stop(handlers.runs)


_SNIPPET = program("""
generator = load_generator("ffhq")
photo = read_image(Path("photo.jpg"))
target = to_tensor(align(photo, find_faces(photo)[0].alignment))
encoder = OfficialEncoder(generator, load_official(Path("e4e_ffhq_encode.pt")))
to_picture(encoder(InvertRequest(image=target)).images).save("inversion.png")
""")
