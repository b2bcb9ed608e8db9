import gradio as gr
import pytest
import torch

import engines.invert
from engines.core.errors import FaceError, StudioError
from engines.core.images import read_image, to_tensor
from engines.faces import align, find_faces, pick_face
from engines.invert.optimize import SemanticDiffusion
from studio.state.session import Session
from studio.state.visitor import Visitor
from studio.tabs.invert import part_transfer
from studio.tabs.invert.part_transfer import RECTANGLE, marked, snippet
from studio.ui.shelf_strip import strip
from tests.studio.conftest import ASTRONAUT

PLACE = (0.5, 0.5, 0.5, 0.25)


@pytest.fixture
def visitor(session: Session) -> Visitor:
    photo = read_image(ASTRONAUT)
    face = to_tensor(align(photo, pick_face(find_faces(photo)).alignment, session.generator.resolution))
    return Visitor(2**20, target=face, giver=-face)


def ids(page: gr.Blocks) -> set[str]:
    return {str(getattr(block, "elem_id", "")) for block in page.blocks.values()}


def test_the_cell_is_there_when_the_method_is_offered(session: Session, page: gr.Blocks, monkeypatch: pytest.MonkeyPatch) -> None:
    found = ids(page)
    assert {"diffuse-run", "diffuse-stop", "diffuse-part", "diffuse-knob-form"} <= found
    assert "invert-semantic_diffusion-steps" not in found  # it needs two faces, which the list of methods cannot give it
    monkeypatch.setattr(engines.invert, "__all__", [name for name in engines.invert.__all__ if name != "SemanticDiffusion"])
    with gr.Blocks() as alone:
        part_transfer.build(session, strip(session), 5)
    assert "diffuse-run" not in ids(alone)


def test_a_part_of_one_face_is_marked_for_the_other(session: Session, visitor: Visitor) -> None:
    request = marked(session, visitor, RECTANGLE, *PLACE)
    assert torch.equal(request.image, visitor.giver) and torch.equal(request.context, visitor.target)
    assert request.mask is not None
    assert float(request.mask.mean()) == pytest.approx(0.125)
    eyes = marked(session, visitor, "eyes", *PLACE).mask
    assert eyes is not None
    assert 0 < float(eyes.mean()) < 0.3


def test_missing_faces_and_parts_are_said_in_a_sentence(session: Session, visitor: Visitor) -> None:
    with pytest.raises(StudioError, match="There is no part 'ears'"):
        marked(session, visitor, "ears", *PLACE)
    with pytest.raises(FaceError, match="no face to give"):
        marked(session, Visitor(1, target=visitor.target), "eyes", *PLACE)
    with pytest.raises(FaceError, match="no target face"):
        marked(session, Visitor(1, giver=visitor.giver), "eyes", *PLACE)


@pytest.mark.parametrize("part", ["eyes", RECTANGLE])
def test_the_lines_of_python_are_python(part: str) -> None:
    knobs = SemanticDiffusion.knob_set.of({"surroundings": 0.25})
    lines = snippet((part, *PLACE), knobs)
    compile(lines, "snippet", "exec")
    assert "surroundings=0.25" in lines
    assert ("part_mask('eyes', source, target)" in lines) == (part == "eyes")
