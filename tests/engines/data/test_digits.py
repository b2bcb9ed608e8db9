from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from engines.core.errors import WeightsError
from engines.data.digits import read_digits, shown_digits


def test_the_sets_share_no_digit(tmp_path: Path) -> None:
    images = torch.arange(8, dtype=torch.uint8)[:, None, None].expand(8, 28, 28).contiguous()
    labels = torch.arange(8, dtype=torch.uint8)
    path = tmp_path / "digits.safetensors"
    save_file({"train_images": images, "train_labels": labels, "test_images": images[:3].clone(), "test_labels": labels[:3].clone()}, path)
    sets = read_digits(path, held_out=2)
    assert sets.training.labels.tolist() == [0, 1, 2, 3, 4, 5]
    assert sets.validation.labels.tolist() == [6, 7]
    assert sets.validation.images.shape == (2, 1, 28, 28)
    assert float(sets.validation.images.max()) == pytest.approx(7 / 255)


@pytest.mark.parametrize("content", [None, b"no tensors"], ids=["missing", "broken"])
def test_a_missing_file_is_answered_with_where_to_get_it(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "digits.safetensors"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(WeightsError, match=r"convert_digits\.py"):
        read_digits(path)


def test_twenty_of_each_kind_are_bundled() -> None:
    shown = shown_digits()
    assert torch.bincount(shown.labels).tolist() == [20] * 10
    assert shown.images.shape == (200, 1, 28, 28)
    means = torch.stack([shown[shown.labels == label].images.mean(dim=0) for label in range(10)])
    nearest = torch.cdist(shown.images.flatten(1), means.flatten(1)).argmin(dim=1)
    assert float((nearest == shown.labels).float().mean()) > 0.8  # they look like their labels
