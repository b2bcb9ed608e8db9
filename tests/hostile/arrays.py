"""Files of directions and codes: programs that pose as arrays, archives that lie, descriptions of directions that were forged."""

import copyreg
import json
import pickle
import zipfile
from collections.abc import Callable

import numpy as np
import torch
from safetensors.torch import save

from tests.hostile.array_files import SMALL, WIDTH, altered, entry, forged, lying, npy, overlapping, packed, pt, row, said, shaped, tensors
from tests.hostile.files import EITHER, READ, REFUSED, File
from tests.hostile.programs import bombs, carriers, programs


def _archives() -> list[tuple[str, str, Callable[[], bytes], str, bool]]:
    array = npy(row())
    good = lambda: packed({"a.npy": array})  # noqa: E731
    return [
        ("archive that packs 200 MB and says 2 kB", "a.npz", lambda: lying("array.npy", 200 * 2**20), REFUSED, True),
        ("torch archive that packs 200 MB and says 2 kB", "a.pt", lambda: lying("archive/data.pkl", 200 * 2**20), REFUSED, True),
        ("archive of 20 members that pack 60 MB each", "a.npz", lambda: lying("{}.npy", 60 * 2**20, others=20), REFUSED, True),
        ("archive of 2000 members in one place", "a.npz", lambda: overlapping(2000, 2**20), REFUSED, True),
        ("archive that packs 100 MB and says so", "a.npz", lambda: packed({"a.npy": npy(np.zeros(25 * 2**20, np.float32))}), REFUSED, True),
        (
            "archive with names that climb",
            "a.npz",
            lambda: packed({"../../../climbed.npy": array, "/tmp/climbed.npy": array}),
            EITHER,
            False,
        ),
        ("archive with a name of markup", "a.npz", lambda: packed({"<img src=x onerror=alert(1)>.npy": array}), EITHER, False),
        ("archive with a name of 60 000 letters", "a.npz", lambda: packed({"x" * 60_000 + ".npy": array}), EITHER, False),
        ("archive with a name of zeros and line ends", "a.npz", lambda: packed({"a\r\n\x1b[31m.npy": array}), EITHER, False),
        ("archive with one name twice", "a.npz", lambda: lying("a.npy", 1000, others=2), REFUSED, False),
        ("archive in an archive", "a.npz", lambda: packed({"a.npy": good(), "b.npz": good()}), REFUSED, False),
        ("archive of 20 000 members", "a.npz", lambda: packed({f"{n}.npy": b"" for n in range(20_000)}), REFUSED, False),
        ("archive without a member", "a.npz", lambda: packed({}), REFUSED, False),
        ("archive whose only member is no array", "a.npz", lambda: packed({"a.txt": b"x"}), REFUSED, False),
        ("archive that is locked", "a.npz", lambda: altered(good(), 8, b"\1\0"), REFUSED, False),
        ("archive of an unknown packing", "a.npz", lambda: altered(good(), 10, b"\x63\0"), REFUSED, False),
        (
            "archive packed by bzip2",
            "a.npz",
            lambda: packed({"a.npy": npy(np.zeros(8 * 2**20, np.float32))}, zipfile.ZIP_BZIP2),
            EITHER,
            True,
        ),
        (
            "archive packed by LZMA",
            "a.npz",
            lambda: packed({"a.npy": npy(np.zeros(8 * 2**20, np.float32))}, zipfile.ZIP_LZMA),
            EITHER,
            True,
        ),
        ("archive whose member begins beyond its end", "a.npz", lambda: altered(good(), 42, b"\xff\xff\xff\x7f"), REFUSED, False),
        ("archive that is of 64 bits by its sizes alone", "a.npz", lambda: altered(good(), 20, b"\xff" * 8), EITHER, False),
        ("archive with a wrong checksum", "a.npz", lambda: altered(good(), 16, b"\0\0\0\0"), EITHER, False),
        ("archive cut off", "a.npz", lambda: good()[:200], REFUSED, False),
        ("archive behind a program", "a.npz", lambda: b"#!/bin/sh\nexit\n" + good(), EITHER, False),
        ("archive named as an array", "a.npy", good, EITHER, False),
        ("torch archive without its pickle", "a.pt", lambda: packed({"archive/data/0": bytes(2048)}), REFUSED, False),
        (
            "torch archive with two pickles",
            "a.pt",
            lambda: packed({"a/data.pkl": pickle.dumps(1), "b/data.pkl": b"cos\nabort\n)R."}),
            REFUSED,
            False,
        ),
    ]


def _safe() -> list[tuple[str, Callable[[], bytes], str]]:
    return [
        ("header of 2^63 bytes", lambda: tensors({}, length=2**63), REFUSED),
        ("header of 2^64 - 1 bytes", lambda: tensors({}, length=2**64 - 1), REFUSED),
        ("header beyond the file", lambda: tensors({}, length=90_000_000), REFUSED),
        ("header of nothing", lambda: tensors(b""), REFUSED),
        ("header of noise", lambda: tensors(b"\xff\xfe\xfd" * 20), REFUSED),
        ("header that is a list", lambda: tensors([1, 2]), REFUSED),
        ("header that is a text", lambda: tensors("x"), REFUSED),
        ("header of 100 000 levels", lambda: tensors(b'{"a":' * 100_000), REFUSED),
        ("header of lists in 100 000 levels", lambda: tensors(b'{"__metadata__":' + b"[" * 100_000), REFUSED),
        ("arrays in one place", lambda: tensors({"a": entry([1, 512], 0, 2048), "b": entry([1, 512], 0, 2048)}), REFUSED),
        ("array beyond the file", lambda: tensors({"a": entry([100_000, 512], 0, 204_800_000)}), REFUSED),
        ("array that ends before it begins", lambda: tensors({"a": entry([1, 512], 2048, 0)}), REFUSED),
        ("array of a negative place", lambda: tensors({"a": entry([1, 512], -2048, 0)}), REFUSED),
        ("array whose shape is more than its bytes", lambda: tensors({"a": entry([1024, 512], 0, 2048)}), REFUSED),
        ("array whose shape overflows", lambda: tensors({"a": entry([2**62, 2**62, 16], 0, 2048)}), REFUSED),
        ("array of an unknown kind", lambda: tensors({"a": entry([1, 512], 0, 2048, "Q9")}), REFUSED),
        ("array of bfloat16", lambda: save({"a": torch.from_numpy(row()).bfloat16()}), EITHER),
        ("array of complex numbers", lambda: tensors({"a": entry([1, 256], 0, 2048, "C64")}), REFUSED),
        ("array of no numbers", lambda: tensors({"a": entry([0, 512], 0, 0)}, b""), REFUSED),
        (
            "one name twice",
            lambda: tensors(
                b'{"a":' + json.dumps(entry([1, 512], 0, 2048)).encode() + b',"a":' + json.dumps(entry([1, 512], 0, 2048)).encode() + b"}"
            ),
            EITHER,
        ),
        ("notes that are no texts", lambda: tensors({"__metadata__": {"directions": [1]}, "a": entry([1, 512], 0, 2048)}), REFUSED),
        ("notes that are a list", lambda: tensors({"__metadata__": ["directions"], "a": entry([1, 512], 0, 2048)}), REFUSED),
        ("notes of 3 MB", lambda: save({"a": torch.from_numpy(row())}, {"directions": "[" * 3_000_000}), REFUSED),
        ("5000 arrays", lambda: save({f"{n}": torch.ones(1) for n in range(5000)}), REFUSED),
    ]


def _forged() -> list[tuple[str, Callable[[], bytes], str]]:
    return [
        ("slot -1", forged(slots=[-1]), REFUSED),
        ("slot of a billion", forged(slots=[10**9]), REFUSED),
        ("slot of 10^400", forged(slots=[10**400]), REFUSED),
        ("900 000 slots", forged(slots=[0] * 900_000), REFUSED),
        ("no slots", forged(slots=[]), REFUSED),
        ("slots that are a text", forged(slots="all"), REFUSED),
        ("slots of lists", forged(slots=[[0]]), REFUSED),
        ("slots of halves", forged(slots=[0.5]), REFUSED),
        ("slots that are true", forged(slots=[True, False]), REFUSED),
        ("the same slot twice", forged(slots=[0, 0]), REFUSED),
        ("sigma that is no number", forged(sigma=float("nan")), REFUSED),
        ("infinite sigma", forged(sigma=float("inf")), REFUSED),
        ("sigma 0", forged(sigma=0), REFUSED),
        ("sigma below 0", forged(sigma=-1), REFUSED),
        ("sigma of 10^400", forged(sigma=10**400), REFUSED),
        ("sigma that is a text", forged(sigma="wide"), REFUSED),
        ("sigma that is nothing", forged(sigma=None), REFUSED),
        ("a name of markup", forged(name="<img src=x onerror=alert(1)>"), EITHER),
        ("a name of LaTeX and Markdown", forged(name="$\\input{/etc/passwd}$ [x](javascript:alert(1))"), EITHER),
        ("a name of 200 000 letters", forged(name="x" * 200_000), EITHER),
        ("a name of line ends and zeros", forged(name="a\r\n\0\x1b[31m\u202e"), EITHER),
        ("a name that is a list", forged(name=["a"]), EITHER),
        ("a source of markup", forged(source="<script>alert(1)</script>"), EITHER),
        ("a source that names a file", forged(source="file:///etc/passwd"), EITHER),
        ("a space that is none", forged(space="x"), REFUSED),
        ("a space that is a path", forged(space="../../w"), REFUSED),
        ("a space that is a list", forged(space=["w"]), REFUSED),
        ("a vector of another width", forged((63,)), REFUSED),
        ("700 directions", forged(*[(SMALL,)] * 700), EITHER),
        ("no directions", lambda: save({"a": torch.ones(3)}, {"directions": "[]"}), REFUSED),
        ("a description that is a number", lambda: save({"a": torch.ones(3)}, {"directions": "7"}), REFUSED),
        ("a description that is nothing", lambda: save({"a": torch.ones(3)}, {"directions": "null"}), REFUSED),
        ("a description of more than there is", lambda: save({"a": torch.ones(3)}, {"directions": json.dumps([{}] * 9)}), REFUSED),
        ("a description of lists in lists", lambda: save({"a": torch.ones(3)}, {"directions": "[" * 100_000}), REFUSED),
    ]


def _values() -> list[tuple[str, str, Callable[[], bytes], str]]:
    """Arrays that are sound as files and no directions, or odd ones."""
    structured = np.zeros(4, [("x", "f4"), ("y", "i4")])
    return [
        ("values that are no numbers", "a.npy", lambda: npy(row() * np.nan), REFUSED),
        ("one value that is no number", "a.npy", lambda: npy(np.where(np.arange(WIDTH) == 7, np.nan, row())), REFUSED),
        ("infinite values", "a.npy", lambda: npy(row() * np.inf), REFUSED),
        ("zeros", "a.npy", lambda: npy(0 * row()), REFUSED),
        ("values too small to count", "a.npy", lambda: npy(row() * np.float32(1e-42)), REFUSED),
        ("values too large to square", "a.npy", lambda: npy(row() * np.float32(1e38)), REFUSED),
        ("doubles beyond a float", "a.npy", lambda: npy(row().astype(np.float64) * 1e300), REFUSED),
        ("a single number", "a.npy", lambda: npy(np.float32(3)), REFUSED),
        ("no numbers", "a.npy", lambda: npy(np.zeros((0, WIDTH), np.float32)), REFUSED),
        ("rows of width 0", "a.npy", lambda: npy(np.zeros((9, 0), np.float32)), REFUSED),
        ("width 511", "a.npy", lambda: npy(row(511)), REFUSED),
        ("40 000 rows", "a.npy", lambda: npy(np.ones((40_000, SMALL), np.float16)), EITHER),
        ("32 dimensions", "a.npy", lambda: npy(np.ones((1,) * 31 + (WIDTH,), np.float32)), EITHER),
        ("columns first", "a.npy", lambda: npy(np.asfortranarray(np.ones((3, WIDTH), np.float32))), EITHER),
        ("large bytes first", "a.npy", lambda: npy(row().astype(">f4")), EITHER),
        ("whole numbers", "a.npy", lambda: npy((row() * 99).astype(np.int16)), EITHER),
        ("yes and no", "a.npy", lambda: npy(row() > 0), EITHER),
        ("complex numbers", "a.npy", lambda: npy(row() * 1j), REFUSED),
        ("records", "a.npy", lambda: npy(structured), REFUSED),
        ("texts", "a.npy", lambda: npy(np.array(["a", "b"])), REFUSED),
        ("dates", "a.npy", lambda: npy(np.zeros(3, "M8[s]")), REFUSED),
        ("a header of a billion rows", "a.npy", lambda: shaped("<f4", "(1000000000, 512)"), REFUSED),
        ("a header of 10^30 rows", "a.npy", lambda: shaped("<f4", "(10**30,)".replace("10**30", "1" + "0" * 30)), REFUSED),
        ("a header of fewer than no rows", "a.npy", lambda: shaped("<f4", "(-1, -512)"), REFUSED),
        ("a header of objects", "a.npy", lambda: shaped("|O", "(2,)"), REFUSED),
        ("a header of empty records", "a.npy", lambda: shaped("|V0", "(1000000000000,)"), REFUSED),
        (
            "a header that calls something",
            "a.npy",
            lambda: said("{'descr': __import__('os').abort(), 'fortran_order': False, 'shape': (2,), }"),
            REFUSED,
        ),
        ("a header of brackets", "a.npy", lambda: said("(" * 60_000), REFUSED),
        ("a header of signs", "a.npy", lambda: said("-" * 60_000 + "1"), REFUSED),
        ("a header of version 9", "a.npy", lambda: npy(row()).replace(b"\1\0", b"\x09\x09", 1), REFUSED),
        ("a file that ends in its header", "a.npy", lambda: npy(row())[:40], REFUSED),
        ("a file that ends in its values", "a.npy", lambda: npy(row())[:-9], REFUSED),
        ("an empty file", "a.npy", lambda: b"", REFUSED),
        ("an empty archive", "a.npz", lambda: b"", REFUSED),
        ("an empty pickle", "a.pkl", lambda: b"", REFUSED),
        ("an empty torch file", "a.pt", lambda: b"", REFUSED),
        ("an empty safetensors file", "a.safetensors", lambda: b"", REFUSED),
        ("a single byte", "a.npy", lambda: b"\x93", REFUSED),
        ("text", "a.npy", lambda: b"dear diary, " * 50, REFUSED),
        ("a file without an ending", "direction", lambda: npy(row()), EITHER),
        ("a file of another ending", "direction.exe", lambda: npy(row()), EITHER),
        ("a file of two endings", "direction.npy.sh", lambda: npy(row()), EITHER),
        ("a picture's ending", "direction.png", lambda: npy(row()), EITHER),
        ("an array under a pickle's name", "a.pkl", lambda: npy(row()), EITHER),
        ("a pickle under an array's name", "a.npy", lambda: pickle.dumps(row()), REFUSED),
        ("a tensor of stride 0", "a.pt", lambda: pt(torch.zeros(1, dtype=torch.float16).expand(200_000_000, 512)), REFUSED),
        ("a tensor without values", "a.pt", lambda: pt(torch.ones(2, device="meta")), REFUSED),
        ("a sparse tensor", "a.pt", lambda: pt(torch.ones(512).to_sparse()), REFUSED),
        ("a tensor of 8-bit numbers with a scale", "a.pt", lambda: pt(torch.from_numpy(row()).to(torch.float8_e4m3fn)), EITHER),
        ("a torch file of no tensor", "a.pt", lambda: pt({"epoch": 3}), REFUSED),
        ("an old torch file cut off", "a.pt", lambda: pt(torch.ones(512), old=True)[:-900], REFUSED),
        ("a good direction", "a.npy", lambda: npy(row(SMALL)), READ),
    ]


def _all() -> list[File]:
    assert not copyreg._inverted_registry  # type: ignore[attr-defined]  # no extension code is known: that program names none
    codes = [File(f"program by {title}", "a.pkl", make) for title, make in programs().items() if title != "code behind the end"]
    codes.append(File("program by code behind the end", "a.pkl", programs()["code behind the end"], EITHER))
    codes += [File(f"program by {title} in a torch file", "a.pt", make) for title, make in list(programs().items())[:12]]
    codes += [
        File(f"program in a {title}", name, make, EITHER if "beside" in title else REFUSED) for title, (name, make) in carriers().items()
    ]
    heavy = [File(f"pickle of {title}", "a.pkl", lambda _, make=make: make()) for title, make in bombs().items()]
    heavy += [
        File(f"torch archive of {title}", "a.pt", lambda _, make=make: packed({"a/data.pkl": make()}))
        for title, make in list(bombs().items())[:8]
    ]
    archives = [File(title, name, lambda _, make=make: make(), wanted, alone) for title, name, make, wanted, alone in _archives()]
    safe = [File(f"safetensors: {title}", "a.safetensors", lambda _, make=make: make(), wanted) for title, make, wanted in _safe()]
    own = [File(f"own file with {title}", "a.safetensors", lambda _, make=make: make(), wanted) for title, make, wanted in _forged()]
    values = [File(title, name, lambda _, make=make: make(), wanted) for title, name, make, wanted in _values()]
    return codes + heavy + archives + safe + own + values


ARRAYS = _all()
