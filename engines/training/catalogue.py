"""Every recipe of the one trainer, by name: what `studio train` offers."""

from collections.abc import Mapping

from engines.data.degradations import TRANSLATIONS
from engines.training.command import Recipe
from engines.training.recipes.e4e import E4e
from engines.training.recipes.face_body import FaceBody
from engines.training.recipes.in_domain import InDomain
from engines.training.recipes.psp import Psp, Translation
from engines.training.recipes.restyle import ReStyle


def recipes() -> Mapping[str, Recipe]:
    """Recipes in the order in which a newcomer would run them: the body comes first, all others stand on it."""
    every: list[Recipe] = [FaceBody(), Psp(), E4e(), ReStyle("psp"), ReStyle("e4e"), InDomain()]
    every += [Translation(task) for task in TRANSLATIONS]
    return {recipe.name: recipe for recipe in every}
