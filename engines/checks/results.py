"""What an engine returns: pictures, inversions, directions and tables that others can use."""

import math

import torch

from engines.checks.subject import Check, Subject, require, tensors
from engines.core.seeds import z_codes
from engines.edit import read_directions, write_directions
from engines.generators.incremental import draw_inversion
from engines.spaces.directions import Direction, apply_directions
from engines.spaces.latent import Latent

_CLOSE = 1e-5
_MOVED = 1e-4
_STRENGTH, _TRUNCATION, _SEED = 1.5, 0.7, 3


def the_result_is_detached_and_finite(subject: Subject) -> None:
    """Nothing of a graph is kept, and no number is lost."""
    result = subject.finished.result
    require(not any(value.requires_grad for value in tensors(result)), "The result carries gradients: detach it.")
    require(all(torch.isfinite(value).all() for value in tensors(result)), "The result has values that are not finite.")
    require(all(math.isfinite(value) for value in result.metrics.values()), f"The figures are not finite: {dict(result.metrics)}.")


def inversions_redraw_the_result(subject: Subject) -> None:
    """All it takes to draw a picture again is in its inversion."""
    result = subject.finished.result
    for index, inversion in enumerate(result.inversions):
        again = subject.generator.synthesize(inversion.latent, tuning=inversion.tuning, features=inversion.features)
        kept = result.images[index : index + 1]
        require(kept.shape == again.shape, f"Inversion {index} draws a picture {tuple(again.shape)}; the result has {tuple(kept.shape)}.")
        far = float((again - kept).abs().max())
        require(
            torch.allclose(again, kept, atol=_CLOSE), f"Inversion {index} draws another picture than the result: {far:.2g} off at most."
        )


def directions_are_unit_vectors_with_a_spread(subject: Subject) -> None:
    """Strengths are in sigma, so that every slider means the same."""
    generator = subject.generator
    values = max(part.stop for part in generator.layout("s").values())
    shapes = {"z": (generator.width,), "w": (generator.width,), "w_plus": (generator.slots.count, generator.width), "s": (values,)}
    for one in subject.finished.result.directions:
        require(isinstance(one, Direction) and one.name and one.source, "A direction lacks its name or its source.")
        require(one.space in shapes, f"The direction {one.name} lies in {one.space!r}; there are: {', '.join(shapes)}.")
        shape = tuple(one.vector.shape)
        require(shape == shapes[one.space], f"The direction {one.name} has the shape {shape}; in {one.space} it is {shapes[one.space]}.")
        require(
            abs(float(one.vector.norm()) - 1) <= _CLOSE, f"The direction {one.name} has the length {float(one.vector.norm()):g}, not 1."
        )
        require(one.sigma > 0, f"The direction {one.name} has the sigma {one.sigma:g}.")
        require(set(one.slots) <= set(generator.slots.active), f"The direction {one.name} moves slots that draw nothing: {one.slots}.")


def directions_can_be_applied_exported_and_read_again(subject: Subject) -> None:
    """And move a picture the same way afterwards."""
    generator, directions = subject.generator, subject.finished.result.directions
    again = read_directions(write_directions(directions, "safetensors", generator), "again.safetensors", generator)
    kept = [[(one.name, one.space, one.slots, one.sigma) for one in several] for several in (directions, again)]
    require(kept[0] == kept[1], "Directions that were written come back with another name, space, sigma or other slots.")
    face = Latent("z", z_codes(1, generator.width, _SEED, generator.device))

    def drawn(several: tuple[Direction, ...]) -> torch.Tensor:
        edits = [(one, _STRENGTH) for one in several]
        return draw_inversion(generator, apply_directions(face, edits, generator, truncation=_TRUNCATION))

    moved = drawn(directions)
    require(torch.isfinite(moved).all(), "Turned directions draw values that are not finite.")
    require(not torch.allclose(moved, drawn(()), atol=_MOVED), "Turned directions change nothing.")
    require(torch.allclose(drawn(tuple(again)), moved, atol=_MOVED), "Directions that were written and read draw another picture.")


def tables_are_rectangular(subject: Subject) -> None:
    """Each row has a value for each column."""
    for name, table in subject.finished.result.tables.items():
        widths = {len(row) for row in table.rows}
        require(widths <= {len(table.columns)}, f"The table {name} has {len(table.columns)} columns and rows of {sorted(widths)}.")


RESULTS = (
    Check(the_result_is_detached_and_finite),
    Check(inversions_redraw_the_result, "inversions"),
    Check(directions_are_unit_vectors_with_a_spread, "directions"),
    Check(directions_can_be_applied_exported_and_read_again, "directions"),
    Check(tables_are_rectangular, "tables"),
)
