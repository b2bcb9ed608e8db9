"""The face that the page opens with."""

import pytest
import torch

from engines.core.images import read_image, to_tensor
from engines.core.weights import assets
from engines.faces import align, find_faces
from engines.generators.incremental import draw_inversion
from studio.services.direction_library import Library
from studio.services.example import NAME, Example
from studio.settings import Settings
from studio.state.edits import Face
from studio.state.session import Session
from studio.state.visitor import Visitor
from studio.tabs.start.handlers import StartHandlers
from studio.ui.shelf_strip import archive_of


@pytest.fixture(scope="module")
def session() -> Session:
    return Session(Settings(generator="ffhq"))


def test_the_example_is_the_person_of_the_photo(session: Session) -> None:
    """The shipped code draws the example photo's face: a stranger's, or a broken file, would measure far above."""
    photo = read_image(assets() / "examples" / f"{NAME}.jpg")
    target = to_tensor(align(photo, find_faces(photo)[0].alignment))
    with torch.no_grad():
        figures = session.reconstruction(draw_inversion(session.generator, Example(session).inversion), target)
    assert figures["lpips"] < 0.1 and figures["identity_distance"] < 0.5


def test_a_portrait_is_put_on_the_shelf_once(session: Session) -> None:
    example, visitor = Example(session), Visitor(2**30)
    assert example.face(visitor) == example.face(visitor)
    (item,) = visitor.shelf.values()
    assert example.face(visitor) == Face("Shelf", None, 1.0, item.key)
    assert visitor.rename(item.key, "Eileen").title == "Eileen" and example.face(visitor).chosen == item.key
    assert next(iter(visitor.shelf.values())).title == "Eileen"
    assert len(archive_of([item, item])) > 2 * item.tuning_bytes / 4


def test_a_generator_with_a_bank_of_its_own_begins_with_a_seed(monkeypatch: pytest.MonkeyPatch) -> None:
    """The portrait's code fits the bundled generator alone."""
    session = Session(Settings(generator="toy"))
    monkeypatch.setattr(session.generator, "capabilities", session.generator.capabilities | {"face_bank"})
    example = Example(session)
    assert not example.is_portrait and example.face(Visitor(2**20)) == Face()


def test_pictures_of_the_beginning_are_drawn_once_for_all_visitors(monkeypatch: pytest.MonkeyPatch) -> None:
    session = Session(Settings(generator="toy"))
    handlers, drawn = StartHandlers(session, Library(session), None), []  # type: ignore[arg-type]
    plain = handlers._draw
    monkeypatch.setattr(handlers, "_draw", lambda edits: drawn.append(edits) or plain(edits))
    first, again, other = handlers.show(0, 1, 0), handlers.show(0, 1.0, 0), handlers.show(0, 2, 0)
    assert first is again and first.tobytes() != other.tobytes()
    assert len(drawn) == 2
