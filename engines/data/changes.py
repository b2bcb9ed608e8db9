"""The learnt space of changes of a generator: its network, and the factors, steps and sequences that are stored with it.

Made by the recipe `delta_ffhq` from sequences in which one factor changes. Shipped are the network, the mean change of each factor from
each frame to each other, and the sequences of a few identities, whose faces come back from their seed.
"""

from dataclasses import dataclass
from functools import cached_property
from weakref import WeakKeyDictionary

import torch
from jaxtyping import Float
from torch import Tensor

from engines.core.errors import CatalogueError, SpaceError, WeightsError
from engines.core.seeds import rng
from engines.core.shapes import Codes
from engines.core.weights import load_weights, manifest
from engines.data.faces import codes
from engines.generators.base import Generator
from engines.nets.delta import DeltaNet
from engines.nets.initial import plain
from engines.spaces.coordinates import Coordinates, principal_coordinates
from engines.spaces.statistics import statistics

FRAMES, NEUTRAL = 9, 4
"""Frames of a sequence, and the one that is the face as it was drawn."""

IDENTITIES, SEED = 40, 211_108_419
"""Faces that sequences are made of, and the seed of their codes."""

HIDDEN = 32
_UNTRAINED, _FEW = ("first", "second"), 8

Deltas = Float[Tensor, "changes dims"]
Table = Float[Tensor, "9 9 dims"]


@dataclass(frozen=True, eq=False)
class DeltaSpace:
    """What is known about changes of one generator.

    Attributes:
        net: E and D.
        coordinates: The frame of W+ that they work in.
        deltas: By factor, the mean change from frame to frame (before, after, dims), of the identities that were trained on.
        identities: Numbers of the faces whose sequences are stored.
        sequences: By factor, their offsets from the neutral frame (identities,9,active,components); not a number where a frame was dropped.
    """

    net: DeltaNet
    coordinates: Coordinates
    deltas: dict[str, Table]
    identities: tuple[int, ...]
    sequences: dict[str, Tensor]

    @property
    def factors(self) -> tuple[str, ...]:
        """Names of the factors, in their order."""
        return tuple(self.deltas)

    @cached_property
    def dims(self) -> int:
        """Numbers of a change."""
        return self.net.dims

    @torch.no_grad()
    def encode(self, before: Codes, after: Codes) -> Deltas:
        """The changes from codes to codes, each w (B,width) or w_plus (B,slots,width), as (B,dims)."""
        read = self.coordinates.read
        return self.net.encode(read(before).flatten(1), read(after).flatten(1))

    @torch.no_grad()
    def decode(self, code: Codes, delta: Deltas) -> Codes:
        """What changes (B,dims) add to codes, w (B,width) or w_plus (B,slots,width), as (B,slots,width)."""
        seen = self.coordinates.read(code)
        return self.coordinates.change(self.net.decode(seen.flatten(1), delta).unflatten(1, seen.shape[1:]))

    def stored(self, factor: str, first: int, last: int) -> Deltas:
        """The mean change of a factor between two frames, (1,dims).

        Raises:
            SpaceError: There is no such factor or frame.
        """
        if factor not in self.deltas:
            raise SpaceError(f"No changes of {factor!r} are stored; there are: {', '.join(self.factors)}.")
        for frame in (first, last):
            if not 0 <= frame < FRAMES:
                raise SpaceError(f"Frame {frame} came; a sequence has frames 0 to {FRAMES - 1}, {NEUTRAL} being the face as it was drawn.")
        return self.deltas[factor][first, last][None]

    def frames(self, generator: Generator, factor: str, place: int) -> tuple[list[int], Codes]:
        """The frames that are stored of an identity, by its place among them: their numbers, and their codes (frames,slots,width)."""
        offsets = self.sequences[factor][place]
        kept = offsets.flatten(1).isfinite().all(dim=1)
        face = sequence_faces(generator)[self.identities[place]][None]
        return kept.nonzero().flatten().tolist(), generator.slots.spread(face) + self.coordinates.change(offsets[kept])


_known: "WeakKeyDictionary[Generator, DeltaSpace]" = WeakKeyDictionary()


def delta_space(generator: Generator) -> DeltaSpace:
    """The space of changes that was learnt for a generator; beside an untrained one, a random one of the same form.

    Raises:
        CatalogueError: None was learnt for it.
        WeightsError: The bundled file is missing or altered.
    """
    if generator not in _known:
        _known[generator] = _random(generator) if "untrained" in generator.capabilities else unpacked(_load(generator), generator)
    return _known[generator]


def coordinates(generator: Generator) -> Coordinates:
    """The frame of W+ that changes are told in: the components that ship for GANSpace; of an untrained generator, those of its samples.

    Raises:
        WeightsError: The bundled file is missing or altered.
    """
    if "untrained" in generator.capabilities:
        return principal_coordinates(statistics(generator).bank, generator.slots, generator.width)
    stored = {name: value.view(torch.float32).to(generator.device) for name, value in load_weights(f"ganspace_{generator.name}").items()}
    return Coordinates(stored["mean"], stored["vectors"].reshape(-1, generator.width), stored["std"], generator.slots)


def entry(generator: Generator) -> str:
    """The name of a generator's entry in assets/weights.toml."""
    return f"delta_{generator.name}"


@torch.no_grad()
def sequence_faces(generator: Generator) -> Codes:
    """The w (40,width) of the identities."""
    return codes(generator, IDENTITIES, SEED)[1]


def packed(space: DeltaSpace) -> dict[str, Tensor]:
    """A space of changes as it ships."""
    tensors = {"identities": torch.tensor(space.identities)} | {f"net.{name}": value for name, value in space.net.state_dict().items()}
    tensors |= {f"deltas.{name}": value for name, value in space.deltas.items()}
    return tensors | {f"sequences.{name}": value for name, value in space.sequences.items()}


def unpacked(stored: dict[str, Tensor], generator: Generator) -> DeltaSpace:
    """A space of changes out of what `packed` made.

    Raises:
        WeightsError: It is of another form.
    """
    stored = {name: value.to(generator.device) for name, value in stored.items()}
    try:
        hidden, values = stored["net.look.weight"].shape
        net = DeltaNet(values, len(stored["net.encode_linear.weight"]), hidden)
        net.load_state_dict(_under("net.", stored))
    except (KeyError, RuntimeError, ValueError) as error:
        raise WeightsError(f"The changes that are stored for {generator.name} are of another form: reinstall the package.") from error
    identities = tuple(int(number) for number in stored["identities"])
    frozen = net.to(generator.device).eval().requires_grad_(False)
    return DeltaSpace(frozen, coordinates(generator), _under("deltas.", stored), identities, _under("sequences.", stored))


def _under(prefix: str, stored: dict[str, Tensor]) -> dict[str, Tensor]:
    return {name.removeprefix(prefix): stored[name] for name in sorted(stored) if name.startswith(prefix)}


def _load(generator: Generator) -> dict[str, Tensor]:
    if entry(generator) not in manifest():
        raise CatalogueError(f"Changes were learnt for the bundled face generator; none are known for {generator.name}.")
    return load_weights(entry(generator))


def _random(generator: Generator) -> DeltaSpace:
    """Beside random weights: two factors, each with a sequence along a straight line."""
    frame = coordinates(generator)
    shape = (len(generator.slots.active), len(frame.std))
    net = plain(lambda: DeltaNet(shape[0] * shape[1], _FEW, _FEW), 0).to(generator.device).eval().requires_grad_(False)
    ways = torch.randn((len(_UNTRAINED), *shape), generator=rng(0)).to(generator.device)
    steps = (torch.arange(FRAMES, device=generator.device) - NEUTRAL)[:, None, None] / FRAMES
    sequences = {name: (steps * way)[None] for name, way in zip(_UNTRAINED, ways, strict=True)}
    return DeltaSpace(net, frame, {name: mean_deltas(net, rows) for name, rows in sequences.items()}, (0,), sequences)


@torch.no_grad()
def mean_deltas(net: DeltaNet, values: Tensor) -> Table:
    """The mean change from each frame to each other, over identities (N,9,active,components); frames that are not numbers are left out."""
    flat = values.flatten(2)
    table = torch.zeros(FRAMES, FRAMES, net.dims, device=values.device)
    for before in range(FRAMES):
        for after in range(FRAMES):
            kept = flat[:, [before, after]].flatten(1).isfinite().all(dim=1)
            if bool(kept.any()):
                table[before, after] = net.encode(flat[kept, before], flat[kept, after]).mean(dim=0)
    return table
