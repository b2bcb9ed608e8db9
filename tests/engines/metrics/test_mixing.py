import math

import pytest
import torch

from engines.metrics.mixing import mixing_figures

LEFT = (torch.arange(256) < 128).float().expand(1, 1, 256, 256)
SOURCE, REFERENCE = torch.full((1, 3, 256, 256), -0.5), torch.full((1, 3, 256, 256), 0.5)


def test_pasting_pixels_is_local_and_its_seam_shows() -> None:
    ramp = torch.linspace(-0.1, 0.1, 256).expand(1, 3, 256, 256)
    figures = mixing_figures(LEFT * (REFERENCE + ramp) + (1 - LEFT) * (SOURCE + ramp), SOURCE + ramp, REFERENCE + ramp, LEFT, 0.03)
    assert (figures["mse_src"], figures["mse_ref"]) == (pytest.approx(0, abs=1e-9), pytest.approx(0, abs=1e-9))
    assert figures["seam"] > 10
    assert figures["seam_source"] == pytest.approx(1, abs=0.05)


def test_what_leaks_is_counted_on_its_own_side() -> None:
    figures = mixing_figures(SOURCE, SOURCE, REFERENCE, LEFT, 0.03)
    assert (figures["mse_src"], figures["mse_ref"]) == (0, pytest.approx(1))
    figures = mixing_figures(REFERENCE, SOURCE, REFERENCE, LEFT, 0.03)
    assert (figures["mse_src"], figures["mse_ref"]) == (pytest.approx(1), 0)


def test_the_soft_edge_counts_on_neither_side() -> None:
    mixed = LEFT * REFERENCE + (1 - LEFT) * SOURCE
    mixed[..., 121:135] = 0
    figures = mixing_figures(mixed, SOURCE, REFERENCE, LEFT, 0.03)
    assert (figures["mse_src"], figures["mse_ref"]) == (0, 0)


def test_a_mask_too_small_for_its_edge_has_no_inside() -> None:
    dot = torch.zeros(1, 1, 256, 256)
    dot[..., 100:104, 100:104] = 1
    assert math.isnan(mixing_figures(SOURCE, SOURCE, REFERENCE, dot, 0.03)["mse_ref"])
