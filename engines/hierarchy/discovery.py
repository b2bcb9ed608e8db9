"""Unsupervised fine-grained clustering: features of a code classifier, applied to pictures that no network saw.

Singh, Ojha, Lee, arXiv:1811.11155, section 4.3: classifiers are trained to predict the parent and the child code of generated pictures;
their features of other pictures are clustered by k-means. Clusters are compared with the ground truth by normalised mutual information and
by the share of pictures that a best one-to-one naming of the clusters gets right, as in the paper's table 2.
"""

import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, Protocol, runtime_checkable

import numpy as np
import torch
from torch import Tensor

from engines.contract import Progress, Result, Run, Table
from engines.core.shapes import Image
from engines.metrics.factors import matched, naming, normalised_information
from engines.nets.factor_classifier import FactorClassifier, load_factor_classifier

WEIGHTS = "finegan_reader"
CLUSTERS = 50
"""As many as child codes."""

CLASSIFIER, PIXELS = "reader", "pixels"
"""Features that are clustered."""

_AT_ONCE, _BEGINNINGS = 32, 4


@cache
def finegan_classifier(device: torch.device | str = "cpu") -> FactorClassifier:
    """The classifier of FineGAN's codes, loaded once for all.

    Raises:
        WeightsError: It is not bundled.
    """
    return load_factor_classifier(WEIGHTS, str(device))


@runtime_checkable
class FeatureExtractor(Protocol):
    """A network whose features can be had."""

    def features(self, images: Tensor, /) -> Tensor:
        """Of pictures (N,3,S,S): (N,F)."""
        ...


def extract_features(classifier: FeatureExtractor, images: Image) -> Tensor:
    """A network's features of pictures, standardised over them: (N,F)."""
    return _standardised(torch.cat([_read(classifier, part) for part in images.split(_AT_ONCE)]))


@torch.no_grad()
def _read(classifier: FeatureExtractor, images: Image) -> Tensor:
    return classifier.features(images)


def _standardised(features: Tensor) -> Tensor:
    return (features - features.mean(dim=0)) / features.std(dim=0).clamp(min=1e-6)


def kmeans_clusters(features: Tensor, count: int = CLUSTERS, seed: int = 0) -> Tensor:
    """Clusters (N,) of features (N,F) by k-means, the best of four initialisations; 0 is the largest."""
    return _best(list(_beginnings(features, count, seed)))


def _beginnings(features: Tensor, count: int, seed: int) -> Iterator[Any]:
    """k-means from one beginning after another, all of one stream of chance."""
    from sklearn.cluster import KMeans  # here, as in all of engines: at the top it would be loaded at every start, which takes seconds

    values, chance = _turned(features.cpu()).numpy(), np.random.RandomState(seed)
    for _ in range(_BEGINNINGS):
        yield KMeans(min(count, len(values)), n_init=1, random_state=chance).fit(values)


def _turned(features: Tensor) -> Tensor:
    """Features of N pictures on N axes, if they had more: distances stay, and so do clusters, which are found several times as fast."""
    if features.shape[1] <= len(features):
        return features
    centred = features.double() - features.double().mean(dim=0)
    squares, axes = torch.linalg.eigh(centred @ centred.T)
    return (axes * squares.clamp(min=0).sqrt()).float()


def _best(begun: Sequence[Any]) -> Tensor:
    labels = torch.from_numpy(min(begun, key=lambda fitted: fitted.inertia_).labels_).long()
    by_size = torch.bincount(labels).argsort(descending=True, stable=True)
    return by_size.argsort()[labels]


def discover(images: Image, count: int = CLUSTERS, seed: int = 0, classifier: FeatureExtractor | None = None) -> Run:
    """Cluster pictures by a classifier's features, and again by their pixels, the baseline.

    A step is a few pictures, or one initialisation of k-means. The result's table "clusters" has a row for each picture and a
    column for each kind of features; it is at hand, for whoever stops, as soon as it has one column.

    Args:
        images: (N,3,S,S), on the classifier's device.
        count: Clusters.
        seed: Of k-means.
        classifier: Of FineGAN's codes; without one, pixels alone are clustered.
    """
    step, total, features = itertools.count(1), steps(len(images), classifier is not None), dict[str, Tensor]()
    if classifier is not None:
        read = list[Tensor]()
        for part in images.split(_AT_ONCE):
            read.append(_read(classifier, part))
            yield Progress(next(step), total)
        features[CLASSIFIER] = _standardised(torch.cat(read))
    found, best = dict[str, Tensor](), None
    for way, seen in (features | {PIXELS: images.flatten(1)}).items():
        begun = list[Any]()
        for fitted in _beginnings(seen, count, seed):
            begun.append(fitted)
            yield Progress(next(step), total, best=best)
        found[way] = _best(begun)
        rows = torch.stack(list(found.values()), dim=1).tolist()
        best = Result(images, tables={"clusters": Table(tuple(found), tuple(map(tuple, rows)))})
    assert best is not None
    return best


def steps(pictures: int, with_classifier: bool) -> int:
    """How many steps `discover` takes."""
    return -(-pictures // _AT_ONCE) + 2 * _BEGINNINGS if with_classifier else _BEGINNINGS


def kinds(shape: Tensor, texture: Tensor) -> Tensor:
    """Fine-grained classes (N,), each a shape with a texture, of shapes (N,) and textures (N,)."""
    return shape * (int(texture.max()) + 1) + texture


def clustering_agreement(found: Tensor, shape: Tensor, texture: Tensor) -> dict[str, float]:
    """How clusters (N,) agree with the fine-grained classes, and with each factor alone."""
    shape, texture = shape.cpu(), texture.cpu()
    agreed = agreements(found, {"kind": kinds(shape, texture), "shape": shape, "texture": texture})
    return {
        "nmi": agreed["kind"].nmi,
        "accuracy": agreed["kind"].accuracy,
        "nmi_shape": agreed["shape"].nmi,
        "nmi_texture": agreed["texture"].nmi,
    }


@dataclass(frozen=True)
class Agreement:
    """How clusters agree with a factor.

    Attributes:
        nmi: Normalised mutual information: 0 says nothing of the factor, 1 is the same sorting.
        accuracy: Share of pictures that are right under the best one-to-one naming of clusters.
    """

    nmi: float
    accuracy: float


def agreements(found: Tensor, factors: Mapping[str, Tensor]) -> dict[str, Agreement]:
    """How clusters (N,) agree with each factor (N,), by name."""
    return {name: Agreement(normalised_information(found, values), matched(found, values)) for name, values in factors.items()}


@dataclass(frozen=True, eq=False)
class Confusion:
    """Clusters against a factor.

    Attributes:
        rows: Clusters: those that the best one-to-one naming names by a value come first, in the order of these values; each of the
            others follows in the order of the value that it holds most of.
        table: How many pictures of each value lie in each cluster, (clusters,values), row by row as in `rows`.
        named: Value by cluster, for those that are named.
    """

    rows: tuple[int, ...]
    table: Tensor
    named: Mapping[int, int]


def confusion(found: Tensor, factor: Tensor, values: int) -> Confusion:
    """Clusters (N,) against a factor (N,) that has so many values."""
    table = torch.bincount(found * values + factor, minlength=(int(found.max()) + 1) * values).view(-1, values)
    named = {row: value for row, value in naming(table).items() if table[row, value] > 0}
    left = sorted(set(range(len(table))) - set(named), key=lambda row: int(table[row].argmax()))
    rows = (*named, *left)
    return Confusion(rows, table[list(rows)], named)
