"""Invert the example portrait that the page opens with: python -m scripts.example

Writes its code beside the photo, as "Download the code" on the page would. Deterministic on one machine; a minute on two cores.
"""

from engines import InvertRequest, create, load_generator
from engines.core.images import read_image, to_tensor
from engines.core.weights import assets
from engines.edit.codes import write_codes
from engines.faces import align, find_faces

NAME, METHOD = "astronaut", "recommended"


def main() -> None:
    """Align, invert, write."""
    folder = assets() / "examples"
    photo = read_image(folder / f"{NAME}.jpg")
    target = to_tensor(align(photo, find_faces(photo)[0].alignment))
    result = create(METHOD, load_generator("ffhq"))(InvertRequest(image=target))
    (folder / f"{NAME}.safetensors").write_bytes(write_codes(result.inversions[0]))


if __name__ == "__main__":
    main()
