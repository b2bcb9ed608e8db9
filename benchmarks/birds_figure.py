"""The README's picture of FineGAN's birds: `python -m benchmarks.birds_figure`.

docs/pictures/birds.webp: a shape a row, a texture a column, one z a column, all codes independent. Of fifty textures every sixth is
shown. Of ten shapes eight are, picked by eye: the two that are left out draw no bird at once (`LEFT_OUT`), and the caption says so.
"""

import torch
from PIL import Image as Pil

from benchmarks import PICTURES
from engines.core.images import to_picture
from engines.generators.finegan import FineCodes, bundled_finegan
from engines.metrics.birds import many

SIDE, SCALE = 8, 2

LEFT_OUT = {1: "two heads", 5: "no head"}
"""Parent codes of the network that ships whose birds are none, and what is wrong with them."""


def grid() -> Pil.Image:
    """All birds, twice their size."""
    finegan = bundled_finegan()
    step = max(1, finegan.form.children // SIDE)
    columns = [(column * step, column) for column in range(SIDE)]
    parents = [parent for parent in range(finegan.form.parents) if parent not in LEFT_OUT]
    codes = [FineCodes(child, parent, child, seed) for parent in parents for child, seed in columns]
    rows = many(finegan, codes).child.split(SIDE)
    picture = to_picture(torch.cat([torch.cat(list(row), dim=2) for row in rows], dim=1)[None])
    return picture.resize((SCALE * picture.width, SCALE * picture.height), Pil.Resampling.LANCZOS)


def main() -> None:
    """Draw and save."""
    path = PICTURES / "birds.webp"
    grid().save(path, quality=85, method=6)
    print(f"Wrote {path}.")


if __name__ == "__main__":
    main()
