"""Draw what each method of inversion makes of the bundled portrait, small: the pictures beside the methods' names on the page.

python -m scripts.method_samples                 # all, some minutes on two cores
python -m scripts.method_samples psp e4e         # these alone
"""

import sys

import engines.invert
from engines import InvertRequest
from engines.core.images import area, read_image, to_picture, to_tensor
from engines.core.weights import assets
from engines.faces import align, find_faces
from engines.registry import engines_of, load_generator

_SIDE = 96


def main(names: list[str]) -> None:
    """Write assets/samples/NAME.jpg of every method, or of those named."""
    generator = load_generator("ffhq")
    photo = read_image(assets() / "examples" / "astronaut.jpg")
    face = to_tensor(align(photo, find_faces(photo)[0].alignment, generator.resolution))
    folder = assets() / "samples"
    folder.mkdir(exist_ok=True)
    for engine in engines_of(engines.invert):
        name = engine.card.name
        if engine.accepts is InvertRequest and engine.card.needs <= generator.capabilities and (not names or name in names):
            image = engine(generator)(InvertRequest(image=face)).images
            to_picture(area(image.clamp(-1, 1), _SIDE)).save(folder / f"{name}.jpg", quality=88)


if __name__ == "__main__":
    main(sys.argv[1:])
