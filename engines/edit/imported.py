"""Directions from files, as published with e4e, InterFaceGAN, GANSpace and SeFa, and back into the same formats.

Read are .npy, .npz, .pt, .pkl and .safetensors; nothing in a file is ever executed: pickles of arrays are rebuilt by code of our own
(`engines.core.arrays`), anything else in them is refused. W of the bundled generator is StyleGAN2-FFHQ's own, so unit vectors of shape
(512,), (1,512) and (18,512) and component files (keys comp, mean, std or lat_comp, lat_stdev) published for that model fit as they are.
"""

import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
import torch
from safetensors.torch import save
from torch import Tensor

from engines.core.arrays import SUFFIXES, read_arrays
from engines.core.errors import SpaceError
from engines.generators.base import Generator
from engines.spaces.directions import Direction
from engines.spaces.slots import PUBLISHED_LAYERS
from engines.spaces.statistics import statistics

FORMS = ("safetensors", "npy", "npz", "pt")
MOST = 600
"""Directions that one file may hold."""

_COMPONENTS, _COLUMNS = ("comp", "lat_comp"), ("eigvec",)
_NOT_DIRECTIONS = ("mean", "std", "lat_mean", "lat_stdev", "act_comp", "act_mean", "act_stdev", "var_ratio", "random_stdevs")


def read_directions(data: bytes, filename: str, generator: Generator) -> tuple[Direction, ...]:
    """Every direction of a file, scaled to unit length, with our own spread; the raw length stays in its source.

    Args:
        data: The file's content.
        filename: Its name: the suffix decides how it is read, the stem names the directions.
        generator: For which they are wanted.

    Raises:
        WeightsError: A file of another kind, damaged, or with anything but arrays in it.
        SpaceError: Arrays whose shapes are no directions of this generator.
    """
    arrays, about = read_arrays(data, filename)
    stem, suffix = _stem(filename), filename.rsplit(".", 1)[-1].lower()
    if "directions" in about:
        return _own(arrays, about["directions"], generator)
    found: list[Direction] = []
    for key, values in arrays.items():
        if key not in _NOT_DIRECTIONS:
            title = stem if len(arrays) == 1 or key in _COMPONENTS + _COLUMNS else key
            columns = key in _COLUMNS or (suffix == "pt" and values.shape == (generator.width,) * 2)
            found += _rows(title, values, generator, columns=columns, layers=key not in _COMPONENTS + _COLUMNS)
    if not found:
        raise SpaceError(f"{_shown(filename)} holds no direction: {_described(arrays)} came. {_wanted(generator)}")
    return tuple(found[:MOST])


def write_directions(directions: Sequence[Direction], form: str, generator: Generator) -> bytes:
    """Directions as a file: "safetensors" keeps everything, the others are the published formats of unit vectors in W.

    "npy" is InterFaceGAN's (1,512), or (N,512), or (18,512) for a vector a layer (eighteen of W go as (18,1,512)); "npz" GANSpace's
    keys; "pt" a tensor (1,512) or (18,512), or a dictionary of comp, mean and std. Multiply a unit vector by strength times sigma to
    make the same step elsewhere.

    Raises:
        SpaceError: No such form, nothing to write, or directions that the form cannot hold.
    """
    if form not in FORMS or not directions:
        raise SpaceError(
            f"The form {form!r} came for {len(directions)} directions; choose at least one direction and one of {', '.join(FORMS)}."
        )
    if form == "safetensors":
        about = [{"name": d.name, "space": d.space, "slots": d.slots, "sigma": d.sigma, "source": d.source} for d in directions]
        tensors = {f"direction_{index:03d}": d.vector.detach().cpu().contiguous() for index, d in enumerate(directions)}
        return save(tensors, {"directions": json.dumps(about)})
    spaces = {direction.space for direction in directions}
    if not spaces <= {"w", "w_plus"} or ("w_plus" in spaces and (len(directions) > 1 or form == "npz")):
        raise SpaceError(f"The form {form} holds directions of W, or one of W+ in npy and pt. Choose safetensors, which holds all.")
    return _published(directions, form, generator)


def _published(directions: Sequence[Direction], form: str, generator: Generator) -> bytes:
    buffer = io.BytesIO()
    if directions[0].space == "w_plus":
        array = generator.slots.to_published(directions[0].vector[None])[0].cpu().numpy()
    else:
        array = torch.stack([direction.vector for direction in directions]).cpu().numpy()
    if form == "npy":
        alike = len(directions) in (PUBLISHED_LAYERS, generator.slots.count)  # would be read as a vector a layer
        np.save(buffer, array[:, None] if alike else array)
    elif form == "npz":
        mean, std = statistics(generator).mean.cpu().numpy(), np.array([direction.sigma for direction in directions], np.float32)
        comp = array[:, None]
        np.savez(buffer, lat_comp=comp, lat_mean=mean, lat_stdev=std, act_comp=comp, act_mean=mean, act_stdev=std)
    elif len(array) == 1 or directions[0].space == "w_plus":
        torch.save(torch.from_numpy(array), buffer)
    else:
        spreads = torch.tensor([direction.sigma for direction in directions])
        torch.save({"comp": torch.from_numpy(array[:, None]), "mean": statistics(generator).mean.cpu(), "std": spreads}, buffer)
    return buffer.getvalue()


def _own(arrays: Mapping[str, Tensor], about: str, generator: Generator) -> tuple[Direction, ...]:
    """Directions of a file that `write_directions` wrote; what it says of itself is checked like anything from outside."""
    try:
        entries = json.loads(about)
        found = [
            Direction(
                _name(str(entry["name"])),
                str(entry["space"]),
                arrays[f"direction_{index:03d}"].float(),
                tuple(int(slot) for slot in entry["slots"]),
                float(entry["sigma"]),
                _name(str(entry["source"]), 200),
            )
            for index, entry in enumerate(entries[:MOST])
        ]
    except (ValueError, KeyError, TypeError, OverflowError, RecursionError) as error:
        raise SpaceError("This file's description of its directions is damaged. Export it again.") from error
    values = generator.layout("s")
    shapes = {
        "z": (generator.width,),
        "w": (generator.width,),
        "w_plus": (generator.slots.count, generator.width),
        "s": (max(part.stop for part in values.values()),),
    }
    for direction in found:
        fits = tuple(direction.vector.shape) == shapes.get(direction.space) and set(direction.slots) <= set(generator.slots.active)
        if not (fits and 0 < direction.sigma < 1e4 and _is_usable(direction.vector)):
            raise SpaceError(f"The direction {direction.name!r} of this file belongs to another generator. {_wanted(generator)}")
    return tuple(replace(d, vector=(d.vector / d.vector.norm()).to(generator.device)) for d in found)


def _rows(name: str, values: Tensor, generator: Generator, *, columns: bool, layers: bool) -> list[Direction]:
    """The directions of one array; where `layers` allows it, 18 rows are one direction with a vector a layer, unless shaped (18,1,512)."""
    width, count = generator.width, generator.slots.count
    layers = layers and not (values.dim() == 3 and values.shape[1] == 1)
    values = values.float().squeeze()
    if values.shape == (width,):
        return [_in_w(name, values, generator)]
    if values.dim() != 2 or values.shape[1] != width or not len(values):
        raise SpaceError(f"{name} has the shape {tuple(values.shape)}. {_wanted(generator)}")
    if layers and len(values) in (PUBLISHED_LAYERS, count):
        return [_in_w_plus(name, values, generator)]
    rows = values.T if columns and values.shape[0] == width else values
    return [_in_w(f"{name} {index + 1}", row, generator) for index, row in enumerate(rows[:MOST])]


def _in_w(name: str, vector: Tensor, generator: Generator) -> Direction:
    unit, length = _unit(name, vector, generator)
    source = f"imported, raw length {length:.3g}"
    return Direction(name, "w", unit, generator.slots.active, statistics(generator).sigma(unit), source)


def _in_w_plus(name: str, rows: Tensor, generator: Generator) -> Direction:
    """A vector a layer; where all are equal, one vector of W. Sigma is the spread of faces along the rows, weighted by their share."""
    if bool((rows == rows[0]).all()):
        return _in_w(name, rows[0], generator)
    if len(rows) != generator.slots.count:
        rows = generator.slots.from_published(rows[None])[0]
    active = torch.zeros(len(rows), 1)
    active[list(generator.slots.active)] = 1
    unit, length = _unit(name, rows * active, generator)
    moving = [slot for slot in generator.slots.active if bool(unit[slot].any())]
    spreads = torch.tensor([statistics(generator).sigma(unit[slot]) for slot in moving])
    sigma = float(spreads.square().sum().sqrt()) * len(moving) ** 0.5
    return Direction(name, "w_plus", unit, tuple(moving), sigma, f"imported, one vector a layer, raw length {length:.3g}")


def _unit(name: str, vector: Tensor, generator: Generator) -> tuple[Tensor, float]:
    if not _is_usable(vector):
        raise SpaceError(f"{name} is zero or holds values that are not numbers. Choose another file.")
    length = float(vector.norm())
    return (vector / length).to(generator.device), length


def _is_usable(vector: Tensor) -> bool:
    return bool(vector.isfinite().all()) and 1e-8 < float(vector.norm()) < 1e8


def _name(text: str, most: int = 60) -> str:
    """A short printable name out of a person's text."""
    return "".join(letter for letter in text if letter.isprintable())[:most].strip() or "imported"


def _stem(filename: str) -> str:
    """The name of a file without its folders and its suffix, made printable."""
    stem = filename.replace("\\", "/").rsplit("/", 1)[-1]
    return _name(stem.rsplit(".", 1)[0] if stem.rsplit(".", 1)[-1].lower() in SUFFIXES else stem)


def _shown(filename: str) -> str:
    return f"{_stem(filename)}.{filename.rsplit('.', 1)[-1].lower()[:12]}"


def _described(arrays: Mapping[str, Tensor]) -> str:
    return ", ".join(f"{key[:20]} {tuple(value.shape)}" for key, value in list(arrays.items())[:4]) or "nothing"


def _wanted(generator: Generator) -> str:
    return (
        f"Wanted are arrays of ({generator.width},), (1,{generator.width}) or (N,{generator.width}), "
        f"or one vector a layer of ({PUBLISHED_LAYERS},{generator.width})."
    )
