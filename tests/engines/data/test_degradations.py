import pytest
import torch

from engines.data.degradations import TRANSLATIONS, blurred, corrupted, recompressed


@pytest.fixture
def picture() -> torch.Tensor:
    ramp = torch.linspace(-1, 1, 32)
    checks = ((torch.arange(32)[:, None] // 4 + torch.arange(32)[None] // 4) % 2).float()
    return torch.stack([ramp.expand(32, 32), ramp[:, None].expand(32, 32), 2 * checks - 1])[None]


@pytest.mark.parametrize("name", list(TRANSLATIONS))
def test_a_translation_takes_something_away(name: str, picture: torch.Tensor) -> None:
    poor = TRANSLATIONS[name](picture, torch.Generator().manual_seed(0))
    again = TRANSLATIONS[name](picture, torch.Generator().manual_seed(0))
    assert poor.shape == picture.shape
    assert float(poor.abs().max()) <= 1
    assert float((poor - picture).abs().mean()) > 0.01
    assert torch.equal(poor, again)


def test_corruption_is_decided_by_its_stream_and_stays_a_picture(picture: torch.Tensor) -> None:
    several = [corrupted(picture, torch.Generator().manual_seed(seed)) for seed in range(20)]
    assert torch.equal(several[3], corrupted(picture, torch.Generator().manual_seed(3)))
    changes = [float((one - picture).abs().mean()) for one in several]
    assert max(changes) > 0.02
    assert all(float(one.abs().max()) <= 1 for one in several)


def test_blur_keeps_the_mean_and_takes_the_edges(picture: torch.Tensor) -> None:
    soft = blurred(picture, 2.0)
    assert float(soft[:, 2].std()) < 0.5 * float(picture[:, 2].std())
    assert float(soft.mean()) == pytest.approx(float(picture.mean()), abs=0.02)
    assert blurred(picture, 0.05) is picture


def test_less_quality_is_further_away(picture: torch.Tensor) -> None:
    good, bad = (float((recompressed(picture, quality) - picture).square().mean()) for quality in (95, 30))
    assert 0 < good < bad
