"""A colour space by its primaries as an ICC profile."""

import struct
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from engines.core.colour import D50, Primaries

_BRADFORD = np.array([[0.8951, 0.2664, -0.1614], [-0.7502, 1.7135, 0.0367], [0.0389, -0.0685, 1.0296]])

_Array: TypeAlias = NDArray[np.float64]


def profile_of(space: Primaries) -> bytes:
    """A colour space as an ICC profile (version 2, matrix and curves), white adapted to D50 by Bradford's matrix."""
    if not all(point[1] for point in (space.white, space.red, space.green, space.blue)):
        raise ValueError("a primary without light")
    columns = np.stack([_xyz(space.red), _xyz(space.green), _xyz(space.blue)], axis=1)
    white, target = _xyz(space.white), _xyz(D50)
    to_xyz = columns * np.linalg.solve(columns, white)
    scale = (_BRADFORD @ target) / (_BRADFORD @ white)
    adapted = np.linalg.inv(_BRADFORD) @ (scale[:, None] * _BRADFORD) @ to_xyz
    curve = _curve(space.gamma)
    tags = {b"desc": _description(), b"cprt": b"text\0\0\0\0none\0", b"wtpt": _xyz_tag(target)}
    tags |= {name: _xyz_tag(adapted[:, index]) for index, name in enumerate((b"rXYZ", b"gXYZ", b"bXYZ"))}
    tags |= {name: curve for name in (b"rTRC", b"gTRC", b"bTRC")}
    table, body, start = struct.pack(">I", len(tags)), b"", 132 + 12 * len(tags)
    for name, data in tags.items():
        table += name + struct.pack(">II", start + len(body), len(data))
        body += data + bytes(-len(data) % 4)
    head = struct.pack(">I4xI4s4s4s12x4s4x4x4x8xI", 0, 0x02100000, b"mntr", b"RGB ", b"XYZ ", b"acsp", 1)
    head += _numbers(target)
    head = struct.pack(">I", 128 + len(table) + len(body)) + head[4:]
    return head.ljust(128, b"\0") + table + body


def _xyz(point: tuple[float, float]) -> _Array:
    x, y = point
    return np.array([x / y, 1.0, (1 - x - y) / y])


def _numbers(values: _Array) -> bytes:
    return b"".join(struct.pack(">i", round(float(value) * 65536)) for value in values)


def _xyz_tag(values: _Array) -> bytes:
    return b"XYZ \0\0\0\0" + _numbers(values)


def _description() -> bytes:
    text = b"named by the file\0"
    return b"desc\0\0\0\0" + struct.pack(">I", len(text)) + text + bytes(78)


def _curve(gamma: float) -> bytes:
    if gamma:
        return b"curv\0\0\0\0" + struct.pack(">IH", 1, min(65535, round(gamma * 256)))
    x = np.linspace(0, 1, 1024)
    y = np.where(x <= 0.04045, x / 12.92, ((x + 0.055) / 1.055) ** 2.4)
    return b"curv\0\0\0\0" + struct.pack(">I", 1024) + (65535 * y).round().astype(">u2").tobytes()
