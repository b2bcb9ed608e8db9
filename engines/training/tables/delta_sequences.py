"""Make sequences of faces in which one factor changes: what `studio train delta_ffhq` learns from.

    python -m engines.training.tables.delta_sequences --identities 40 --minutes 60

Eight factors, nine frames each. Four walk in latent space along InterFaceGAN's conditioned directions and are re-spaced so that the
measured attribute rises evenly (`changes.walked`); four change the picture and invert each frame, beginning from the frame before
(`changes.pictured`). Identities are random faces of one seed, so all can be rebuilt; what is done lies in files, one a sequence, and a
killed run goes on. Nothing is recorded in assets here: the recipe ships a part of it with the network.
"""

import argparse
import logging
import time
from collections.abc import Iterator
from pathlib import Path

from safetensors.torch import save_file

from engines import load_generator
from engines.core.memory import keep_pages
from engines.data.changes import IDENTITIES, sequence_faces
from engines.generators.base import Generator
from engines.training.changes.pictured import Answers, pictured
from engines.training.changes.reading import Reader
from engines.training.changes.sequences import FACTORS, FOLDER, Factor, file_of
from engines.training.changes.walked import direction, walked

log = logging.getLogger(__name__)


def missing(folder: Path, identities: int) -> Iterator[tuple[int, list[Factor]]]:
    """Identities, and the factors whose sequences are not made yet."""
    for identity in range(identities):
        factors = [factor for factor in FACTORS if not file_of(folder, factor.name, identity).is_file()]
        if factors:
            yield identity, factors


def make(generator: Generator, folder: Path, identities: int, minutes: float) -> None:
    """Make what is missing, identity by identity, until the time is up."""
    reader, w, until = Reader(generator), sequence_faces(generator), time.monotonic() + 60 * minutes
    along = {factor.name: direction(generator, factor, reader) for factor in FACTORS if factor.kind == "latent"}
    for identity, factors in missing(folder, identities):
        face, answers = w[identity : identity + 1], None
        for factor in factors:
            if time.monotonic() > until:
                return
            if factor.kind == "latent":
                frames = walked(reader, face, factor, along[factor.name])
            else:
                answers = answers or Answers(reader, face)
                frames = pictured(answers, factor)
            unfinished = file_of(folder, factor.name, identity).with_suffix(".part")
            save_file(frames.tensors(), unfinished)
            unfinished.replace(file_of(folder, factor.name, identity))
        log.info("identity %d: %d sequences, %.1f minutes left", identity, len(factors), (until - time.monotonic()) / 60)


def main() -> None:
    """The command line of this file."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--identities", type=int, default=IDENTITIES)
    parser.add_argument("--minutes", type=float, default=60, help="end after this long, at the next sequence")
    parser.add_argument("--folder", type=Path, default=FOLDER)
    parser.add_argument("--device", default="cpu")
    arguments = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    keep_pages()
    arguments.folder.mkdir(parents=True, exist_ok=True)
    make(load_generator("ffhq", arguments.device), arguments.folder, min(arguments.identities, IDENTITIES), arguments.minutes)


if __name__ == "__main__":
    main()
