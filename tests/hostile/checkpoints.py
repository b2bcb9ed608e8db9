"""Published checkpoints, as a page of one's own takes them: programs, bombs, and networks that are none."""

import io
import pickle
import struct
import zipfile
from argparse import Namespace
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch

from tests.hostile.array_files import forged, lying, npy, overlapping, packed, pt, row, tensors
from tests.hostile.files import EITHER, REFUSED, File
from tests.hostile.programs import Marking


def encoder(**changed: Any) -> dict[str, Any]:
    """What the file of a published encoder looks like from afar."""
    weights = {f"encoder.body.{n}.weight": torch.zeros(8, 8, 3, 3) for n in range(4)}
    return {"state_dict": weights, "latent_avg": torch.zeros(18, 512), "opts": {"encoder_type": "GradualStyleEncoder"}} | changed


def claiming(size: int) -> bytes:
    """A torch archive whose pickle wants a storage of `size` numbers and brings eight."""
    whole = pt({"state_dict": {"a": torch.zeros(8)}, "opts": {}})
    source, target = zipfile.ZipFile(io.BytesIO(whole)), io.BytesIO()
    with zipfile.ZipFile(target, "w") as archive:
        for name in source.namelist():
            data = source.read(name)
            if name.endswith("data.pkl"):
                data = data.replace(b"K\x08tq", b"J" + struct.pack("<i", size) + b"tq", 1)
            archive.writestr(name, data)
    return target.getvalue()


def _all() -> list[File]:
    deep: Any = torch.zeros(1)
    for _ in range(150):
        deep = {"a": deep}
    listed: list[tuple[str, str, Callable[[Path], bytes], str]] = [
        ("program in its options", "psp.pt", lambda mark: pt(encoder(opts=Marking(mark))), REFUSED),
        ("program in its options, old make", "psp.pt", lambda mark: pt(encoder(opts=Marking(mark)), old=True), REFUSED),
        ("plain pickle", "psp.pt", lambda mark: pickle.dumps(Marking(mark)), REFUSED),
        ("raw command", "psp.pt", lambda mark: b"cos\nsystem\n(S'touch " + str(mark).encode() + b"'\ntR.", REFUSED),
        (
            "program beside the weights",
            "psp.pt",
            lambda mark: packed({"a/data.pkl": pickle.dumps(1), "a/code.pkl": pickle.dumps(Marking(mark))}),
            REFUSED,
        ),
        ("archive that packs 200 MB and says 2 kB", "psp.pt", lambda _: lying("archive/data.pkl", 200 * 2**20), REFUSED),
        ("archive of one place named 2000 times", "psp.pt", lambda _: overlapping(2000, 2**20), REFUSED),
        ("storage of 2 billion numbers", "psp.pt", lambda _: claiming(2**31 - 1), REFUSED),
        ("weights of stride 0", "psp.pt", lambda _: pt(encoder(latent_avg=torch.zeros(1).expand(10**10))), REFUSED),
        ("weights without values", "psp.pt", lambda _: pt(encoder(latent_avg=torch.zeros(18, 512, device="meta"))), REFUSED),
        ("weights that are no numbers", "psp.pt", lambda _: pt(encoder(latent_avg=torch.full((18, 512), torch.nan))), REFUSED),
        ("a network of an unknown kind", "psp.pt", lambda _: pt(encoder()), REFUSED),
        ("options of an object", "psp.pt", lambda _: pt(encoder(opts=Namespace(encoder_type="Encoder4Editing"))), REFUSED),
        ("options of markup", "psp.pt", lambda _: pt(encoder(opts={"encoder_type": "<img src=x onerror=alert(1)>"})), REFUSED),
        ("an option of a million letters", "psp.pt", lambda _: pt(encoder(opts={"encoder_type": "x" * 10**6})), REFUSED),
        ("150 mappings in each other", "psp.pt", lambda _: pt({"state_dict": deep}), REFUSED),
        ("nothing in it", "psp.pt", lambda _: pt({}), REFUSED),
        ("a list", "psp.pt", lambda _: pt([1, 2, 3]), REFUSED),
        ("empty", "psp.pt", lambda _: b"", REFUSED),
        ("text", "psp.pt", lambda _: b"dear diary, " * 99, REFUSED),
        ("cut off", "psp.pt", lambda _: pt(encoder())[:2000], REFUSED),
        ("a direction", "psp.pt", lambda _: npy(row()), REFUSED),
        ("a file of directions", "psp.pt", lambda _: forged()(), REFUSED),
        ("safetensors of 2^63", "psp.pt", lambda _: tensors({}, length=2**63), REFUSED),
        (
            "half a gigabyte of zeros, packed",
            "psp.pt",
            lambda _: packed({"a/data.pkl": pickle.dumps(1), "a/data/0": bytes(100 * 2**20)}),
            EITHER,
        ),
    ]
    heavy = ("archive that packs", "archive of one place", "half a gigabyte", "storage of 2 billion")
    return [File(f"checkpoint: {title}", name, make, wanted, title.startswith(heavy)) for title, name, make, wanted in listed]


CHECKPOINTS = _all()
