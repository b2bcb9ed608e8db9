"""Measurements that any picture allows, face or not: what stands in for face attributes where a generator draws no faces."""

import torch

from engines.core.shapes import Image
from engines.faces.attributes import Attribute
from engines.spaces.bank import Scores

PIXELS = (
    Attribute("brightness", "Brightness", "mean of all channels, -1 to 1", "pixels", "dark", "bright"),
    Attribute("warmth", "Warmth", "red minus blue, -2 to 2", "pixels", "cold", "warm"),
    Attribute("contrast", "Contrast", "standard deviation of all pixels", "pixels", "flat", "rich"),
)


def measure_pixels(image: Image) -> Scores:
    """The three scores of each picture, (batch,3)."""
    brightness = image.mean(dim=(1, 2, 3))
    warmth = image[:, 0].mean(dim=(1, 2)) - image[:, 2].mean(dim=(1, 2))
    return torch.stack([brightness, warmth, image.flatten(1).std(dim=1)], dim=1)
