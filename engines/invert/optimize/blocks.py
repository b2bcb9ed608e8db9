"""The building blocks of Image2StyleGAN++: codes within masks, noise maps within masks, and features copied from face to face.

Paper: Abdal, Qin and Wonka, "Image2StyleGAN++: How to Edit the Embedded Images?", arXiv:1911.11544, section 4: W_l and M_st (here one
block, distinguished by their goals), Mk_n, and the activation tensor operation. A recipe is a chain of them.

Changed: Noise strengths are folded into the generator's maps, and most are next to nothing, so a step is one in the features' own units, as
a
large step of unit noise would be; maps start at the generator's own and are free to leave it, as the paper's are. Their pixel error is read
at full size: read at 256 px alone, the finest maps fill with speckle that the average hides.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

import torch
from torch import Tensor

from engines.contract import Run
from engines.core.errors import KnobError
from engines.core.images import area
from engines.core.shapes import Codes, Mask
from engines.generators.base import Generator
from engines.invert.optimize.descent import Descent, working_size
from engines.invert.optimize.image2stylegan import QUICK_RATE, arch, shared_and_offsets
from engines.losses.local import LocalLoss
from engines.losses.reconstruction import Objective
from engines.spaces.latent import Latent
from engines.spaces.statistics import statistics


@dataclass(frozen=True)
class Search:
    """How the codes are sought.

    Attributes:
        quick_steps: Updates of one w for all layers at an early exit, first.
        steps: Updates of each layer's own w, on the full picture.
        rate: Adam step size at its height.
        editability: Weight of the layers' offsets from their mean.
        closeness: Weight of ||w - w_init|| in W's standard deviations.
        slots: Slots of W+ that get a w of their own, all active ones if not given.
        preview_every: Updates between previews.
    """

    quick_steps: int
    steps: int
    rate: float
    editability: float = 0.0
    closeness: float = 0.0
    slots: tuple[int, ...] | None = None
    preview_every: int = 5


def seek_codes(
    generator: Generator, loss: Objective, start: Latent | None, search: Search, features: Mapping[str, Tensor], before: int, after: int
) -> Run:
    """W_l, and M_st where the loss has a style: descend on the codes alone.

    Args:
        generator: Draws.
        loss: The objective.
        start: Where to begin, the mean of W if not given.
        search: How.
        features: Feature overrides that stay.
        before: Steps of the whole run before these.
        after: Steps of the whole run behind these.
    """
    shared, offsets = shared_and_offsets(generator, start)
    active, deviation = generator.slots.active, statistics(generator).deviation
    first = (shared[:, None] + offsets).detach().clone()
    free = torch.tensor([float(search.slots is None or slot in search.slots) for slot in active], device=generator.device).view(1, -1, 1)
    held = offsets.detach().clone()

    def active_codes() -> Codes:
        return shared[:, None] + held + free * (offsets - held)

    def code(_: float) -> Codes:
        return generator.slots.scatter(active_codes())

    def penalties() -> Mapping[str, Tensor]:
        spread_term = ((active_codes() - shared[:, None]) / deviation).square().mean()
        distance_term = ((active_codes() - first) / deviation).square().mean()
        return {"editability": search.editability * spread_term, "closeness": search.closeness * distance_term}

    def descent(parameters: list[Tensor], rate: float) -> Descent:
        return Descent(
            generator=generator,
            loss=loss,
            code=code,
            parameters=parameters,
            rate=lambda progress: rate * arch(progress),
            kept=lambda: Latent("w_plus", code(1.0)),
            penalties=penalties,
            features=lambda: features,
        )

    if search.quick_steps:
        sizes = [working_size(generator)] * search.quick_steps
        yield from descent([shared], QUICK_RATE).run(sizes, search.preview_every, before=before, after=after + search.steps)
    sizes = [generator.resolution] * search.steps
    return (
        yield from descent([shared, offsets], search.rate).run(sizes, search.preview_every, before=before + search.quick_steps, after=after)
    )


@dataclass(eq=False)
class NoiseMaps:
    """Noise maps to be optimised, beside features that stay.

    Attributes:
        generator: Whose maps they are.
        fixed: Features that stay.
        changes: What is added to each map, by layer; zero at first.
    """

    generator: Generator
    fixed: Mapping[str, Tensor] = field(default_factory=dict)
    changes: dict[str, Tensor] = field(init=False)

    def __post_init__(self) -> None:
        self.changes = {layer: torch.zeros_like(noise).requires_grad_() for layer, noise in self.generator.noise().items()}

    def features(self) -> Mapping[str, Tensor]:
        """All features of the picture."""
        noise = self.generator.noise()
        return {**self.fixed, **{f"noise/{layer}": noise[layer] + change for layer, change in self.changes.items()}}


def seek_noise(
    generator: Generator,
    loss: LocalLoss,
    codes: Codes,
    steps: int,
    rate: float,
    fixed: Mapping[str, Tensor],
    preview_every: int,
    before: int,
) -> Run:
    """Mk_n: descend on the noise maps alone, the codes (1,slots,width) fixed; always the last block of a recipe."""
    maps = NoiseMaps(generator, fixed)
    descent = Descent(
        generator=generator,
        loss=loss,
        code=lambda _: codes,
        parameters=list(maps.changes.values()),
        rate=lambda progress: rate * min(1.0, 1.5 - progress),
        kept=lambda: Latent("w_plus", codes),
        features=maps.features,
    )
    return (yield from descent.run([generator.resolution] * steps, preview_every, before=before))


@torch.no_grad()
def copied(generator: Generator, codes: Codes, source: Codes, mask: Mask, side: int) -> Mapping[str, Tensor]:
    """The activation tensor operation: what makes the features at `side` px the source's within the mask.

    Args:
        generator: Draws.
        codes: The target face, w_plus.
        source: The source face, w_plus.
        mask: 1 where features are copied, (1,1,s,s).
        side: The layer, by its side in pixels.

    Raises:
        KnobError: The generator has no layer of that side behind which it goes on.
    """
    sides = generator.slots.blocks[:-1]
    if side not in sides:
        raise KnobError(f"Features of {side} px came; this generator copies them at {', '.join(map(str, sides))} px.")
    own, other = (generator.prefix(each, 2 * side).features for each in (codes, source))
    return {f"feature/{generator.slots.of_block(side)[-1]}": (area(mask, side) * (other - own)).contiguous()}
