"""Discovery: clusters find kinds where features tell them apart, and the reader learns what FineGAN's codes look like."""

from pathlib import Path

import pytest
import torch
from sklearn.cluster import KMeans

from engines.core.seeds import rng
from engines.generators.finegan import toy_finegan
from engines.hierarchy.discovery import CLASSIFIER, PIXELS, clustering_agreement, confusion, discover, extract_features, kmeans_clusters
from engines.nets.factor_classifier import FactorClassifier
from engines.nets.initial import seeded
from engines.training.command import Preset, Setting
from engines.training.loop import Plan
from engines.training.recipes import finegan_classifier
from engines.training.recipes.finegan_classifier import CodeClassifierEvaluator, FineGANCodeClassifier


def test_features_that_tell_kinds_apart_are_clustered_into_them() -> None:
    shape, texture = torch.arange(10).repeat(20), torch.arange(200) // 20 % 5
    kinds = torch.nn.functional.one_hot(shape * 5 + texture, 50).float()
    noisy = kinds + 0.05 * torch.randn(kinds.shape, generator=rng(1))
    found = clustering_agreement(kmeans_clusters(noisy, 50), shape, texture)
    assert found["nmi"] > 0.95 and found["accuracy"] > 0.9
    blind = clustering_agreement(kmeans_clusters(torch.randn(200, 8, generator=rng(2)), 50), shape, texture)
    assert blind["accuracy"] < found["accuracy"] / 2


def test_features_are_standardised() -> None:
    classifier = seeded(lambda: FactorClassifier({"parent": 4}), 0).eval()
    features = extract_features(classifier, torch.rand(40, 3, 64, 64, generator=rng(3)))
    assert features.shape == (40, 256)
    assert torch.allclose(features.mean(dim=0), torch.zeros(256), atol=1e-4)


def test_clusters_are_those_of_plain_k_means_the_largest_first() -> None:
    features = torch.randn(90, 400, generator=rng(4)) + 3 * torch.randn(7, 400, generator=rng(5))[torch.arange(90) % 7 // 2]
    found = kmeans_clusters(features, 6, seed=3)
    plain = torch.from_numpy(KMeans(6, n_init=4, random_state=3).fit_predict(features.numpy()))
    assert torch.equal(found[:, None] == found, plain[:, None] == plain)
    sizes = torch.bincount(found).tolist()
    assert sizes == sorted(sizes, reverse=True) and len(sizes) == 6


def test_pictures_are_sorted_both_ways_step_by_step_and_the_first_way_is_kept() -> None:
    classifier = seeded(lambda: FactorClassifier({"parent": 4}), 0).eval()
    images = torch.rand(70, 3, 32, 32, generator=rng(6))
    run, progresses, result = discover(images, 5, 2, classifier), [], None
    while result is None:
        try:
            progresses.append(next(run))
        except StopIteration as stop:
            result = stop.value
    assert [progress.step for progress in progresses] == list(range(1, progresses[-1].total + 1))
    table = result.tables["clusters"]
    assert table.columns == (CLASSIFIER, PIXELS)
    columns = torch.tensor(table.rows)
    assert torch.equal(columns[:, 0], kmeans_clusters(extract_features(classifier, images), 5, 2))
    assert torch.equal(columns[:, 1], kmeans_clusters(images.flatten(1), 5, 2))
    kept = progresses[-1].best.tables["clusters"]
    assert kept.columns == (CLASSIFIER,) and torch.equal(torch.tensor(kept.rows), columns[:, :1])


def test_a_table_of_confusion_is_ordered_so_that_what_is_named_lies_on_its_diagonal() -> None:
    factor = torch.tensor([2, 2, 2, 0, 0, 1, 1, 1, 1, 2])
    found = torch.tensor([0, 0, 3, 2, 2, 1, 1, 1, 4, 1])
    confused = confusion(found, factor, 4)
    assert confused.rows == (2, 1, 0, 4, 3) and confused.named == {2: 0, 1: 1, 0: 2}
    assert confused.table.tolist() == [[2, 0, 0, 0], [0, 3, 1, 0], [0, 0, 2, 0], [0, 1, 0, 0], [0, 0, 1, 0]]


def test_the_reader_learns_from_what_finegan_draws(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(finegan_classifier, "bundled_finegan", lambda device: toy_finegan())
    monkeypatch.setattr(finegan_classifier, "DRAWINGS", 60)
    size = toy_finegan().form.size
    setting = Setting(preset=Preset(plan=Plan(40, warm_up=1), batch=8, size=size), folder=tmp_path)
    trainer = FineGANCodeClassifier().trainer(setting)
    figures = list(trainer.steps())
    assert figures[-1]["parent"] < figures[0]["parent"]
    evaluator = CodeClassifierEvaluator(setting, 5)
    assert set(evaluator.baseline()) == set(evaluator.evaluate(trainer)[0]) == {"nmi", "accuracy", "nmi_shape", "nmi_texture"}
