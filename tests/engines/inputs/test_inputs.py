from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import pytest
import torch
from PIL import Image as Pil
from torch import Tensor

from engines import FineCodes, FitRequest, HierarchyRequest, InvertRequest, LocalRequest, MixRequest, Request, catalogue, random_w
from engines.core.errors import ImageError, RequestError
from engines.core.weights import assets
from engines.generators import FfhqGenerator
from engines.inputs import FacePhoto, Reading, Word, declared, words_of

ASTRONAUT = assets() / "examples" / "astronaut.jpg"


@pytest.fixture
def square(tmp_path: Path) -> Path:
    """A picture that passes for an aligned face: its left half is dark."""
    picture = Pil.new("RGB", (64, 64), "white")
    picture.paste("black", (0, 0, 32, 64))
    picture.save(tmp_path / "square.png")
    return tmp_path / "square.png"


def test_words_become_a_request(toy: FfhqGenerator) -> None:
    request = FitRequest.of({"attribute": "brightness", "keep": "warmth, contrast", "seed": 3}, Reading(toy))
    assert (request.attribute, request.keep, request.seed) == ("brightness", ("warmth", "contrast"), 3)
    assert request.bank.names[0] == "brightness"


def test_a_photo_is_aligned_and_a_face_is_taken_as_it_is(toy: FfhqGenerator, square: Path) -> None:
    found = InvertRequest.of({"image": ASTRONAUT}, Reading(toy)).image
    assert found.shape == (1, 3, 64, 64) and found.std() > 0.1
    image = InvertRequest.of({"image": str(square), "aligned": True}, Reading(toy)).image
    assert torch.equal(image[..., :32], -torch.ones(1, 3, 64, 32)) and torch.equal(image[..., 32:], torch.ones(1, 3, 64, 32))


def test_limits_hold_for_every_file(toy: FfhqGenerator) -> None:
    with pytest.raises(ImageError):
        InvertRequest.of({"image": ASTRONAUT}, Reading(toy, megapixels=0.01))
    with pytest.raises(ImageError):
        LocalRequest.of({"image": ASTRONAUT, "mask": ASTRONAUT}, Reading(toy, megabytes=0.001))


def test_a_mask_is_a_file_or_a_part_of_the_photos(toy: FfhqGenerator, square: Path) -> None:
    painted = LocalRequest.of({"image": square, "mask": square, "aligned": True}, Reading(toy))
    assert painted.mask is not None and painted.other is None
    assert torch.equal(painted.mask[0, 0, 0], torch.cat([torch.zeros(32), torch.ones(32)]))
    named = LocalRequest.of({"image": ASTRONAUT, "context": ASTRONAUT, "part": "left half"}, Reading(toy))
    assert named.other is not None and torch.equal(named.other, named.image)
    assert named.mask is not None and torch.equal(named.mask[0, 0, 0], torch.cat([torch.ones(32), torch.zeros(32)]))


def test_seeds_become_faces_parts_and_codes(toy: FfhqGenerator) -> None:
    mixed = MixRequest.of({"seed": 3, "reference": 9, "part": "right half"}, Reading(toy))
    assert torch.equal(mixed.source.latent.codes, random_w(toy, 3))
    assert torch.equal(mixed.parts[0].reference.latent.codes, random_w(toy, 9))
    staged = HierarchyRequest.of({"codes": ["1,2,3", "4, 0, 5"], "seed": 7}, Reading(toy))
    assert staged.codes == (FineCodes(1, 2, 3, 7), FineCodes(4, 0, 5, 7))


@pytest.mark.parametrize(
    ("request_type", "words", "sentence"),
    [
        (Request, {"image": "x.jpg"}, "no input 'image' here; there are: seed"),
        (Request, {"seed": 2**63}, "at most 63 bits"),
        (Request, {"seed": True}, "--seed True came"),
        (InvertRequest, {}, "the photo to invert; add --image photo.jpg"),
        (LocalRequest, {"image": ASTRONAUT, "part": "tail"}, "There is no part 'tail'; there are: eyes"),
        (HierarchyRequest, {"codes": ["12"]}, "such as 12,2,12"),
    ],
)
def test_what_makes_no_request_gets_a_sentence(
    toy: FfhqGenerator, request_type: type[Request], words: dict[str, object], sentence: str
) -> None:
    with pytest.raises(RequestError, match=sentence):
        request_type.of(words, Reading(toy))


def test_a_word_of_the_command_line_becomes_a_value() -> None:
    assert Word("context_face", "Which face.", int).option == "--context-face"
    assert Word("seed", "A number.", int).parse("7") == 7
    with pytest.raises(RequestError, match="--seed 'seven' came"):
        Word("seed", "A number.", int).parse("seven")


def test_inputs_come_in_the_order_in_which_they_were_declared_last() -> None:
    assert list(declared(LocalRequest)) == ["seed", "image", "beside", "other", "mask"]


def test_a_field_that_nobody_can_fill_is_a_fault_of_its_author() -> None:
    @dataclass(frozen=True, kw_only=True, eq=False)
    class Bare(Request):
        image: Tensor

    with pytest.raises(TypeError, match="image lacks"):
        declared(Bare)


def test_a_request_of_ones_own_is_read_and_tried(toy: FfhqGenerator, square: Path) -> None:
    @dataclass(frozen=True, kw_only=True, eq=False)
    class Two(Request):
        before: Annotated[Tensor, FacePhoto("The first photo.", "before", "before_face")]
        after: Annotated[Tensor, FacePhoto("The second photo.", "after", "after_face")]

    made = Two.of({"before": square, "after": square, "aligned": True}, Reading(toy))
    assert torch.equal(made.before, made.after)
    tried = Two.example(toy, seed=4)
    assert tried.seed == 4 and tried.before.shape == (1, 3, 64, 64) and not torch.equal(tried.before, tried.after)


@pytest.mark.parametrize("name", list(catalogue()))
def test_no_word_is_also_a_knob_and_each_says_what_it_is(name: str) -> None:
    engine = catalogue()[name]
    words = words_of(engine.accepts)
    assert not set(words) & {one.name for one in engine.knob_set.declared()}
    assert all(word.help.endswith(".") and word.kind in (int, str, bool, Path) for word in words.values())
