"""Computing in fewer bits where that is quicker."""

from contextlib import AbstractContextManager
from typing import Any

import torch


def lean(device: torch.device, wanted: bool) -> AbstractContextManager[Any]:
    """Computing in bfloat16 where it is wanted and the processor has it; nothing otherwise."""
    able = device.type == "cuda" or (device.type == "cpu" and torch.cpu._is_avx512_bf16_supported())
    return torch.autocast(device.type, torch.bfloat16, enabled=wanted and able)
