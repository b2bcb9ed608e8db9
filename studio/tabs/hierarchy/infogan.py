"""The first lesson in disentanglement: what the page asks of InfoGAN and of its ablation, without the information term."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from typing import get_args

import torch
from PIL import Image as Pil
from torch import Tensor

from engines import DrawingRequest, Result
from engines.core.errors import StudioError
from engines.core.images import read_image, to_picture, to_tensor
from engines.core.weights import is_bundled, manifest
from engines.data.digits import Digits, shown_digits
from engines.generators.infogan import PLAIN, REACH, WEIGHTS, InfoCodes, InfoGAN, bundled_infogan, shown, toy_infogan
from engines.hierarchy.infogan import Axis, InfoEncoder, grid_codes
from studio.media.animation import Sheet
from studio.services.finegan_sampler import MOST_SEED, whole
from studio.state.session import Session

AXES: tuple[Axis, ...] = tuple(axis for axis in get_args(Axis) if axis != "nothing")
_TILE = 56
_MOST_BYTES, _MOST_JSON, _MOST_MEGAPIXELS = 2**21, 100_000, 1.0


@dataclass(frozen=True, eq=False)
class Laid:
    """A grid with the codes of its cells, row by row."""

    picture: Pil.Image
    codes: tuple[tuple[InfoCodes, ...], ...]


class DigitLesson:
    """Both networks, read-only and shared by all visitors; beside an untrained generator toy ones.

    Args:
        session: Says the device.
    """

    def __init__(self, session: Session) -> None:
        self.session = session

    @property
    def is_there(self) -> bool:
        """Whether there is a network to draw with."""
        return self._is_untrained or WEIGHTS in manifest()

    @cached_property
    def gan(self) -> InfoGAN:
        """InfoGAN."""
        return self._network(WEIGHTS, 1)

    @cached_property
    def plain(self) -> InfoGAN | None:
        """The ablation, if it is there."""
        there = self._is_untrained or is_bundled(PLAIN)
        return self._network(PLAIN, 3) if there else None

    @cached_property
    def reader(self) -> InfoEncoder:
        """Reads a digit's codes."""
        return InfoEncoder(self.gan)

    def _network(self, name: str, seed: int) -> InfoGAN:
        device = self.session.generator.device
        return toy_infogan(device, seed) if self._is_untrained else bundled_infogan(name, device)

    @property
    def _is_untrained(self) -> bool:
        return "untrained" in self.session.generator.capabilities

    def name(self, category: int) -> str:
        """A category with the digit that it turned out to be."""
        return f"{category}: “{self.gan.names[category]}”"

    def draw(self, codes: InfoCodes) -> Pil.Image:
        """One digit.

        Raises:
            SpaceError: Codes that are none.
        """
        return to_picture(self.gan.draw(codes))

    def laid(self, codes: InfoCodes, axis: Axis, plain: bool) -> Laid:
        """A grid of either network, with what varies down its rows written at the edge.

        Raises:
            StudioError: No such code.
            WeightsError: The ablation is asked for and not there.
        """
        if axis not in AXES:
            raise StudioError(f"Choose one of {', '.join(AXES)}.")
        gan = (self.plain if plain else self.gan) or self._network(PLAIN, 3)
        rows = grid_codes(self.gan, axis, codes)
        name = "The ablation without the information term" if plain else "InfoGAN"
        sheet = Sheet(
            f"{name}: a column is one draw of all the rest", _down(axis), [""] * len(rows[0]), self._values(axis, rows, plain), _TILE
        )
        pictures = gan.draw(*(one for row in rows for one in row))
        for index, picture in enumerate(pictures.split(1)):
            sheet.place(*divmod(index, len(rows[0])), to_picture(picture))
        return Laid(sheet.picture, rows)

    def _values(self, axis: Axis, rows: Sequence[Sequence[InfoCodes]], plain: bool) -> list[str]:
        if axis == "category":
            return [f"{row[0].category}" if plain else self.name(row[0].category) for row in rows]
        return [f"{row[0].continuous[0 if axis == 'first' else 1]:+.1f}" for row in rows]

    def read(self, picture: Pil.Image, seed: int, centre: bool) -> Result:
        """What Q says of a digit, and the digit drawn again from it."""
        return self.reader(DrawingRequest(image=to_tensor(picture), seed=seed), centre=centre)


def handful(number: int, count: int = 20) -> Digits:
    """Bundled test digits, each kind as often; another handful for another number."""
    every = shown_digits()
    each = count // 10
    kinds = [(every.labels == label).nonzero()[:, 0] for label in range(10)]
    rows = [row[(number * each + step) % len(row)] for row in kinds for step in range(each)]
    return every[torch.stack(rows)]


def pictures(digits: Digits) -> list[Pil.Image]:
    """Ink on black, in RGB."""
    return [to_picture(shown(image)) for image in digits.images.split(1)]


def drawing(layers: Sequence[bytes]) -> Pil.Image:
    """What was drawn on the canvas, dark on white.

    Raises:
        StudioError: Nothing was drawn.
        ImageError: A layer that is no picture.
    """
    if not layers or len(layers[0]) > _MOST_BYTES:
        raise StudioError("Nothing is drawn yet. Draw a digit, as large as the field allows.")
    picture = read_image(layers[0], _MOST_MEGAPIXELS)
    ink: Tensor = to_tensor(picture)
    if float(ink.min()) > 0:
        raise StudioError("Nothing is drawn yet. Draw a digit, as large as the field allows.")
    return picture


def codes_file(codes: InfoCodes) -> bytes:
    """Codes as JSON, which `read_codes` takes back."""
    return (json.dumps(asdict(codes), indent=1) + "\n").encode()


def read_codes(data: bytes, categories: int) -> InfoCodes:
    """Codes from such a file.

    Args:
        data: Its content.
        categories: How many categories the network has.

    Raises:
        StudioError: It is none, or has codes that this network does not have.
    """
    try:
        content = json.loads(data) if len(data) <= _MOST_JSON else None
    except (ValueError, RecursionError):
        content = None
    if not isinstance(content, dict) or not {"category", "continuous"} <= set(content):
        raise StudioError("This is no file of codes: bring the JSON file that this cell saves.")
    continuous = content["continuous"]
    numbers = isinstance(continuous, list) and all(isinstance(value, int | float) and not isinstance(value, bool) for value in continuous)
    if not numbers or len(continuous) != 2:
        raise StudioError("A file of codes of this network has two continuous codes, which are numbers.")
    codes = InfoCodes(whole(content["category"], categories, "Category"), seed=whole(content.get("seed", 0), MOST_SEED + 1, "Seed"))
    return held(codes, continuous=tuple(continuous))


def held(codes: InfoCodes, **changes: object) -> InfoCodes:
    """Codes with some of them changed.

    Raises:
        StudioError: A continuous code that is no number within reach.
    """
    changed = replace(codes, **changes)  # type: ignore[arg-type]
    for value in changed.continuous:
        if isinstance(value, bool) or not isinstance(value, int | float) or not -REACH <= value <= REACH:
            raise StudioError(f"A continuous code goes from {-REACH:g} to {REACH:g}.")
    return changed


def _down(axis: Axis) -> str:
    return {"category": "the category", "first": "the first code", "second": "the second code"}.get(axis, "")
