"""Codes in files: our own with all that draws a face again, and codes of W, W+ and Z as other projects save them.

Read are the same forms as of directions, by content; whether a file holds codes, `engines.edit.layouts` tells. Whatever a file says is
checked: keys, shapes, values that are finite and bounded, and that the generator draws it.
"""

from collections.abc import Mapping

import torch
from safetensors.torch import save
from torch import Tensor

from engines.core.errors import SpaceError
from engines.edit.imported import read_file
from engines.edit.layouts import File, Group, groups
from engines.generators.base import Generator
from engines.spaces.latent import Inversion, Latent

MOST_CODES = 16
"""Codes that one file may hold; of more, the first are read."""

_TUNING = "tuning/"
_FARTHEST = 1e4
_SHORTEST = 5.5
"""A code of W is at least so long; directions are shorter."""


def write_codes(inversion: Inversion) -> bytes:
    """An inversion as a file of safetensors: its code, its features, and its weight change under "tuning/"; `read_codes` takes it back."""
    tensors = {"codes": inversion.latent.codes, **inversion.features}
    tensors |= {f"{_TUNING}{name}": value for name, value in inversion.tuning.items()}
    return save({name: value.detach().cpu().contiguous() for name, value in tensors.items()}, {"space": inversion.latent.space})


def read_codes(data: bytes, filename: str, generator: Generator) -> tuple[Inversion, ...]:
    """The codes of a file, each as an inversion of one face.

    Args:
        data: The file's content, which decides how it is read.
        filename: Its name, for sentences and as a hint.
        generator: That is to draw them.

    Raises:
        WeightsError: A file of another kind, damaged, or one that wants to run something.
        SpaceError: It holds no codes of this generator: the sentence says what it holds.
    """
    file = read_file(data, filename)
    if "directions" in file.notes:
        raise SpaceError(_directions_words(file))
    if "space" in file.notes and "codes" in file.arrays:
        return (_own(file, generator),)
    found = groups(file, generator)
    codes = [group for group in found if group.code] or [group for group in found if _is_far(group)]
    if not codes:
        raise SpaceError(_directions_words(file))
    inversions = [inversion for group in codes for inversion in _inversions(group, file, generator)]
    return tuple(inversions[:MOST_CODES])


def _directions_words(file: File) -> str:
    return (
        f"{file.shown} holds directions, not a face's code. Bring it under Edit directions, Your own directions, File; "
        "a saved code comes from the tab Invert, or is a w, w_plus or z of StyleGAN2-FFHQ."
    )


def _is_far(group: Group) -> bool:
    """Whether a vector is too long for a direction, where a person says that it is a code."""
    return float(group.rows.norm(dim=-1).square().mean().sqrt()) > _SHORTEST


def _inversions(group: Group, file: File, generator: Generator) -> list[Inversion]:
    rows = group.rows[:MOST_CODES].to(generator.device)
    _check_values({group.name: rows}, file)
    if rows.dim() == 2:
        return [Inversion(Latent("z" if group.code == "z" else "w", row[None])) for row in rows]
    codes = rows if rows.shape[1] == generator.slots.count else generator.slots.from_published(rows)
    return [Inversion(Latent("w_plus", code[None])) for code in codes]


def _own(file: File, generator: Generator) -> Inversion:
    """The inversion of a file that `write_codes` wrote; what it says of itself is checked like anything from outside."""
    space, arrays = file.notes["space"], {name: values.to(generator.device) for name, values in file.arrays.items()}
    shapes = {
        "z": (1, generator.width),
        "w": (1, generator.width),
        "w_plus": (1, generator.slots.count, generator.width),
        "s": (1, max(part.stop for part in generator.layout("s").values())),
    }
    codes = arrays.pop("codes")
    if tuple(codes.shape) != shapes.get(space):
        raise SpaceError(
            f"{file.shown} holds a code of {space[:12]!r} with the shape {tuple(codes.shape)}; {generator.name} takes "
            f"{shapes.get(space, 'z, w, w_plus or s')}. It was saved for another generator."
        )
    _check_values({"codes": codes, **arrays}, file)
    tuning = {name.removeprefix(_TUNING): values for name, values in arrays.items() if name.startswith(_TUNING)}
    features = {name: values for name, values in arrays.items() if not name.startswith(_TUNING)}
    known = generator.tunable() if tuning else {}
    for name, change in tuning.items():
        if name not in known or known[name].shape != change.shape:
            raise SpaceError(f"{file.shown} changes a weight {name[:40]!r} that {generator.name} does not have in this shape.")
    _check_features(features, file, generator)
    inversion = Inversion(Latent(space, codes), tuning, features)
    if tuning or features:
        _check_picture(inversion, file, generator)
    return inversion


def _check_values(arrays: Mapping[str, Tensor], file: File) -> None:
    for name, values in arrays.items():
        if not bool(values.isfinite().all()) or float(values.abs().max()) > _FARTHEST:
            raise SpaceError(f"{file.shown} holds values in {name[:40]} that are not numbers, or far beyond any code's. Save it again.")


def _check_features(features: Mapping[str, Tensor], file: File, generator: Generator) -> None:
    noises, styles = generator.noise(), generator.layout("s")
    for name, values in features.items():
        kind, _, layer = name.partition("/")
        shape, side = tuple(values.shape), generator.resolution
        if name == "grid":
            fits = values.dim() == 4 and shape[:2] == (1, generator.width) and max(shape[2:]) <= side
        elif kind == "noise":
            fits = layer in noises and shape == tuple(noises[layer].shape)
        elif kind in ("style", "shift") and layer in styles:
            channels = styles[layer].stop - styles[layer].start
            fits = shape[:2] == (1, channels) and (values.dim() == 2 if kind == "shift" else values.dim() == 4 and max(shape[2:]) <= side)
        else:
            fits = kind == "feature" and layer in styles and values.dim() == 4 and shape[0] == 1 and max(shape[2:]) <= side
        if not fits:
            raise SpaceError(f"{file.shown} holds {name[:40]!r} of the shape {shape}, which does not belong to a code of {generator.name}.")


@torch.no_grad()
def _check_picture(inversion: Inversion, file: File, generator: Generator) -> None:
    """Whether the generator draws it: what a feature must be like inside, only it knows."""
    try:
        image = generator.synthesize(inversion.latent, tuning=inversion.tuning, features=inversion.features)
    except (RuntimeError, ValueError, KeyError, IndexError) as error:
        raise SpaceError(f"{file.shown} holds features that {generator.name} cannot draw with. It was saved for another one.") from error
    if not bool(image.isfinite().all()):
        raise SpaceError(f"{file.shown} draws no picture with {generator.name}. It was saved for another one, or is damaged.")
