"""Take the README's pictures of the five tabs: `python -m benchmarks.tab_pictures` (minutes on two cores; wants Chromium and playwright).

docs/pictures/: invert.webp, edit.webp, explore.webp, mix.webp, hierarchy.webp. Each shows cells of a tab as a visitor finds them, after
one has used them once; `python -m benchmarks.tab_pictures mix` takes one alone.
"""

import io
import sys
from collections.abc import Callable
from typing import Any

from PIL import Image as Pil

from benchmarks import PICTURES
from benchmarks.page import browsed, server
from engines.core.errors import StudioError
from engines.core.weights import assets

WIDTH, MOST_BYTES, _PATIENCE = 1000, 60_000, 900_000
_LOADED = "[...document.images].every(image => !image.checkVisibility() || (image.complete && image.naturalWidth))"


def invert(page: Any) -> list[str]:
    """A photo, inverted by the default method."""
    page.set_input_files("#photo input[type=file]", str(assets() / "examples" / "astronaut.jpg"))
    page.get_by_text("aligned.").first.wait_for()
    page.click("#invert-run")
    page.locator("#invert-metrics", has_text="LPIPS").wait_for(timeout=_PATIENCE)
    return ["result"]


def edit(page: Any) -> list[str]:
    """A face that smiles more and looks older."""
    for direction, presses in (("Smile", 20), ("Age", 20)):
        slider = page.locator(".turn:visible", has_text=direction).locator("input[type=range]").first
        slider.focus()
        for _ in range(presses):
            page.keyboard.press("ArrowRight")
    page.locator(".turned .aside:visible", has_text="moves most").nth(1).wait_for(timeout=_PATIENCE)
    return ["edit"]


def explore(page: Any) -> list[str]:
    """The map of W, coloured by an attribute, with a face chosen."""
    page.wait_for_function("document.querySelector('#explore-plot .plot').dataset.shown")
    page.locator("#explore-colour input").click()
    page.locator("#explore-colour").get_by_role("option", name="Age", exact=False).first.click()
    page.locator("#explore-list input").fill("Face 7")
    page.keyboard.press("Enter")
    page.locator("#explore-face img").wait_for()
    return ["map"]


def mix(page: Any) -> list[str]:
    """Eyes and mouth of one face in another."""
    page.locator("#mix-words", has_text="Nothing is painted yet").wait_for()
    page.wait_for_timeout(3_000)
    for part in ("eyes", "mouth"):
        page.locator("#mix-parts").get_by_label(part, exact=True).check()
        page.locator("#mix-words", has_text="of the picture is painted").wait_for()
        page.wait_for_timeout(3_000)
    return ["mask-and-mix"]


def hierarchy(page: Any) -> list[str]:
    """A bird's codes, and its stages."""
    page.locator("#hier-stages img >> nth=8").wait_for()
    return ["codes", "stages"]


TABS: dict[str, tuple[str, Callable[[Any], list[str]]]] = {
    "invert": ("Invert", invert),
    "edit": ("Edit directions", edit),
    "explore": ("Latent explorer", explore),
    "mix": ("Local mixing", mix),
    "hierarchy": ("FineGAN hierarchy sampler", hierarchy),
}
"""Title of each tab, and what is done on it before the picture; it names the cells to show."""


def taken(page: Any, name: str) -> Pil.Image:
    """The cells of a tab that its function names, one below the other."""
    title, use = TABS[name]
    page.get_by_role("tab", name=title).click()
    cells = [f"#cell-{name}-{cell}" for cell in use(page)]
    page.wait_for_timeout(6_000)  # the full picture follows, and words settle
    page.mouse.move(2, 2)
    page.set_viewport_size({"width": 1280, "height": page.evaluate("document.documentElement.scrollHeight")})
    page.wait_for_function(_LOADED)
    page.wait_for_timeout(1_500)
    first, last = (page.locator(cell).bounding_box() for cell in (cells[0], cells[-1]))
    clip = {"x": first["x"], "y": first["y"], "width": first["width"], "height": last["y"] + last["height"] - first["y"]}
    return Pil.open(io.BytesIO(page.screenshot(clip=clip))).convert("RGB")


def small(picture: Pil.Image) -> bytes:
    """As WebP, WIDTH pixels wide and of MOST_BYTES at most."""
    picture = picture.resize((WIDTH, round(picture.height * WIDTH / picture.width)), Pil.Resampling.LANCZOS)
    for quality in range(84, 30, -4):
        buffer = io.BytesIO()
        picture.save(buffer, "WEBP", quality=quality, method=6)
        if buffer.tell() <= MOST_BYTES:
            return buffer.getvalue()
    raise StudioError(f"A picture of {picture.width} x {picture.height} pixels does not fit into {MOST_BYTES} bytes; show fewer cells.")


def main(names: list[str]) -> None:
    """Take and save those named, or all."""
    with server() as (url, _, _):
        for name in names or TABS:
            with browsed(f"{url}?__theme=light", unfolded=False) as page:
                if page is None:
                    raise StudioError("The pictures want Chromium (or STUDIO_CHROMIUM names it) and the package playwright.")
                data = small(taken(page, name))
            (PICTURES / f"{name}.webp").write_bytes(data)
            print(f"Wrote {name}.webp, {len(data):,} bytes.")


if __name__ == "__main__":
    main(sys.argv[1:])
