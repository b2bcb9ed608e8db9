"""Discovery: what a generator learnt without names, used to sort pictures that it never saw.

Singh, Ojha, Lee, arXiv:1811.11155, section 4.3: classifiers learn to say the parent and the child code of generated pictures; what they see
in other pictures is clustered by k-means. Clusters are compared with the truth by normalised mutual information and by the share of
pictures that a best one-to-one naming of the clusters gets right, as in the paper's table 2.
"""

from functools import cache
from typing import Protocol, runtime_checkable

import torch
from sklearn.cluster import KMeans
from torch import Tensor

from engines.core.shapes import Image
from engines.metrics.factors import matched, normalised_information
from engines.nets.oracle import Oracle, load_oracle

WEIGHTS = "finegan_reader"
CLUSTERS = 50
"""As many as child codes."""

_AT_ONCE = 32


@cache
def bundled_reader(device: torch.device | str = "cpu") -> Oracle:
    """The reader of FineGAN's codes, read once for all.

    Raises:
        WeightsError: It is not bundled.
    """
    return load_oracle(WEIGHTS, str(device))


@runtime_checkable
class Reader(Protocol):
    """A network that can be asked what it sees."""

    def features(self, images: Tensor, /) -> Tensor:
        """Of pictures (N,3,S,S): (N,F)."""
        ...


@torch.no_grad()
def features_of(reader: Reader, images: Image) -> Tensor:
    """What a reader sees in pictures, standardised over them: (N,F)."""
    found = torch.cat([reader.features(part) for part in images.split(_AT_ONCE)])
    return (found - found.mean(dim=0)) / found.std(dim=0).clamp(min=1e-6)


def clusters(features: Tensor, count: int = CLUSTERS, seed: int = 0) -> Tensor:
    """Clusters (N,) of features (N,F) by k-means, the best of four beginnings."""
    found = KMeans(min(count, len(features)), n_init=4, random_state=seed).fit_predict(features.cpu().numpy())
    return torch.from_numpy(found).long()


def agreement(found: Tensor, shape: Tensor, texture: Tensor) -> dict[str, float]:
    """How clusters (N,) agree with kinds, each a shape in a coat, and with each factor alone."""
    shape, texture = shape.cpu(), texture.cpu()
    kind = shape * (int(texture.max()) + 1) + texture
    return {
        "nmi": normalised_information(found, kind),
        "accuracy": matched(found, kind),
        "nmi_shape": normalised_information(found, shape),
        "nmi_texture": normalised_information(found, texture),
    }
