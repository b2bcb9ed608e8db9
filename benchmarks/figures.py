"""Draw the README's figures: `python -m benchmarks.figures` (about a minute on two CPU cores).

docs/pictures/editing.webp: the bundled portrait, inverted by Image2StyleGAN and turned along three of InterFaceGAN's directions.
"""

import torch
from PIL import Image as Pil
from PIL import ImageDraw, ImageFont

from benchmarks import PICTURES
from engines import FitRequest, Inversion, InvertRequest, create, load_generator
from engines.core.images import read_image, to_picture, to_tensor
from engines.core.weights import assets
from engines.data import attributes, face_bank
from engines.faces import align, find_faces, pick_face
from engines.generators.base import Generator
from engines.generators.incremental import draw_inversion
from engines.spaces.directions import Direction, apply_directions

EDITED = ("yaw", "smile", "age")
STRENGTHS = (-3.0, -2.0, -1.0, 0.0, 1.0, 2.0, 3.0)
TILE, MARGIN, HEAD = 224, 86, 26


def inverted(generator: Generator) -> Inversion:
    """The bundled portrait as a code, by Image2StyleGAN at its defaults."""
    photo = read_image(assets() / "examples" / "astronaut.jpg")
    target = to_tensor(align(photo, pick_face(find_faces(photo)).alignment, generator.resolution))
    return create("image2stylegan", generator)(InvertRequest(image=target)).inversions[0]


@torch.no_grad()
def grid(generator: Generator, inversion: Inversion, directions: list[Direction]) -> Pil.Image:
    """A row a direction, a column a strength, labelled."""
    titles = {attribute.name: attribute.title.split(" (")[0] for attribute in attributes(generator)}
    sheet = Pil.new("RGB", (MARGIN + TILE * len(STRENGTHS), HEAD + TILE * len(directions)), "white")
    pen, font = ImageDraw.Draw(sheet), ImageFont.load_default(15)
    for column, strength in enumerate(STRENGTHS):
        pen.text((MARGIN + (column + 0.5) * TILE, HEAD / 2), f"{strength:+g} sigma" if strength else "inversion", "black", font, "mm")
    for row, direction in enumerate(directions):
        words = titles[direction.name].replace(" of the head", "")
        pen.text((MARGIN / 2, HEAD + (row + 0.5) * TILE), words, "black", font, "mm")
        for column, strength in enumerate(STRENGTHS):
            picture = to_picture(draw_inversion(generator, apply_directions(inversion, [(direction, strength)], generator)))
            small = picture.resize((TILE, TILE), Pil.Resampling.LANCZOS)
            sheet.paste(small, (MARGIN + column * TILE, HEAD + row * TILE))
    return sheet


def main() -> None:
    """Draw and save."""
    generator = load_generator("ffhq")
    bank = face_bank(generator)
    learn = create("interfacegan", generator)
    directions = [learn(FitRequest(bank=bank, attribute=name)).directions[0] for name in EDITED]
    path = PICTURES / "editing.webp"
    grid(generator, inverted(generator), directions).save(path, quality=82, method=6)
    print(f"Wrote {path}.")


if __name__ == "__main__":
    main()
