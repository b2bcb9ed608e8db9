"""Pictures made in stages, each from a code of its own: what a hierarchical generator can be asked for."""

from engines.core.weights import manifest
from engines.hierarchy.finegan import FineSampler
from engines.hierarchy.finegan_codes import FineFinder
from engines.hierarchy.infogan import InfoEncoder, InfoSampler

__all__: list[str] = []
if "finegan_birds" in manifest():
    __all__ += ["FineFinder", "FineSampler"]
if "infogan_digits" in manifest():
    __all__ += ["InfoEncoder", "InfoSampler"]
