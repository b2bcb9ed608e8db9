"""Lines of Python from a stranger's file, which the studio never runs but hands on in notebooks: they may call this project alone."""

import ast
import re
from collections.abc import Iterable

import engines
from engines.core.errors import StudioError

_MODULES = {"engines": frozenset(engines.__all__), "pathlib": {"Path"}, "dataclasses": {"replace"}, "safetensors.torch": {"load_file"}}
_ATTRIBUTES = {
    *("images", "directions", "alignment", "inversions", "slots", "stages", "items", "save", "float", "read_bytes", "startswith"),
    *("synthesize", "detach", "clamp", "resolution"),
}
_FOLDER = "tuning/"
"""The one text with a stroke in it: it begins names of tensors."""

_NODES = (
    *(ast.Module, ast.ImportFrom, ast.alias, ast.Assign, ast.Expr, ast.For, ast.Call, ast.keyword, ast.Name, ast.Load, ast.Store),
    *(ast.Attribute, ast.Constant, ast.List, ast.Tuple, ast.Dict, ast.DictComp, ast.comprehension, ast.Compare, ast.Subscript, ast.Slice),
    *(ast.UnaryOp, ast.USub, ast.Not, ast.BoolOp, ast.And, ast.NotEq, ast.Gt, ast.JoinedStr, ast.FormattedValue, ast.FunctionDef),
    *(ast.arguments, ast.arg, ast.Return),
)
_NAME = re.compile(r"[a-z0-9_-]{1,80}\.(png|jpg|safetensors)")
REFUSED = "The lines of Python in this session do what those of the studio do not, so nothing of it was taken."


def check_lines(code: str, saved: str, files: Iterable[str]) -> None:
    """Refuse lines that do anything but call `engines` and read and save files beside themselves.

    Args:
        code: The lines.
        saved: The file that they save.
        files: Files that they read.

    Raises:
        StudioError: They are no Python, or go beyond that.
    """
    names = [saved, *files]
    if not all(isinstance(name, str) and _NAME.fullmatch(name) for name in names):
        raise StudioError(REFUSED)
    try:
        tree = ast.parse(code)
    except (SyntaxError, ValueError, MemoryError, RecursionError) as error:
        raise StudioError(REFUSED) from error
    nodes = list(ast.walk(tree))
    known = {name.id for name in nodes if isinstance(name, ast.Name) and isinstance(name.ctx, ast.Store)}
    known |= {name.name for name in nodes if isinstance(name, ast.FunctionDef | ast.alias)} | {
        name.arg for name in nodes if isinstance(name, ast.arg)
    }
    if not all(isinstance(node, _NODES) and _is_fine(node, known) for node in nodes):
        raise StudioError(REFUSED)


def _is_fine(node: ast.AST, known: set[str]) -> bool:
    if isinstance(node, ast.ImportFrom):
        return node.level == 0 and all(alias.asname is None and alias.name in _MODULES.get(node.module or "", ()) for alias in node.names)
    if isinstance(node, ast.Attribute):
        return node.attr in _ATTRIBUTES
    if isinstance(node, ast.Name):
        return node.id in known and not node.id.startswith("_")
    if isinstance(node, ast.FunctionDef):
        return not node.decorator_list
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value == _FOLDER or (not set(node.value) & set("/\\\0:") and ".." not in node.value)
    return not isinstance(node, ast.Constant) or node.value is None or isinstance(node.value, bool | int | float)
