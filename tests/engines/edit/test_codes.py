"""What the page lets one download comes back with the same values; what a file claims is checked."""

import json
import struct
from dataclasses import replace
from typing import Any

import pytest
import torch
from safetensors.torch import load, save
from torch import Tensor

from engines.core.errors import SpaceError, StudioError, WeightsError
from engines.core.seeds import normal
from engines.edit.codes import read_codes, write_codes
from engines.edit.imported import FORMS, read_directions, write_directions
from engines.generators.toy import toy as new_toy
from engines.spaces.directions import Direction
from engines.spaces.latent import Inversion, Latent
from engines.spaces.statistics import statistics

TOY = new_toy()
VALUES = max(part.stop for part in TOY.layout("s").values())
SHAPES = {"z": (1, TOY.width), "w": (1, TOY.width), "w_plus": (1, TOY.slots.count, TOY.width), "s": (1, VALUES)}
LAYER = list(TOY.layout("s"))[1]
CHANNELS = TOY.layout("s")[LAYER].stop - TOY.layout("s")[LAYER].start


def features() -> dict[str, Tensor]:
    noise, values = next(iter(TOY.noise().items()))
    found = {f"noise/{noise}": normal(tuple(values.shape), 1), "grid": normal((1, TOY.width, 4, 4), 2)}
    return found | {f"shift/{LAYER}": normal((1, CHANNELS), 3), f"style/{LAYER}": normal((1, CHANNELS, 4, 4), 4)}


def tuning() -> dict[str, Tensor]:
    return {name: 0.01 * normal(tuple(values.shape), 5) for name, values in list(TOY.tunable().items())[:3]}


def same(left: Inversion, right: Inversion) -> bool:
    pairs = ((left.tuning, right.tuning), (left.features, right.features), ({"codes": left.latent.codes}, {"codes": right.latent.codes}))
    alike = all(set(ours) == set(theirs) and all(torch.equal(ours[key], theirs[key]) for key in ours) for ours, theirs in pairs)
    return alike and left.latent.space == right.latent.space


@pytest.mark.parametrize("space", list(SHAPES))
@pytest.mark.parametrize("more", ["code alone", "features", "tuning", "both"])
def test_a_saved_inversion_comes_back_with_all_it_holds(space: str, more: str) -> None:
    ours = Inversion(
        Latent(space, normal(SHAPES[space], 7)),
        tuning() if more in ("tuning", "both") else {},
        features() if more in ("features", "both") and space != "s" else {},
    )
    for name in ("inversion.safetensors", "inversion", "face (1).bin"):
        (theirs,) = read_codes(write_codes(ours), name, TOY)
        assert same(ours, theirs)


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("count", [1, 3, 14, 16, 18])
def test_downloaded_directions_come_back_with_the_same_values(form: str, count: int) -> None:
    """In the published forms, whose spreads are those of the file where it has any."""
    vectors = [normal((TOY.width,), seed) for seed in range(count)]
    units = [vector / vector.norm() for vector in vectors]
    ours = [
        Direction(f"mine {at}", "w", unit, TOY.slots.active, 1.1 * statistics(TOY).sigma(unit), "a test") for at, unit in enumerate(units)
    ]
    theirs = read_directions(write_directions(ours, form, TOY), f"mine.{form}", TOY)
    assert len(theirs) == count
    for left, right in zip(ours, theirs, strict=True):
        assert torch.allclose(left.vector, right.vector, atol=1e-6) and right.space == "w" and right.slots == left.slots
        has_spread = form in ("safetensors", "npz") or (form == "pt" and count > 1)
        assert right.sigma == pytest.approx(left.sigma * (1 if has_spread else 1 / 1.1), rel=1e-4)


def test_files_of_codes_and_of_directions_say_which_they_are() -> None:
    code = write_codes(Inversion(Latent("w", normal(SHAPES["w"], 1))))
    with pytest.raises(SpaceError, match=r"inversion\.safetensors holds a face's code, .*Upload a saved code"):
        read_directions(code, "inversion.safetensors", TOY)
    unit = torch.eye(TOY.width)[0]
    direction = write_directions([Direction("a", "w", unit, TOY.slots.active, 1.0, "a test")], "safetensors", TOY)
    with pytest.raises(SpaceError, match="holds directions, not a face's code"):
        read_codes(direction, "a.safetensors", TOY)


def spoilt(about: dict[str, str] | None = None, **tensors: Tensor) -> bytes:
    return save({"codes": normal(SHAPES["w"], 1)} | tensors, {"space": "w"} | (about or {}))


@pytest.mark.parametrize(
    "data",
    [
        spoilt({"space": "heaven"}),
        spoilt({"space": "w_plus"}),
        spoilt(codes=normal((2, TOY.width), 1)),
        spoilt(codes=torch.full(SHAPES["w"], float("nan"))),
        spoilt(codes=torch.full(SHAPES["w"], 1e9)),
        spoilt(**{"noise/nowhere": torch.zeros(1, 1, 4, 4)}),
        spoilt(**{f"noise/{LAYER}": torch.zeros(1, 1, 999, 1)}),
        spoilt(**{"grid": torch.zeros(1, 3, 4, 4)}),
        spoilt(**{"grid": torch.full((1, TOY.width, 2, 2), float("inf"))}),
        spoilt(**{f"style/{LAYER}": torch.zeros(1, CHANNELS + 1, 4, 4)}),
        spoilt(**{"feature/conv_4": torch.zeros(1, 7, 3, 5)}),
        spoilt(**{"tuning/nothing": torch.zeros(3)}),
        spoilt(**{f"tuning/{next(iter(TOY.tunable()))}": torch.zeros(3)}),
        spoilt(**{"../../etc": torch.zeros(3)}),
    ],
)
def test_what_a_file_of_codes_says_is_checked(data: bytes) -> None:
    with pytest.raises(SpaceError) as caught:
        read_codes(data, "inversion.safetensors", TOY)
    assert str(caught.value).endswith(".") and len(str(caught.value)) < 300


@pytest.mark.parametrize("share", [0.0, 0.1, 0.5, 0.99])
def test_a_file_of_codes_that_is_cut_off_is_refused(share: float) -> None:
    data = write_codes(Inversion(Latent("w_plus", normal(SHAPES["w_plus"], 1)), tuning(), features()))
    with pytest.raises(WeightsError):
        read_codes(data[: int(len(data) * share)], "inversion.safetensors", TOY)


@pytest.mark.parametrize("header", ["[]", "{}", '{"__metadata__": 7}', "null", '{"codes": {}}', "[" * 5000])
def test_a_header_that_is_none_is_refused(header: str) -> None:
    text: Any = header.encode()
    with pytest.raises(StudioError):
        read_codes(struct.pack("<Q", len(text)) + text + bytes(64), "inversion.safetensors", TOY)


def test_what_was_written_is_plain_safetensors() -> None:
    ours = Inversion(Latent("w", normal(SHAPES["w"], 1)), tuning())
    assert set(load(write_codes(replace(ours)))) == {"codes", *(f"tuning/{name}" for name in tuning())}
    assert json.loads(write_codes(ours)[8:].split(b'"__metadata__":', 1)[1].split(b"}", 1)[0] + b"}") == {"space": "w"}
