"""FineGAN for programs: a picture in all its stages by its codes, and the codes of a picture.

from gradio_client import Client, handle_file

client = Client("http://127.0.0.1:7860")
picture, stages = client.predict({"child": 12, "parent": 3, "seed": 5}, api_name="/sample_finegan")
picture, codes = client.predict(handle_file("bird.png"), {"steps": 40}, api_name="/find_finegan_codes")
"""

from collections.abc import Iterator
from dataclasses import asdict, replace
from typing import Any

import gradio as gr
from PIL import Image as Pil

from engines import DrawingRequest
from engines.core.errors import StudioError
from engines.core.images import to_picture
from engines.hierarchy.finegan_codes import FineFinder, found_codes
from studio.api.progress import Told, going, sent, tell, waiting
from studio.services.finegan_sampler import BACKGROUND, CHILD, MOST_SEED, PARENT, SEED, Sampler, shifted, whole
from studio.services.photo_pipeline import reading_for
from studio.serving.lines import PROGRAM, RUN, told
from studio.state.moments import moments
from studio.ui.inputs import photo_input
from studio.ui.run_events import spoken

_SETTINGS = (CHILD, PARENT, BACKGROUND, SEED, "shifts")


def build(sampler: Sampler) -> None:
    """Endpoints `sample_finegan` and `find_finegan_codes`, over hidden components; none where there is no network."""
    if not sampler.is_there:
        return
    session = sampler.session
    with gr.Row(visible=False):
        photo, settings, picture, button = photo_input(), gr.JSON(), gr.Image(type="pil", format="png"), gr.Button()
        stages, found = gr.Gallery(format="png"), gr.JSON()

    @spoken
    def sample_finegan(settings: dict[str, Any] | None) -> tuple[Pil.Image, list[tuple[Pil.Image, str]]]:
        """The picture of a child, a parent and a background, by default the child's own, and of a seed; and all its stages."""
        given = settings if isinstance(settings, dict) else {}
        unknown = sorted(set(given) - set(_SETTINGS))
        if unknown:
            raise StudioError(f"There is no setting {unknown[0]!r}; there are: {', '.join(_SETTINGS)}.")
        codes = sampler.finegan.tied(
            whole(given.get(CHILD, 0), sampler.count(CHILD), "Child"), whole(given.get(SEED, 0), MOST_SEED, "Seed")
        )
        if PARENT in given:
            codes = replace(codes, parent=whole(given[PARENT], sampler.count(PARENT), "Parent"))
        if BACKGROUND in given:
            codes = replace(codes, background=whole(given[BACKGROUND], sampler.count(BACKGROUND), "Background"))
        shifts = given.get("shifts", [])
        drawn = sampler.draw(replace(codes, shifts=shifted(shifts if isinstance(shifts, list) else [None])))
        return to_picture(drawn.images), [(to_picture(image), name) for name, image in drawn.stages.items()]

    @spoken
    def find_finegan_codes(photo: str | None, settings: dict[str, Any] | None) -> Iterator[Told]:
        """The codes that draw a picture best, with its errors; settings are the engine's knobs."""
        reading = reading_for(session)
        request = DrawingRequest.of({"image": sent(photo, "picture")}, reading)
        tell(reading)
        knobs = FineFinder.knob_set.of(settings if isinstance(settings, dict) else {})
        run, result = sampler.finder.run(request, knobs), None
        for moment in moments(run, session.settings.run_seconds):
            result = moment.result or result
            yield going(moment)
        assert result is not None
        yield to_picture(result.images), asdict(found_codes(result)) | dict(result.metrics)

    finding = told(find_finegan_codes, session.lines, lambda *_: (RUN, "finegan_codes"), waiting)
    button.click(sample_finegan, settings, [picture, stages], api_name="sample_finegan", concurrency_id=PROGRAM)
    button.click(finding, [photo, settings], [picture, found], api_name="find_finegan_codes", concurrency_limit=None)
