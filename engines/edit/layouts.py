"""What the arrays of a file are, by their roles: shapes, values, sizes and what the file says, and names only where these leave it open.

A direction is a step: its length is 0.2 to 5 in W, and it has little of W's mean in it. A code is a place: it lies about the mean of W
(4.1 long on the bundled generator, codes 5.7 to 22), so it has the mean about once in it, and is some 0.25 to 0.5 aligned with it, where
no direction measured was beyond 0.17. A code of Z has values of mean 0 and deviation 1. A spread has positive values only. A vector a layer
comes in as many rows as a generator has layers: 18 at 1024 px, two fewer at each halving.
"""

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from engines.core.errors import SpaceError
from engines.generators.base import Generator
from engines.spaces.slots import PUBLISHED_LAYERS
from engines.spaces.statistics import statistics

LAYERS_OF = {2 * power - 2: 2**power for power in range(5, 10)}
"""Layers of StyleGAN2's smaller generators, with their pictures' sides."""

_WIDTHS = {
    9088: "styles (S) of StyleGAN2 at 1024 px",
    6048: "styles (S) of StyleGAN2's convolutions at 1024 px",
    128: "z of BigGAN",
    120: "z of BigGAN",
    64: "stylemaps of StyleMapGAN",
}
_HELPERS = re.compile(r"mean|avg|average|mu|std|stdevs?|stddevs?|variances?|var|eig(en)?val(ue)?s?|s|singular(values?)?|explained\w*")
_HELPER_ENDS = re.compile(r"\w*(mean|avg|stdev|stddev|eigval|eigenvalue)s?")
_PERHAPS = re.compile(
    r"ratios?|sigmas?|sd|deviations?|cent(er|re|roid)|intercepts?|bias|offsets?|thresholds?|scores?|acc|accuracy|scales?|norms?"
)
_MATRICES = re.compile(r"cov|covariance|precision|whitening|gram|labels?|samples?|noises?")
_COLUMNS = re.compile(r"eig(en)?vec(tor)?s?")
_LISTS = re.compile(r"comp|comps|components?|pcs?|basis|directions|boundaries|pca")
_CODES = re.compile(r"ws|wp|wplus|latents?|codes?|dlatents?|projected|pivots?")
_LONE = re.compile(r"w|z")


@dataclass(frozen=True, eq=False)
class Group:
    """One array of a file.

    Attributes:
        name: As the file has it.
        rows: Vectors of W or Z (N,width), or N times a vector a layer (N,layers,width).
        alone: Whether it is meant as one thing, rather than a list of one.
        code: Whether it holds codes: "w" or "z", or nothing for directions.
    """

    name: str
    rows: Tensor
    alone: bool
    code: str = ""


@dataclass(frozen=True, eq=False)
class File:
    """What was read out of a file.

    Attributes:
        shown: What sentences call it.
        stem: Its name without its suffix, short and printable.
        form: "npy", "npz", "torch", "pickle" or "safetensors".
        arrays: Its arrays by name, float.
        notes: Its texts and single numbers by name.
    """

    shown: str
    stem: str
    form: str
    arrays: Mapping[str, Tensor]
    notes: Mapping[str, str]


def groups(file: File, generator: Generator) -> list[Group]:
    """The directions and codes among a file's arrays, in their order; statistics such as means and spreads are left out.

    Args:
        file: What was read out of it.
        generator: For which they are wanted.

    Raises:
        SpaceError: Nothing among them fits this generator; the sentence says what they are.
    """
    shaped: dict[str, Group] = {}
    reasons: list[str] = []
    arrays = file.arrays
    for name, values in arrays.items():
        found = _shaped(name, values, file, generator)
        if isinstance(found, Group):
            shaped[name] = found
        else:
            reasons.append(found)
    kept = _without_helpers(shaped, {name: arrays[name] for name in shaped})
    if not kept and len(arrays) == 1 and reasons:
        raise SpaceError(f"{reasons[0]} {wanted(generator)}")
    if not kept:
        came = ", ".join(f"{key[:20]} {tuple(value.shape)}" for key, value in list(arrays.items())[:4]) or "nothing"
        told = [reason for reason in reasons if "layers" in reason or "values of" in reason][:1]
        raise SpaceError(" ".join([f"{file.shown} holds no direction: {came} came.", *told, wanted(generator)]))
    return [_with_role(group, len(kept) == 1, file.stem, generator) for group in kept.values()]


def wanted(generator: Generator) -> str:
    """The shapes that are read."""
    return (
        f"Wanted are arrays of ({generator.width},), (1,{generator.width}) or (N,{generator.width}), "
        f"or one vector a layer of ({PUBLISHED_LAYERS},{generator.width})."
    )


def _shaped(name: str, values: Tensor, file: File, generator: Generator) -> Group | str:
    """An array as vectors, or why it is none."""
    width, shape = generator.width, tuple(values.shape)
    squeezed = values.squeeze()
    title = f"{file.stem if name == 'array' else name} has the shape {shape}"
    if not squeezed.numel() or not squeezed.dim():
        return f"{title}."
    last = squeezed.shape[-1]
    if last != width and last % width == 0 and squeezed.dim() <= 2 and last // width in _layer_counts(generator):
        return _layered(name, squeezed.reshape(-1, last // width, width), title, generator)  # fitted on flattened W+
    if last != width:
        if squeezed.dim() == 2 and len(squeezed) == width and (_says(name, _COLUMNS) or _is_orthonormal(squeezed.T)):
            return Group(name, squeezed.T.contiguous(), alone=False)
        return f"{title}{_of_width(last, width)}."
    if squeezed.dim() == 1:
        return Group(name, squeezed[None], alone=True)
    if squeezed.dim() == 3:
        if squeezed.shape[1] not in _layer_counts(generator):
            return f"{title}."
        return _one_for_all(name, squeezed) or _layered(name, squeezed, title, generator)
    if squeezed.dim() != 2:
        return f"{title}."
    if _is_layered(name, squeezed, values, file.notes, generator):
        return _one_for_all(name, squeezed[None]) or _layered(name, squeezed[None], title, generator)
    bare = file.form == "torch" and name == "array"
    columns = len(squeezed) == width and (bare or _says(name, _COLUMNS))
    return Group(name, squeezed.T.contiguous() if columns else squeezed, alone=False)


def _layer_counts(generator: Generator) -> set[int]:
    return {PUBLISHED_LAYERS, generator.slots.count, *LAYERS_OF}


def _is_layered(name: str, rows: Tensor, values: Tensor, notes: Mapping[str, str], generator: Generator) -> bool:
    """Whether rows (n,width) are one direction with a vector a layer, rather than n directions of W."""
    count, ours = len(rows), (PUBLISHED_LAYERS, generator.slots.count)
    if count not in _layer_counts(generator) or (values.dim() == 3 and values.shape[1] == 1):
        return False
    if _says(name, _LISTS) or _is_orthonormal(rows):
        return False
    lengths = rows.norm(dim=1)
    some_rest = bool((lengths == 0).any()) and bool((lengths > 0).any())
    if count in ours or some_rest or values.dim() == 3 or any("layer" in key for key in notes) or bool((rows == rows[0]).all()):
        return True
    return LAYERS_OF[count] >= 256 or not bool(((lengths - lengths.mean()).abs() < 1e-3 * lengths.mean()).all())


def _one_for_all(name: str, rows: Tensor) -> Group | None:
    """One vector of W (N,width), where all layers of (N,layers,width) have the same: it is one for any number of layers."""
    return Group(name, rows[:, 0], alone=len(rows) == 1) if bool((rows == rows[:, :1]).all()) else None


def _layered(name: str, rows: Tensor, title: str, generator: Generator) -> Group | str:
    """N times a vector a layer, where they are for this generator's layers."""
    count = rows.shape[1]
    if count in (PUBLISHED_LAYERS, generator.slots.count):
        return Group(name, rows, alone=len(rows) == 1)
    side = LAYERS_OF[count]
    other = " or StyleGAN3" if side == 512 else " (In-Domain's boundaries are for such a one)" if side == 256 else ""
    return (
        f"{title}: a vector for each of {count} layers, as StyleGAN of {side} px{other} has them; here there are {PUBLISHED_LAYERS}. "
        f"If they are {count} directions of W, save them as ({count},1,{generator.width})."
    )


def _of_width(last: int, width: int) -> str:
    if last in _WIDTHS:
        return f": vectors of {last} values, as {_WIDTHS[last]} have them, not vectors of W"
    if last % width == 0 and last > width:
        return f": {last // width} times {width} values, which is no number of layers known here"
    return f": vectors of {last} values of another space or generator" if last > 8 else ""


def _without_helpers(shaped: Mapping[str, Group], arrays: Mapping[str, Tensor]) -> dict[str, Group]:
    """The groups that are no statistics of the others: means, spreads, eigenvalues, intercepts and the like."""
    kept = {name: group for name, group in shaped.items() if not _says(name, _HELPERS, _HELPER_ENDS)}
    for is_helper in (_perhaps, _is_spread, _is_beside_its_rows, _is_twin):
        rest = {name: group for name, group in kept.items() if not is_helper(name, kept, arrays)}
        kept = rest or kept
    return kept


def _perhaps(name: str, kept: Mapping[str, Group], _: Mapping[str, Tensor]) -> bool:
    """One that its name and its length say to be no direction, or a matrix of another purpose."""
    lengths = kept[name].rows.flatten(1).norm(dim=1)
    return _says(name, _MATRICES) or (_says(name, _PERHAPS) and bool(((lengths - 1).abs() > 1e-3).any()))


def _is_spread(name: str, kept: Mapping[str, Group], _: Mapping[str, Tensor]) -> bool:
    return kept[name].alone and bool((kept[name].rows > 0).all())


def _is_beside_its_rows(name: str, kept: Mapping[str, Group], arrays: Mapping[str, Tensor]) -> bool:
    """A vector beside a matrix that is the only (width,) of its file, or unlike the rows in length."""
    group = kept[name]
    matrices = [other.rows for other in kept.values() if not other.alone and len(other.rows) > 1 and other.rows.dim() == 2]
    if not group.alone or group.rows.dim() != 2 or not matrices:
        return False
    flat = [other for other in kept if arrays[other].dim() == 1]
    if flat == [name]:
        return True
    length, usual = float(group.rows.norm()), float(torch.cat(matrices).norm(dim=1).median())
    return not 0.5 < length / max(usual, 1e-12) < 2


def _is_twin(name: str, kept: Mapping[str, Group], _: Mapping[str, Tensor]) -> bool:
    """Components of activations beside those of the latent space."""
    return _says(name, re.compile("act|acts|activations?")) and any(_says(other, re.compile("lat|latents?|w")) for other in kept)


def _is_orthonormal(rows: Tensor) -> bool:
    if not 1 < len(rows) <= rows.shape[1]:
        return False
    inner = rows @ rows.T
    return bool((inner - torch.eye(len(rows)) * inner.diagonal().mean()).abs().max() < 1e-2 * inner.diagonal().mean())


def _says(name: str, *words: re.Pattern[str]) -> bool:
    """Whether one of the words is in a name, between anything but letters and digits, or before a capital."""
    parts = re.split(r"[^A-Za-z]+|(?<=[a-z])(?=[A-Z])", name.rsplit(".", 1)[-1])
    return any(pattern.fullmatch(part.lower()) for part in parts if part for pattern in words)


def _with_role(group: Group, only: bool, stem: str, generator: Generator) -> Group:
    """The group, with what space it is a code of, if it is one."""
    rows = group.rows
    if not bool(rows.isfinite().all()) or not bool(rows.any()):
        return group
    named = _says(group.name, _CODES) or group.name in ("w", "z") or (only and (_says(stem, _CODES) or _LONE.fullmatch(stem) is not None))
    space = _space_of_code(rows, named, "z" in (group.name, stem), generator)
    return Group(group.name, rows, group.alone, space)


def _space_of_code(rows: Tensor, named: bool, named_z: bool, generator: Generator) -> str:
    """ "w" or "z" for codes, nothing for directions.

    Args:
        rows: (N,width) or (N,layers,width).
        named: Whether the file calls them codes.
        named_z: Whether it calls them z.
        generator: Whose statistics count.
    """
    layered = rows.dim() == 3
    if layered and bool((rows.norm(dim=-1) == 0).any()):
        return ""  # layers at rest: a step
    mean = statistics(generator).mean[0].cpu()
    centres = rows.mean(dim=1) if layered else rows
    share = centres @ mean / mean.square().sum()
    aligned = centres @ mean / centres.norm(dim=1).clamp(min=1e-12) / mean.norm()
    lengths = rows.flatten(1).norm(dim=1)
    near, along = (float(values.median()) for values in (share, aligned))
    length = float(lengths.median())
    if layered:
        is_code = length > 8 and ((0.3 < near < 4 and along > 0.12) or named or length > 30)
        return "w" if (is_code and generator.width >= 128) or (is_code and named) else ""
    if length > 1.2 and 0.4 < near < 4 and along > 0.22 and (generator.width >= 128 or named):
        return "w"
    deviation, offset = float(rows.square().mean().sqrt()), abs(float(rows.mean()))
    spread_alike = abs(deviation - 1) < 0.1 and offset < 4 / math.sqrt(rows.numel())
    if spread_alike and (generator.width >= 128 or named_z) and (len(rows) <= 16 or named or named_z):
        return "z"
    return "w" if named and length > 5.5 else ""
