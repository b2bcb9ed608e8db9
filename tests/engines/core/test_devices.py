import pytest
import torch

from engines import load_generator
from engines.core.devices import usable
from engines.core.errors import CatalogueError


def test_the_processor_is_always_there() -> None:
    assert usable("cpu") == usable(torch.device("cpu")) == torch.device("cpu")


@pytest.mark.parametrize("name", ["banana", "", "meta", "cuda:999", "cpu cpu"])
def test_a_device_that_is_not_there_is_told_before_anything_is_loaded(name: str) -> None:
    with pytest.raises(CatalogueError, match="came"):
        load_generator("toy", name)
