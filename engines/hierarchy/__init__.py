"""Pictures made in stages, each from a code of its own: what a hierarchical generator can be asked for."""

from engines.core.weights import manifest
from engines.hierarchy.finegan import FineSampler
from engines.hierarchy.finegan_codes import FineFinder

__all__: list[str] = []
if "finegan_birds" in manifest():
    __all__ += ["FineFinder", "FineSampler"]
