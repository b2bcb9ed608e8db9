import torch
from PIL import Image as Pil

from engines import Inversion, Latent
from engines.spaces.statistics import random_w
from studio.services.direction_library import Library
from studio.services.editor import Editor
from studio.state.edits import Face
from studio.state.session import Session
from studio.state.visitor import Visitor
from studio.tabs.edit.source_cell import facing


def test_a_tuned_face_is_shown_half_as_far_as_others(session: Session) -> None:
    editor, visitor, generator = Editor(session, Library(session)), Visitor(10 * 2**20), session.generator
    name, weight = next(iter(generator.tunable().items()))
    tuned = Inversion(Latent("w", random_w(generator, 3)), tuning={name: torch.zeros_like(weight)})
    face = facing("Shelf", None, 0.7, visitor.put("tuned", Pil.new("RGB", (8, 8)), tuned).key)
    for key in ("interfacegan/brightness", "stylespace/warmth/1"):
        whole, half = editor.strip(visitor, Face(), key), editor.strip(visitor, face, key)
        assert half == tuple(at / 2 for at in whole) and len(half) == 5
    assert editor.strip(visitor, face, "interfacegan/brightness") == (-2.0, -1.0, 0.0, 1.0, 2.0)
