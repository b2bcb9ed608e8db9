"""The lines of Python that make the edit on the page without the page."""

import re

from studio.editor import Editor
from studio.edits import AS_FOUND, Edits, Face, Turn
from studio.library import own_attribute
from studio.shelf import Desk

_REQUESTS = {
    "interfacegan": 'create("interfacegan", generator)(FitRequest(bank=bank, attribute="{name}"), space="w").directions[0]',
    "interfacegan-z": 'create("interfacegan", generator)(FitRequest(bank=bank, attribute="{name}"), space="z").directions[0]',
    "ganspace": 'create("ganspace", generator)(BankRequest(bank=bank)).directions[{index}]',
    "sefa": 'create("sefa", generator)(Request(), layers="{part}", count={count}).directions[{index}]',
    "stylespace": 'create("stylespace", generator)(FitRequest(bank=bank, attribute="{part}"), count={count}).directions[{index}]',
    "region": 'local_directions(generator, "{part}")[{index}]',
    "mine": 'read_directions(Path("direction.safetensors").read_bytes(), "direction.safetensors", generator)[0]',
}
_MODULES: tuple[dict[str, tuple[str, ...]], ...] = (
    {"dataclasses": ("replace",), "pathlib": ("Path",)},
    {"safetensors.torch": ("load_file",)},
    {
        "engines": ("BankRequest", "FitRequest", "Inversion", "Latent", "MixRequest", "Part", "Request", "create", "load_generator"),
        "engines.core.images": ("read_image", "to_picture", "to_tensor"),
        "engines.core.seeds": ("z_codes",),
        "engines.data": ("face_bank",),
        "engines.edit": ("conditional", "local_directions", "read_directions"),
        "engines.generators.sketch": ("draw",),
        "engines.mix.spatial": ("slots_of",),
        "engines.spaces.directions": ("apply",),
        "engines.spaces.statistics": ("random_w",),
    },
)
"""What snippets call, by module, in the order of their imports: of Python, of others, of the project."""

_COUNTS = {"sefa": 6, "stylespace": 5}


def recipe(editor: Editor, desk: Desk, face: Face, edits: Edits) -> str:
    """Runnable lines: the face, its directions, the picture."""
    turns = edits.moving
    body = [f'generator = load_generator("{editor.session.generator.name}")']
    if any(needs_bank(turn.key) for turn in turns) or (edits.keep and turns):
        body.append("bank = face_bank(generator)")
    in_z = any(editor.library.get(turn.key, desk).space == "z" for turn in turns)
    body += _code(editor, desk, face, in_z)
    body += [line for number, turn in enumerate(turns, start=1) for line in _direction(editor, desk, edits, turn, f"direction_{number}")]
    pairs = ", ".join(f"(direction_{number}, {turn.strength:g})" for number, turn in enumerate(turns, start=1))
    psi = f", truncation={face.truncation:g}" if in_z and face.kind == "Seed" else ""
    body.append(f"inversion = apply(code, [{pairs}], generator{psi})")
    body.append('to_picture(draw(generator, inversion)).save("edited.png")')
    return "\n".join(imports("\n".join(body))) + "\n\n" + "\n".join(body) + "\n"


def _code(editor: Editor, desk: Desk, face: Face, in_z: bool) -> list[str]:
    if face.kind == "Seed" and not in_z:
        return [f'code = Latent("w", random_w(generator, {int(face.seed or 0)}, truncation={face.truncation:g}))']
    if face.kind == "Seed":
        return [f'code = Latent("z", z_codes(1, generator.width, {int(face.seed or 0)}, generator.device))']
    inversion = editor.code(desk, face)
    tuning = ', {name[7:]: value for name, value in stored.items() if name.startswith("tuning/")}' if inversion.tuning else ""
    others = 'name != "codes" and not name.startswith("tuning/")'
    features = f", features={{name: value for name, value in stored.items() if {others}}}" if inversion.features else ""
    return [
        'stored = load_file("inversion.safetensors")  # as the tab Invert saves it',
        f'code = Inversion(Latent("{inversion.latent.space}", stored["codes"]){tuning}{features})',
    ]


def _direction(editor: Editor, desk: Desk, edits: Edits, turn: Turn, variable: str) -> list[str]:
    lines = [f"{variable} = {found_by(turn.key)}"]
    direction = editor.library.get(turn.key, desk)
    kept = [name for name in edits.keep if name != own_attribute(turn.key)]
    if kept and direction.space in ("w", "z"):
        shelf = "interfacegan-z" if direction.space == "z" else "interfacegan"
        boundaries = ", ".join(found_by(f"{shelf}/{name}") for name in kept)
        lines.append(f"{variable} = conditional({variable}, [{boundaries}], bank)")
    if turn.layers != AS_FOUND:
        lines.append(f"{variable} = replace({variable}, slots={editor.slots(turn.layers)})")
    return lines


def needs_bank(key: str) -> bool:
    """Whether finding a direction takes the measured faces."""
    return not key.startswith(("sefa/", "region/", "mine/"))


def found_by(key: str) -> str:
    """The expression that finds a direction; it reads `generator`, and `bank` if it needs one."""
    shelf, _, name = key.rpartition("/")
    method, _, part = shelf.partition("/")
    index = int(name) - 1 if name.isdigit() else 0
    return _REQUESTS[method].format(name=name, part=part, index=index, count=_COUNTS.get(method, 0))


def imports(body: str) -> list[str]:
    """The lines of import for what is called in some lines of Python, and no more."""
    lines = list[str]()
    for group in _MODULES:
        for module, names in group.items():
            called = [name for name in names if re.search(rf"\b{name}\(", body)]
            lines += [f"from {module} import {', '.join(called)}"] if called else []
        lines += [""] if lines and lines[-1] else []
    return lines[:-1]
