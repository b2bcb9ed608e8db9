"""Programs that pose as arrays, and pickles that cost far more than they weigh."""

import pickle
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch

from tests.hostile.array_files import npy, packed, pt, row


class Marking:
    """An object whose unpickling makes a file."""

    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self) -> tuple[Any, ...]:
        return (eval, (f"open({str(self.mark)!r}, 'w')",))


def text(value: str) -> bytes:
    """A text, as a pickle says it."""
    data = value.encode()
    return b"X" + struct.pack("<I", len(data)) + data


def _command(mark: Path) -> str:
    return f"touch {mark}"


def programs() -> dict[str, Callable[[Path], bytes]]:
    """Pickles that make a file where `mark` says, each by another way of Python's pickle machine."""
    return {
        "GLOBAL and REDUCE": lambda mark: b"cos\nsystem\n(" + text(_command(mark)) + b"tR.",
        "posix by its own name": lambda mark: b"cposix\nsystem\n(" + text(_command(mark)) + b"tR.",
        "STACK_GLOBAL": lambda mark: b"\x80\x04\x8c\2os\x8c\6system\x93" + text(_command(mark)) + b"\x85R.",
        "INST": lambda mark: b"(" + text(_command(mark)) + b"ios\nsystem\n.",
        "OBJ": lambda mark: b"(cos\nsystem\n" + text(_command(mark)) + b"o.",
        "NEWOBJ": lambda mark: b"\x80\x02csubprocess\nPopen\n(((" + text("touch") + text(str(mark)) + b"ltt\x81.",
        "NEWOBJ_EX": lambda mark: b"\x80\x04\x8c\nsubprocess\x8c\5Popen\x93((" + text("touch") + text(str(mark)) + b"lt}\x92.",
        "BUILD": lambda mark: b"\x80\x02cnumpy\nndarray\n}" + text("__setstate__") + b"cos\nsystem\nsb" + text(_command(mark)) + b"b.",
        "eval": lambda mark: b"cbuiltins\neval\n(" + text(f"open({str(mark)!r}, 'w')") + b"tR.",
        "eval by its name in Python 2": lambda mark: b"c__builtin__\neval\n(" + text(f"open({str(mark)!r}, 'w')") + b"tR.",
        "exec": lambda mark: b"cbuiltins\nexec\n(" + text(f"open({str(mark)!r}, 'w')") + b"tR.",
        "open": lambda mark: b"cbuiltins\nopen\n(" + text(str(mark)) + text("w") + b"tR.",
        "getattr of an allowed name": lambda mark: (
            b"cbuiltins\ngetattr\n(cbuiltins\n__import__\n(" + text("os") + b"tR" + text("system") + b"tR(" + text(_command(mark)) + b"tR."
        ),
        "a dotted name": lambda mark: b"\x80\x04\x8c\5numpy\x8c\x0fos.path.os.system\x93" + text(_command(mark)) + b"\x85R.",
        "a dotted name behind what may be called": lambda mark: b"\x80\x04\x8c\5numpy\x8c\x12ndarray.__subclasses__\x93)R.",
        "an extension code": lambda mark: b"\x80\x02\x82\1(" + text(_command(mark)) + b"tR.",
        "a persistent name": lambda _: b"\x80\x02" + text("storage") + b"Q.",
        "an old persistent name": lambda _: b"Pstorage\n.",
        "runpy": lambda mark: b"crunpy\n_run_code\n(" + text(f"open({str(mark)!r}, 'w')") + b"}tR.",
        "numpy's own runner": lambda mark: b"cnumpy.testing._private.utils\nrunstring\n(" + text(f"open({str(mark)!r}, 'w')") + b"}tR.",
        "numpy.save": lambda mark: b"cnumpy\nsave\n(" + text(str(mark)) + b"]tR.",
        "numpy.memmap": lambda mark: b"cnumpy\nmemmap\n(" + text(str(mark)) + text("u1") + text("w+") + b"K\0(K\x08ttR.",
        "torch's loader of extensions": lambda mark: b"ctorch.utils.cpp_extension\nload\n(" + text("x") + b"](tR.",
        "torch's rebuilding with a hook": lambda mark: b"ctorch._utils\n_rebuild_parameter\n(N\x89cos\nsystem\ntR.",
        "ctypes": lambda _: b"cctypes\nstring_at\n(K\0tR.",
        "sys.exit": lambda _: b"csys\nexit\n(K\3tR.",
        "a signal to the process": lambda _: b"cos\nabort\n)R.",
        "codecs.decode": lambda _: b"c_codecs\ndecode\n(" + text("abc") + text("zip") + b"tR.",
        "code behind a good array": lambda mark: pickle.dumps(row(), 2)[:-1] + b"0cos\nsystem\n(" + text(_command(mark)) + b"tR.",
        "code behind the end": lambda mark: pickle.dumps(row(), 2) + b"cos\nsystem\n(" + text(_command(mark)) + b"tR.",
        "code as a key": lambda mark: b"}cos\nsystem\n(" + text(_command(mark)) + b"tRK\1s.",
        "copyreg": lambda mark: b"ccopyreg\n_reconstructor\n(csubprocess\nPopen\ncbuiltins\nobject\nNtR.",
    }


def bombs() -> dict[str, Callable[[], bytes]]:
    """Pickles that would cost far more than they weigh."""
    return {
        "lists in lists": lambda: b"]" * 200_000 + b"a" * 199_999 + b".",
        "marks in marks": lambda: b"(" * 500_000 + b"t.",
        "tuples of tuples as a key": lambda: b"\x80\x02})" + b"2\x86" * 60 + b"K\x01s.",
        "notes of tuples as a key": lambda: b"\x80\x02})\x85" + b"".join(bytes([113, n, 104, n, 0x86]) for n in range(60)) + b"K\1s.",
        "sets of sets": lambda: b"\x80\x04" + b"(" * 40 + b"".join(b"K" + bytes([n]) + b"\x91" for n in range(40)) + b".",
        "a note of number 2 billion": lambda: b"\x80\x02Nr" + struct.pack("<I", 2**31 - 1) + b".",
        "a text note of a huge number": lambda: b"Np99999999999999999999\n.",
        "a text of 4 GB": lambda: b"\x80\x02X\xff\xff\xff\xffabc.",
        "a text of 2^63": lambda: b"\x80\x04\x8d" + b"\xff" * 7 + b"\x7fabc.",
        "bytes of 2^63": lambda: b"\x80\x04\x8e" + b"\xff" * 7 + b"\x7fabc.",
        "an array of bytes of 2^63": lambda: b"\x80\x05\x96" + b"\xff" * 7 + b"\x7fabc.",
        "a frame of 2^63": lambda: b"\x80\x04\x95" + b"\xff" * 7 + b"\x7f" + b"N.",
        "a number of 2 GB": lambda: b"\x80\x02\x8b\xff\xff\xff\x7f\1.",
        "a number of a million digits": lambda: b"L" + b"9" * 1_000_000 + b"L\n.",
        "a decimal number of a million digits": lambda: b"I" + b"9" * 1_000_000 + b"\n.",
        "half a million steps": lambda: b"\x80\x02" + b"N0" * 250_000 + b"N.",
        "an array of a shape that multiplies": lambda: pickle.dumps(row(), 2).replace(b"M\0\2", b"J\xff\xff\xff\x7f"),
        "protocol 200": lambda: b"\x80\xc8N.",
        "no end": lambda: b"\x80\x02]",
        "no stack": lambda: b"0.",
        "noise": lambda: b"\x80\x04" + np.random.default_rng(0).bytes(5000),
    }


def carriers() -> dict[str, tuple[str, Callable[[Path], bytes]]]:
    """Files of other kinds that carry such a program."""
    return {
        "object array": ("a.npy", lambda mark: npy(np.array([Marking(mark)], object), allow_pickle=True)),
        "archive of an object array": ("a.npz", lambda mark: packed({"a.npy": npy(np.array([Marking(mark)], object), allow_pickle=True)})),
        "archive with a program beside the array": (
            "a.npz",
            lambda mark: packed({"a.npy": npy(row()), "a.pkl": programs()["eval"](mark)}),
        ),
        "torch archive": ("a.pt", lambda mark: pt({"a": torch.ones(512), "x": Marking(mark)})),
        "old torch file": ("a.pt", lambda mark: pt({"a": torch.ones(512), "x": Marking(mark)}, old=True)),
        "plain pickle under a torch name": ("a.pt", lambda mark: pickle.dumps(Marking(mark))),
        "torch archive named as an archive of arrays": ("a.npz", lambda mark: pt({"x": Marking(mark)})),
        "module that torch would import": ("a.pt", lambda _: packed({"a/data.pkl": b"cantigravity\nfly\n)R.", "a/version": b"3"})),
        "TorchScript": (
            "a.pt",
            lambda mark: packed({"a/data.pkl": pickle.dumps(1), "a/constants.pkl": programs()["eval"](mark), "a/code/x.py": b"import os"}),
        ),
        "array of objects in a pickle": ("a.pkl", lambda mark: pickle.dumps(np.array([Marking(mark)], object))),
    }
