"""Make the folders of real portraits that encoders learn from, are chosen by and are measured on, from local clones of two repositories.

    git clone https://github.com/unitedstates/images            # congress/original/ID.jpg
    git clone https://github.com/voteview/member_photos         # images/bio_guide/ID.jpg
    python -m scripts.align_portraits build/portraits --unitedstates images --voteview member_photos

Official portraits of members of the US Congress, works of the US government and so in the public domain. `portraits.csv` says which file
goes where, by the members' public ids; no person is in two folders. Portraits to learn from and to choose by are aligned to 256 px, those
to measure on to 512 px.
"""

import argparse
import csv
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from engines.core.errors import StudioError
from engines.core.images import read_image
from engines.faces import align, find_faces, pick_face

LIST = Path(__file__).with_name("portraits.csv")
FOLDERS = {"unitedstates-images": "congress/original", "voteview-bioguide": "images/bio_guide"}
SIDES = {"benchmark": 512}
_SIDE, _QUALITY = 256, 95


class Portrait(NamedTuple):
    """One row of the list.

    Attributes:
        file: Where it goes, below the folder that is made.
        source: One of `FOLDERS`.
        id: Name of its file there.
    """

    file: str
    source: str
    id: str


def listed(path: Path = LIST) -> list[Portrait]:
    """The portraits of a list."""
    with path.open(newline="", encoding="utf-8") as file:
        return [Portrait(row["file"], row["source"], row["id"]) for row in csv.DictReader(file)]


def aligned(portraits: Sequence[Portrait], clones: dict[str, Path], folder: Path) -> Iterator[str]:
    """Write each portrait, aligned; yields a sentence for each that is missing or has no face."""
    for portrait in portraits:
        source = clones[portrait.source] / FOLDERS[portrait.source] / f"{portrait.id}.jpg"
        target = folder / portrait.file
        if not source.is_file():
            yield f"{source} is not there: {portrait.file} is left out."
            continue
        try:
            photo = read_image(source)
            side = SIDES.get(target.parent.name, _SIDE)
            picture = align(photo, pick_face(find_faces(photo)).alignment, side)
        except StudioError as error:
            yield f"{source}: {error} {portrait.file} is left out."
            continue
        target.parent.mkdir(parents=True, exist_ok=True)
        picture.save(target, "JPEG", quality=_QUALITY)


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line of this file; 1 where a portrait was left out."""
    parser = argparse.ArgumentParser(prog="python -m scripts.align_portraits", description="Align the real portraits of the recipes.")
    parser.add_argument("folder", type=Path, help="where train/, validation/ and benchmark/ go")
    parser.add_argument("--unitedstates", type=Path, required=True, help="a clone of github.com/unitedstates/images")
    parser.add_argument("--voteview", type=Path, required=True, help="a clone of github.com/voteview/member_photos")
    parsed = parser.parse_args(arguments)
    clones = {"unitedstates-images": parsed.unitedstates, "voteview-bioguide": parsed.voteview}
    left_out = list(aligned(listed(), clones, parsed.folder))
    sys.stdout.write("\n".join(left_out or ["All portraits are there."]) + "\n")
    return int(bool(left_out))


if __name__ == "__main__":
    raise SystemExit(main())
