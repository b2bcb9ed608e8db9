"""What the recipes of the encoders share: heads over the shared body, and how both are kept."""

from abc import abstractmethod
from collections.abc import Mapping
from typing import ClassVar

import torch
from torch import Tensor, nn

from engines.core.errors import WeightsError
from engines.core.shapes import Image
from engines.data.degradations import spoilt
from engines.invert.encode.encoder import FrozenBody, fill, load_body
from engines.nets.initial import seeded
from engines.nets.irse import Body, Levels
from engines.training import checkpoints
from engines.training.faces import FaceRecipe, FaceSetting
from engines.training.features import Change, Features
from engines.training.loop import Trainer
from engines.training.samples import Samples
from engines.training.streams import Stream, WithFeatures


class Encoder(nn.Module):
    """Heads over the body's features.

    Args:
        body: Frozen, or the method's own.
        heads: What reads it.
    """

    def __init__(self, body: nn.Module, heads: nn.Module) -> None:
        super().__init__()
        self.body, self.heads = body, heads

    def forward(self, picture: Image, levels: Levels | None = None) -> object:
        """Whatever the heads say of pictures (B,3,S,S), or of the body's features of them where those are known."""
        return self.heads(self.body(picture) if levels is None else levels)


class Encoding(FaceRecipe):
    """A recipe of heads over the shared body.

    Attributes:
        faces: What they learn from.
    """

    faces: ClassVar[type[Samples]] = Samples

    @abstractmethod
    def heads(self, setting: FaceSetting) -> nn.Module:
        """Heads before training."""

    def assemble(self, body: nn.Module, heads: nn.Module) -> nn.Module:
        """How heads and body meet."""
        return Encoder(body, heads)

    def changes(self, setting: FaceSetting) -> tuple[str, Change]:
        """What happens to a picture before it is seen, with a name for it."""
        return f"spoilt{round(100 * setting.preset.spoilt)}", spoilt(setting.preset.spoilt)

    def stream(self, setting: FaceSetting, network: nn.Module) -> Stream:
        """What the network is shown: changed pictures, and what the body sees in them where that is kept."""
        kind, change = self.changes(setting)
        if setting.own_body or not setting.preset.remembered:
            return setting.stream(change, self.faces)
        pairs = setting.pairs(self.faces)
        return WithFeatures(pairs, Features(pairs.samples, network.get_submodule("body"), change, kind=kind, seed=setting.stream_seed(2)))

    def network(self, setting: FaceSetting) -> nn.Module:
        """Body and heads on the generator's device."""
        frozen = load_body(setting.generator) if setting.body is None else FrozenBody(_from_checkpoint(setting))
        body: nn.Module = frozen.body.requires_grad_() if setting.own_body else frozen
        return self.assemble(body, self.heads(setting)).to(setting.generator.device)

    def shipped(self, trainer: Trainer, setting: FaceSetting) -> Mapping[str, Tensor]:
        """The averaged network, as `kept` keeps it."""
        return self.kept(trainer.averaged["encoder"], setting)

    @staticmethod
    def kept(network: nn.Module, setting: FaceSetting) -> Mapping[str, Tensor]:
        """A network's heads, the side that they were made for, and a body that is their own."""
        weights = network.get_submodule("heads").state_dict() | {"size": torch.tensor(setting.preset.size)}
        if setting.own_body:
            weights |= {f"body.{key}": value for key, value in network.get_submodule("body").state_dict().items()}
        return weights


def _from_checkpoint(setting: FaceSetting) -> Body:
    assert setting.body is not None
    state = checkpoints.load(setting.body)
    if state is None or "body" not in state.get("players", {}):
        raise WeightsError(f"There is no body in {setting.body.name}: give the checkpoint of a face_body run.")
    kept = state["players"]["body"]["averaged"]
    body = seeded(Body, 0)
    fill(body, {key.removeprefix("body."): value for key, value in kept.items() if key.startswith("body.")}, setting.body.name)
    return body
