"""What endpoints have in common: an upload that must have come, and what a program is told before its answer."""

from typing import Any, TypeAlias

import gradio as gr
from PIL import Image as Pil

from engines.core.errors import StudioError
from engines.inputs import Reading
from studio.serving.tickets import Standing
from studio.state.moments import Moment

Told: TypeAlias = tuple[Pil.Image | None, dict[str, Any]]
"""A picture, once there is one, and figures."""


def sent(path: str | None, what: str = "photo") -> str:
    """The path of an upload.

    Raises:
        StudioError: None came.
    """
    if path is None:
        raise StudioError(f"No {what} came. Send one with handle_file(...).")
    return path


def tell(reading: Reading) -> None:
    """Say to the client what there is to say of its files."""
    for _, words in reading.remarks:
        gr.Info(words)


def waiting(standing: Standing) -> Told:
    """The place in line, and seconds until the turn where they are known."""
    return None, {"waiting": {"place": standing.place, "of": standing.count, "seconds": standing.seconds}}


def going(moment: Moment) -> Told:
    """How far a run is."""
    return None, {"running": {"step": moment.progress.step, "of": moment.progress.total, "seconds": moment.seconds}}
