"""The labelled bank of faces: draw them, measure them, pack scores and small pictures into assets/models/face_bank.safetensors.

    python -m engines.training.tables.face_bank --work build/face_bank

12 000 faces of seed 2026, psi 0.7, at 256 px: about 15 minutes of drawing and 10 of measuring on 2 cores. Both may be stopped and go
on where they were: pictures lie as JPEG in the work folder (quality 92), scores in scores.npy beside them.
"""

import argparse
import io
import logging
from pathlib import Path

import numpy as np
import torch
from PIL import Image as Pil

from engines import load_generator
from engines.core.images import to_picture, to_tensor
from engines.data.faces import COLUMNS, ROWS, SEED, SIZE, THUMBNAIL, TRUNCATION, codes
from engines.faces.attributes import ATTRIBUTES, Attribute, attribute_scorer
from engines.generators.base import Generator
from engines.training.manifest import add_option, chosen

COUNT = 12_000
_BATCH = 16
_REPORT = 480
log = logging.getLogger(__name__)


@torch.no_grad()
def render(generator: Generator, folder: Path, count: int) -> None:
    """Draw the faces that are not there yet."""
    _, w = codes(generator, count)
    for number in range(count):
        path = folder / f"{number:05d}.jpg"
        if not path.exists():
            to_picture(generator.synthesize(w[number : number + 1], size=SIZE)).save(path, quality=92)
        if number % _REPORT == 0:
            log.info("drawn %d of %d", number, count)


def score(folder: Path, count: int) -> np.ndarray[tuple[int, int], np.dtype[np.float32]]:
    """Measure the faces that are not measured yet."""
    path = folder / "scores.npy"
    done = np.load(path) if path.exists() else np.zeros((0, len(ATTRIBUTES)), np.float32)
    scorer = attribute_scorer()
    for start in range(len(done), count, _BATCH):
        pictures = [to_tensor(Pil.open(folder / f"{number:05d}.jpg")) for number in range(start, min(start + _BATCH, count))]
        done = np.concatenate([done, scorer(torch.cat(pictures)).numpy()])
        if start % _REPORT == 0 or start + _BATCH >= count:
            np.save(path, done)
            log.info("measured %d of %d", len(done), count)
    return done[:count]


def sheets(folder: Path, count: int, quality: int) -> dict[str, torch.Tensor]:
    """Small pictures, a thousand to a sheet, as WebP bytes."""
    packed, each = {}, COLUMNS * ROWS
    for sheet in range(-(-count // each)):
        canvas = Pil.new("RGB", (COLUMNS * THUMBNAIL, ROWS * THUMBNAIL))
        for place in range(min(each, count - sheet * each)):
            small = Pil.open(folder / f"{sheet * each + place:05d}.jpg").resize((THUMBNAIL, THUMBNAIL), Pil.Resampling.LANCZOS)
            canvas.paste(small, (place % COLUMNS * THUMBNAIL, place // COLUMNS * THUMBNAIL))
        buffer = io.BytesIO()
        canvas.save(buffer, format="WEBP", quality=quality, method=6)
        packed[f"sheet_{sheet:02d}"] = torch.frombuffer(bytearray(buffer.getvalue()), dtype=torch.uint8)
    return packed


def _summary(attribute: Attribute, column: torch.Tensor) -> dict[str, object]:
    """Low, middle and high of an attribute over the bank."""
    low, middle, high = (round(float(value), 3) for value in column.quantile(torch.tensor([0.05, 0.5, 0.95])))
    spread = round(float(column.std()), 3)
    return {"attribute": attribute.name, "unit": attribute.unit, "p5": low, "p50": middle, "p95": high, "std": spread}


def main() -> None:
    """Draw, measure, pack."""
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--work", type=Path, required=True, help="folder for pictures and scores on the way")
    parser.add_argument("--count", type=int, default=COUNT)
    parser.add_argument("--quality", type=int, default=50, help="WebP quality of the small pictures")
    add_option(parser, "put the result into")
    arguments = parser.parse_args()
    records = chosen(arguments.record, arguments.work)
    arguments.work.mkdir(parents=True, exist_ok=True)
    render(load_generator("ffhq"), arguments.work, arguments.count)
    scores = torch.from_numpy(score(arguments.work, arguments.count))
    measured = scores.isfinite().all(dim=1)
    records.log("face_bank", [_summary(name, column) for name, column in zip(ATTRIBUTES, scores[measured].T, strict=True)])
    records.record(
        "face_bank",
        {"scores": scores} | sheets(arguments.work, arguments.count, arguments.quality),
        licence="Apache-2.0",
        origin=f"engines/training/tables/face_bank.py, seed {SEED}, psi {TRUNCATION}, {arguments.count} faces, cpu",
        metrics={"faces": int(measured.sum()), "not_measured": int((~measured).sum())},
    )


if __name__ == "__main__":
    main()
