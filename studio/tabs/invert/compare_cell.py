"""The cell that compares methods on one photo: a table, the trade between likeness and editing, and the same edit of each."""

from typing import Any

from engines.comparison import inverters
from studio.services.direction_library import Library
from studio.services.snippets import program
from studio.state.session import Session
from studio.tabs.invert.compare_components import VIEW, CompareParts, parts
from studio.tabs.invert.compare_handlers import CompareHandlers
from studio.ui.cell import cell, code
from studio.ui.run_control import connect_stop
from studio.ui.run_events import QUICK
from studio.ui.shelf_strip import Strip

__all__ = ["build"]

PROSE = (
    "Every method answers the same photo, one after another, and the same edit is applied to each. A code far from W resembles more and "
    "edits worse: the plot shows the trade. Rows stay while the photo does, so methods can be added one by one."
)
_PRIVATE: dict[str, Any] = {"api_visibility": "private", "show_progress": "hidden"}
_QUIET: dict[str, Any] = QUICK | {"show_progress": "hidden"}


def build(session: Session, strip: Strip, library: Library) -> None:
    """The cell and its events.

    Args:
        session: The generator and the engines.
        strip: The shelf above the tabs.
        library: Where directions come from.
    """
    with cell("Compare methods", PROSE, folded=True):
        built = parts({engine.card.name: engine for engine in inverters(session.generator)}, library)
        code("compare", _SNIPPET)
    _connect(CompareHandlers(session, library, strip, built), built)


def _connect(handlers: CompareHandlers, built: CompareParts) -> None:
    edit = [built.edit, built.strength]
    runs = handlers.runs
    runs.connect(handlers.run, [built.methods, *edit], built.filled, handlers.claim, built.methods)
    runs.connect(handlers.edit, edit, built.filled, handlers.claim_edit, triggers=[built.again.click])
    connect_stop(runs)
    built.clear.click(handlers.clear, None, built.filled, **_QUIET)
    built.table.pick(handlers.put, None, handlers.shelf.outputs, **_QUIET)
    built.axis.change(None, built.axis, None, js=VIEW, **_PRIVATE)


_SNIPPET = program("""
generator = load_generator("ffhq")
photo = read_image(Path("photo.jpg"))
target = to_tensor(align(photo, find_faces(photo)[0].alignment))
smile = create("interfacegan", generator)(FitRequest(bank=face_bank(generator), attribute="smile")).directions[0]
evaluator = InversionEvaluator(generator, encoder=consistency_encoder(generator))
for name in ("projector", "image2stylegan"):
    inversion = create(name, generator)(InvertRequest(image=target)).inversions[0]
    image = evaluator.draw(inversion)
    edited = evaluator.edited(inversion, image, target, (smile, 2.0))
    print(name, evaluator.figures(image, target), edited.figures)
    to_picture(edited.image).save(f"{name}-smiling.png")
""")
