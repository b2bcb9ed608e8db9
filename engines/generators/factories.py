"""Generators by name. Whoever adds one writes its module, and one line here."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import TypeAlias

import torch

from engines.generators import finegan, infogan, stylemapgan
from engines.generators.base import AnyGenerator
from engines.generators.ffhq import bundled_ffhq
from engines.generators.stylegan2 import tiny_stylegan2
from engines.generators.toy import toy

Factory: TypeAlias = Callable[[torch.device], AnyGenerator]
"""Makes a generator on a device; raises `WeightsError` where its file is missing or altered."""

FACTORIES: Mapping[str, Factory] = {
    "ffhq": bundled_ffhq,
    "toy": toy,
    "stylegan2-tiny": tiny_stylegan2,
    finegan.WEIGHTS: finegan.bundled_finegan,
    "finegan-toy": finegan.toy_finegan,
    infogan.WEIGHTS: partial(infogan.bundled_infogan, infogan.WEIGHTS),
    infogan.PLAIN: partial(infogan.bundled_infogan, infogan.PLAIN),
    "infogan-toy": infogan.toy_infogan,
    "stylemapgan_4": partial(stylemapgan.bundled_stylemapgan, "stylemapgan_4"),
    "stylemapgan_8": partial(stylemapgan.bundled_stylemapgan, "stylemapgan_8"),
    "stylemapgan_16": partial(stylemapgan.bundled_stylemapgan, "stylemapgan_16"),
    "stylemapgan-toy": stylemapgan.toy_stylemapgan,
}

OF_KIND: Mapping[str, tuple[str, str]] = {
    "finegan": (finegan.WEIGHTS, "finegan-toy"),
    "infogan": (infogan.WEIGHTS, "infogan-toy"),
}
"""Kinds without a W, by the capability that engines ask for: the bundled generator, and what stands for it beside an untrained one."""
