"""FineGAN as a generator of the studio: codes by number, pictures in stages, and the authors' checkpoints.

A checkpoint is a plain dict of tensors whose names begin with `module.`; all dimensions are read from its shapes and nothing in it is run.
Paper: arXiv:1811.11155.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from engines.core.errors import SpaceError, WeightsError
from engines.core.seeds import normal
from engines.nets.finegan import FineGenerator, Form, Stages

_PREFIX = "module."
_LARGEST_SIZE, _MOST_CODES = 512, 10_000


@dataclass(frozen=True)
class FineCodes:
    """What one picture is made from.

    Attributes:
        background: Number of the background code.
        parent: Number of the parent code: the shape.
        child: Number of the child code: the appearance.
        seed: Decides z: pose, place and what else varies.
    """

    background: int
    parent: int
    child: int
    seed: int = 0


@dataclass(frozen=True, eq=False)
class FineGAN:
    """The generator with its form; only ever read.

    Attributes:
        form: Its numbers.
        network: In evaluation mode.
    """

    form: Form
    network: FineGenerator

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
            SpaceError: A number outside its code.
        """
        limits = {"background": self.form.children, "parent": self.form.parents, "child": self.form.children}
        for name, limit in limits.items():
            value = getattr(codes, name)
            if not 0 <= value < limit:
                raise SpaceError(f"The {name} code {value} came; there are {limit}, numbered from 0 to {limit - 1}.")
        return codes

    @torch.no_grad()
    def draw(self, *codes: FineCodes) -> Stages:
        """Pictures in all their stages, one of each.

        Raises:
            SpaceError: A number outside its code.
        """
        known = [self.checked(one) for one in codes]
        z = torch.cat([normal((1, self.form.noise), one.seed, self.device) for one in known])
        names = (("background", self.form.children), ("parent", self.form.parents), ("child", self.form.children))
        rows = [torch.tensor([getattr(one, name) for one in known], device=self.device) for name, _ in names]
        hot = [F.one_hot(row, count).to(z) for row, (_, count) in zip(rows, names, strict=True)]
        return self.network(z, *hot)


def load_finegan(path: Path, device: torch.device | str = "cpu") -> FineGAN:
    """Read a published generator ("netG").

    Raises:
        WeightsError: Cut off, another kind of file, or shapes that do not fit together.
    """
    try:
        content = torch.load(path, map_location="cpu", weights_only=True, mmap=True)
    except Exception as error:  # whatever a foreign file makes the reader stumble over
        raise WeightsError(f"{path.name} is cut off, or holds more than tensors. Download it again from its authors.") from error
    if not isinstance(content, Mapping) or not all(isinstance(value, Tensor) for value in content.values()):
        raise WeightsError(f"{path.name} is no dict of tensors: bring FineGAN's netG file.")
    return from_weights({str(key).removeprefix(_PREFIX): value for key, value in content.items()}, path.name, device)


def from_weights(weights: Mapping[str, Tensor], name: str, device: torch.device | str = "cpu") -> FineGAN:
    """A generator of weights by their published names, all dimensions read from the shapes; names it does not know are left out.

    Raises:
        WeightsError: Weights are missing, or do not fit together.
    """
    form = _form(weights, name)
    with torch.random.fork_rng(devices=[]):
        network = FineGenerator(form)
    known: dict[str, Any] = {key: weights[key] for key in network.state_dict() if key in weights}
    lacking = [key for key in network.state_dict() if key not in known and not key.endswith("num_batches_tracked")]
    if lacking:
        raise WeightsError(f"{name} lacks {lacking[0]}: bring FineGAN's whole netG file.")
    try:
        network.load_state_dict({key: _widened(value) for key, value in known.items()}, strict=False)
    except RuntimeError as error:
        raise WeightsError(f"The weights in {name} do not fit together.") from error
    return FineGAN(form, network.eval().requires_grad_(False).to(device))


def _form(weights: Mapping[str, Tensor], name: str) -> Form:
    try:
        joint, start = weights["h_net2.jointConv.0.weight"].shape, weights["h_net1.fc.0.weight"].shape
        width = int(joint[0]) // 2
        parents = int(joint[1]) - width
        children = int(weights["h_net3.jointConv.0.weight"].shape[1]) - width // 2
        noise = int(start[1]) - parents
    except (KeyError, IndexError) as error:
        raise WeightsError(f"{name} has no stages of shape and appearance: it is no generator of FineGAN.") from error
    doublings = sum(f"h_net1.upsample{number}.1.weight" in weights for number in range(1, 10))
    form = Form(parents, children, noise, width, 4 * 2**doublings)
    plausible = 0 < parents <= children <= _MOST_CODES and 0 < noise <= _MOST_CODES and width >= 4 and 8 <= form.size <= _LARGEST_SIZE
    if not plausible or start[0] != form.inner:
        raise WeightsError(f"The weights in {name} do not fit together: {form}.")
    return form


def _widened(value: Tensor) -> Tensor:
    return value.float() if value.is_floating_point() else value
