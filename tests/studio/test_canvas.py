"""What painting canvases send is read, and nothing else is."""

import base64
import io

import pytest
from PIL import Image as Pil

from studio.services.masks import as_layer, blank, opened_mask
from studio.state.mix import CANVAS, PAINT
from studio.ui.inputs import hung, layers


def png(picture: Pil.Image) -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, format="PNG")
    return buffer.getvalue()


def test_what_is_hung_with_a_mask_comes_back_as_that_mask() -> None:
    mask = blank()
    mask[100:200, 50:300] = 255
    mask[200:210, 50:300] = 90  # a soft edge, as the brush's own
    sent = hung(Pil.new("RGB", (CANVAS, CANVAS), "red"), as_layer(mask)).value
    (data,) = layers(sent)
    assert (opened_mask(data) == mask).all()
    assert as_layer(mask).getpixel((60, 110)) == (*(int(PAINT[i : i + 2], 16) for i in (1, 3, 5)), 255)


def test_a_canvas_without_paint_sends_nothing() -> None:
    assert layers(hung(Pil.new("RGB", (8, 8))).value) == []


@pytest.mark.parametrize(
    "value",
    [None, "", 7, ["data:image/png;base64,AAAA"], "data:text/html;base64,AAAA", "data:image/png;base64,no base64!", "file:///etc/passwd"],
)
def test_anything_else_is_nothing_painted(value: object) -> None:
    assert layers(value) == []


def test_more_than_a_canvas_holds_is_not_decoded() -> None:
    assert layers("data:image/png;base64," + base64.b64encode(b"0" * 4_000_000).decode()) == []
    assert layers("data:image/png;base64," + base64.b64encode(png(Pil.new("RGBA", (4, 4)))).decode()) == [png(Pil.new("RGBA", (4, 4)))]
