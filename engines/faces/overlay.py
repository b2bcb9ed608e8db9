"""What was found, drawn on the photo: numbered boxes, the square that is cut out, and eyes and mouth of the face in it."""

from collections.abc import Sequence

from PIL import Image as Pictures
from PIL import ImageDraw, ImageFont

from engines.faces.align import Alignment
from engines.faces.find import Face

CHOSEN, OTHER, DARK = (255, 196, 0), (90, 200, 250), (20, 20, 20)


def draw_overlay(photo: Pictures.Image, faces: Sequence[Face], alignment: Alignment | None = None) -> Pictures.Image:
    """A copy of the photo with all faces marked, lines and figures scaled to its size.

    Args:
        photo: The picture in which the faces were found.
        faces: The faces, numbered from 1 in this order.
        alignment: The square in use, one face's own or one placed by hand.
    """
    canvas = photo.convert("RGB").copy()
    draw = ImageDraw.Draw(canvas)
    width = max(1, round(max(canvas.size) / 320))
    for index, face in enumerate(faces):
        chosen = face.alignment is alignment
        colour = CHOSEN if chosen else OTHER
        draw.rectangle(face.detection.box, outline=colour, width=width)
        _number(draw, face, index + 1, colour, width)
        if chosen:
            _points(draw, face, width)
    if alignment is not None:
        quad = list(alignment.quad)
        draw.line([*quad, *quad[:2]], fill=CHOSEN, width=width, joint="curve")
    return canvas


def _number(draw: ImageDraw.ImageDraw, face: Face, number: int, colour: tuple[int, int, int], width: int) -> None:
    """The face's number on a filled tag above its box, or within the box where it meets the picture's upper border."""
    font = ImageFont.load_default(max(10, 7 * width))
    across, down = (length + 4 * width for length in draw.textbbox((0, 0), str(number), font=font)[2:])
    left, top = max(face.detection.box[0], 0), face.detection.box[1]
    top = top - down if top >= down else max(top, 0)
    draw.rectangle((left, top, left + across, top + down), fill=colour)
    draw.text((left + 2 * width, top + width), str(number), fill=DARK, font=font)


def _points(draw: ImageDraw.ImageDraw, face: Face, width: int) -> None:
    """A dot on eyes, nose and mouth corners."""
    for x, y in face.landmarks.five.tolist():
        radius = 1.5 * width
        draw.ellipse((x - radius, y - radius, x + radius, y + radius), fill=CHOSEN, outline=DARK)
