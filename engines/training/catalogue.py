"""Every recipe of the one trainer, by name: what `studio train` offers."""

from collections.abc import Mapping
from typing import Any

from engines.data.degradations import TRANSLATIONS
from engines.invert.encode.stylemap import SIDES
from engines.training.command import Recipe
from engines.training.recipes.bird_classifier import BirdClassifier
from engines.training.recipes.delta import Delta
from engines.training.recipes.e4e import E4e
from engines.training.recipes.face_body import FaceBody
from engines.training.recipes.finegan import FineBirds
from engines.training.recipes.finegan_classifier import FineGANCodeClassifier
from engines.training.recipes.in_domain import InDomain
from engines.training.recipes.infogan import InfoDigits
from engines.training.recipes.infogan_birds import InfoBirds
from engines.training.recipes.psp import Psp
from engines.training.recipes.restyle import OverE4e, ReStyle
from engines.training.recipes.stylemap import Stylemap
from engines.training.recipes.stylemapgan import SIDES as MAP_SIDES
from engines.training.recipes.stylemapgan import StyleMapFaces
from engines.training.recipes.stylemapgan_mapping import StyleMapMapping
from engines.training.recipes.translation import Translation


def recipes() -> Mapping[str, Recipe[Any]]:
    """Recipes in the order in which a newcomer would run them: the body comes first, all others stand on it."""
    every: list[Recipe[Any]] = [FaceBody(), Psp(), E4e(), ReStyle("psp"), OverE4e(), InDomain()]
    every += [Translation(task) for task in TRANSLATIONS]
    every += [Stylemap(side) for side in SIDES]
    every += [StyleMapFaces(side) for side in MAP_SIDES]
    every += [StyleMapMapping(side) for side in MAP_SIDES if side > 1]
    every += [Delta()]
    every += [BirdClassifier(), FineBirds(), FineGANCodeClassifier(), InfoDigits(), InfoBirds()]
    return {recipe.name: recipe for recipe in every}
