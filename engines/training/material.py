"""What encoders over the frozen trunks learn from: drawn faces and real portraits, as components of what the trunks see in them."""

import logging
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import torch
from torch import Tensor

from engines.core.seeds import rng
from engines.core.shapes import Codes, Image
from engines.data.degradations import spoilt
from engines.invert.encode.pyramid import PyramidEncoder
from engines.invert.encode.trunks import TAPS, Trunks
from engines.nets.pyramid import Narrowed
from engines.training import checkpoints
from engines.training.closed_form import Components, fit_channels, fit_components
from engines.training.faces import FacePreset, FaceSetting
from engines.training.features import Change
from engines.training.reading import Seen
from engines.training.real import Portraits
from engines.training.samples import Samples

log = logging.getLogger(__name__)

LOOKS, LATENT_BATCH, COUNTS = 5, 96, (640, 384, 384)
"""Looks of each portrait, drawn faces of a step's latent loss, and components of each level, coarse to fine."""

LOOKS_SEED = 40_000_000
_FIT = "fit.pt"
_FITTED = {"drawn": 1500, "train": 800}
_ENERGY, _AT_ONCE = 256.0, 512
_REAL_SEED, _DRAWN_SEED = 41_000_000, 42_000_000
_SETS = (("train", LOOKS), ("validation", 1))


@dataclass(frozen=True, kw_only=True)
class PortraitPreset(FacePreset):
    """One size of a recipe that learns from portraits, too.

    Attributes:
        real: Portraits a step; `redrawn` counts the drawn faces beside them.
    """

    real: int = 4


@dataclass(frozen=True, kw_only=True)
class PortraitSetting(FaceSetting):
    """One run of it.

    Attributes:
        portraits: Folder with `train/` and `validation/`: aligned JPEG files of 256 px.
    """

    portraits: Path


@dataclass(frozen=True, eq=False)
class Examples:
    """One step's: what is redrawn, and what has codes.

    Attributes:
        levels: Components of the pictures that are redrawn, (B,K) a level.
        target: Those pictures, (B,3,256,256).
        coded: Components of drawn faces, (N,K) a level.
        codes: Their codes, active slots, (N,16,width).
    """

    levels: list[Tensor]
    target: Image
    coded: list[Tensor]
    codes: Codes


class Material(ABC):
    """All that a run reads: faces and portraits as numbers a level, of what the trunks see in them.

    Attributes:
        noise: Standard deviation of what is added to the numbers of pictures that are redrawn.

    Args:
        setting: The run.
    """

    noise: ClassVar[float] = 0.0

    def __init__(self, setting: PortraitSetting) -> None:
        self.setting, self.trunks, self.count = setting, Trunks(setting.generator.device), setting.preset.capacity
        self.samples = setting.samples_of(Samples)
        self.samples.fill(self.count)
        self.portraits = {name: Portraits(setting.portraits / name, setting.samples, seed=LOOKS_SEED, looks=looks) for name, looks in _SETS}
        seen = {"drawn": self._seen(self.samples.pictures, self.count, spoilt(0.5), _DRAWN_SEED, self.samples.path)}
        for name, portraits in self.portraits.items():
            change = spoilt(0.5 if name == "train" else 0.0)
            seen[name] = self._seen(portraits.pictures, len(portraits), change, _REAL_SEED, portraits.path)
        self.prepare(seen)
        self.levels = {name: in_parts(self.told, each) for name, each in seen.items()}

    @abstractmethod
    def prepare(self, seen: Mapping[str, Seen]) -> None:
        """Find whatever `told` needs in features."""

    @abstractmethod
    def told(self, features: Tensor) -> list[Tensor]:
        """Numbers a level of the trunks' flat features (B,length)."""

    def _seen(self, pictures: Callable[[Tensor], Image], count: int, change: Change, seed: int, path: Path) -> Seen:
        log.info("The trunks look at %d pictures of %s.", count, path.stem)
        seen = Seen(pictures, self.trunks, change, seed=seed, path=path.with_name(f"{path.stem}_trunks_{seed}.f16"))
        seen.fill(count)
        return seen

    @torch.no_grad()
    def look(self, picture: Image) -> list[Tensor]:
        """Numbers a level of pictures (B,3,S,S)."""
        return self.told(self.trunks(picture))

    def examples(self, step: int) -> Examples:
        """What a step sees."""
        preset, chance = preset_of(self.setting), rng(self.setting.stream_seed(0) + step)
        train, drawn = self.levels["train"], self.levels["drawn"]
        real = torch.randint(len(train[0]), (self.real,), generator=chance)
        redrawn = torch.randint(self.count, (preset.redrawn + preset.real - self.real,), generator=chance)
        coded = torch.randint(self.count, (LATENT_BATCH,), generator=chance)
        levels = [torch.cat([ours[real], theirs[redrawn]]) for ours, theirs in zip(train, drawn, strict=True)]
        levels = [level + self.noise * torch.randn(level.shape, generator=chance) for level in levels]
        target = torch.cat([self.portraits["train"].pictures(real), self.samples.pictures(redrawn)])
        return Examples(levels, target, [level[coded] for level in drawn], self.samples.codes(coded))

    @property
    def real(self) -> int:
        """Portraits a step."""
        return 0 if "portraits" in self.setting.without else preset_of(self.setting).real


class Fitted(Material):
    """Numbers are principal components of the narrowed features, found in the pictures of the run."""

    noise = 0.15

    def prepare(self, seen: Mapping[str, Seen]) -> None:
        """Fit, or read what was fitted when the run began: weights that go on from a checkpoint mean nothing beside another fit."""
        path = self.setting.folder / _FIT
        kept = checkpoints.load(path)
        if kept is None:
            kept = _fitted(seen)
            checkpoints.save(path, kept)
        self.narrowed = Narrowed(TAPS)
        self.narrowed.load_state_dict(kept["narrowed"])
        self.components = [Components(*each) for each in kept["components"]]

    @property
    def counts(self) -> list[int]:
        """Components of each level."""
        return [len(each.basis) for each in self.components]

    def told(self, features: Tensor) -> list[Tensor]:
        """Components, a level each."""
        return [each(vector) for each, vector in zip(self.components, self.narrowed(features), strict=True)]


class Told(Material):
    """Numbers are those that a trained encoder tells its heads.

    Args:
        setting: The run.
        encoder: Frozen.
    """

    def __init__(self, setting: PortraitSetting, encoder: PyramidEncoder) -> None:
        self.encoder = encoder
        super().__init__(setting)

    def prepare(self, seen: Mapping[str, Seen]) -> None:
        """Nothing: the encoder knows."""

    @torch.no_grad()
    def told(self, features: Tensor) -> list[Tensor]:
        """The encoder's levels."""
        return self.encoder.levels(features)


@torch.no_grad()
def in_parts(read: Callable[[Tensor], Sequence[Tensor]], seen: Seen) -> list[Tensor]:
    """Numbers (N,K) a level of everything seen."""
    parts = [read(seen(rows)) for rows in torch.arange(len(seen)).split(_AT_ONCE)]
    return [torch.cat(level) for level in zip(*parts, strict=True)]


def _fitted(seen: Mapping[str, Seen]) -> dict[str, Any]:
    """What turns features into components."""
    first = [seen[name](torch.arange(len(seen[name]))[:count]) for name, count in _FITTED.items()]
    module = fit_channels(Narrowed(TAPS), torch.cat(first))
    both = [torch.cat(pair) for pair in zip(*(in_parts(module, seen[name]) for name in ("drawn", "train")), strict=True)]
    found = [fit_components(each, count, _ENERGY * count / sum(COUNTS)) for each, count in zip(both, COUNTS, strict=True)]
    return {"narrowed": module.state_dict(), "components": [(each.mean, each.basis) for each in found]}


def preset_of(setting: FaceSetting) -> PortraitPreset:
    """The preset of a run that learns from portraits, too."""
    assert isinstance(setting.preset, PortraitPreset)
    return setting.preset
