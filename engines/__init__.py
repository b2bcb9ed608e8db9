"""GAN inversion, editing and exploration methods behind one `run()`.

from engines import InvertRequest, create, load_generator

generator = load_generator("ffhq")
result = create("image2stylegan", generator)(InvertRequest(image=photo), steps=100)
"""

import engines.core.threads  # noqa: F401  first: it must run before torch loads
from engines.contract import (
    BankRequest,
    DrawingRequest,
    Engine,
    ExploreRequest,
    FitRequest,
    HierarchyRequest,
    InvertRequest,
    MixRequest,
    Part,
    Progress,
    Request,
    Result,
)
from engines.registry import catalogue, create, load_generator
from engines.spaces.bank import Bank
from engines.spaces.directions import Direction
from engines.spaces.latent import Inversion, Latent

__all__ = [
    "Bank",
    "BankRequest",
    "Direction",
    "DrawingRequest",
    "Engine",
    "ExploreRequest",
    "FitRequest",
    "HierarchyRequest",
    "Inversion",
    "InvertRequest",
    "Latent",
    "MixRequest",
    "Part",
    "Progress",
    "Request",
    "Result",
    "catalogue",
    "create",
    "load_generator",
]
