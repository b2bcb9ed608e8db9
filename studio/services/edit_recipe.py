"""An edit as a few words of JSON: what a link to it and a saved picture of it carry, and how it is read back.

    {"studio": 1, "generator": "ffhq", "seed": 7, "truncation": 0.7, "turns": [["interfacegan/smile", 1.5, "as found"]], "keep": []}

Directions are those of the studio; a visitor's own lie on their page alone. A face from the shelf is named by its key, and found where
it lies on the shelf; elsewhere the sliders are taken alone.
"""

from dataclasses import dataclass
from typing import Any

from engines.core.errors import StudioError
from studio.services import recipe_text
from studio.services.editor import Editor
from studio.services.recipe_text import EDIT, within
from studio.state.edits import AS_FOUND, MOST, STYLES, Edits, Face, Turn
from studio.state.visitor import Visitor

_SEEDS = 2**31


@dataclass(frozen=True)
class EditRecipe:
    """An edit that can be repeated.

    Attributes:
        face: What is edited.
        edits: Its sliders.
        generator: The name of the generator that draws it.
    """

    face: Face
    edits: Edits
    generator: str

    @property
    def text(self) -> str:
        """As JSON."""
        seed = self.face.kind == "Seed"
        face = {"seed": int(self.face.seed or 0), "truncation": self.face.truncation} if seed else {"code": self.face.chosen}
        turns = [[turn.key, turn.strength, turn.layers] for turn in self.edits.turns]
        return recipe_text.written(EDIT, self.generator, **face, turns=turns, keep=list(self.edits.keep))

    @property
    def query(self) -> str:
        """As the end of an address."""
        return recipe_text.query(self.text)


def read_recipe(text: str, editor: Editor, visitor: Visitor) -> EditRecipe:
    """A recipe out of its JSON.

    Args:
        text: The JSON, from a stranger.
        editor: Whose generator and directions it must fit.
        visitor: Whose shelf may hold the face. Where it does not, what they edit now stays the face.

    Raises:
        StudioError: It is none, of another generator, or names what is not there.
    """
    generator = editor.session.generator.name
    told = recipe_text.read_fields(text, EDIT, generator)
    recipe = EditRecipe(_face(told, visitor), Edits(_turns(told.get("turns")), _keep(told.get("keep"), editor)), generator)
    for turn in recipe.edits.turns:
        editor.library.get(turn.key, visitor)
        if turn.layers != AS_FOUND:
            editor.slots(turn.layers)
    return recipe


def _face(told: dict[str, Any], visitor: Visitor) -> Face:
    seed, truncation = told.get("seed"), told.get("truncation", 1.0)
    if seed is not None:
        if not (within(seed, 0, _SEEDS - 1) and seed == int(seed) and within(truncation, 0, 1)):
            raise StudioError("The recipe's seed is no whole number from 0 to 2147483647, or its truncation none from 0 to 1.")
        return Face("Seed", int(seed), float(truncation))
    item = visitor.find(str(told.get("code")))
    if item is not None:
        return Face("Shelf", None, 1.0, item.key)
    return visitor.edited[0] if visitor.edited else Face()


def _turns(told: object) -> tuple[Turn, ...]:
    turns = told if isinstance(told, list) else []
    fine = [isinstance(turn, list) and len(turn) == 3 and isinstance(turn[0], str) and isinstance(turn[2], str) for turn in turns]
    if not all(fine) or len(turns) > MOST or not all(within(turn[1], -STYLES.far, STYLES.far) for turn in turns):
        raise StudioError(f"The recipe's sliders are at most {MOST}, each a direction, a strength up to {STYLES.far:g} and layers.")
    if len({turn[0] for turn in turns}) < len(turns):
        raise StudioError("The recipe turns one direction twice.")
    return tuple(Turn(key, round(float(strength), 2), layers) for key, strength, layers in turns)


def _keep(told: object, editor: Editor) -> tuple[str, ...]:
    keep = told if isinstance(told, list) else []
    if not all(isinstance(name, str) and name in editor.library.titles for name in keep):
        raise StudioError(f"What the recipe keeps is not among: {', '.join(editor.library.titles)}.")
    return tuple(keep)
