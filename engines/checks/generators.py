"""What a generator offers: the protocol of its kind, and, where it draws from a W, pictures that depend on nothing but the code."""

import inspect
from collections.abc import Callable

import torch

from engines.checks.subject import require
from engines.core.seeds import z_codes
from engines.generators.base import AnyGenerator, Generator

_SEED = 3


def it_has_all_of_the_protocol(generator: object) -> None:
    """Attributes and methods of `engines.Generator`; of one whose capabilities are without "w", what all kinds have."""
    kind = AnyGenerator if _is_of_another_kind(generator) else Generator
    wanted = {*inspect.get_annotations(kind), *(name for name in vars(kind) if not name.startswith("_"))}
    lacking = sorted(name for name in wanted if not hasattr(generator, name))
    require(not lacking, f"The generator lacks {', '.join(lacking)}.")


def it_says_what_it_is(generator: Generator) -> None:
    """A name, what it can do, and sizes that rise to the full picture."""
    require(generator.name, "The generator has no name.")
    require(generator.capabilities, "The generator has no capabilities, so that no engine takes it.")
    if _is_of_another_kind(generator):
        return
    exits = generator.exits
    require(exits and tuple(sorted(set(exits))) == tuple(exits), f"The exits are {exits}; they want to rise.")
    require(exits[-1] == generator.resolution, f"The last exit is {exits[-1]}, the resolution {generator.resolution}.")


def it_draws_every_size_that_it_offers(generator: Generator) -> None:
    """Finite pictures, one a code."""
    if _is_of_another_kind(generator):
        return
    w = _codes(generator)
    for size in generator.exits:
        image = generator.synthesize(w, size=size)
        require(
            tuple(image.shape) == (2, 3, size, size), f"At {size} px two codes give {tuple(image.shape)}; wanted (2, 3, {size}, {size})."
        )
        require(torch.isfinite(image).all(), f"At {size} px the picture is not finite.")
        require(image.device.type == generator.device.type, f"The picture lies on {image.device}, the generator on {generator.device}.")


def one_code_gives_one_picture(generator: Generator) -> None:
    """Noise is fixed, so that a face stays who it is."""
    if _is_of_another_kind(generator):
        return
    w = _codes(generator)
    again = generator.synthesize(w)
    require(torch.equal(generator.synthesize(w), again), "One code gives two pictures: fix the noise.")
    require(not torch.equal(again[0], again[1]), "Two codes give one picture.")
    alone = generator.synthesize(w[:1])
    require(torch.allclose(alone, again[:1], atol=1e-4), "A code gives another picture alone than in a batch.")


def weights_are_changed_beside_it(generator: Generator) -> None:
    """A change of weights is handed over, and nothing of it stays."""
    if "tunable" not in generator.capabilities:
        return
    w, weights = _codes(generator), generator.tunable()
    before = generator.synthesize(w).detach()
    changed = generator.synthesize(w, tuning={name: torch.full_like(value, 0.1) for name, value in weights.items()})
    require(not torch.allclose(changed, before), "A change of all weights changes nothing.")
    require(torch.equal(generator.synthesize(w), before), "A change of weights stays in the generator.")


def _is_of_another_kind(generator: object) -> bool:
    """Whether it draws from codes of its own, which only its own engines know."""
    return "w" not in getattr(generator, "capabilities", {"w"})


def _codes(generator: Generator) -> torch.Tensor:
    return generator.map(z_codes(2, generator.width, _SEED, generator.device))


GENERATORS: tuple[Callable[[Generator], None], ...] = (
    it_has_all_of_the_protocol,
    it_says_what_it_is,
    it_draws_every_size_that_it_offers,
    one_code_gives_one_picture,
    weights_are_changed_beside_it,
)
"""All that is asked of a generator; each raises `Shortfall`."""
