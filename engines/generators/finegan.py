"""FineGAN as a generator of the studio: codes by number, pictures in stages, interpolation between codes, and the authors' checkpoints.

A checkpoint is a plain dict of tensors whose names begin with `module.`; all dimensions are read from its shapes and nothing in it is run.
Paper: arXiv:1811.11155. The main components of z are read off the weights of the first layers in closed form, as SeFa (arXiv:2007.06600)
reads edits of w off those of the styles.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from typing import Any, ClassVar

import torch
import torch.nn.functional as F
from torch import Tensor

from engines.core.errors import SpaceError, WeightsError
from engines.core.seeds import normal
from engines.core.torch_files import load_torch
from engines.core.weights import load_weights
from engines.nets.finegan import FineGenerator, Form, Stages
from engines.nets.initial import Network, orthogonal
from engines.spaces.paths import lerp, slerp

WEIGHTS = "finegan_birds"
FARTHEST = 6.0
"""How far z may be shifted along a main component, in its own deviations."""

_PREFIX = "module."
_LARGEST_SIZE, _MOST_CODES = 512, 10_000
_TOY = Form(parents=4, children=8, noise=6, width=8, size=32)


@dataclass(frozen=True)
class FineCodes:
    """What one picture is made from.

    Attributes:
        background: Number of the background code.
        parent: Number of the parent code: the shape.
        child: Number of the child code: the appearance.
        seed: Decides z: pose, place and what else varies.
        shifts: How far z is moved along its main components, the strongest first, in its own deviations.
        z: z itself where no seed stands for it, as where it was found from a picture.
    """

    background: int
    parent: int
    child: int
    seed: int = 0
    shifts: tuple[float, ...] = ()
    z: tuple[float, ...] | None = None


@dataclass(frozen=True, eq=False)
class FineInputs:
    """Codes as the network reads them, one-hot or anything between.

    Attributes:
        z: (N,noise).
        background: (N,children).
        parent: (N,parents).
        child: (N,children).
    """

    z: Tensor
    background: Tensor
    parent: Tensor
    child: Tensor

    def towards(self, other: "FineInputs", t: float) -> "FineInputs":
        """Interpolation to others: slerp of z, which keeps its norm, and lerp of the codes."""
        codes = (lerp(ours, theirs, t) for ours, theirs in zip(self.tensors[1:], other.tensors[1:], strict=True))
        return FineInputs(slerp(self.z, other.z, t), *codes)

    def split(self, count: int) -> list["FineInputs"]:
        """At most `count` rows at a time."""
        return [FineInputs(*part) for part in zip(*(values.split(count) for values in self.tensors), strict=True)]

    @staticmethod
    def joined(parts: Sequence["FineInputs"]) -> "FineInputs":
        """The rows of several, one behind the other."""
        return FineInputs(*(torch.cat(values) for values in zip(*(part.tensors for part in parts), strict=True)))

    @property
    def tensors(self) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """All four."""
        return self.z, self.background, self.parent, self.child

    def __len__(self) -> int:
        return len(self.z)


@dataclass(frozen=True, eq=False)
class FineGAN:
    """The generator with its form; only ever read.

    Attributes:
        form: Its numbers.
        network: In evaluation mode.
        name: What the catalogue, or the file, calls it.
    """

    form: Form
    network: FineGenerator
    name: str = "finegan"
    capabilities: ClassVar[frozenset[str]] = frozenset({"finegan"})

    @property
    def resolution(self) -> int:
        """Side of its pictures in pixels."""
        return self.form.size

    @property
    def device(self) -> torch.device:
        """Where the weights are."""
        return next(self.network.parameters()).device

    def parent_of(self, child: int) -> int:
        """The parent that training ties a child to: consecutive children share one."""
        return child * self.form.parents // self.form.children

    def tied(self, child: int, seed: int = 0) -> FineCodes:
        """The codes as training drew them: the child's own parent and background."""
        return FineCodes(child, self.parent_of(child), child, seed)

    def checked(self, codes: FineCodes) -> FineCodes:
        """The codes, if they are there.

        Raises:
            SpaceError: A number outside its code, or a z that is none.
        """
        for name, limit in self._limits.items():
            value = getattr(codes, name)
            if not 0 <= value < limit:
                raise SpaceError(f"The {name} code {value} came; there are {limit}, numbered from 0 to {limit - 1}.")
        if len(codes.shifts) > self.form.noise or not all(abs(shift) <= FARTHEST for shift in codes.shifts):
            raise SpaceError(
                f"A shift is a number from -{FARTHEST:g} to {FARTHEST:g}, one for each of at most {self.form.noise} components."
            )
        if codes.z is not None and (len(codes.z) != self.form.noise or not all(math.isfinite(value) for value in codes.z)):
            raise SpaceError(f"z has {self.form.noise} finite numbers here; bring the codes of this generator.")
        return codes

    @cached_property
    def components(self) -> Tensor:
        """Unit vectors (noise,noise) that z moves the first features along, the strongest first; the largest entry is positive.

        They are the eigenvectors of A^T A, where A stacks the weights that read z, each row as its normalisation scales it.
        """
        rows = torch.cat([_reading_of_z(start, self.form.noise) for start in (self.network.h_net1_bg, self.network.h_net1)]).double()
        vectors = torch.linalg.eigh(rows.T @ rows).eigenvectors.T.flip(0)
        return (vectors * vectors.gather(1, vectors.abs().argmax(dim=1, keepdim=True)).sign()).float()

    def z_of(self, codes: FineCodes) -> Tensor:
        """The z (1,noise) of checked codes, shifts included."""
        shape = (1, self.form.noise)
        z = normal(shape, codes.seed, self.device) if codes.z is None else torch.tensor([codes.z], device=self.device)
        shifts = torch.tensor([codes.shifts], device=self.device).reshape(1, -1)
        return z + shifts @ self.components[: shifts.shape[1]] if codes.shifts else z

    def inputs(self, *codes: FineCodes) -> FineInputs:
        """Codes by number as the network reads them.

        Raises:
            SpaceError: A code that is none.
        """
        known = [self.checked(one) for one in codes]
        z = torch.cat([self.z_of(one) for one in known])
        rows = {name: torch.tensor([getattr(one, name) for one in known], device=self.device) for name in self._limits}
        return FineInputs(z, *(F.one_hot(rows[name], limit).to(z) for name, limit in self._limits.items()))

    @torch.no_grad()
    def draw(self, *codes: FineCodes) -> Stages:
        """Pictures in all their stages, one of each.

        Raises:
            SpaceError: A code that is none.
        """
        return self.synthesize(self.inputs(*codes))

    def synthesize(self, inputs: FineInputs) -> Stages:
        """Pictures of what the network reads; gradients pass."""
        return self.network(inputs.z, inputs.background, inputs.parent, inputs.child)

    @property
    def _limits(self) -> dict[str, int]:
        return {"background": self.form.children, "parent": self.form.parents, "child": self.form.children}


def _reading_of_z(start: Any, noise: int) -> Tensor:
    """What a first layer makes of z, (features,noise), its normalisation folded in."""
    linear, norm = start.fc[0], start.fc[1]
    return linear.weight[:, -noise:] * (norm.weight / (norm.running_var + norm.eps).sqrt())[:, None]


@cache
def bundled_finegan(device: torch.device | str = "cpu") -> FineGAN:
    """The network that was trained on drawn birds, read once for all.

    Raises:
        WeightsError: It is not bundled.
    """
    return from_weights(load_weights(WEIGHTS), WEIGHTS, device)


def toy_finegan(device: torch.device | str = "cpu", seed: int = 0) -> FineGAN:
    """A small network of random weights, 32 px with 4 parents and 8 children, so that whatever uses one runs in milliseconds.

    Its normalisation is made to fit by a few passes, or its pictures would be blank; equal seeds give equal weights.
    """
    with torch.no_grad():
        network = orthogonal(lambda: FineGenerator(_TOY), seed)
        for weight in network.parameters():
            if weight.dim() > 1:
                weight.mul_(2.0)
        for norm in (module for module in network.modules() if isinstance(module, torch.nn.BatchNorm1d | torch.nn.BatchNorm2d)):
            norm.momentum = None  # the plain average of all passes
        finegan = FineGAN(_TOY, network.requires_grad_(False), "finegan-toy")
        for number in range(4):
            finegan.draw(*(finegan.tied(child, 100 * number + child) for child in range(_TOY.children)))
    network.eval().to(device)
    return finegan


def load_finegan(path: Path, device: torch.device | str = "cpu") -> FineGAN:
    """Read a published generator ("netG").

    Raises:
        WeightsError: Damaged, another kind of file, or shapes that do not fit together.
    """
    content = load_torch(path)
    parts = [content, *content.values()] if isinstance(content, Mapping) else []
    for part in parts:  # the weights, or a training's state with the weights in it; what else it says is left out
        named = part.items() if isinstance(part, Mapping) else ()
        if weights := {str(key).removeprefix(_PREFIX): value for key, value in named if isinstance(value, Tensor)}:
            return from_weights(weights, path.name, device)
    raise WeightsError(f"{path.name} is no dict of tensors: bring FineGAN's netG file.")


def from_weights(weights: Mapping[str, Tensor], name: str, device: torch.device | str = "cpu") -> FineGAN:
    """A generator of weights by their published names, all dimensions read from the shapes; names it does not know are left out.

    Raises:
        WeightsError: Weights are missing, or do not fit together.
    """
    form = form_of(weights, name)
    return FineGAN(form, filled(lambda: FineGenerator(form), weights, name).to(device), name)


def filled(build: Callable[[], Network], weights: Mapping[str, Tensor], name: str) -> Network:
    """A network with its weights, widened to float32 and only to be read.

    Raises:
        WeightsError: Weights are missing, or do not fit together.
    """
    with torch.random.fork_rng(devices=[]):
        network = build()
    known: dict[str, Any] = {key: weights[key] for key in network.state_dict() if key in weights}
    lacking = [key for key in network.state_dict() if key not in known and not key.endswith("num_batches_tracked")]
    if lacking:
        raise WeightsError(f"{name} lacks {lacking[0]}: bring FineGAN's whole netG file.")
    try:
        network.load_state_dict({key: _widened(value) for key, value in known.items()}, strict=False)
    except RuntimeError as error:
        raise WeightsError(f"The weights in {name} do not fit together.") from error
    return network.eval().requires_grad_(False)


def form_of(weights: Mapping[str, Tensor], name: str) -> Form:
    """The numbers of a generator, read from the shapes; one of a single stage has as many children as parents.

    Raises:
        WeightsError: They do not fit together.
    """
    try:
        joint, start = weights["h_net2.jointConv.0.weight"].shape, weights["h_net1.fc.0.weight"].shape
        width = int(joint[0]) // 2
        parents = int(joint[1]) - width
        children = int(weights["h_net3.jointConv.0.weight"].shape[1]) - width // 2 if "h_net3.jointConv.0.weight" in weights else parents
        noise = int(start[1]) - parents
    except (KeyError, IndexError) as error:
        raise WeightsError(f"{name} has no stages of shape and appearance: it is no generator of FineGAN.") from error
    doublings = sum(f"h_net1.upsample{number}.1.weight" in weights for number in range(1, 10))
    halvings = (int(start[0]) // max(1, Form(width=width, halvings=0).inner)).bit_length() - 1
    form = Form(parents, children, noise, width, 4 * 2**doublings, halvings)
    plausible = 0 < parents <= children <= _MOST_CODES and 0 < noise <= _MOST_CODES and width >= 4 and 8 <= form.size <= _LARGEST_SIZE
    if not plausible or start[0] != form.inner:
        raise WeightsError(f"The weights in {name} do not fit together: {form}.")
    return form


def _widened(value: Tensor) -> Tensor:
    return value.float() if value.is_floating_point() else value
