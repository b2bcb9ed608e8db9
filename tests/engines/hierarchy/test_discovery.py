"""Discovery: clusters find kinds where features tell them apart, and the reader learns what FineGAN's codes look like."""

from pathlib import Path

import pytest
import torch

from engines.core.seeds import rng
from engines.generators.finegan import toy_finegan
from engines.hierarchy.discovery import agreement, clusters, features_of
from engines.nets.initial import seeded
from engines.nets.oracle import Oracle
from engines.training.command import Preset, Setting
from engines.training.loop import Plan
from engines.training.recipes import finegan_reader
from engines.training.recipes.finegan_reader import FineReader, ReaderWatch


def test_features_that_tell_kinds_apart_are_clustered_into_them() -> None:
    shape, texture = torch.arange(10).repeat(20), torch.arange(200) // 20 % 5
    kinds = torch.nn.functional.one_hot(shape * 5 + texture, 50).float()
    noisy = kinds + 0.05 * torch.randn(kinds.shape, generator=rng(1))
    found = agreement(clusters(noisy, 50), shape, texture)
    assert found["nmi"] > 0.95 and found["accuracy"] > 0.9
    blind = agreement(clusters(torch.randn(200, 8, generator=rng(2)), 50), shape, texture)
    assert blind["accuracy"] < found["accuracy"] / 2


def test_features_are_standardised() -> None:
    reader = seeded(lambda: Oracle({"parent": 4}), 0).eval()
    features = features_of(reader, torch.rand(40, 3, 64, 64, generator=rng(3)))
    assert features.shape == (40, 256)
    assert torch.allclose(features.mean(dim=0), torch.zeros(256), atol=1e-4)


def test_the_reader_learns_from_what_finegan_draws(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(finegan_reader, "bundled_finegan", lambda device: toy_finegan())
    monkeypatch.setattr(finegan_reader, "DRAWINGS", 60)
    size = toy_finegan().form.size
    setting = Setting(preset=Preset(plan=Plan(40, warm_up=1), batch=8, size=size), folder=tmp_path)
    trainer = FineReader().trainer(setting)
    figures = list(trainer.steps())
    assert figures[-1]["parent"] < figures[0]["parent"]
    watch = ReaderWatch(setting, 5)
    assert set(watch.baseline()) == set(watch.look(trainer)[0]) == {"nmi", "accuracy", "nmi_shape", "nmi_texture"}
