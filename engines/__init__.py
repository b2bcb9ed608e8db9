"""GAN inversion, editing and exploration methods behind one `run()`.

from engines import InvertRequest, create, load_generator

generator = load_generator("ffhq")
result = create("image2stylegan", generator)(InvertRequest(image=photo), steps=100)
"""

import engines.core.threads  # noqa: F401  first: it must run before torch loads
from engines.contract import Engine, ExploreRequest, InvertRequest, Progress, Request, Result
from engines.registry import catalogue, create, load_generator
from engines.spaces.directions import Direction
from engines.spaces.latent import Inversion, Latent

__all__ = [
    "Direction",
    "Engine",
    "ExploreRequest",
    "Inversion",
    "InvertRequest",
    "Latent",
    "Progress",
    "Request",
    "Result",
    "catalogue",
    "create",
    "load_generator",
]
