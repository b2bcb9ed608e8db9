"""The lines of Python that make the edit on the page without the page."""

import ast
from typing import Any

import engines
from engines import Inversion, write_directions
from engines.edit.codes import write_codes
from studio.services.direction_library import own_attribute
from studio.services.editor import Editor
from studio.state.edits import AS_FOUND, Edits, Face, Turn
from studio.state.visitor import Visitor

_REQUESTS = {
    "interfacegan": 'create("interfacegan", generator)(FitRequest(bank=bank, attribute="{name}"), space="w").directions[0]',
    "interfacegan-z": 'create("interfacegan", generator)(FitRequest(bank=bank, attribute="{name}"), space="z").directions[0]',
    "ganspace": 'create("ganspace", generator)(BankRequest(bank=bank)).directions[{index}]',
    "sefa": 'create("sefa", generator)(Request(), layers="{part}", count={count}).directions[{index}]',
    "stylespace": 'create("stylespace", generator)(FitRequest(bank=bank, attribute="{part}"), count={count}).directions[{index}]',
    "delta": 'learnt_change(generator, "{name}")',
    "region": 'local_directions(generator, "{part}")[{index}]',
    "mine": 'read_directions(Path("{file}").read_bytes(), "{file}", generator)[0]',
}
_ELSEWHERE: tuple[dict[str, str], ...] = ({"replace": "dataclasses", "Path": "pathlib"}, {"load_file": "safetensors.torch"})
"""What snippets call besides `engines`, with its module: of Python, of others."""

CODE_FILE = "inversion.safetensors"
"""The name under which the tab Invert saves a code."""

_COUNTS = {"sefa": 6, "stylespace": 5}


def recipe(editor: Editor, visitor: Visitor, face: Face, edits: Edits) -> str:
    """Runnable lines: the face, its directions, the picture."""
    turns = edits.moving
    body = [f'generator = load_generator("{editor.session.generator.name}")']
    if any(needs_bank(turn.key) for turn in turns) or (edits.keep and turns):
        body.append("bank = face_bank(generator)")
    in_z = any(editor.library.get(turn.key, visitor).space == "z" for turn in turns)
    body += _code(editor, visitor, face, in_z)
    body += [line for number, turn in enumerate(turns, start=1) for line in _direction(editor, visitor, edits, turn, f"direction_{number}")]
    pairs = ", ".join(f"(direction_{number}, {turn.strength:g})" for number, turn in enumerate(turns, start=1))
    psi = f", truncation={face.truncation:g}" if in_z and face.kind == "Seed" else ""
    body.append(f"inversion = apply_directions(code, [{pairs}], generator{psi})")
    body.append('to_picture(draw_inversion(generator, inversion)).save("edited.png")')
    return program("\n".join(body))


def _code(editor: Editor, visitor: Visitor, face: Face, in_z: bool) -> list[str]:
    if face.kind == "Seed" and not in_z:
        return [f'code = Latent("w", random_w(generator, {int(face.seed or 0)}, truncation={face.truncation:g}))']
    if face.kind == "Seed":
        return [f'code = Latent("z", z_codes(1, generator.width, {int(face.seed or 0)}, generator.device))']
    return stored("code", editor.code(visitor, face), CODE_FILE)


def stored(variable: str, inversion: Inversion, file: str) -> list[str]:
    """Lines that read an inversion of that kind from a file that the tab Invert saved."""
    tuning = ', {name[7:]: value for name, value in stored.items() if name.startswith("tuning/")}' if inversion.tuning else ""
    others = 'name != "codes" and not name.startswith("tuning/")'
    features = f", features={{name: value for name, value in stored.items() if {others}}}" if inversion.features else ""
    return [
        f'stored = load_file("{file}")  # as the tab Invert saves it',
        f'{variable} = Inversion(Latent("{inversion.latent.space}", stored["codes"]){tuning}{features})',
    ]


def _direction(editor: Editor, visitor: Visitor, edits: Edits, turn: Turn, variable: str) -> list[str]:
    lines = [f"{variable} = {found_by(turn.key)}"]
    direction = editor.library.get(turn.key, visitor)
    kept = [name for name in edits.keep if name != own_attribute(turn.key)]
    if kept and direction.space in ("w", "z"):
        shelf = "interfacegan-z" if direction.space == "z" else "interfacegan"
        boundaries = ", ".join(found_by(f"{shelf}/{name}") for name in kept)
        lines.append(f"{variable} = conditional_direction({variable}, [{boundaries}], bank)")
    if turn.layers != AS_FOUND:
        lines.append(f"{variable} = replace({variable}, slots={editor.slots(turn.layers)})")
    return lines


def needs_bank(key: str) -> bool:
    """Whether finding a direction takes the measured faces."""
    return not key.startswith(("sefa/", "region/", "delta/", "mine/"))


def found_by(key: str) -> str:
    """The expression that finds a direction; it reads `generator`, and `bank` if it needs one."""
    shelf, _, name = key.rpartition("/")
    method, _, part = shelf.partition("/")
    index = int(name) - 1 if name.isdigit() else 0
    return _REQUESTS[method].format(name=name, part=part, index=index, count=_COUNTS.get(method, 0), file=own_file(key))


def inputs(editor: Editor, visitor: Visitor, face: Face, edits: Edits) -> dict[str, bytes]:
    """The files that the lines of `recipe` read, by name."""
    own = [turn.key for turn in edits.moving if turn.key.startswith("mine/")]
    generator = editor.session.generator
    files = {own_file(key): write_directions([editor.library.get(key, visitor)], "safetensors", generator) for key in own}
    return files if face.kind == "Seed" else files | {CODE_FILE: write_codes(editor.code(visitor, face))}


def own_file(key: str) -> str:
    """The name of the file that a direction of the visitor's own is read from."""
    return f"direction-{key.rpartition('/')[2]}.safetensors"


def program(body: str) -> str:
    """Runnable lines: imports of all that a body calls, the project's from `engines` alone, and the body."""
    used = {node.id for node in ast.walk(ast.parse(body)) if isinstance(node, ast.Name)}
    ours = {name: engines.__name__ for name in engines.__all__}
    groups = ("\n".join(_imports({name: module for name, module in group.items() if name in used})) for group in (*_ELSEWHERE, ours))
    body = body.strip()
    head = "\n\n".join(filter(None, groups))
    space = "\n\n\n" if body.startswith("def ") else "\n\n"
    return f"{head}{space}{body}\n"


def _imports(modules: dict[str, str]) -> list[str]:
    """The lines that import names from their modules, in the order of the modules."""
    by_module = {module: sorted(name for name in modules if modules[name] == module) for module in modules.values()}
    return [f"from {module} import {', '.join(names)}" for module, names in by_module.items()]


def knob_arguments(knobs: Any) -> str:
    """Knobs that are not at their defaults, as further arguments of a call."""
    defaults = type(knobs)()
    names = [declared.name for declared in knobs.declared()]
    return "".join(f", {name}={getattr(knobs, name)!r}" for name in names if getattr(knobs, name) != getattr(defaults, name))
