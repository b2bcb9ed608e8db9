"""What was found, drawn on the photo: numbered boxes, and the square, eyes and mouth of the chosen face."""

from collections.abc import Sequence

from PIL import Image as Pictures
from PIL import ImageDraw, ImageFont

from engines.faces.find import Face

CHOSEN, OTHER, DARK = (255, 196, 0), (90, 200, 250), (20, 20, 20)


def draw_overlay(photo: Pictures.Image, faces: Sequence[Face], chosen: int | None = 0) -> Pictures.Image:
    """A copy of the photo with all faces marked, lines and figures scaled to its size.

    Args:
        photo: The picture in which the faces were found.
        faces: The faces, numbered from 1 in this order.
        chosen: Index of the face whose square and points are drawn, or None.
    """
    canvas = photo.convert("RGB").copy()
    draw = ImageDraw.Draw(canvas)
    width = max(1, round(max(canvas.size) / 320))
    for index, face in enumerate(faces):
        colour = CHOSEN if index == chosen else OTHER
        draw.rectangle(face.detection.box, outline=colour, width=width)
        _number(draw, face, index + 1, colour, width)
    if chosen is not None and chosen < len(faces):
        _details(draw, faces[chosen], width)
    return canvas


def _number(draw: ImageDraw.ImageDraw, face: Face, number: int, colour: tuple[int, int, int], width: int) -> None:
    """The face's number on a filled tag in the upper left corner of its box."""
    font = ImageFont.load_default(max(10, 7 * width))
    left, top = max(face.detection.box[0], 0), max(face.detection.box[1], 0)
    tag = draw.textbbox((left + 2 * width, top + width), str(number), font=font)
    draw.rectangle((left, top, tag[2] + 2 * width, tag[3] + 2 * width), fill=colour)
    draw.text((left + 2 * width, top + width), str(number), fill=DARK, font=font)


def _details(draw: ImageDraw.ImageDraw, face: Face, width: int) -> None:
    """The aligned square, and a dot on eyes, nose and mouth corners."""
    quad = list(face.alignment.quad)
    draw.line([*quad, *quad[:2]], fill=CHOSEN, width=width, joint="curve")
    for x, y in face.landmarks.five.tolist():
        radius = 1.5 * width
        draw.ellipse((x - radius, y - radius, x + radius, y + radius), fill=CHOSEN, outline=DARK)
