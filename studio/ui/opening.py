"""The page's configuration reaches the browser through `events.js`, which spares the page most of the work of its opening."""

from pathlib import Path
from typing import Any

import markupsafe
from gradio.routes import templates, toorjson

_SCRIPT = Path(__file__).with_name("events.js").read_text(encoding="utf-8").strip()


def through_our_script(value: Any) -> markupsafe.Markup:
    """A value as JavaScript; of a page's configuration, what `events.js` makes of it."""
    text = toorjson(value)
    return markupsafe.Markup(f"{_SCRIPT}({text})") if isinstance(value, dict) and "dependencies" in value else text


def hand_on_through_our_script() -> None:
    """From now on, every page that is served has its configuration so."""
    templates.env.filters["toorjson"] = through_our_script
