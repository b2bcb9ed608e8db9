"""Pictures held at 8 bits are those that were given, and a quarter as large."""

from dataclasses import dataclass, replace

import numpy as np
import torch
from PIL import Image as Pil

from engines import Inversion, Latent, Result
from engines.core.images import read_image, to_picture, to_tensor
from engines.core.weights import assets
from engines.faces import alignment_from_box
from studio.state.holding import held_bytes
from studio.state.packed import eight_bit
from studio.state.results import Kept, Results
from studio.state.visitor import Visitor


def noise(side: int) -> Pil.Image:
    return Pil.fromarray(np.random.default_rng(0).integers(0, 256, (side, side, 3), dtype=np.uint8))


@eight_bit("images")
@dataclass(eq=False)
class Shown:
    images: torch.Tensor | None = None


def test_what_came_from_a_picture_is_exact() -> None:
    images = to_tensor(noise(64))
    assert torch.equal(Shown(images).images, images)
    assert Shown(images).images.stride() == images.stride()  # another layout takes other kernels, and a run would end at other bits
    assert to_picture(Shown(images).images).tobytes() == noise(64).tobytes()


def test_nothing_is_nothing_and_copies_are_packed_too() -> None:
    shown = Shown()
    assert shown.images is None
    shown.images = torch.full((2, 3, 8, 8), 3.0)
    copy = replace(shown)
    assert torch.equal(copy.images, torch.ones(2, 3, 8, 8)) and held_bytes(copy) == 2 * 3 * 8 * 8


def test_a_desk_and_its_result_hold_bytes_rather_than_floats() -> None:
    face = to_tensor(noise(64))
    result = Result(face, (Inversion(Latent("w", torch.zeros(1, 512))),))
    kept = Kept(result, face, alignment_from_box((64, 64), 0.5, 0.5, 1.0), noise(64), "e4e", 1.0)
    visitor = Visitor(0, target=face, results=Results(kept))
    assert held_bytes(visitor) == 4 * 3 * 64 * 64 + 4 * 512, "target twice, result, photo, and the code"
    other = replace(kept, images=face.flip(3))
    assert torch.equal(other.images, face.flip(3)) and torch.equal(other.target, face) and len(other.result.images) == 0


def test_what_came_from_elsewhere_is_off_by_half_a_step_at_most() -> None:
    images = torch.linspace(-1, 1, 3 * 32 * 32).view(1, 3, 32, 32)
    off = Shown(images).images.double() - images.double()
    assert float(off.abs().max()) <= 0.5 / 127.5 + 1e-6 and abs(float(off.mean())) < 1e-4


def test_what_was_read_from_one_field_is_held_by_another_together() -> None:
    first = Shown(to_tensor(noise(64)))
    second = Shown(first.images)
    assert torch.equal(first.images, second.images)
    assert held_bytes(first, second) == held_bytes(first) == 3 * 64 * 64


def test_unless_it_was_changed_meanwhile() -> None:
    first = Shown(to_tensor(noise(64)))
    changed = first.images
    changed.mul_(-1)
    assert to_picture(Shown(changed).images).tobytes() == to_picture(changed).tobytes()
    with torch.inference_mode():
        inferred = Shown(first.images).images
        inferred.mul_(-1)
        second = Shown(inferred)
    assert to_picture(second.images).tobytes() == to_picture(changed).tobytes()


def test_a_photo_of_the_shelf_is_the_one_that_was_given_and_smaller() -> None:
    photo = read_image(assets() / "examples" / "astronaut.jpg")
    item = Visitor(budget=2**30).put("Face", photo, Inversion(Latent("w", torch.zeros(1, 1, 8))), photo)
    assert item.photo is not None and item.photo.tobytes() == photo.tobytes()
    assert item.picture_bytes - held_bytes(item.thumbnail) < photo.width * photo.height * 3 / 2
    assert item.picture_bytes <= held_bytes(item)
