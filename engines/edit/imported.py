"""Directions from files, as published with e4e, InterFaceGAN, GANSpace and SeFa, and back into the same formats.

Read are .npy, .npz, .pt, .pth, .pkl and .safetensors by their content; nothing in a file is ever executed: pickles are rebuilt by code of
our own (`engines.core.pickles`). What an array is, `engines.edit.layouts` tells by its role. W of the bundled generator is
StyleGAN2-FFHQ's own, so directions and components published for that model fit as they are.
"""

import io
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
import torch
from safetensors.torch import save
from torch import Tensor

from engines.core.arrays import SUFFIXES, read_form
from engines.core.errors import SpaceError
from engines.edit.layouts import LAYERS_OF, File, Group, groups, wanted
from engines.generators.base import Generator
from engines.spaces.directions import Direction
from engines.spaces.slots import PUBLISHED_LAYERS
from engines.spaces.statistics import statistics

FORMS = ("safetensors", "npy", "npz", "pt")
MOST = 600
"""Directions that one file may hold."""


def read_directions(data: bytes, filename: str, generator: Generator, space: str = "w") -> tuple[Direction, ...]:
    """Every direction of a file, scaled to unit length; the raw length stays in its source.

    The spread is this generator's own, or the file's (`lat_stdev`, `std`) where that is near it. Layers that the file names, and a single
    direction's name, are kept. Means, spreads and other statistics are left out.

    Args:
        data: The file's content, which decides how it is read.
        filename: Its name: the stem names the directions.
        generator: For which they are wanted.
        space: "w", or "z" for vectors of Z, which a file seldom says of itself.

    Raises:
        WeightsError: A file of another kind, damaged, or one that wants to run something.
        SpaceError: Arrays that are no directions of this generator: the sentence says what they are.
    """
    if space not in ("w", "z"):
        raise SpaceError(f"Directions of {space!r} came; a file's vectors are of 'w' or 'z'.")
    file = read_file(data, filename)
    if "directions" in file.notes:
        return _own(file.arrays, file.notes["directions"], generator)
    if "space" in file.notes and "codes" in file.arrays:
        raise SpaceError(code_words(file))
    found = groups(file, generator)
    if all(group.code for group in found):
        raise SpaceError(code_words(file))
    vectors = [group for group in found if not group.code]
    read = [direction for group in vectors for direction in _directions(group, len(vectors) == 1, file, space, generator)]
    return tuple(read[:MOST])


def holds_codes(data: bytes, filename: str, generator: Generator) -> bool:
    """Whether a file holds a face's codes rather than directions.

    Raises:
        WeightsError: A file of another kind, damaged, or one that wants to run something.
        SpaceError: Arrays that are neither.
    """
    file = read_file(data, filename)
    if "directions" in file.notes or ("space" in file.notes and "codes" in file.arrays):
        return "directions" not in file.notes
    return all(group.code for group in groups(file, generator))


def read_file(data: bytes, filename: str) -> File:
    """The arrays and notes of a file.

    Raises:
        WeightsError: A file of another kind, damaged, or one that wants to run something.
    """
    arrays, notes, form = read_form(data, filename)
    return File(_shown(filename), _stem(filename), form, arrays, notes)


def code_words(file: File) -> str:
    """What to say of a file of codes where directions were wanted."""
    return (
        f"{file.shown} holds a face's code, which is a place in latent space, not a direction. "
        "Load it as a face: Edit directions, Face, Upload a saved code."
    )


def write_directions(directions: Sequence[Direction], form: str, generator: Generator) -> bytes:
    """Directions as a file: "safetensors" keeps everything, the others are the published formats of unit vectors in W.

    "npy" is InterFaceGAN's (1,512), or (N,512), or (18,512) for a vector a layer (as many of W as layers go as (N,1,512)); "npz" GANSpace's
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
        alike = len(directions) in (PUBLISHED_LAYERS, generator.slots.count, *LAYERS_OF)  # would be read as a vector a layer
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
                _slots(entry["slots"]),
                float(entry["sigma"]),
                _name(str(entry["source"]), 200),
            )
            for index, entry in enumerate(entries[:MOST])
        ]
        if not found:
            raise ValueError("none")
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
        moves = bool(direction.slots) or direction.space not in ("w", "w_plus")
        if not (fits and moves and 0 < direction.sigma < 1e4 and _is_usable(direction.vector)):
            raise SpaceError(f"The direction {direction.name!r} of this file belongs to another generator. {wanted(generator)}")
    return tuple(replace(d, vector=_unit(d.vector, generator)[0]) for d in found)


def _slots(said: object) -> tuple[int, ...]:
    """Numbers of slots, each once.

    Raises:
        ValueError: Anything else.
    """
    if not isinstance(said, list) or not all(type(slot) is int for slot in said) or len(set(said)) < len(said):
        raise ValueError("no slots")
    return tuple(said)


def _directions(group: Group, only: bool, file: File, space: str, generator: Generator) -> list[Direction]:
    """The directions of one array; vectors that are zero or no numbers are left out, unless all are."""
    said, named = file.notes.get("name", ""), not group.alone and len(group.rows) > 1
    title = _name(said) if only and said.strip() and not named else file.stem if only else _name(group.name)
    usable = [index for index, rows in enumerate(group.rows) if _is_usable(rows)][:MOST]
    if not usable:
        raise SpaceError(f"{title} is zero or holds values that are not numbers. Choose another file.")
    if str(file.notes.get("latent_space", "")).upper() == "Z":
        space = "z"
    spreads = _spreads(file, len(group.rows)) if only else None
    made = []
    for index in usable:
        name = f"{title} {index + 1}" if named else title
        direction = _in_w_plus(name, group.rows[index], generator) if group.rows.dim() == 3 else _in_w(name, group.rows[index], generator)
        made.append(_as_told(direction, None if spreads is None else float(spreads[index]), file, space, generator))
    return made


def _spreads(file: File, count: int) -> Tensor | None:
    """The spreads of components that a file says, one each."""
    for name in ("lat_stdev", "std", "stdev", "X_stdev"):
        if name in file.arrays and file.arrays[name].numel() == count:
            return file.arrays[name].flatten()
        if count == 1 and name in file.notes:
            try:
                return torch.tensor([float(file.notes[name])])
            except ValueError:
                continue
    return None


def _as_told(direction: Direction, spread: float | None, file: File, space: str, generator: Generator) -> Direction:
    """The direction with what the file says of it, where that can be meant for this generator."""
    if space == "z" and direction.space == "w":
        return in_z(direction)
    if direction.space != "w":
        return direction
    if spread is not None and direction.sigma / 3 < spread < direction.sigma * 3:
        direction = replace(direction, sigma=spread, source=f"{direction.source}, the file's spread")
    layers = _layers(file.notes)
    slots = generator.slots.published_range(layers) if layers else ()
    if slots and set(slots) < set(direction.slots):
        shown = f"layer {min(layers)}" if len(layers) == 1 else f"layers {min(layers)} to {max(layers)}"
        direction = replace(direction, slots=slots, source=f"{direction.source}, {shown} of {PUBLISHED_LAYERS}")
    return direction


def in_z(direction: Direction) -> Direction:
    """A vector of W taken for one of Z, whose values have a spread of 1.

    Raises:
        SpaceError: It has a vector a layer, or is of S.
    """
    if direction.space not in ("w", "z"):
        raise SpaceError(f"{direction.name} is of {direction.space}, which has other values than Z. Take it as it is.")
    return direction if direction.space == "z" else replace(direction, space="z", sigma=1.0, source=f"{direction.source}, of Z")


def _layers(notes: Mapping[str, str]) -> set[int]:
    """The published layers that a file wants edited: GANSpace's range, whose end is the first that is not, or a list."""
    start, end = (notes.get(name, "") for name in ("edit_start", "edit_end"))
    if start.isdecimal() and end.isdecimal():
        return set(range(int(start[:4]), min(int(end[:4]), PUBLISHED_LAYERS)))
    listed = [value for key, value in notes.items() if re.search(r"(^|[._])(\w*_)?layers?\.\d+$", key) and value.isdecimal()]
    return {int(value[:4]) for value in listed} & set(range(PUBLISHED_LAYERS))


def _in_w(name: str, vector: Tensor, generator: Generator) -> Direction:
    unit, length = _unit(vector, generator)
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
    if not _is_usable(rows * active):
        raise SpaceError(f"{name} is zero in all layers that the picture reads. Choose another file.")
    unit, length = _unit(rows * active, generator)
    moving = [slot for slot in generator.slots.active if bool(unit[slot].any())]
    spreads = torch.tensor([statistics(generator).sigma(unit[slot]) for slot in moving])
    sigma = float(spreads.square().sum().sqrt()) * len(moving) ** 0.5
    return Direction(name, "w_plus", unit, tuple(moving), sigma, f"imported, one vector a layer, raw length {length:.3g}")


def _unit(vector: Tensor, generator: Generator) -> tuple[Tensor, float]:
    """A vector at unit length, one that has it already as it is."""
    length = float(vector.norm())
    return (vector if abs(length - 1) < 1e-6 else vector / length).to(generator.device), length


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
